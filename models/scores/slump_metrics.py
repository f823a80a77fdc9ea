"""Scored slumps to figures with intervals: average precision, what an inventory lists, counts, areas and outlines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.scores.instances import EVERY_SIZE, SIZES, THRESHOLDS, match_units
from models.scores.outline_shores import TOLERANCES_M
from models.scores.scorecard import Metric
from models.scores.shores import shore_f
from models.scores.slump_intervals import BlockDraws, joined, metric_from, slump_metric
from models.scores.slump_scenes import SlumpScene, unit_of
from models.scores.slump_verdicts import LENIENT, SlumpRow, judge

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
LEVELS: Final = (*THRESHOLDS, LENIENT)


@dataclass(frozen=True, slots=True)
class SlumpScores:
    """One detector on one split."""

    scenes: tuple[SlumpScene, ...]
    threshold: float
    """Score from which detections are listed."""
    block_km2: Floats
    """(blocks,), ground that was looked at."""
    rows: tuple[SlumpRow, ...]


def scored(scenes: Sequence[SlumpScene], threshold: float, block_km2: Floats) -> SlumpScores:
    """Judge all scenes; blocks of their slumps count through `block_km2`."""
    return SlumpScores(tuple(scenes), threshold, block_km2, tuple(row for scene in scenes for row in judge(scene, threshold)))


def slump_metrics(scores: SlumpScores) -> tuple[Metric, ...]:
    """All figures: average precision over every detection, the others over those that an inventory would list."""
    columns = _Columns(scores.rows)
    found = [*precision_metrics(scores)]
    for group, members in _groups(columns).items():
        found += _shares(group, columns, members)
        found += _amounts(group, columns, members)
    for group, members in _kinds(columns).items():
        found += _recall(group, columns, members)
    found += _outlines(columns)
    found += _false_per_area(columns, scores.block_km2)
    return tuple(metric for metric in found if metric.n)


def precision_metrics(scores: SlumpScores) -> Iterator[Metric]:
    """AP (mean over 0.5 to 0.95), AP50, AP75, AP30 and AR of all slumps, AP50 and AR by size."""
    units = [unit_of(scene) for scene in scores.scenes]
    blocks = joined([scene.found.blocks for scene in scores.scenes]), joined([scene.truth.blocks for scene in scores.scenes])
    draws = BlockDraws(len(scores.block_km2))
    for group, size in {"all": EVERY_SIZE, **{f"size {label}": size for label, size in SIZES.items()}}.items():
        outcome = match_units(units, LEVELS, size, most=None)
        count = int(outcome.counted.sum())
        value, drawn = draws.precision(outcome, *blocks)
        for name, pick in AVERAGES.items() if group == "all" else (("AP50", AVERAGES["AP50"]),):
            yield metric_from((group, name, "1"), draws.interval(float(pick(value)), pick(drawn)), count)
        yield metric_from((group, "AR", "1"), draws.recall(outcome, blocks[1]), count)


AVERAGES: Final[Mapping[str, Callable[[Floats], Floats]]] = {
    "AP": lambda values: np.asarray(values[..., :-1].mean(axis=-1)),
    "AP50": lambda values: np.asarray(values[..., 0]),
    "AP75": lambda values: np.asarray(values[..., 5]),
    "AP30": lambda values: np.asarray(values[..., -1]),
}
"""Figures of AP per level, in the order of `LEVELS`."""


def f1_columns(rows: Sequence[SlumpRow]) -> Floats:
    """Columns (rows, 2) whose sums have F1 as their ratio."""
    columns = _Columns(rows)
    return _f1(columns.found, columns.missed, columns.extra)


class _Columns:
    """Rows as arrays."""

    def __init__(self, rows: Sequence[SlumpRow]) -> None:
        self.state = np.array([row.state for row in rows], object)
        self.found = np.asarray(self.state == "found", bool)
        self.missed = np.asarray(self.state == "missed", bool)
        self.twice = np.asarray(self.state == "duplicate", bool)
        self.extra = self.twice | np.asarray(self.state == "invented", bool)
        self.exists = self.found | self.missed
        self.lenient = np.array([row.lenient for row in rows], bool)
        self.true_area = np.array([row.true_area_m2 for row in rows], np.float64)
        self.area = np.array([row.area_m2 for row in rows], np.float64)
        self.size = np.array([row.size_m2 for row in rows], np.float64)
        self.kinds = np.array([row.kind for row in rows], object)
        self.reasons = [frozenset(row.reasons) for row in rows]
        self.regions = np.array([row.shows.region for row in rows], object)
        self.blocks = np.array([row.block for row in rows], np.int64)
        self.near = np.array([[*zip(row.near_predicted, row.near_true, strict=True)] for row in rows], np.float64)
        self.points = np.array([(row.predicted, row.true) for row in rows], np.float64).reshape(-1, 2)


def _groups(columns: _Columns) -> dict[str, Mask]:
    sizes = {f"size {label}": (columns.size >= low) & (columns.size < high) for label, (low, high) in SIZES.items()}
    regions = {f"region {name}": columns.regions == name for name in sorted(set(columns.regions.tolist()))}
    return {"all": np.ones(len(columns.size), bool), **sizes, **(regions if len(regions) > 1 else {})}


def _kinds(columns: _Columns) -> dict[str, Mask]:
    kinds = {f"class {name}": columns.kinds == name for name in sorted(set(columns.kinds.tolist())) if name not in ("", "unknown")}
    reasons = sorted(set().union(*columns.reasons))
    hard = {f"hard {name}": np.array([name in own for own in columns.reasons], bool) for name in reasons}
    return {group: members & columns.exists for group, members in {**kinds, **hard}.items()}


def _shares(group: str, columns: _Columns, members: Mask) -> Iterator[Metric]:
    """Recall, precision and F1 at an overlap of 0.5 and 0.3, and detections on slumps that were found already."""
    yield from _recall(group, columns, members)
    listed = (columns.found | columns.extra) & members
    yield _share((group, "precision", "1"), columns.found, listed, columns.blocks)
    yield slump_metric((group, "f1", "1"), _f1(columns.found, columns.missed, columns.extra)[members], columns.blocks[members])
    loosely, invented = columns.exists & columns.lenient, columns.extra & ~columns.lenient
    yield _share((group, "precision_iou30", "1"), loosely, (loosely | invented) & members, columns.blocks)
    missed = columns.exists & ~columns.lenient
    yield slump_metric((group, "f1_iou30", "1"), _f1(loosely, missed, invented)[members], columns.blocks[members])
    values = np.stack([columns.twice, columns.found], axis=-1).astype(float)[members]
    yield slump_metric((group, "duplicates_share", "1"), values, columns.blocks[members])


def _recall(group: str, columns: _Columns, members: Mask) -> Iterator[Metric]:
    asked = columns.exists & members
    yield _share((group, "recall", "1"), columns.found, asked, columns.blocks)
    yield _share((group, "recall_iou30", "1"), columns.lenient, asked, columns.blocks)


def _amounts(group: str, columns: _Columns, members: Mask) -> Iterator[Metric]:
    """Errors of number and area; those of single slumps over what was found."""
    blocks = columns.blocks[members]
    number = np.stack([columns.extra.astype(float) - columns.missed, columns.exists], axis=-1)[members]
    yield slump_metric((group, "count_error", "1"), number, blocks)
    listed, true = np.where(columns.found | columns.extra, columns.area, 0.0), np.where(columns.exists, columns.true_area, 0.0)
    yield slump_metric((group, "total_area_error", "1"), np.stack([listed - true, true], axis=-1)[members], blocks)
    here = columns.found & members
    error, ones = (columns.area - columns.true_area)[here], np.ones(int(here.sum()))
    yield slump_metric((group, "area_bias_share", "1"), np.stack([error, columns.true_area[here]], axis=-1), columns.blocks[here])
    yield slump_metric((group, "area_mae", "m2"), np.stack([np.abs(error), ones], axis=-1), columns.blocks[here])


def _outlines(columns: _Columns) -> Iterator[Metric]:
    for place, tolerance in enumerate(TOLERANCES_M if len(columns.near) else ()):
        (near, own), (near_true, true) = (np.stack([columns.near[:, place, side], columns.points[:, side]]) for side in (0, 1))
        values = np.stack([near, own, near_true, true], axis=-1)
        yield slump_metric(("all", f"boundary_f_{tolerance:.0f}m", "1"), values, columns.blocks, shore_f)


def _false_per_area(columns: _Columns, block_km2: Floats) -> Iterator[Metric]:
    false = np.bincount(columns.blocks[columns.extra], minlength=len(block_km2)).astype(float)
    yield slump_metric(("all", "invented_per_100km2", "1/100 km2"), np.stack([false, block_km2 / 100], axis=-1), np.arange(len(block_km2)))


def _share(names: tuple[str, str, str], part: Mask, whole: Mask, blocks: NDArray[np.int64]) -> Metric:
    return slump_metric(names, np.stack([part, whole], axis=-1)[whole].astype(float), blocks[whole])


def _f1(hits: Mask, missed: Mask, extra: Mask) -> Floats:
    return np.stack([2.0 * hits, 2.0 * hits + missed + extra], axis=-1)
