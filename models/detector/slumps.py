"""Outlines of slumps as a detector learns them: which count, which nobody may ask about, and how sure their labelers are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from catalog.facts.chips import NEGATIVE, UNCLEAR
from catalog.facts.footprints import squares
from models.detector.labelers import agreed
from models.outlines.geodesy import to_metres

Names = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class SlumpOptions:
    """Which outlines a detector is asked to find; the others are ignored, which is neither right nor wrong."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    ignored_classes: tuple[str, ...] = ("stabilised", "unknown", UNCLEAR)
    ignored_because: tuple[str, ...] = ("recovering",)
    """Reasons for which an outline is hard that make it no slump to find; others, such as `small`, stay in."""
    most_year_gap: int = 1
    """Years between image and label."""
    least_certainty: float = 0.34
    """Share of the labelers who have to have drawn a slump."""
    dissolve_share: float = 0.1
    """Digitisations of one year that share this part of the smaller one are one slump."""


@dataclass(frozen=True, slots=True)
class Slumps:
    """Slumps on and around one chip."""

    shapes: Names
    """(n,) polygons in metres of the zone; of several labelers the outline that at least half of them share."""
    ignored: NDArray[np.bool_]
    """(n,)."""
    certainty: NDArray[np.float32]
    """(n,), share of the labelers who drew it, x how far the label is trusted; in (0, 1]."""
    voices: tuple[Names, ...]
    """(n,) tuples of the outlines of everyone who drew it."""
    lures: Names
    """Ground that only looks like a slump, polygons in metres."""

    def __len__(self) -> int:
        """Count the slumps, ignored ones included."""
        return len(self.shapes)


def no_slumps() -> Slumps:
    """Of a chip without slumps."""
    empty = np.empty(0, object)
    return Slumps(empty, np.empty(0, bool), np.empty(0, np.float32), (), empty)


def slumps_of_chips(table: gpd.GeoDataFrame, labels: gpd.GeoDataFrame, options: SlumpOptions) -> list[Slumps]:
    """Slumps of every row of the table of a set of chips (`CHIPS`), of its outlines (`CHIP_LABELS`, EPSG:4326)."""
    result = [no_slumps()] * len(table)
    if not len(labels):
        return result
    own = {key: labels.iloc[rows] for key, rows in labels.groupby(["ground", "region", "year"]).indices.items()}
    for (ground, region, year, epsg), rows in table.groupby(["ground", "region", "year", "epsg"]).indices.items():
        found = own.get((ground, region, year))
        if found is None:
            continue
        slumps = slumps_of(found, to_metres(found.geometry.to_numpy(), int(epsg)), int(year), options)
        origins = table[["origin_y_px", "origin_x_px"]].to_numpy(np.int64)[rows]
        for row, place in zip(rows.tolist(), _within(slumps, origins), strict=True):
            result[row] = place
    return result


def slumps_of(labels: gpd.GeoDataFrame, metres: Names, image_year: int, options: SlumpOptions) -> Slumps:
    """Slumps of outlines for one image year; `metres` are their shapes in the zone.

    Outlines of several labelers become one slump where they mean the same one (`labelers.agreed`); overlapping outlines of one labeler
    are dissolved. A slump of which any outline is to be ignored is ignored.
    """
    kinds = labels["class"].to_numpy(object)
    lures, solid = metres[kinds == NEGATIVE], np.flatnonzero(kinds != NEGATIVE)
    skip = _ignored(labels, image_year, options)[solid]
    shapes, who = metres[solid], _labelers(labels)[solid]
    names = sorted(set(who.tolist()))
    ones, ones_skip, ones_who = [], [], []
    for name in names:
        for members in _overlapping(shapes[who == name], options.dissolve_share):
            places = np.flatnonzero(who == name)[members]
            ones.append(shapely.union_all(shapes[places]) if len(places) > 1 else shapes[places[0]])
            ones_skip.append(bool(skip[places].any()))
            ones_who.append(name)
    together = np.array(ones, object)
    if len(names) < 2:
        return Slumps(
            together, np.array(ones_skip, bool), np.ones(len(ones), np.float32), tuple(together[[i]] for i in range(len(ones))), lures
        )
    groups = agreed(together, ones_who)
    certainty = np.array([group.certainty for group in groups], np.float32)
    doubted = [certainty[i] < options.least_certainty or any(ones_skip[m] for m in group.members) for i, group in enumerate(groups)]
    outlines = np.array([group.outline for group in groups], object)
    return Slumps(outlines, np.array(doubted, bool), certainty, tuple(together[list(group.members)] for group in groups), lures)


def _within(slumps: Slumps, origins: NDArray[np.int64]) -> list[Slumps]:
    """Those that touch each chip."""
    chips = squares(origins)
    near, lures = (_touching(shapes, chips) for shapes in (slumps.shapes, slumps.lures))
    return [
        Slumps(
            slumps.shapes[there],
            slumps.ignored[there],
            slumps.certainty[there],
            tuple(slumps.voices[place] for place in there.tolist()),
            slumps.lures[lures[number]],
        )
        for number, there in enumerate(near)
    ]


def _touching(shapes: Names, chips: Names) -> list[NDArray[np.int64]]:
    if not len(shapes):
        return [np.empty(0, np.int64)] * len(chips)
    chip, shape = shapely.STRtree(shapes).query(chips, predicate="intersects")
    return [np.sort(shape[chip == number]) for number in range(len(chips))]


def _ignored(labels: gpd.GeoDataFrame, image_year: int, options: SlumpOptions) -> NDArray[np.bool_]:
    because = [bool(set(str(reasons or "").split(";")) & set(options.ignored_because)) for reasons in labels["hard_because"]]
    unseen = ~labels["observable"].to_numpy(bool)
    old = np.abs(labels["label_year"].to_numpy(np.int64) - image_year) > options.most_year_gap
    kind = labels["class"].isin(options.ignored_classes).to_numpy(bool)
    return np.asarray(np.array(because, bool) | unseen | old | kind)


def _labelers(labels: gpd.GeoDataFrame) -> Names:
    if "labeler" not in labels.columns:
        return np.full(len(labels), "", object)
    return np.array(["" if name is None or name != name else str(name) for name in labels["labeler"]], object)  # noqa: PLR0124 - NaN


def _overlapping(shapes: Names, least_share: float) -> list[NDArray[np.int64]]:
    """Groups of places whose shapes share a part of the smaller one."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    first, second = first[first < second], second[first < second]
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    linked = shared > least_share * np.minimum(shapely.area(shapes[first]), shapely.area(shapes[second]))
    links = coo_array((np.ones(int(linked.sum()), bool), (first[linked], second[linked])), shape=(len(shapes), len(shapes)))
    group = connected_components(links, directed=False)[1]
    return [np.flatnonzero(group == number) for number in range(group.max(initial=-1) + 1)]


def positive(slumps: Sequence[Slumps]) -> NDArray[np.bool_]:
    """Which chips have a slump that is not ignored."""
    return np.array([bool((~there.ignored).any()) for there in slumps], bool)
