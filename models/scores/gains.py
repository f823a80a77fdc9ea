"""How much better one model is than another on the same chips: differences with intervals of their own.

Two intervals that overlap do not say that two models are equal: both models meet the same easy and hard blocks, so blocks are drawn for
both at once.
"""

import numpy as np
from numpy.typing import NDArray

from models.scores.chip_pixels import HALF, ChipPixels
from models.scores.lake_metrics import f1_columns, f1_of_sums
from models.scores.scorecard import Metric, metric_of
from models.scores.scoring import SplitScores

Floats = NDArray[np.float64]


def gains(ours: SplitScores, theirs: SplitScores) -> tuple[Metric, ...]:
    """Our score minus theirs: global IoU over wet chips, and F1 of lakes by size, kind and reason; same chips in the same order."""
    blocks = ours.chips.blocks
    wet = ours.chips.pixels.wet
    both = np.concatenate([_iou_columns(ours.chips.pixels), _iou_columns(theirs.chips.pixels)], axis=-1)[wet]
    found = [metric_of(("wet", "iou_gain", "1"), both, blocks[wet], _iou_gain)]
    mine, others = f1_columns(ours.rows), f1_columns(theirs.rows)
    row_blocks = np.concatenate([blocks[[row.chip for row in scores.rows]] for scores in (ours, theirs) if scores.rows] or [blocks[:0]])
    for group in mine:
        if group in others:
            values = np.concatenate([np.pad(mine[group], ((0, 0), (0, 4))), np.pad(others[group], ((0, 0), (4, 0)))])
            metric = metric_of((group, "object_f1_gain", "1"), values, row_blocks, _f1_gain)
            count = int(mine[group][:, 1].sum())
            found.append(Metric(group, metric.metric, metric.unit, metric.value, metric.low, metric.high, metric.blocks, count))
    return tuple(metric for metric in found if metric.n and np.isfinite(metric.value))


def _iou_columns(pixels: ChipPixels) -> Floats:
    hit = pixels.hit[:, HALF]
    return np.stack([hit, hit + pixels.false[:, HALF] + pixels.missed[:, HALF]], axis=-1).astype(float)


def _iou_gain(sums: Floats) -> Floats:
    first, second = (sums[..., place] / np.where(sums[..., place + 1] > 0, sums[..., place + 1], np.nan) for place in (0, 2))
    difference: Floats = first - second
    return difference


def _f1_gain(sums: Floats) -> Floats:
    difference: Floats = f1_of_sums(sums[..., :4]) - f1_of_sums(sums[..., 4:])
    return difference
