"""Lakes of an inventory to the facts of a scene: what a bulletin of a tile or of the surroundings of a lake is made from."""

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.scene_facts import Earlier, LakeFact, SceneFacts, Whereabouts, in_order


def facts_of_inventory(
    lakes: gpd.GeoDataFrame,
    grid: PixelGrid,
    *,
    scene_id: str,
    whereabouts: Whereabouts,
    earlier: Earlier | None = None,
    areas_before: Mapping[str, float | None] | None = None,
) -> SceneFacts:
    """Facts of a rectangle from an inventory of one year (schema `LAKES`, EPSG:4326): lakes whose point lies in it.

    Areas, heights and names are those of the inventory. `earlier` tells the same rectangle in a year in which all of it was observed,
    too; without it no growth is told. `areas_before` are the areas of that year by name: 0 for a lake that was looked for and was not
    there, None (or no entry) for one that nobody saw well enough to compare: a cloudy year makes no lake new.
    """
    here = lakes[within(lakes, grid)]
    before = areas_before if earlier is not None and areas_before is not None else {}
    rows = zip(here.to_crs(grid.epsg).geometry, here.to_dict("records"), strict=True)
    facts = [_fact(number, shape, row, grid, before) for number, (shape, row) in enumerate(rows, 1)]
    return SceneFacts(scene_id, grid.resolution_m, in_order(facts), whereabouts, earlier)


def within(lakes: pd.DataFrame, grid: PixelGrid) -> NDArray[np.bool_]:
    """Say of every lake whether its representative point lies in a rectangle; its left and upper edge belong to it."""
    points = gpd.GeoSeries(gpd.points_from_xy(lakes["longitude"], lakes["latitude"]), crs=4326).to_crs(grid.epsg)
    left, bottom, right, top = grid.bounds_lbrt
    inside = (points.x >= left) & (points.x < right) & (points.y > bottom) & (points.y <= top)
    return np.asarray(inside.to_numpy(), bool)


def _fact(number: int, shape: BaseGeometry, row: dict[str, Any], grid: PixelGrid, before: Mapping[str, float | None]) -> LakeFact:
    left, bottom, right, top = grid.bounds_lbrt
    # a bent lake may not hold its centroid; then a point inside it stands for it, as for lakes of a mask
    point = shape.centroid if shape.contains(shape.centroid) else shape.representative_point()
    west, south, east, north = shape.bounds
    columns = [int(np.clip((x - left) // grid.resolution_m, 0, grid.width)) for x in (west, east)]
    lines = [int(np.clip((top - y) // grid.resolution_m, 0, grid.height)) for y in (north, south)]
    height = row.get("elevation_m")
    return LakeFact(
        number=number,
        x=float(np.clip((point.x - left) / (right - left), 0, 1)),
        y=float(np.clip((top - point.y) / (top - bottom), 0, 1)),
        area_m2=float(row["area_m2"]),
        bounds_lbrt_px=(columns[0], lines[1] + 1, columns[1] + 1, lines[0]),
        lake_id=str(row["lake_id"]),
        longitude=float(row["longitude"]),
        latitude=float(row["latitude"]),
        elevation_m=float(height) if height is not None and np.isfinite(height) else None,
        area_before_m2=before.get(str(row["lake_id"])),
    )
