"""What training a slump detector takes in memory, end to end and with frozen backbones: counted for a batch of one window.

The published figures are 230 M parameters of which 78 M learn once backbones are frozen, and 3361 MB that become 1754 MB; they
fit the state that lasts (weights, gradients, moments), which is exact here. Saved bytes are what a step keeps for its backward
pass. Nothing is downloaded, all weights are random.

    python -m benchmarks.detector_memory [--window 128] [--sizes tiny base] [--json FILE]
"""

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from catalog.facts.detector_cards import NDVI, NIR, RGB, TOPO, DetectorConfig, FusionConfig, channels_of
from models.detector.memory import SavedBytes, parameters_by_part, saved_bytes, static_bytes, trainable_parameters
from models.detector.network import SlumpNetwork, build
from models.detector.targets import Target

SETS = ((RGB,), (RGB, NDVI), (RGB, NDVI, NIR), (RGB, NDVI, NIR, TOPO))
MIB, MB, MILLION = 2**20, 1e6, 1e6


@dataclass(frozen=True)
class Row:
    """One network in one regime."""

    network: str
    modalities: str
    regime: str
    parameters_m: float
    trainable_m: float
    static_mib: float
    saved_features_mb: float
    saved_heads_mb: float


def main() -> None:
    arguments = _arguments()
    torch.set_num_threads(1)
    print(f"{'network':22} {'modalities':20} {'regime':8} {'M':>7} {'learn M':>8} {'static MiB':>10} {'features MB':>11} {'heads MB':>9}")
    rows = []
    for config in _configs(arguments.sizes, arguments.window):
        for row in _rows(config):
            rows.append(row)
            print(
                f"{row.network:22} {row.modalities:20} {row.regime:8} {row.parameters_m:7.1f} {row.trainable_m:8.1f} "
                f"{row.static_mib:10.0f} {row.saved_features_mb:11.0f} {row.saved_heads_mb:9.0f}",
                flush=True,
            )
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([asdict(row) for row in rows], indent=1))


def _configs(sizes: list[str], window: int) -> list[DetectorConfig]:
    """All sets of modalities for the smallest network, one and three for others, and the published one with its own size of fusion."""
    configs = [_config(size, modalities, window) for size in sizes for modalities in (SETS if size == "tiny" else SETS[:1] + SETS[2:3])]
    if "base" in sizes:
        paper = _config("base", SETS[2], window)
        configs.append(replace(paper, fusion=replace(paper.fusion, mlp=True)))
    return configs


def _rows(config: DetectorConfig) -> list[Row]:
    torch.manual_seed(0)
    network = build(config).train()
    rows = [_row("end2end", network)]
    if len(config.modalities) > 1:
        network.freeze_backbones()
        rows.append(_row("frozen", network))
    return rows


def _row(regime: str, network: SlumpNetwork) -> Row:
    config = network.config
    saved = _saved(network)
    return Row(
        network=f"{config.backbone} {config.network_px}" + (" mlp" if config.fusion.mlp else ""),
        modalities="+".join(config.modalities),
        regime=regime,
        parameters_m=sum(parameters_by_part(network).values()) / MILLION,
        trainable_m=trainable_parameters(network) / MILLION,
        static_mib=static_bytes(network) / MIB,
        saved_features_mb=saved.features / MB,
        saved_heads_mb=saved.heads / MB,
    )


def _saved(network: SlumpNetwork) -> SavedBytes:
    config = network.config
    images = {name: torch.randn(1, channels_of(name), config.window_px, config.window_px) for name in config.modalities}
    side = config.network_px
    masks = torch.zeros(2, side, side)
    boxes = torch.tensor([[20.0, 30.0, 52.0, 60.0], [80.0, 70.0, 100.0, 110.0]])
    for mask, (x0, y0, x1, y1) in zip(masks, boxes.int().tolist(), strict=True):
        mask[y0:y1, x0:x1] = 1
    return saved_bytes(
        network, images, [Target(boxes, masks, torch.ones(2), torch.zeros((side, side), dtype=torch.bool), torch.zeros(0, 4))]
    )


def _config(size: str, modalities: tuple[str, ...], window: int) -> DetectorConfig:
    return DetectorConfig(backbone=f"mvitv2_{size}", modalities=modalities, window_px=window, fusion=FusionConfig(window=8))  # type: ignore[arg-type]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--window", type=int, default=128, help="side of the window, pixels of 10 m")
    parser.add_argument("--sizes", nargs="+", default=["tiny", "base"], choices=("tiny", "small", "base", "large"))
    parser.add_argument("--json", help="file for the rows")
    return parser.parse_args()


if __name__ == "__main__":
    main()
