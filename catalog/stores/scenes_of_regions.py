"""Where in a store a lake or a tile is: which region, which years, which rectangle of pixels."""

import difflib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.facts.bulletins import BulletinRequest
from catalog.facts.errors import WrongCall
from catalog.facts.grids import PIXEL_M, from_lonlat, parse_tile
from catalog.facts.pixel_grids import PixelGrid, covering_grid
from catalog.facts.records import Job
from catalog.facts.report_records import ReportTables
from catalog.facts.schemas import SURFACE
from catalog.stores import cubes
from catalog.stores.jobs import stored_region, stored_regions, territory, tile_of, years_with
from catalog.stores.store import Store
from catalog.stores.tables import read_table

_AROUND_M: Final = 2_240
"""Side of the scene around a lake: a chip."""
_ROOM: Final = 1.5
"""A lake that is longer than a chip gets a scene that many times as long."""
_REGION_PIXEL_M: Final = 100.0


def region_with(store: Store, request: BulletinRequest) -> str:
    """The region that a bulletin is about; raises WrongCall for a lake or a tile that the store does not hold."""
    if request.scope == "region":
        return request.name
    regions = [request.region] if request.region else list(stored_regions(store))
    of_lakes = [name for name in regions if stored_region(store, name).target == "lakes"]
    holds = _holds_lake if request.scope == "lake" else _holds_tile
    for name in of_lakes:
        if holds(store, name, request.name):
            return name
    raise WrongCall(
        f"{request.scope.capitalize()} {request.name!r} is not in {', '.join(of_lakes) or 'any region of lakes'} of {store.root}. {_nearest(store, of_lakes, request)}"
    )


def year_wanted(store: Store, region: str, year: int | None) -> int:
    """The year that was asked for, or the last one; raises WrongCall for one without an inventory, or for a region of slumps."""
    found = stored_region(store, region)
    if found.target != "lakes":
        raise WrongCall(f"Region {region!r} holds {found.target}, and bulletins are about lakes: name a region of lakes.")
    years = years_with(store, found.target, region)
    if not years:
        raise WrongCall(f"Region {region!r} has no inventory in {store.root}. Map it first with `cryoatlas run`.")
    if year is not None and year not in years:
        raise WrongCall(f"Region {region!r} has no inventory of {year} in {store.root}: there are {', '.join(map(str, years))}.")
    return year or years[-1]


def grid_of_tile(store: Store, region: str, year: int, tile: str) -> PixelGrid:
    """Pixels of a tile of the region; raises WrongCall when the region does not map it."""
    found = tile_of(Job(region, year, "lakes", str(store.root)), parse_tile(tile).id)
    left, _, _, top = found.bounds_lbrt
    return PixelGrid(found.epsg, float(left), float(top), float(PIXEL_M), found.size_px, found.size_px)


def grid_of_region(store: Store, tables: ReportTables, year: int) -> PixelGrid:
    """A coarse rectangle around a region and all its features, some of which lie beyond its outline; in the zone that holds most of its tiles."""
    zones = territory(Job(tables.region.name, year, tables.region.target, str(store.root))).zones
    epsg = max(zones, key=lambda zone: len(zone.owned)).epsg
    west, south, east, north = tables.region.bounds_wsen
    steps = np.linspace(0, 1, 21)
    points = [(west + step * (east - west), edge) for step in steps for edge in (south, north)]
    points += [(edge, south + step * (north - south)) for step in steps for edge in (west, east)]
    lakes = [np.column_stack([each.inventory.column(name) for name in ("longitude", "latitude")]) for each in tables.years if each.mapped]
    x, y = from_lonlat(epsg).transform(*np.concatenate([np.array(points), *lakes]).T)
    return covering_grid(epsg, (float(x.min()), float(y.min()), float(x.max()), float(y.max())), _REGION_PIXEL_M, halo_px=1)


def grid_around(tables: ReportTables, lake_id: str, year: int) -> PixelGrid:
    """Pixels around a lake as it was in a year, or when it was last seen; at least as large as a chip."""
    mapped = [each for each in tables.years if each.mapped and lake_id in each.inventory.column("lake_id").to_pylist()]
    # the year itself, else the one nearest to it
    nearest = min(mapped, key=lambda each: (abs(each.year - year), each.year))
    row = nearest.inventory.column("lake_id").to_pylist().index(lake_id)
    epsg = int(nearest.inventory.column("utm_epsg")[row].as_py())
    outline = nearest.outlines[row]
    west, south, east, north = outline.bounds
    (left, right), (bottom, top) = from_lonlat(epsg).transform([west, east], [south, north])
    side = PIXEL_M * 2 * round(max(_AROUND_M, _ROOM * max(right - left, top - bottom)) / (2 * PIXEL_M))
    corner = [PIXEL_M * round(value / PIXEL_M) for value in ((left + right - side) / 2, (top + bottom + side) / 2)]
    return PixelGrid(epsg, float(corner[0]), float(corner[1]), float(PIXEL_M), side // PIXEL_M, side // PIXEL_M)


def surface_on(store: Store, region: str, year: int, grid: PixelGrid, names: Sequence[str]) -> dict[str, NDArray[Any]] | None:
    """Arrays of a surface on the pixels of a grid; None where the zone has none."""
    path = store.cube(region, year, grid.epsg)
    if not (path / "zarr.json").is_file():
        return None
    cube = cubes.read_cube(path, SURFACE)
    window = (round(-grid.top / PIXEL_M), round(grid.left / PIXEL_M), grid.height, grid.width)
    return {name: cubes.read_window(cube, name, window) for name in names}


def _holds_lake(store: Store, region: str, lake_id: str) -> bool:
    return lake_id in _lake_ids(store, region)


def _lake_ids(store: Store, region: str) -> set[str]:
    found: set[str] = set()
    for year in years_with(store, "lakes", region):
        found |= set(pc.unique(read_table(store.inventory("lakes", region, year), ["lake_id"]).column(0)).to_pylist())
    return found


def _holds_tile(store: Store, region: str, tile: str) -> bool:
    wanted = parse_tile(tile).id
    years = years_with(store, "lakes", region)
    return any(wanted in read_table(store.coverage(region, year), ["tile"]).column(0).to_pylist() for year in years)


def _nearest(store: Store, regions: Sequence[str], request: BulletinRequest) -> str:
    if request.scope == "tile":
        return f"`cryoatlas audit --store {store.root}` lists its tiles."
    known = sorted({name for region in regions for name in _lake_ids(store, region)})
    near = difflib.get_close_matches(request.name, known, n=3)
    return f"Nearest names: {', '.join(near)}." if near else f"It holds {len(known)} lakes."
