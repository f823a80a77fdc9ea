"""Where labels and predictions disagree, in both directions, once per lake and place: what an audit of labels looks at."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from catalog.facts.chips import CHIP_PX, LABEL_IGNORE, LABEL_SCALE
from catalog.facts.grids import PIXEL_M
from models.outlines.geodesy import to_degrees, to_metres
from models.outlines.overlaps import components, meetings_of
from models.outlines.polygonize import polygons_of
from models.outlines.runs import Runs, bounds_of, pixel_counts, runs_of, select, to_labels
from models.scores.mosaics import Mosaic

Side = Literal["label", "prediction"]
"""Who says that there is a lake."""
SIDES: Final[tuple[Side, Side]] = ("label", "prediction")
LEAST_PX: Final = 10
_SQUARE: Final = np.ones((2, 2), bool)
"""Disagreements that hold no square of 2 x 2 pixels are shores drawn a little differently."""
_BOX: Final = np.ones((3, 3), bool)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a mosaic shows."""

    ground: str
    region: str
    year: int
    epsg: int


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One place where only one side says lake."""

    side: Side
    shows: Ground
    area_m2: float
    confidence: float
    """Mean distance of the probability from one half, 0 to 1: 1 is a prediction without doubt."""
    geometry: shapely.Geometry
    """The pixels in question, EPSG:4326."""
    lake_ids: tuple[str, ...]
    """Outlines that the pixels touch."""
    chip: int
    """Place of the chip whose middle is nearest."""
    predicted: bytes
    """Bits of the prediction over that chip, row by row."""
    years: tuple[int, ...] = ()
    """All years in which the place is in question, once grouped."""

    @property
    def score(self) -> float:
        """Rank: area in question x confidence, m²."""
        return self.area_m2 * self.confidence


@dataclass(frozen=True, slots=True)
class Case:
    """A disagreement as a reviewer meets it."""

    name: str
    found: Disagreement
    label_is: Literal["a", "b"]
    """Which of the two pictures shows the label; kept in the key, not in the picture."""


def disagreements_of(
    mosaic: Mosaic, origins_yx: NDArray[np.int64], shows: Ground, outlines: NDArray[np.object_], ids: Sequence[str]
) -> tuple[Disagreement, ...]:
    """Find the disagreements of a mosaic; `origins_yx` are those of all chips, `outlines` (EPSG:4326) and `ids` those of the labels."""
    judged = mosaic.seen & (mosaic.label != LABEL_IGNORE)
    truth = (mosaic.label >= LABEL_SCALE / 2) & judged
    predicted = (np.nan_to_num(mosaic.probability) >= 0.5) & judged
    found: list[Disagreement] = []
    for side, mask in zip(SIDES, (truth & ~predicted, predicted & ~truth), strict=True):
        core = ndimage.binary_opening(mask, _SQUARE)
        runs = runs_of(ndimage.binary_dilation(core, _BOX) & mask, mosaic.origin_yx)
        runs = select(runs, pixel_counts(runs) >= LEAST_PX)
        pixels = pixel_counts(runs)
        _, polygons = polygons_of(runs)
        shapes = to_degrees(polygons, shows.epsg)
        touched, sure = _touched(shapes, outlines, ids), _confidence(mosaic, runs)
        for number, bounds in enumerate(bounds_of(runs).tolist()):
            chip = _nearest(mosaic, origins_yx, bounds)
            bits = _crop(np.nan_to_num(mosaic.probability) >= 0.5, mosaic.origin_yx, origins_yx[chip])
            area = float(pixels[number]) * PIXEL_M**2
            found.append(Disagreement(side, shows, area, float(sure[number]), shapes[number], touched[number], chip, bits))
    return tuple(found)


def _confidence(mosaic: Mosaic, runs: Runs) -> NDArray[np.float64]:
    height, width = mosaic.probability.shape
    labels = to_labels(runs, (*mosaic.origin_yx, mosaic.origin_yx[0] + height, mosaic.origin_yx[1] + width))
    # a model that gives no answer says nothing against a label
    sure = np.abs(2 * np.nan_to_num(mosaic.probability, nan=0.5) - 1)
    return np.asarray(ndimage.mean(sure, labels, np.arange(runs.labels)), np.float64).reshape(-1)


def _touched(shapes: NDArray[np.object_], outlines: NDArray[np.object_], ids: Sequence[str]) -> list[tuple[str, ...]]:
    touched: list[set[str]] = [set() for _ in shapes]
    for shape, outline in zip(*meetings_of(shapes, outlines), strict=True):
        touched[shape].add(ids[outline])
    return [tuple(sorted(names)) for names in touched]


def _nearest(mosaic: Mosaic, origins: NDArray[np.int64], bounds: list[int]) -> int:
    middle = np.array([(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2])
    away = np.abs(origins[mosaic.chips] + CHIP_PX / 2 - middle).max(axis=1)
    return int(mosaic.chips[int(np.argmin(away))])


def _crop(mask: NDArray[np.bool_], origin: tuple[int, int], chip_origin: NDArray[np.int64]) -> bytes:
    row, column = (chip_origin - origin).tolist()
    return np.packbits(mask[row : row + CHIP_PX, column : column + CHIP_PX]).tobytes()


def predicted_over(found: Disagreement) -> NDArray[np.bool_]:
    """Prediction (y, x) over the chip that shows a disagreement."""
    return np.unpackbits(np.frombuffer(found.predicted, np.uint8), count=CHIP_PX**2).reshape(CHIP_PX, CHIP_PX).astype(bool)


def by_place(found: Sequence[Disagreement]) -> tuple[Disagreement, ...]:
    """Keep one per lake and place, the one with the highest rank, with all years in which it shows; best first.

    A place is the same when outlines meet on the same ground, or when it belongs to the same lake, in whatever year, region or direction.
    """
    count = len(found)
    shapes = np.array([each.geometry for each in found], object)
    one, other = meetings_of(shapes, shapes)
    same = np.array([found[a].shows.ground == found[b].shows.ground for a, b in zip(one, other, strict=True)], bool)
    links = [*zip(one[same].tolist(), other[same].tolist(), strict=True), *_of_one_lake(found)]
    first, second = np.array(links, np.int64).reshape(-1, 2).T
    groups: dict[int, list[int]] = {}
    for place, group in enumerate(components(count, first, second).tolist()):
        groups.setdefault(group, []).append(place)
    best = []
    for members in groups.values():
        top = max(members, key=lambda place: (found[place].score, -place))
        years = tuple(sorted({found[place].shows.year for place in members}))
        fields = {name: getattr(found[top], name) for name in Disagreement.__dataclass_fields__}
        best.append(Disagreement(**{**fields, "years": years}))
    return tuple(sorted(best, key=lambda each: -each.score))


def _of_one_lake(found: Sequence[Disagreement]) -> list[tuple[int, int]]:
    first: dict[tuple[str, str], int] = {}
    return [(first.setdefault((each.shows.ground, name), place), place) for place, each in enumerate(found) for name in each.lake_ids]


def blind_cases(found: Sequence[Disagreement], count: int) -> tuple[Case, ...]:
    """The highest ranked of both directions, half each where there are enough, in an order and with letters that tell nothing."""
    ranked = {side: sorted((each for each in found if each.side == side), key=lambda each: -each.score) for side in SIDES}
    first, second = (ranked[side] for side in SIDES)
    of_first = min(len(first), max((count + 1) // 2, count - len(second)))
    chosen = [*first[:of_first], *second[: count - of_first]]
    shuffled = sorted(chosen, key=_digest)
    return tuple(Case(f"case-{number + 1:03d}", each, "a" if _digest(each)[-1] & 1 else "b") for number, each in enumerate(shuffled))


def _digest(found: Disagreement) -> bytes:
    shows = found.shows
    x, y = shapely.get_coordinates(shapely.point_on_surface(found.geometry))[0].tolist()
    return hashlib.sha256(f"{shows.ground}|{shows.region}|{shows.year}|{x:.6f}|{y:.6f}".encode()).digest()


def outline_px(geometry: shapely.Geometry, epsg: int, origin_yx: tuple[int, int]) -> list[NDArray[np.float64]]:
    """Rings of a geometry (EPSG:4326) as pixels (x, y) of a window, for drawing."""
    metres = to_metres(np.array([geometry], object), epsg)
    rings = shapely.get_rings(shapely.get_parts(metres))
    return [shapely.get_coordinates(ring) / (PIXEL_M, -PIXEL_M) - (origin_yx[1], origin_yx[0]) for ring in rings]
