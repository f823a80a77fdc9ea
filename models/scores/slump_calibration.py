"""What a detector found and missed on ground kept for it, in the form that counts with a range are drawn from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.facts.detector_cards import Calibration
from models.scores.instances import Outcome, match_units
from models.scores.slump_intervals import joined
from models.scores.slump_scenes import SlumpScene, unit_of
from models.scores.slump_verdicts import LENIENT, STRICT

Floats = NDArray[np.float64]


def calibrate(scenes: Sequence[SlumpScene], block_km2: Floats, source: str) -> Calibration:
    """Match every merged detection one to one with the slumps that are asked for, at an overlap of 0.3.

    Detections on ground that nobody is asked about are left out. Blocks of the scenes count through `block_km2`, ground that was looked
    at; blocks without any slump stay in, as what is invented there counts.
    """
    outcome = match_units([unit_of(scene) for scene in scenes], (LENIENT,), most=None)
    found_block, truth_block = (joined([getattr(scene, side).blocks for scene in scenes]) for side in ("found", "truth"))
    found_area, truth_area = (_areas(scenes, side) for side in ("found", "truth"))
    kept = ~outcome.ignored[0]
    detection, match = outcome.detection[kept], outcome.matched[0][kept]
    true = match >= 0
    matched_area = np.where(true, np.append(truth_area, 0.0)[match], 0.0)
    truth_score = np.full(len(truth_area), -1.0)
    truth_score[match[true]] = outcome.score[kept][true]
    asked = outcome.counted
    return Calibration(
        source,
        _numbers(outcome.score[kept]),
        tuple(true.tolist()),
        tuple(found_block[detection].tolist()),
        _numbers(found_area[detection], 1),
        _numbers(matched_area, 1),
        tuple(truth_block[asked].tolist()),
        _numbers(truth_area[asked], 1),
        _numbers(truth_score[asked]),
        _numbers(block_km2, 4),
    )


def best_threshold(scenes: Sequence[SlumpScene], fallback: float = 0.5) -> tuple[float, float]:
    """Score from which listing detections gives the best F1 at an overlap of 0.5, and that F1.

    Greedy matching goes from the best score down, so what is matched above a score does not depend on what lies below. Of equal F1 the
    higher score is taken. Without a right detection: `fallback` and 0.
    """
    outcome = match_units([unit_of(scene) for scene in scenes], (STRICT,), most=None)
    f1 = _f1_from(outcome)
    if not f1.size or not f1.max() > 0:
        return fallback, 0.0
    best = int(np.argmax(f1))
    return float(np.floor(outcome.score[best] * 1e6) / 1e6), float(f1[best])


def _f1_from(outcome: Outcome) -> Floats:
    """F1 of listing everything down to each detection; 0 where the next one has the same score."""
    right = np.cumsum((outcome.matched[0] >= 0) & ~outcome.ignored[0])
    listed = np.cumsum(~outcome.ignored[0])
    f1 = 2 * right / np.maximum(listed + outcome.counted.sum(), 1)
    f1[:-1][outcome.score[:-1] == outcome.score[1:]] = 0
    return np.asarray(f1, np.float64)


def _areas(scenes: Sequence[SlumpScene], side: str) -> Floats:
    return np.concatenate([np.zeros(0), *(getattr(scene, side).area_m2 for scene in scenes)])


def _numbers(values: Floats, digits: int = 6) -> tuple[float, ...]:
    """Rounded, so that a card is read by people, too."""
    return tuple(np.round(np.asarray(values, np.float64), digits).tolist())
