"""What became of every slump of a scene that an inventory would list: found, missed, invented, or drawn a second time."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from models.scores.disagreements import Ground
from models.scores.instances import match_units
from models.scores.outline_shores import TOLERANCES_M, OutlinePoints, count_near
from models.scores.slump_scenes import SlumpScene, above, shared_areas, unit_of

State = Literal["found", "missed", "invented", "duplicate"]
STRICT: Final = 0.5
LENIENT: Final = 0.3
"""Intersection over union that is enough where slumps have no sharp edge: experts who draw the same one agree no better."""
ON_IT: Final = 0.5
"""Share of the smaller outline from which a detection lies on a slump that another one found."""


@dataclass(frozen=True, slots=True)
class SlumpRow:
    """One slump that was asked for, or one detection too many; NaN where there is none."""

    shows: Ground
    slump_id: str
    """Empty for a detection too many."""
    state: State
    lenient: bool
    """Found, or not invented, when an overlap of 0.3 is enough."""
    true_area_m2: float
    area_m2: float
    """Of the detection that found it."""
    score: float
    iou: float
    """With its match; of a missed slump the largest with any detection."""
    kind: str
    reasons: tuple[str, ...]
    block: int
    near_predicted: tuple[int, ...]
    """Points of the detection's outline with a true outline within each tolerance."""
    predicted: int
    near_true: tuple[int, ...]
    true: int
    geometry: shapely.Geometry
    """Of the slump, or of a detection too many; metres of the zone."""

    @property
    def exists(self) -> bool:
        """Whether it is a slump that was asked for."""
        return self.state in ("found", "missed")

    @property
    def size_m2(self) -> float:
        """A detection belongs to the size of the slump that it found, or to its own where it found none."""
        return self.true_area_m2 if self.exists else self.area_m2


@dataclass(frozen=True, slots=True)
class _Judged:
    """One scene above the threshold, matched."""

    scene: SlumpScene
    match_of: dict[int, int]
    """Truth -> detection."""
    lenient_truths: frozenset[int]
    lenient_detections: frozenset[int]
    likeness: dict[tuple[int, int], float]
    best: NDArray[np.float64]
    """(truths,), largest overlap with any detection."""
    found_points: OutlinePoints
    true_points: OutlinePoints


def judge(scene: SlumpScene, threshold: float) -> tuple[SlumpRow, ...]:
    """Slumps that are asked for, in their order, then what was invented; detections that score less than `threshold` are not listed.

    A detection on ground that nobody is asked about is neither. `duplicate`: it shares half of the smaller outline with a slump that
    another detection found.
    """
    listed = above(scene, threshold)
    unit = unit_of(listed)
    outcome = match_units([unit], (STRICT, LENIENT), most=None)
    ranked = [dict(zip(outcome.detection.tolist(), line.tolist(), strict=True)) for line in outcome.matched]
    strict, lenient = ({found: truth for found, truth in line.items() if truth >= 0} for line in ranked)
    asked = listed.truth.asked
    extra = outcome.detection[(outcome.matched[0] < 0) & ~outcome.ignored[0]]
    best = np.zeros(len(asked))
    np.maximum.at(best, unit.truth, unit.likeness)
    judged = _Judged(
        listed,
        {truth: found for found, truth in strict.items() if asked[truth]},
        frozenset(lenient.values()),
        frozenset(lenient),
        dict(zip(zip(unit.detection.tolist(), unit.truth.tolist(), strict=True), unit.likeness.tolist(), strict=True)),
        best,
        count_near(listed.found.outlines, listed.truth.outlines),
        count_near(listed.truth.outlines, listed.found.outlines),
    )
    twice = _on_found(listed, extra, np.array(sorted(judged.match_of), np.int64))
    rows = [_true_row(judged, place) for place in np.flatnonzero(asked).tolist()]
    return (*rows, *(_extra_row(judged, place, twice=place in twice) for place in np.sort(extra).tolist()))


def _on_found(scene: SlumpScene, extra: NDArray[np.int64], found: NDArray[np.int64]) -> set[int]:
    outlines, truths = scene.found.outlines[extra], scene.truth.outlines[found]
    one, other, shared = shared_areas(outlines, truths)
    smaller = np.minimum(np.asarray(shapely.area(outlines))[one], np.asarray(shapely.area(truths))[other])
    return set(extra[one[shared >= ON_IT * smaller]].tolist())


def _true_row(judged: _Judged, place: int) -> SlumpRow:
    truth, found, match = judged.scene.truth, judged.scene.found, judged.match_of.get(place)
    nan = float("nan")
    points = judged.found_points
    return SlumpRow(
        judged.scene.shows,
        str(truth.ids[place]),
        "missed" if match is None else "found",
        place in judged.lenient_truths,
        float(truth.area_m2[place]),
        nan if match is None else float(found.area_m2[match]),
        nan if match is None else float(found.scores[match]),
        float(judged.best[place]) if match is None else judged.likeness[match, place],
        str(truth.kinds[place]),
        tuple(reason for reason in str(truth.reasons[place]).split(";") if reason),
        int(truth.blocks[place]),
        (0,) * len(TOLERANCES_M) if match is None else tuple(points.near[match].tolist()),
        0 if match is None else int(points.points[match]),
        tuple(judged.true_points.near[place].tolist()),
        int(judged.true_points.points[place]),
        truth.outlines[place],
    )


def _extra_row(judged: _Judged, place: int, *, twice: bool) -> SlumpRow:
    found, nan = judged.scene.found, float("nan")
    return SlumpRow(
        judged.scene.shows,
        "",
        "duplicate" if twice else "invented",
        place in judged.lenient_detections,
        nan,
        float(found.area_m2[place]),
        float(found.scores[place]),
        0.0,
        "",
        (),
        int(found.blocks[place]),
        tuple(judged.found_points.near[place].tolist()),
        int(judged.found_points.points[place]),
        (0,) * len(TOLERANCES_M),
        0,
        found.outlines[place],
    )
