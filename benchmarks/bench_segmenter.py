"""The lake network streamed over a raster: ours against terratorch's own tiled inference, and what a chip costs.

Same network, same raster in memory, windows of the same size, stride and margin at the same places; ours blends logits as the
pipeline does. terratorch runs as it comes (float32, batches of 16) and with our number format, so that the loop can be told
from the format. Best of the repeats; what is compared is run in turns, in one process. CPU seconds (user and system, all
threads) hold on a busy machine, wall seconds do not.

    python -m benchmarks.bench_segmenter [--chips 4] [--repeats 2] [--threads 1] [--json FILE]

`--chips` is 4 or 15: rasters on which the windows of both come to lie alike. On a GPU it adds TerraMind-large with flips.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.segmenter_ground import MARGIN, STRIDE, WINDOW, Clocked, Raster, centered, given_of, network, raster, standardised
from catalog.facts.cards import NetworkConfig, WeightsCard
from models.segmenter.contract import InputContract
from models.segmenter.lakes import TrainedSegmenter
from models.segmenter.normalise import DEM, MODALITIES, S1, S2, TERRAMIND
from models.segmenter.passes import InferenceOptions, Passes
from models.segmenter.predict import Measures, stream
from models.segmenter.samples import scenery_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from terratorch.tasks.tiled_inference import tiled_inference

HALF = 125
"""Probability 0.5 as the cube keeps it."""
PEAK_TFLOPS = 989.0
"""bfloat16, dense, of an H100 or H200 (its data sheet)."""
CARD = WeightsCard("bench", "1", "untrained", "none", "nothing", "none", "0" * 64, NetworkConfig(), stride_px=STRIDE)


class Placed(TrainedSegmenter):
    """Our model with the margin of the comparison."""

    @property
    def contract(self) -> InputContract:
        return replace(super().contract, margin_px=MARGIN)


@dataclass(frozen=True)
class Run:
    """One way over the raster."""

    wall_s: float
    cpu_s: float
    network_cpu_s: float
    chips: int
    water: NDArray[np.bool_]

    @property
    def chips_per_cpu_s(self) -> float:
        return self.chips / self.cpu_s

    @property
    def outside(self) -> float:
        return 1 - self.network_cpu_s / self.cpu_s


def timed(work: Callable[[], tuple[int, NDArray[np.bool_]]]) -> Run:
    Clocked.cpu_s = 0.0
    wall, cpu = time.perf_counter(), time.process_time()
    chips, water = work()
    return Run(time.perf_counter() - wall, time.process_time() - cpu, Clocked.cpu_s, chips, water)


def ours(model: TrainedSegmenter, ground: Raster, measures: Measures | None = None) -> tuple[int, NDArray[np.bool_]]:
    record = measures or Measures()
    (prediction,) = stream(model, [ground.tile], ground.read, measures=record)
    return record.windows_predicted, prediction.probability >= HALF


def theirs(clocked: nn.Module, ground: Raster, dtype: torch.dtype) -> tuple[int, NDArray[np.bool_]]:
    """What terratorch does with the raster: standardised whole, cut, run, blended with its Hann ramps."""
    images, seen = standardised(ground), list[int]()

    def forward(chips: dict[str, Tensor]) -> Tensor:
        seen.append(len(chips[DEM]))
        logits: Tensor = clocked(given_of(chips, dtype))
        return logits.float()

    with torch.inference_mode():
        logits = tiled_inference(forward, images, crop=WINDOW, stride=STRIDE, delta=MARGIN, batch_size=16)
    return sum(seen), as_stored(logits[0, 0].numpy()) >= HALF


def as_stored(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability as the cube keeps it, so that both cut at the same value."""
    stored: NDArray[np.float32] = np.rint(250 / (1 + np.exp(-logits)))
    return stored


def best(runs: list[Run]) -> Run:
    return min(runs, key=lambda run: run.cpu_s)


def compare(ground: Raster, repeats: int) -> dict[str, float]:
    """Ours against terratorch, in turns."""
    clocked = Clocked(centered(network(CARD.network), ground)).eval()
    models = {name: Placed(clocked, CARD, InferenceOptions(dtype=name, flips=False)) for name in ("float32", "bfloat16")}  # type: ignore[arg-type]
    halves = Passes(clocked, InferenceOptions(dtype="bfloat16"))._network
    ways: dict[str, Callable[[], tuple[int, NDArray[np.bool_]]]] = {
        "terratorch float32": lambda: theirs(clocked, ground, torch.float32),
        "terratorch bfloat16": lambda: theirs(halves, ground, torch.bfloat16),
        "ours float32": lambda: ours(models["float32"], ground),
        "ours bfloat16": lambda: ours(models["bfloat16"], ground),
    }
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            runs[name].append(timed(way))
    found = {name: best(of) for name, of in runs.items()}
    reference = found["terratorch float32"]
    alike = {name: found[f"terratorch {name.split()[1]}"] for name in found}
    print(f"\n{ground.tile.size_px} x {ground.tile.size_px} px, windows of {WINDOW} px, stride {STRIDE}, margin {MARGIN}")
    print(
        f"{'way':<22}{'chips':>7}{'wall s':>9}{'CPU s':>8}{'chips/CPU s':>13}{'ratio':>7}{'outside':>9}{'equal px':>10}{'to float32':>12}"
    )
    ring = slice(MARGIN, -MARGIN)
    figures: dict[str, float] = {}
    for name, run in found.items():
        ratio = run.chips_per_cpu_s / reference.chips_per_cpu_s
        equal, exact = (float((run.water == other.water)[ring, ring].mean()) for other in (alike[name], reference))
        print(
            f"{name:<22}{run.chips:>7}{run.wall_s:>9.1f}{run.cpu_s:>8.1f}{run.chips_per_cpu_s:>13.2f}{ratio:>6.2f}x{run.outside:>9.1%}"
            f"{equal:>10.5f}{exact:>12.5f}"
        )
        figures |= {f"{name}: chips per CPU s": run.chips_per_cpu_s, f"{name}: outside": run.outside, f"{name}: equal": equal}
    print(
        "(chips: ours also predicts the windows that the raster shares with its neighbours; equal px: of the mask, to terratorch in the\n"
        " same number format and in float32, without the outermost margin; the network is untrained and answers with noise)"
    )
    return figures


def chip_costs(repeats: int) -> dict[str, float]:
    """Chips per CPU second by decoder, number format, flips and images per pass."""
    ground = raster(4)
    size = 4
    chips = [ground.read((ground.tile.origin_yx_px[0] + WINDOW * index, ground.tile.origin_yx_px[1]), WINDOW) for index in range(size)]
    s2, s1, dem = (np.stack([np.asarray(getattr(chip, name)) for chip in chips]) for name in ("s2", "s1", "dem"))
    seen = scenery_of(s2, s1, dem, torch.device("cpu"))
    ways: dict[str, tuple[Passes, float]] = {}
    print(f"\n{'network':<12}{'parameters':>12}{'GFLOP/chip':>12}")
    for decoder in ("compact", "upernet"):
        fresh = network(replace(CARD.network, decoder=decoder))  # type: ignore[arg-type]
        print(f"{decoder:<12}{sum(p.numel() for p in fresh.parameters()) / 1e6:>10.2f} M{gflop(fresh):>12.2f}")
        for name in ("float32", "bfloat16"):
            for images, flips in ((1, False), (4, False), (4, True)):
                label = f"{decoder} {name}, {images} a pass{', flips' if flips else ''}"
                ways[label] = Passes(fresh, InferenceOptions(dtype=name, flips=flips, images_per_pass=images)), gflop(fresh)  # type: ignore[arg-type]
    taken: dict[str, list[float]] = {label: [] for label in ways}
    for _ in range(repeats):
        for label, (passes, _) in ways.items():
            started = time.process_time()
            passes.members(seen, TERRAMIND, MODALITIES)
            taken[label].append(time.process_time() - started)
    print(f"\n{'way':<40}{'chips/CPU s':>12}{'GFLOP/CPU s':>13}")
    figures = {}
    for label, (passes, cost) in ways.items():
        figures[label] = size / min(taken[label])
        print(f"{label:<40}{figures[label]:>12.2f}{figures[label] * cost * len(passes.flips):>13.0f}")
    return figures


def gflop(fresh: nn.Module, side: int = WINDOW) -> float:
    """Multiplications and additions of one chip, 1e9."""
    images = {name: torch.zeros(1, bands, side, side) for name, bands in ((S2, 12), (S1, 2), (DEM, 1))}
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        fresh(given_of(images, torch.float32))
    return counter.get_total_flops() / 1e9


def on_gpu(chips: int = 15) -> dict[str, float]:
    """TerraMind-large with flips on the device: chips per second, share of its peak, share of waiting."""
    config = NetworkConfig(backbone="terramind_v1_large", channels=256)
    fresh, ground, measures = network(config), raster(chips), Measures()
    cost = gflop(fresh) * 4
    model = Placed(fresh, replace(CARD, network=config), InferenceOptions(device="cuda"))
    ours(model, raster(4))
    started = time.perf_counter()
    ours(model, ground, measures)
    seconds = time.perf_counter() - started
    speed, busy = measures.windows_predicted / seconds, measures.windows_predicted / measures.seconds_in_network
    print(f"\n{torch.cuda.get_device_name()}: TerraMind-large with flips, {cost:.0f} GFLOP per chip, {measures.windows_predicted} chips")
    print(
        f"{speed:.0f} chips/s, {busy * cost / 1000 / PEAK_TFLOPS:.1%} of peak while the network runs, waiting {measures.waiting_share:.1%}"
    )
    return {"gpu chips per s": speed, "gpu waiting share": measures.waiting_share, "gpu outside network": measures.outside_network_share}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=4, choices=(4, 15))
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="threads of the network; its share of the CPU is only known for 1")
    parser.add_argument("--json", type=Path)
    call = parser.parse_args()
    torch.set_num_threads(call.threads)
    figures = {**compare(raster(call.chips), call.repeats), **chip_costs(call.repeats)}
    if torch.cuda.is_available():
        figures |= on_gpu()
    else:
        print("\nTerraMind-large with flips on a GPU: not run here, there is none")
    if call.json:
        call.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
