"""Slumps of several images of one year to one set per year, with what was looked at: unobserved is not absent."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.errors import SchemaError
from models.detector.links import Links, Views, grouped
from models.detector.middle import middle_of
from models.outlines.contours import ContourOptions, Shape

Geometries = NDArray[np.object_]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ImageSlumps:
    """Slumps of one image, as DARTS's level 1 lists them; all geometry in metres of one zone."""

    image: str
    """Name of the image; each is handed in once."""
    day: date
    polygons: Geometries
    scores: NDArray[np.float64]
    """(n,) 0..1; 1 for outlines that a person drew."""
    observed: shapely.Geometry | None = None
    """Ground that the image shows clearly; None where nobody kept it: such an image says nothing of slumps that it does not list."""


@dataclass(frozen=True, slots=True)
class AnnualOptions:
    """When outlines of two images are one slump, and who counts as having looked."""

    link_share: float = 0.5
    """Shared ground over the smaller outline; within one image, of outlines that were drawn twice too."""
    link_likeness: float = 0.35
    """Or IoU inside the ground that both images show."""
    strong_score: float = 0.5
    """Two outlines of one image above it that share no ground are two slumps."""
    touching_share: float = 0.1
    min_view: float = 0.5
    """An image that shows this share of a slump's ground looked at it."""
    contour: ContourOptions = field(default_factory=ContourOptions)


@dataclass(frozen=True, slots=True)
class AnnualSlump:
    """One slump of one year, as DARTS's level 2 lists it."""

    polygon: Shape
    score: float
    """Mean over the images that show it of the best score in each, so that a year of many images does not look surer."""
    members: int
    """Outlines merged."""
    images: tuple[str, ...]
    """That show it, sorted by day and name."""
    looks: int
    """Images that looked at its ground, those included."""
    day_first: date
    day_last: date
    """Of the images that show it."""
    conflict: bool
    """Some outline covers it and a neighbour that another image tells apart."""

    @property
    def votes_share(self) -> float:
        """Share of the images that looked which show it, 0..1."""
        return len(self.images) / self.looks


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was looked at in a year."""

    seen: tuple[shapely.Geometry, ...]
    """Ground seen by at least one image, at least two, and so on; empty where no image says what it shows."""
    images: tuple[str, ...]
    days: tuple[date, ...]
    """First and last day, empty without an image."""

    @property
    def observed(self) -> shapely.Geometry:
        """Ground that any image shows: outside it a slump is not absent but unknown."""
        return self.seen[0] if self.seen else shapely.Polygon()


@dataclass(frozen=True, slots=True)
class Annual:
    """The slumps of a year and its coverage."""

    slumps: tuple[AnnualSlump, ...]
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class _Pile:
    """All outlines of all images, by day, image and place; arrays of equal length."""

    image: Int64
    """Position of the image."""
    polygons: Geometries
    scores: NDArray[np.float64]


def annual(images: Sequence[ImageSlumps], options: AnnualOptions | None = None) -> Annual:
    """Unite the slumps of images of one zone and year, from north to south; the order of images and outlines does not matter.

    Linked by shared ground as detections of windows are (`links.grouped`). The outline is where most images that show the slump
    and see the ground say it is (`middle.middle_of`); images that saw the ground and show nothing count in `looks`, those that
    did not see it count nowhere. Raises SchemaError where an image is handed in twice or has not one score for each outline.
    """
    options = options or AnnualOptions()
    images = sorted(images, key=lambda image: (image.day, image.image))
    _require_sound(images)
    pile = _pile_of(images)
    groups = grouped(*_links(pile, images, options))
    order = np.argsort(groups.label, kind="stable")
    sets = [rows for rows in np.split(order, np.flatnonzero(np.diff(groups.label[order])) + 1) if rows.size]
    slumps = [_slump(rows, pile, images, options, conflict=bool(groups.conflict[rows].any())) for rows in sets]
    return Annual(tuple(sorted(slumps, key=_reading_order)), coverage_of(images))


def coverage_of(images: Sequence[ImageSlumps]) -> Coverage:
    """Return the ground that images of a year show, at least once, at least twice, and so on."""
    images = sorted(images, key=lambda image: (image.day, image.image))
    seen: list[shapely.Geometry] = []
    for image in images:
        if image.observed is None or shapely.is_empty(image.observed):
            continue
        again = [shapely.intersection(level, image.observed) for level in seen]
        levels = [image.observed, *again]
        seen = [shapely.union(seen[at], level) if at < len(seen) else level for at, level in enumerate(levels)]
    grounds = tuple(shapely.normalize(level) for level in seen if shapely.area(level) > 0)
    days = (images[0].day, images[-1].day) if images else ()
    return Coverage(grounds, tuple(image.image for image in images), days)


def _require_sound(images: Sequence[ImageSlumps]) -> None:
    names = [image.image for image in images]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SchemaError(f"Images {', '.join(twice)} are handed in twice: join their slumps, or name them apart.")
    for image in images:
        if len(image.polygons) != len(image.scores):
            raise SchemaError(
                f"Image {image.image} has {len(image.polygons)} outlines and {len(image.scores)} scores: hand in one score each."
            )


def _pile_of(images: Sequence[ImageSlumps]) -> _Pile:
    rows = [
        (at, shapely.to_wkb(shape), float(score), shape)
        for at, image in enumerate(images)
        for shape, score in zip(image.polygons, image.scores, strict=True)
        if shapely.area(shape) > 0
    ]
    rows.sort(key=lambda row: row[:3])
    shapes = np.array([row[3] for row in rows], dtype=object)
    return _Pile(np.array([row[0] for row in rows], np.int64), shapes, np.array([row[2] for row in rows], np.float64))


def _links(pile: _Pile, images: Sequence[ImageSlumps], options: AnnualOptions) -> tuple[Links, Views]:
    one, other = shapely.STRtree(pile.polygons).query(pile.polygons, predicate="intersects")
    pairs = np.column_stack([one, other])[one < other].astype(np.int64)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    one, other = pairs.T
    first, second = shapely.area(pile.polygons[one]), shapely.area(pile.polygons[other])
    shared = shapely.area(shapely.intersection(pile.polygons[one], pile.polygons[other]))
    share = shared / np.minimum(first, second)
    likeness = shared / np.array([_common_m2(pile, images, a, b) for a, b in pairs.tolist()]).reshape(-1)
    one_view = pile.image[one] == pile.image[other]
    linked = (share >= options.link_share) | (~one_view & (likeness >= options.link_likeness))
    touching = pairs[one_view & (share >= options.touching_share)]
    views = Views(pile.image, pile.scores > options.strong_score, {(a, b) for a, b in touching.tolist()})
    return Links(one[linked], other[linked], (likeness + 1e-3 * share)[linked]), views


def _common_m2(pile: _Pile, images: Sequence[ImageSlumps], one: int, other: int) -> float:
    """Area of the union of two outlines on the ground that both images show."""
    union = shapely.union(pile.polygons[one], pile.polygons[other])
    grounds = {int(pile.image[at]) for at in (one, other)}
    for at in sorted(grounds) if len(grounds) > 1 else ():
        observed = images[at].observed
        union = union if observed is None else shapely.intersection(union, observed)
    # outlines may reach beyond what their image is said to show
    return max(float(shapely.area(union)), float(shapely.area(shapely.intersection(pile.polygons[one], pile.polygons[other]))), 1e-9)


def _slump(rows: Int64, pile: _Pile, images: Sequence[ImageSlumps], options: AnnualOptions, *, conflict: bool) -> AnnualSlump:
    by_image: dict[int, list[int]] = defaultdict(list)
    for row in rows.tolist():
        by_image[int(pile.image[row])].append(row)
    shapes = [_joined(pile.polygons[members]) for members in by_image.values()]
    finders = [images[at] for at in by_image]
    polygon = shapes[0] if len(shapes) == 1 else middle_of(shapes, [image.observed for image in finders], options.contour)
    if shapely.is_empty(polygon):
        # a chain of outlines without common ground: the surest of them stands
        polygon = pile.polygons[min(rows.tolist(), key=lambda row: (-pile.scores[row], row))]
    showing = {image.image for image in finders}
    return AnnualSlump(
        polygon=shapely.normalize(polygon),
        score=float(np.mean([pile.scores[members].max() for members in by_image.values()])),
        members=len(rows),
        images=tuple(image.image for image in finders),
        looks=sum(image.image in showing or _looked(image, polygon, options.min_view) for image in images),
        day_first=finders[0].day,
        day_last=finders[-1].day,
        conflict=conflict,
    )


def _joined(shapes: Geometries) -> Shape:
    """Outlines of one image on one slump: one ground."""
    if len(shapes) == 1:
        only: Shape = shapes[0]
        return only
    whole = shapely.union_all(shapes)
    parts = [part for part in shapely.get_parts(whole) if isinstance(part, shapely.Polygon)]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _looked(image: ImageSlumps, polygon: Shape, min_view: float) -> bool:
    if image.observed is None or not shapely.intersects(image.observed, polygon):
        return False
    return bool(shapely.area(shapely.intersection(image.observed, polygon)) >= min_view * shapely.area(polygon))


def _reading_order(slump: AnnualSlump) -> tuple[float, float, bytes]:
    left, _, _, top = slump.polygon.bounds
    return -top, left, shapely.to_wkb(slump.polygon)
