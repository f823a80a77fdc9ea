"""Ground of chips and lakes against splits: what must move to the buffer, and what would be a leak."""

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.chips import CHIP_PX
from catalog.facts.grids import PIXEL_M, to_lonlat
from catalog.facts.splits import BUFFER

Names = NDArray[np.object_]
Shapes = NDArray[np.object_]
Places = NDArray[np.int64]
_LEAST_SHARE: Final = 1e-4
"""Chips side by side share a line; drawn in degrees its two copies may cross by centimetres."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Two chips of different splits that show the same ground."""

    first: str
    second: str
    splits: tuple[str, str]


def squares(origins_yx_px: Places, size_px: int = CHIP_PX) -> Shapes:
    """Footprints of windows, shape (n, 2) -> (n,), metres of their zone."""
    left, top = origins_yx_px[:, 1] * float(PIXEL_M), -origins_yx_px[:, 0] * float(PIXEL_M)
    size = float(size_px * PIXEL_M)
    return np.asarray(shapely.box(left, top - size, left + size, top), dtype=object)


def squares_lonlat(origins_yx_px: Places, epsg: int) -> Shapes:
    """The same in EPSG:4326; a side of 2 km bends by less than a metre."""
    corners = shapely.get_coordinates(squares(origins_yx_px))
    moved = np.stack(to_lonlat(epsg).transform(corners[:, 0], corners[:, 1]), axis=-1)
    return np.asarray(shapely.polygons(moved.reshape(-1, 5, 2)), dtype=object)


def centres_lonlat(origins_yx_px: Places, epsg: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of the centres of chips, degrees."""
    middle = CHIP_PX / 2
    x, y = (origins_yx_px[:, 1] + middle) * PIXEL_M, -(origins_yx_px[:, 0] + middle) * PIXEL_M
    longitude, latitude = to_lonlat(epsg).transform(x, y)
    return np.atleast_1d(longitude), np.atleast_1d(latitude)


def touching_foreign_lakes(chips: Shapes, splits: Names, lakes: Shapes, lake_splits: Names) -> NDArray[np.bool_]:
    """Chips that touch a lake of another split: the lake would stand on both sides."""
    chip, lake = shapely.STRtree(lakes).query(chips, predicate="intersects")
    foreign = (lake_splits[lake] != splits[chip]) & (splits[chip] != BUFFER)
    touching = np.zeros(len(chips), bool)
    touching[chip[foreign]] = True
    return touching


def overlapping_splits(table: gpd.GeoDataFrame) -> tuple[Leak, ...]:
    """Every pair of chips of different splits whose footprints overlap on the same ground, over all sets and stages in `table`.

    Reads the columns chip_id, ground, split and geometry; chips of the buffer, which nobody uses, and chips without a place are passed over.
    """
    leaks: list[Leak] = []
    used = table[(table["split"] != BUFFER) & table.geometry.notna() & ~table.geometry.is_empty]
    for _, chips in used.groupby("ground"):
        shapes, splits = chips.geometry.to_numpy(), chips["split"].to_numpy(object)
        names = chips["chip_id"].to_numpy(object)
        for first, second in zip(*_foreign_pairs(shapes, splits), strict=True):
            leaks.append(Leak(names[first], names[second], (splits[first], splits[second])))
    return tuple(leaks)


def _foreign_pairs(shapes: Shapes, splits: Names) -> tuple[Places, Places]:
    """Places of pairs of different splits that share ground, each once: every split is looked up among those after it."""
    pairs: list[tuple[Places, Places]] = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    for name in sorted(set(splits))[:-1]:
        mine, others = np.flatnonzero(splits == name), np.flatnonzero(splits > name)
        left, right = shapely.STRtree(shapes[others]).query(shapes[mine], predicate="intersects")
        left, right = mine[left], others[right]
        shared = shapely.area(shapely.intersection(shapes[left], shapes[right]))
        really = shared > _LEAST_SHARE * np.minimum(shapely.area(shapes[left]), shapely.area(shapes[right]))
        pairs.append((left[really], right[really]))
    return np.concatenate([left for left, _ in pairs]), np.concatenate([right for _, right in pairs])


def covered_shares(lakes: gpd.GeoDataFrame, chips: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Share of every outline inside chips of its own ground, region, year and split; 0 where it touches none."""
    shares = np.zeros(len(lakes))
    keys = ["ground", "region", "year", "split"]
    footprints = {key: group.geometry.to_numpy() for key, group in chips[chips.geometry.notna()].groupby(keys)}
    for key, places in lakes.groupby(keys).indices.items():
        if key in footprints:
            shares[places] = _share_inside(lakes.geometry.to_numpy()[places], footprints[key])
    return shares


def _share_inside(outlines: Shapes, footprints: Shapes) -> NDArray[np.float64]:
    lake, chip = shapely.STRtree(footprints).query(outlines, predicate="intersects")
    shares = np.zeros(len(outlines))
    for place in np.unique(lake):
        ground = shapely.union_all(footprints[chip[lake == place]])
        shares[place] = shapely.area(shapely.intersection(outlines[place], ground)) / shapely.area(outlines[place])
    return shares
