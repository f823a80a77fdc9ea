"""What scoring one model gives to those who write it down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.pictures.chip_panels import ChipImage
from models.scores.chip_pixels import HALF, best_threshold, chip_iou
from models.scores.lines import Scored
from models.scores.scoring import Chips, SplitScores
from models.scores.shores import TOLERANCES_PX


@dataclass(frozen=True, slots=True)
class ModelScores:
    """One model on one split with one subset of modalities, and all that a page shows of it."""

    scored: Scored
    facts: Mapping[str, str]
    """Name, version, hash and training of the model."""
    chips: Chips
    scores: SplitScores
    blocks: str
    """What intervals are clustered by, in words."""
    worst: tuple[tuple[ChipImage, str], ...] = ()

    @property
    def best(self) -> float:
        """Threshold with the highest IoU over these chips."""
        return best_threshold(self.scores.chips.pixels)


def worst_places(chips: Chips, scores: SplitScores, count: int, apart_px: int) -> list[int]:
    """Chips with most wrong pixels, one per place over all years."""
    pixels = scores.chips.pixels
    wrong = pixels.false[:, HALF] + pixels.missed[:, HALF]
    chosen: list[int] = []
    for chip in np.argsort(-wrong, kind="stable").tolist():
        if len(chosen) == count or not wrong[chip]:
            break
        if not any(_near(chips, chip, other, apart_px) for other in chosen):
            chosen.append(chip)
    return chosen


def _near(chips: Chips, one: int, other: int, apart_px: int) -> bool:
    first, second = chips.shows[one], chips.shows[other]
    if not first.epsg or (first.ground, first.epsg) != (second.ground, second.epsg):
        return False
    return bool((np.abs(chips.origins_yx[one] - chips.origins_yx[other]) < apart_px).all())


def chip_columns(result: ModelScores) -> dict[str, NDArray[Any] | list[Any]]:
    """Columns of the per-chip table: counts of pixels at 0.5, IoU (null for dry chips that stay dry), calibration, shores."""
    chips, pixels, shores = result.chips, result.scores.chips.pixels, result.scores.chips.shores
    iou = chip_iou(pixels)
    count = len(chips)
    return {
        "model": [result.scored.model] * count,
        "split": [result.scored.split] * count,
        "subset": [result.scored.subset] * count,
        "chip_id": list(chips.names),
        "ground": [shows.ground for shows in chips.shows],
        "region": [shows.region for shows in chips.shows],
        "year": [shows.year for shows in chips.shows],
        "block": chips.blocks.tolist(),
        "wet": pixels.wet,
        "iou": [None if np.isnan(value) else float(value) for value in iou],
        "hit_px": pixels.hit[:, HALF],
        "false_px": pixels.false[:, HALF],
        "missed_px": pixels.missed[:, HALF],
        "judged_px": pixels.judged,
        "answered_px": pixels.answered,
        "squared_error": pixels.squared,
        "shore_predicted_px": shores.predicted,
        "shore_true_px": shores.true,
        **{f"shore_predicted_within_{10 * px}m_px": shores.near_predicted[:, place] for place, px in enumerate(TOLERANCES_PX)},
        **{f"shore_true_within_{10 * px}m_px": shores.near_true[:, place] for place, px in enumerate(TOLERANCES_PX)},
    }


def lake_columns(result: ModelScores) -> dict[str, list[Any]]:
    """Columns of the per-lake table; areas are null where there is no prediction, or no truth."""
    rows = result.scores.rows
    shows = [result.chips.shows[row.chip] for row in rows]
    names = ("true_area_m2", "area_m2", "area_low_m2", "area_high_m2", "probability", "iou")
    figures = {name: [None if np.isnan(value := getattr(row, name)) else value for row in rows] for name in names}
    count = len(rows)
    return {
        "model": [result.scored.model] * count,
        "split": [result.scored.split] * count,
        "subset": [result.scored.subset] * count,
        "lake_id": [row.lake_id for row in rows],
        "state": ["found" if row.found else "missed" if row.true else "invented" for row in rows],
        "class": [row.kind for row in rows],
        "hard_because": [";".join(row.reasons) for row in rows],
        "ground": [each.ground for each in shows],
        "region": [each.region for each in shows],
        "year": [each.year for each in shows],
        "block": [int(result.chips.blocks[row.chip]) for row in rows],
        **figures,
    }


def reliability_columns(scored: Scored) -> dict[str, Any]:
    """Columns of the reliability table of one model, split and subset; NaN where a bin is empty."""
    count, said, was = scored.bins.T
    filled = np.where(count > 0, count, np.nan)
    bins = len(count)
    return {
        "model": [scored.model] * bins,
        "split": [scored.split] * bins,
        "subset": [scored.subset] * bins,
        "bin_low": np.arange(bins) / bins,
        "bin_high": (np.arange(bins) + 1) / bins,
        "pixels": count.astype(np.int64),
        "mean_probability": said / filled,
        "lake_share": was / filled,
    }
