"""Variants of a slump detector, several seeds each, on ground that none saw.

    python -m benchmarks.compare_slumps --variant rgb=R0,R1,R2 --variant fused=F0,F1,F2 --data CHIPS [--data MORE] [--split test]

R0 and so on are folders of trained weights. Every figure is the mean over the seeds with their standard deviation. Differences are to the
first variant: blocks are drawn with replacement for all variants and seeds at once, and an interval (90 %) that leaves out 0 tells two
variants apart on this ground. Seeds are few, so their spread is given beside, not inside, the interval.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.stores.chips import ChipSet, open_chips
from catalog.stores.weights import read_detector
from models.detector.loading import trained_detector
from models.scores.chip_scenes import scenes_of
from models.scores.instances import match_units
from models.scores.slump_intervals import BlockDraws, joined
from models.scores.slump_metrics import AVERAGES, LEVELS, scored, slump_metrics
from models.scores.slump_results import window_metrics
from models.scores.slump_scenes import unit_of

SHOWN = (
    ("all", "AP50", "AP50"),
    ("all", "AP", "AP"),
    ("windows", "AP50", "AP50 of windows"),
    ("all", "f1", "F1 listed"),
    ("size <0.5 ha", "recall", "recall < 0.5 ha"),
    ("size <0.5 ha", "recall_iou30", "recall < 0.5 ha, overlap 0.3"),
    ("all", "duplicates_share", "duplicates"),
    ("all", "boundary_f_10m", "boundary F 10 m"),
    ("all", "count_error", "error of number"),
    ("all", "total_area_error", "error of area"),
)


@dataclass(frozen=True)
class Run:
    """One detector on the ground."""

    figures: dict[tuple[str, str], float]
    drawn: dict[str, NDArray[np.float64]]
    """AP and AP50 of every draw of blocks."""
    value: dict[str, float]


@dataclass(frozen=True)
class Variant:
    """One kind of detector, a run per seed."""

    name: str
    runs: tuple[Run, ...]

    def mean(self, figure: tuple[str, str]) -> tuple[float, float]:
        """Mean and standard deviation over the seeds."""
        values = np.array([run.figures.get(figure, np.nan) for run in self.runs])
        return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else float("nan")

    def drawn(self, name: str) -> NDArray[np.float64]:
        return np.asarray(np.mean([run.drawn[name] for run in self.runs], axis=0), np.float64)

    def value(self, name: str) -> float:
        return float(np.mean([run.value[name] for run in self.runs]))


def run_on(folder: Path, sets: ChipSet, split: str, device: str) -> Run:
    card, tensors = read_detector(str(folder))
    detector = trained_detector(card, tensors, device)
    seen = scenes_of(sets, detector, split)
    scores = scored(seen.scenes, card.threshold, seen.block_km2)
    metrics = (*slump_metrics(scores), *window_metrics(seen.units, seen.unit_blocks, len(seen.block_km2)))
    outcome = match_units([unit_of(scene) for scene in seen.scenes], LEVELS, most=None)
    blocks = (joined([getattr(scene, side).blocks for scene in seen.scenes]) for side in ("found", "truth"))
    value, drawn = BlockDraws(len(seen.block_km2), 1000).precision(outcome, *blocks)
    names = ("AP50", "AP")
    figures = {(metric.group, metric.metric): metric.value for metric in metrics}
    return Run(figures, {name: AVERAGES[name](drawn) for name in names}, {name: float(AVERAGES[name](value)) for name in names})


def show(variants: list[Variant]) -> None:
    width = max(len(variant.name) for variant in variants) + 16
    print(f"{'mean +- sd over seeds':32}" + "".join(f"{f'{v.name} ({len(v.runs)})':>{width}}" for v in variants))
    for group, metric, words in SHOWN:
        cells = [variant.mean((group, metric)) for variant in variants]
        print(f"{words:32}" + "".join(f"{f'{mean:.3f} +- {sd:.3f}':>{width}}" for mean, sd in cells))
    first = variants[0]
    for other in variants[1:]:
        for name in ("AP50", "AP"):
            drawn = other.drawn(name) - first.drawn(name)
            low, high = np.nanquantile(drawn, (0.05, 0.95)) if np.isfinite(drawn).any() else (np.nan, np.nan)
            print(f"{other.name} minus {first.name}, {name}: {other.value(name) - first.value(name):+.3f} ({low:+.3f} to {high:+.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", action="append", required=True, help="NAME=FOLDER,FOLDER,...")
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--device", default="cpu")
    call = parser.parse_args()
    sets, variants = open_chips(call.data), []
    for words in call.variant:
        name, _, folders = words.partition("=")
        variants.append(Variant(name, tuple(run_on(Path(folder), sets, call.split, call.device) for folder in folders.split(","))))
    show(variants)


if __name__ == "__main__":
    main()
