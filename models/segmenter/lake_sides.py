"""Outlines of lakes as labels of a set: which are near, what they measure, and the one side of the split that each stands on."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from catalog.facts.chips import CutOptions
from catalog.facts.records import Target
from catalog.facts.regions import RIM_KM
from catalog.facts.splits import block_splits_of
from models.outlines.geodesy import area_perimeter, to_metres


@dataclass(frozen=True, slots=True)
class Place:
    """Which images are cut."""

    region: str
    year: int
    label_year: int
    source: str
    target: Target = "lakes"


@dataclass(frozen=True, slots=True)
class Lakes:
    """Outlines for one year with their splits, and the same in metres of one zone."""

    table: gpd.GeoDataFrame
    """Columns of `CHIP_LABELS` but `covered_share`; EPSG:4326."""
    metres: NDArray[np.object_]


def outlines_near(outlines: gpd.GeoDataFrame, bounds: tuple[float, float, float, float]) -> gpd.GeoDataFrame:
    """The outlines within reach of what is mapped of a region with these bounds (west, south, east, north)."""
    west, south, east, north = bounds
    reach = RIM_KM["tiles"] / 111.0
    wide = reach / np.cos(np.radians(min(max(abs(south), abs(north)), 84.0)))
    near = shapely.box(west - wide, south - reach, east + wide, north + reach)
    return outlines[shapely.intersects(outlines.geometry.to_numpy(), near)].reset_index(drop=True)


def labelled(outlines: gpd.GeoDataFrame, place: Place, options: CutOptions) -> gpd.GeoDataFrame:
    """Outlines with their area, and the images that they are for."""
    area = area_perimeter(outlines.geometry.to_numpy())[0]
    return outlines.assign(ground=options.ground, region=place.region, year=place.year, area_m2=area)


def sided(outlines: gpd.GeoDataFrame, options: CutOptions) -> gpd.GeoDataFrame:
    """Add the split to the outlines of all years: each lake stands wholly where its representative point lies.

    Outlines that touch, in one year or over the years, are one lake, and the largest speaks for it: a lake that grows over the edge of
    a block stays on its side.
    """
    if options.split != "blocks":
        return outlines.assign(split=options.split)
    shapes = outlines.geometry.to_numpy()
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    links = coo_array((np.ones(pairs.shape[1], bool), (pairs[0], pairs[1])), shape=(len(shapes), len(shapes)))
    lake = connected_components(links, directed=False)[1]
    inside = shapely.get_coordinates(shapely.point_on_surface(shapes))
    split = block_splits_of(inside[:, 1], inside[:, 0])
    largest_last = np.argsort(outlines["area_m2"].to_numpy(), kind="stable")
    speaker = np.empty(len(shapes), np.int64)
    speaker[lake[largest_last]] = largest_last
    return outlines.assign(split=split[speaker[lake]])


def in_zone(table: gpd.GeoDataFrame, epsg: int) -> Lakes:
    """The outlines within reach of a zone, in its metres; those further away cannot touch its chips."""
    meridian = (epsg % 100) * 6.0 - 183.0
    middle = table.geometry.bounds[["minx", "maxx"]].mean(axis=1).to_numpy()
    # chips lie at most 6 degrees from their meridian (Svalbard), and transverse Mercator fails far from it
    reach = np.abs((middle - meridian + 180.0) % 360.0 - 180.0) < 20.0 if 32600 < epsg < 32800 else np.ones(len(table), bool)
    near = table[reach].reset_index(drop=True)
    return Lakes(near, to_metres(near.geometry.to_numpy(), epsg))
