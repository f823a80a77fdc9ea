"""Stored surface and inventory to one picture of a region-year."""

import math
import time
from collections.abc import Iterator, Sequence

import geopandas as gpd
import numpy as np
import shapely
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.bands import s2_index
from catalog.facts.causes import Cause, State
from catalog.facts.grids import CHIP_PX, PIXEL_M, Tile, from_lonlat
from catalog.facts.records import Job, Outcome, StageReport
from catalog.facts.schemas import SURFACE
from catalog.facts.territory import ZoneTerritory
from catalog.stores import cubes, ledger
from catalog.stores.files import checksum, write_if_changed
from catalog.stores.jobs import REGION_UNIT, region_of, territory, unit_of
from catalog.stores.rounds import report_of
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_features, read_provenance
from models.pictures.kinds import Outline, lake_kind, slump_kind
from models.pictures.map_picture import LONGEST_PX, MapCaption, map_picture
from models.pictures.thumbnails import Thumbnail, merge, shrink

STAGE = "picture"
VERSION = 3
_TRUE_COLOUR = [s2_index(name) for name in ("B04", "B03", "B02")]
_Z95 = 1.96
_LOOKED = frozenset({"segment", "detect"})
"""Stages in which a model looks."""
_STEP_PX = 2240
"""Rows and columns read at once: 120 MB of all bands."""


@task(cache_policy=NO_CACHE, task_run_name="picture-{job.region}-{job.year}")
def draw_pictures(job: Job) -> StageReport:
    """Draw the picture of a region-year unless its surface and inventory are those of the last one."""
    store, unit = open_store(job.store), unit_of(job, REGION_UNIT, STAGE)
    started, before = time.monotonic(), {unit: ledger.find(store, unit)}
    surfaces = {o.unit.tile: dict(o.outputs) for o in ledger.find_all(store, job.region, job.year) if o.unit.stage == "surface"}
    inventory = store.inventory(job.target, job.region, job.year)
    inputs = {
        "stage": f"{STAGE} {VERSION}",
        "surfaces": ledger.fingerprint_of(surfaces),
        "inventory": checksum(inventory) if inventory.is_file() else "none",
    }
    outcome = ledger.once(store, unit, inputs, lambda: _produce(store, job))
    return report_of(STAGE, [outcome], before.get, since=started)


def _produce(store: Store, job: Job) -> Outcome:
    unit, path = unit_of(job, REGION_UNIT, STAGE), store.inventory(job.target, job.region, job.year)
    zones = [zone for zone in territory(job).zones if (store.cube(job.region, job.year, zone.epsg) / "zarr.json").is_file()]
    if not zones or not path.is_file():
        return Outcome(unit, State.SKIPPED, "", cause="no_surface", message="no surface or no inventory to draw")
    features, picture = read_features(path), store.pictures(job.region) / f"{job.year}.png"
    thumbnail = _thumbnail(store, job, sorted(zones, key=lambda zone: (-len(zone.owned), zone.epsg)))
    looked = any(o.unit.stage in _LOOKED and o.state in {State.DONE, State.EMPTY} for o in ledger.find_all(store, job.region, job.year))
    caption = _caption(job, features, str(read_provenance(path).get("model", "unknown")), looked=looked)
    write_if_changed(picture, map_picture(thumbnail, _outlines(features, thumbnail.epsg), caption))
    return Outcome(unit, State.DONE, "", outputs=ledger.receipts_for(store, [picture]))


def _thumbnail(store: Store, job: Job, zones: Sequence[ZoneTerritory]) -> Thumbnail:
    """All zones in the CRS of the first, which owns most tiles."""
    rectangles = [_rectangle(zone) for zone in zones]
    # zones lie side by side
    height, width = max(bottom - top for top, _, bottom, _ in rectangles), sum(right - left for _, left, _, right in rectangles)
    factor = max(1, math.ceil(max(height, width) / LONGEST_PX))
    parts = []
    for zone, rectangle in zip(zones, rectangles, strict=True):
        cube = cubes.read_cube(store.cube(job.region, job.year, zone.epsg), SURFACE)
        parts.append(_shrunk(cube, zone.epsg, rectangle, factor))
    return merge(parts)


def _rectangle(zone: ZoneTerritory) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of the mapped chips on the zone's pixel lattice."""
    corners = np.array([corner for tile in zone.tiles for corner in _chip_corners(zone, tile)])
    (top, left), (bottom, right) = corners.min(0), corners.max(0) + CHIP_PX
    return int(top), int(left), int(bottom), int(right)


def _chip_corners(zone: ZoneTerritory, tile: Tile) -> Iterator[tuple[int, int]]:
    top, left = tile.origin_yx_px
    for row, column in np.argwhere(zone.chip_mask(tile)):
        yield top + int(row) * CHIP_PX, left + int(column) * CHIP_PX


def _shrunk(cube: cubes.Cube, epsg: int, rectangle: tuple[int, int, int, int], factor: int) -> Thumbnail:
    """Read piece by piece, so that a region of a thousand tiles needs the memory of one."""
    top, left, bottom, right = rectangle
    step = max(1, _STEP_PX // factor) * factor
    rows, columns = -(-(bottom - top) // factor), -(-(right - left) // factor)
    rgb = np.zeros((3, rows, columns), np.uint16)
    cause = np.full((rows, columns), Cause.OUTSIDE_REGION, np.uint8)
    for y in range(top, bottom, step):
        for x in range(left, right, step):
            window = (y, x, min(step, bottom - y), min(step, right - x))
            why = cubes.read_window(cube, "cause", window)
            if (why == Cause.OUTSIDE_REGION).all():
                continue
            small = shrink(cubes.read_window(cube, "s2", window)[_TRUE_COLOUR], why, factor)
            row, column = (y - top) // factor, (x - left) // factor
            height, width = small[1].shape
            rgb[:, row : row + height, column : column + width], cause[row : row + height, column : column + width] = small
    return Thumbnail(rgb, cause, epsg, float(left * PIXEL_M), float(-top * PIXEL_M), float(factor * PIXEL_M))


def _outlines(features: gpd.GeoDataFrame, epsg: int) -> list[Outline]:
    project = from_lonlat(epsg)
    shapes = shapely.transform(features.geometry.to_numpy(), lambda points: np.column_stack(project.transform(points[:, 0], points[:, 1])))
    if "status" not in features:
        return [Outline(shape, kind) for shape, kind in zip(shapes, _kinds(features), strict=True)]
    rows = zip(shapes, _kinds(features), features["score"], strict=True)
    return [Outline(shape, kind, float(score)) for shape, kind, score in rows]


def _kinds(features: gpd.GeoDataFrame) -> list[str]:
    """Of lakes by how they were seen, of slumps by their status."""
    flags = [tuple(flags) for flags in features["flags"]]
    if "status" not in features:
        return [lake_kind(row) for row in flags]
    return [slump_kind(status, row) for status, row in zip(features["status"], flags, strict=True)]


def _caption(job: Job, features: gpd.GeoDataFrame, model: str, *, looked: bool) -> MapCaption:
    counted = features[[kind != "small" for kind in _kinds(features)]] if len(features) else features
    error_m2 = _Z95 * float(np.sqrt(np.square(counted["area_sigma_m2"].to_numpy(float)).sum()))
    area_km2 = float(counted["area_m2"].sum()) / 1e6
    count = len(counted) if looked else None
    return MapCaption(region_of(job).title, job.year, job.target, count, area_km2, error_m2 / 1e6, f"Model {model}")
