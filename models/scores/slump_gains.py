"""How much better one detector is than another on the same ground: both are scored on the same draws of blocks."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.scores.instances import match_units
from models.scores.intervals import ratio
from models.scores.scorecard import Metric
from models.scores.slump_intervals import BlockDraws, joined, metric_from, slump_metric
from models.scores.slump_metrics import AVERAGES, LEVELS, SlumpScores, f1_columns
from models.scores.slump_scenes import SlumpScene, unit_of

Floats = NDArray[np.float64]
GAIN: Final = "_gain"


def slump_gains(ours: SlumpScores, theirs: SlumpScores) -> tuple[Metric, ...]:
    """Our AP, AP50, AP75, AP30 and F1 minus theirs, with 90 % intervals; both looked at the same blocks."""
    draws = BlockDraws(len(ours.block_km2))
    (value, drawn), (other, other_drawn) = (_precision(scores.scenes, draws) for scores in (ours, theirs))
    asked = sum(int(scene.truth.asked.sum()) for scene in ours.scenes)
    found = [
        metric_from(("all", name + GAIN, "1"), draws.interval(float(pick(value) - pick(other)), pick(drawn) - pick(other_drawn)), asked)
        for name, pick in AVERAGES.items()
    ]
    pairs = [f1_columns(scores.rows) for scores in (ours, theirs)]
    values = np.concatenate([np.pad(pairs[0], ((0, 0), (0, 2))), np.pad(pairs[1], ((0, 0), (2, 0)))])
    blocks = np.array([row.block for scores in (ours, theirs) for row in scores.rows], np.int64)
    f1 = slump_metric(("all", "f1" + GAIN, "1"), values, blocks, _difference)
    found.append(Metric(f1.group, f1.metric, f1.unit, f1.value, f1.low, f1.high, f1.blocks, asked))
    return tuple(metric for metric in found if np.isfinite(metric.value))


def _precision(scenes: Sequence[SlumpScene], draws: BlockDraws) -> tuple[Floats, Floats]:
    outcome = match_units([unit_of(scene) for scene in scenes], LEVELS, most=None)
    return draws.precision(outcome, *(joined([getattr(scene, side).blocks for scene in scenes]) for side in ("found", "truth")))


def _difference(sums: Floats) -> Floats:
    return np.asarray(ratio(sums[..., :2]) - ratio(sums[..., 2:]), np.float64)
