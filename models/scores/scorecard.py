"""Counts of chips and lakes to figures with intervals: one long table that every plot and page reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.scores.chip_pixels import HALF, THRESHOLDS, ChipPixels, calibration_error, chip_iou
from models.scores.intervals import ScoreInterval, SumStatistic, bootstrap_of_sums, ratio
from models.scores.shores import TOLERANCES_PX, ShoreCounts, shore_f

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
TAIL_IOU: Final = 0.05
"""Chips below count as failed outright, as CryoSentinel counts them."""
SEED: Final = 20_260_101
"""Intervals are the same in every run."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of one group with its 95 % interval; NaN ends where fewer than two blocks carry it."""

    group: str
    """`all`, `wet`, `dry`, `region X`, `size 1-5 ha`, `class turbid`, `hard shadowed`, `threshold 0.50`."""
    metric: str
    unit: str
    value: float
    low: float
    high: float
    blocks: int
    n: int
    """Chips, or lakes, that the figure is made of."""


@dataclass(frozen=True, slots=True)
class ScoredChips:
    """All that is known of N scored chips."""

    pixels: ChipPixels
    shores: ShoreCounts
    """Each shore counted once, by the chip that owns it."""
    blocks: NDArray[np.int64]
    """(N,), number of the spatial block whose chips are drawn together."""
    regions: NDArray[np.object_]
    """(N,)."""


def interval_of(values: Floats, blocks: NDArray[np.int64], statistic: SumStatistic = ratio) -> ScoreInterval:
    """Bootstrap interval of a figure of sums, with the seed of all scores."""
    return bootstrap_of_sums(values, blocks, np.random.default_rng(SEED), statistic=statistic)


def metric_of(names: tuple[str, str, str], values: Floats, blocks: NDArray[np.int64], statistic: SumStatistic = ratio) -> Metric:
    """One metric (group, name, unit) of rows with their blocks."""
    found = interval_of(values, blocks, statistic)
    return Metric(*names, found.value, found.low, found.high, found.blocks, len(values))


def chip_metrics(chips: ScoredChips, thresholds: Mapping[str, float]) -> tuple[Metric, ...]:
    """Scores by pixel and chip, over all chips, wet ones and each region; `thresholds` are further ones by name, as `best_on_val`."""
    wet = chips.pixels.wet
    groups = {"all": np.ones(len(wet), bool), "wet": wet}
    groups |= {f"region {name}": chips.regions == name for name in sorted(set(chips.regions.tolist()))}
    found: list[Metric] = []
    for group, members in groups.items():
        if members.any():
            found += _pixel_metrics(group, chips, members)
            found += _threshold_metrics(group, chips, members, thresholds)
            found += _shore_metrics(group, chips, members)
    found += _per_chip(chips)
    for group in ("all", "wet"):
        found += _sweep(group, chips, groups[group])
    return tuple(found)


def _pixel_metrics(group: str, chips: ScoredChips, members: Mask) -> Iterator[Metric]:
    pixels, blocks = chips.pixels, chips.blocks[members]
    hit, false, missed = (getattr(pixels, name)[members, HALF].astype(float) for name in ("hit", "false", "missed"))
    answered, judged = pixels.answered[members].astype(float), pixels.judged[members].astype(float)
    ratios = {
        ("iou", "1"): (hit, hit + false + missed),
        ("precision", "1"): (hit, hit + false),
        ("recall", "1"): (hit, hit + missed),
        ("f1", "1"): (2 * hit, 2 * hit + false + missed),
        ("brier", "1"): (pixels.squared[members], answered),
        ("abstained_share", "1"): (judged - answered, judged),
    }
    for (name, unit), columns in ratios.items():
        yield metric_of((group, name, unit), np.stack(columns, axis=-1), blocks)
    yield metric_of((group, "ece", "1"), pixels.bins[members].reshape(int(members.sum()), -1), blocks, calibration_error)


def _threshold_metrics(group: str, chips: ScoredChips, members: Mask, thresholds: Mapping[str, float]) -> Iterator[Metric]:
    for name, threshold in thresholds.items():
        yield metric_of(
            (group, f"iou_{name}", "1"), _iou_columns(chips.pixels, members, THRESHOLDS.index(threshold)), chips.blocks[members]
        )


def _sweep(group: str, chips: ScoredChips, members: Mask) -> Iterator[Metric]:
    for step, threshold in enumerate(THRESHOLDS):
        name = f"{group} threshold {threshold:.2f}" if group != "all" else f"threshold {threshold:.2f}"
        yield metric_of((name, "iou", "1"), _iou_columns(chips.pixels, members, step), chips.blocks[members])


def _iou_columns(pixels: ChipPixels, members: Mask, step: int) -> Floats:
    hit = pixels.hit[members, step]
    return np.stack([hit, hit + pixels.false[members, step] + pixels.missed[members, step]], axis=-1).astype(float)


def _shore_metrics(group: str, chips: ScoredChips, members: Mask) -> Iterator[Metric]:
    shores = chips.shores
    for place, tolerance in enumerate(TOLERANCES_PX):
        columns = (shores.near_predicted[:, place], shores.predicted, shores.near_true[:, place], shores.true)
        values = np.stack([column[members] for column in columns], axis=-1).astype(float)
        yield metric_of((group, f"boundary_f_{10 * tolerance}m", "1"), values, chips.blocks[members], shore_f)


def _per_chip(chips: ScoredChips) -> Iterator[Metric]:
    """Wet and dry chips apart: a dry chip that stays dry scores 1 by the published formula, and most chips are dry."""
    wet, ones = chips.pixels.wet, np.ones(len(chips.pixels))
    plain, smooth = np.nan_to_num(chip_iou(chips.pixels)), chip_iou(chips.pixels, smooth=1.0)
    false = chips.pixels.false[:, HALF].astype(float)
    yield from (
        metric_of(("wet", "chip_iou", "1"), np.stack([plain, ones], axis=-1)[wet], chips.blocks[wet]),
        metric_of(("all", "chip_iou_as_published", "1"), np.stack([smooth, ones], axis=-1), chips.blocks),
        metric_of(("wet", "tail_share", "1"), np.stack([plain < TAIL_IOU, ones], axis=-1)[wet].astype(float), chips.blocks[wet]),
        metric_of(
            ("wet", "tail_count", "chips"), np.stack([plain < TAIL_IOU, ones], axis=-1)[wet].astype(float), chips.blocks[wet], _first
        ),
        metric_of(("dry", "stays_dry_share", "1"), np.stack([false == 0, ones], axis=-1)[~wet].astype(float), chips.blocks[~wet]),
        metric_of(("dry", "false_px_per_chip", "px"), np.stack([false, ones], axis=-1)[~wet], chips.blocks[~wet]),
    )


def _first(sums: Floats) -> Floats:
    first: Floats = sums[..., 0]
    return first
