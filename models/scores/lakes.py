"""Lakes of a mosaic against the outlines behind its labels: found, missed, invented, and how right their areas are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.chips import LABEL_IGNORE, LABEL_SCALE
from catalog.facts.grids import PIXEL_M
from models.outlines.geodesy import area_perimeter, to_degrees, to_metres
from models.outlines.overlaps import overlaps_of
from models.outlines.polygonize import polygons_of
from models.outlines.runs import pixel_counts, runs_of, select, to_mask
from models.scores.features import Matches, match
from models.scores.found_lakes import FoundLakes, found_lakes
from models.scores.mosaics import Mosaic
from models.segmenter.labels import coverage_of

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
LEAST_M2: Final = 1_000.0
"""A tenth of a hectare, ten pixels: smaller lakes are neither asked for nor held against a prediction."""
LEAST_MATCH_M2: Final = 500.0
"""Half of that may still be the match of a lake that is asked for."""
LEAST_INSIDE: Final = 0.9
"""Share of a lake inside the chips from which it is asked for; it is cut to them, and so is its area."""
LEAST_SEEN: Final = 0.5
"""Share of a lake that a sensor saw from which it is asked for."""
THRESHOLD: Final = 0.5


@dataclass(frozen=True, slots=True)
class TrueLakes:
    """Outlines that touch a mosaic; sequences of equal length."""

    ids: Sequence[str]
    outlines: Geometries
    """EPSG:4326."""
    classes: Sequence[str]
    """Kind, for example `turbid`."""
    reasons: Sequence[str]
    """Why it is hard, for example `shadowed;small`; empty for others."""
    asked: Mask
    """False for lakes of another split: neither asked for nor held against anyone."""


@dataclass(frozen=True, slots=True)
class LakeRow:
    """One lake that was asked for, or one that was invented; areas in m², NaN where there is none."""

    lake_id: str
    true_area_m2: float
    """NaN for an invented lake."""
    area_m2: float
    """NaN for a missed lake."""
    area_low_m2: float
    area_high_m2: float
    probability: float
    """Mean over the prediction."""
    iou: float
    """With its match; 0 for missed and invented lakes."""
    kind: str
    reasons: tuple[str, ...]
    chip: int
    """Place of the chip that owns it, among all chips."""
    geometry: shapely.Geometry
    """The truth's outline, or the prediction's for an invented lake; EPSG:4326."""

    @property
    def true(self) -> bool:
        """Whether the lake exists."""
        return bool(np.isfinite(self.true_area_m2))

    @property
    def found(self) -> bool:
        """Whether a true lake was found."""
        return self.true and bool(np.isfinite(self.area_m2))


@dataclass(frozen=True, slots=True)
class ScoredMosaic:
    """A mosaic's lakes, and both masks (y, x) for scores of shores."""

    rows: tuple[LakeRow, ...]
    predicted: Mask
    truth: Mask
    excused: int
    """True lakes that were not asked for: cut by the chips' edge, unseen, of another split, or under 0.1 ha."""


def truth_of_label(mosaic: Mosaic, epsg: int) -> TrueLakes:
    """Outlines of a label that is known as a raster only: pixels that lakes cover by half or more, connected through edges."""
    known = (mosaic.label != LABEL_IGNORE) & (mosaic.label >= LABEL_SCALE / 2)
    _, polygons = polygons_of(runs_of(known, mosaic.origin_yx))
    count = len(polygons)
    ids = [f"mask-{mosaic.origin_yx[0]}-{mosaic.origin_yx[1]}-{number}" for number in range(count)]
    return TrueLakes(ids, to_degrees(polygons, epsg), ["unknown"] * count, [""] * count, np.ones(count, bool))


def score_lakes(mosaic: Mosaic, truth: TrueLakes, epsg: int) -> ScoredMosaic:
    """Match lakes of at least 0.1 ha one to one at an intersection over union of 0.5, each once however many chips show it.

    A prediction that lies mostly in a lake that is not asked for, or where the label is unknown, is excused.
    """
    runs = runs_of(np.nan_to_num(mosaic.probability) >= THRESHOLD, mosaic.origin_yx)
    runs = select(runs, pixel_counts(runs) * PIXEL_M**2 >= LEAST_MATCH_M2)
    found = found_lakes(mosaic, runs, epsg, THRESHOLD)
    clipped, inside = _clipped(mosaic, truth.outlines, epsg)
    true_area = area_perimeter(clipped)[0]
    asked = truth.asked & (true_area >= LEAST_M2) & (inside >= LEAST_INSIDE) & (_seen_share(mosaic, clipped, epsg) >= LEAST_SEEN)
    pairs = match(found.outlines, clipped, criterion="iou", threshold=0.5)
    rows = _true_rows(truth, clipped, true_area, found, pairs)
    kept = [row for row, wanted in zip(rows, asked, strict=True) if wanted]
    invented = [_invented(found, index) for index in pairs.invented.tolist() if not _excused(found, clipped[~asked], index)]
    owned = _with_owner([*kept, *invented], mosaic, epsg)
    covered = coverage_of(to_metres(truth.outlines, epsg), mosaic.origin_yx, mosaic.probability.shape) >= 0.5
    predicted = to_mask(runs, (*mosaic.origin_yx, *(np.add(mosaic.origin_yx, covered.shape).tolist())))
    return ScoredMosaic(tuple(owned), predicted, covered & mosaic.inside, int((~asked).sum()))


def _clipped(mosaic: Mosaic, outlines: Geometries, epsg: int) -> tuple[Geometries, Floats]:
    """Outlines cut to the chips, and the share of each that is left."""
    if not len(outlines):
        return outlines, np.zeros(0)
    ground = shapely.union_all(polygons_of(runs_of(mosaic.inside, mosaic.origin_yx))[1])
    metres = to_metres(outlines, epsg)
    cut = np.array(metres)
    crossing = ~shapely.covered_by(metres, ground)
    cut[crossing] = [_polygons(piece) for piece in shapely.intersection(metres[crossing], ground)]
    degrees = np.array(outlines)
    degrees[crossing] = to_degrees(cut[crossing], epsg) if crossing.any() else degrees[crossing]
    return degrees, shapely.area(cut) / np.maximum(shapely.area(metres), 1e-9)


def _polygons(geometry: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(geometry)
    return shapely.MultiPolygon(list(parts[shapely.get_dimensions(parts) == 2]))


def _seen_share(mosaic: Mosaic, outlines: Geometries, epsg: int) -> Floats:
    if mosaic.seen[mosaic.inside].all():
        return np.ones(len(outlines))
    metres, shares = to_metres(outlines, epsg), np.zeros(len(outlines))
    for place, outline in enumerate(metres):
        if outline.is_empty:
            continue
        left, bottom, right, top = outline.bounds
        rows = _span(-top, -bottom, mosaic.origin_yx[0], mosaic.seen.shape[0])
        columns = _span(left, right, mosaic.origin_yx[1], mosaic.seen.shape[1])
        seen = mosaic.seen[rows, columns]
        cover = coverage_of(
            np.array([outline], object), (mosaic.origin_yx[0] + rows.start, mosaic.origin_yx[1] + columns.start), seen.shape
        )
        shares[place] = float((cover * seen).sum() / max(cover.sum(), 1e-9))
    return shares


def _span(low_m: float, high_m: float, origin: int, size: int) -> slice:
    start, stop = int(np.floor(low_m / PIXEL_M)) - origin, int(np.ceil(high_m / PIXEL_M)) - origin
    return slice(min(max(start, 0), size - 1), max(min(stop, size), 1))


def _true_rows(truth: TrueLakes, outlines: Geometries, area_m2: Floats, found: FoundLakes, pairs: Matches) -> list[LakeRow]:
    match_of = dict(zip(pairs.truth.tolist(), pairs.predicted.tolist(), strict=True))
    likeness = _likeness(found.outlines, outlines, pairs)
    rows = []
    for place, name in enumerate(truth.ids):
        index = match_of.get(place)
        figures = (float("nan"),) * 4 if index is None else found.figures(index)
        reasons = tuple(reason for reason in truth.reasons[place].split(";") if reason)
        iou = likeness.get(place, 0.0)
        rows.append(LakeRow(name, float(area_m2[place]), *figures, iou, truth.classes[place], reasons, -1, outlines[place]))
    return rows


def _likeness(predicted: Geometries, truth: Geometries, pairs: Matches) -> dict[int, float]:
    shared = overlaps_of(predicted[pairs.predicted], truth[pairs.truth])
    same = shared.left == shared.right
    return dict(zip(pairs.truth[shared.left[same]].tolist(), shared.likeness[same].tolist(), strict=True))


def _invented(found: FoundLakes, index: int) -> LakeRow:
    return LakeRow("", float("nan"), *found.figures(index), 0.0, "", (), -1, found.outlines[index])


def _excused(found: FoundLakes, unasked: Geometries, index: int) -> bool:
    if found.area_m2[index] < LEAST_M2 or found.known_share[index] < LEAST_SEEN:
        return True
    return bool((overlaps_of(found.outlines[[index]], unasked).share >= 0.5).any())


def _with_owner(rows: Sequence[LakeRow], mosaic: Mosaic, epsg: int) -> list[LakeRow]:
    if not rows:
        return []
    metres = to_metres(np.array([row.geometry for row in rows], object), epsg)
    x, y = shapely.get_coordinates(shapely.point_on_surface(metres)).T
    row_px = np.clip(np.floor(-y / PIXEL_M).astype(int) - mosaic.origin_yx[0], 0, mosaic.owner.shape[0] - 1)
    column_px = np.clip(np.floor(x / PIXEL_M).astype(int) - mosaic.origin_yx[1], 0, mosaic.owner.shape[1] - 1)
    chips = mosaic.chips[mosaic.owner[row_px, column_px]]
    fields = LakeRow.__dataclass_fields__
    return [
        LakeRow(**{name: getattr(row, name) for name in fields if name != "chip"}, chip=int(c)) for row, c in zip(rows, chips, strict=True)
    ]
