"""A region of ten thousand tiles of High Mountain Asia, and a catalog of as many scenes as the satellites take over it in a season.

The ground is that of the bundled region `hma_other` west of 93 E with all that lies inside it; the items have the fields and assets of
the Planetary Computer's, and no pixels behind them. Every place is passed every five days by one Sentinel-2 orbit, and four tenths of
it by another; radar comes every twelve days from either side. A fifth of the optical scenes is cloudier than a search asks for. Scenes
that show all of their square have one and the same footprint, as Sentinel-2's have; where the other orbit ends inside it, each has its
own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Polygon, box

from catalog.facts.regions import Region
from catalog.facts.seasons import season_of_region
from catalog.stores.regions import find_region, to_geojson
from simulator.frames import Frame, reproject
from simulator.spectra import BANDS, RESOLUTION_M
from simulator.stac import COG_TYPE, ELEVATION, OPTICAL, RADAR, Dialect, Json, item, mgrs_square, write_catalog, write_json, zulu

YEAR = 2023
SOURCE = "hma_other"
EAST_DEG = 93.0
"""West of it lie a little more than ten thousand tiles, overlap at zone seams included."""
SEED = 7
_SQUARE_M, _STEP_M = 109_800, 100_000
_SLICE_M = (250_000, 170_000)
_OPTICAL_DAYS, _RADAR_DAYS = 5, 12
_EDGE_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class Wide:
    """Where a wide region and its catalog lie."""

    root: Path

    @property
    def region(self) -> str:
        return str(self.root / "region.geojson")

    @property
    def catalog(self) -> str:
        return str(self.root / "catalog")


def wide_region(east_deg: float = EAST_DEG) -> Region:
    """The ground of the bundled region as that of a user, in which every tile is mapped that it touches."""
    source = find_region(SOURCE)
    ground = shapely.intersection(source.geometry, box(0, -90, east_deg, 90))
    return replace(source, name="wide", family="user", geometry_wkt=shapely.to_wkt(ground, rounding_precision=-1))


def make_wide(root: Path, east_deg: float = EAST_DEG, year: int = YEAR) -> Wide:
    """Write the region and the catalog of a year, unless they are there."""
    region, catalog = wide_region(east_deg), root / "catalog"
    if not (catalog / "catalog.json").is_file():
        root.mkdir(parents=True, exist_ok=True)
        (root / "region.geojson").write_bytes(to_geojson(region))
        names: dict[str, list[str]] = {OPTICAL: [], RADAR: [], ELEVATION: []}
        for record in _records(region, year):
            name, collection = str(record["id"]), str(record["collection"])
            names[collection].append(name)
            write_json(catalog / collection / name / f"{name}.json", record)
        write_catalog(catalog, region.name, box(*region.bounds_wsen), names, [year])
    return Wide(root)


def _records(region: Region, year: int) -> Iterator[Json]:  # noqa: C901 - one loop inside the other, as the satellites pass
    season, chance = season_of_region(region, year), np.random.default_rng(SEED)
    ground = shapely.buffer(region.geometry, 0.3)
    shapely.prepare(ground)
    west, south, east, north = ground.bounds
    for zone in range(int((west + 180) // 6) + 1, int((east + 180) // 6) + 2):
        epsg, band = 32600 + zone, box(zone * 6 - 186.2, south, zone * 6 - 179.8, north)
        for frame in _frames(epsg, ground, band, (_SQUARE_M, _SQUARE_M), (_STEP_M, _STEP_M)):
            for orbit, part in ((1, 1.0), (2, 0.4)):
                for day in _days(season.start, season.end, _OPTICAL_DAYS, (zone + orbit) % _OPTICAL_DAYS):
                    # no two passes of an orbit end on the same metre: what ends inside a square has another footprint each time
                    shown = part if part == 1.0 else part + float(chance.normal(0.0, _EDGE_SHARE))
                    yield _optical(frame, day, orbit + 2 * zone, shown, float(chance.beta(1.1, 1.0)) * 100)
        for frame in _frames(epsg, ground, band, _SLICE_M, (_SLICE_M[0] - 20_000, _SLICE_M[1] - 5_000)):
            for ascending in (True, False):
                for day in _days(season.start, season.end, _RADAR_DAYS, zone % _RADAR_DAYS + 3 * ascending):
                    yield _radar(frame, day, zone, ascending=ascending)
    for longitude in range(int(west), int(east) + 1):
        for latitude in range(int(south), int(north) + 1):
            if shapely.intersects(ground, cell := box(longitude, latitude, longitude + 1, latitude + 1)):
                yield _heights(longitude, latitude, cell)


def _frames(epsg: int, ground: shapely.Geometry, band: Polygon, size: tuple[int, int], step: tuple[int, int]) -> Iterator[Frame]:
    """Frames of one zone on a lattice of steps that show some of the ground."""
    for left in range(100_000, 900_000, step[0]):
        for top in range(step[1], 9_300_000, step[1]):
            frame = Frame(epsg, left, top, size[0] // 10, size[1] // 10)
            middle = _middle_latitude(top - size[1] / 2)
            if band.bounds[1] - 2 < middle < band.bounds[3] + 2:
                shape = reproject(box(*frame.bounds), epsg, 4326)
                if shapely.intersects(ground, shape) and shapely.intersects(band, shape.centroid):
                    yield frame


def _middle_latitude(northing: float) -> float:
    return northing / 110_900  # good to half a degree: only skips what is far away


def _days(start: date, end: date, every: int, first: int) -> Iterator[datetime]:
    day = start + timedelta(days=first)
    while day <= end:
        yield datetime(day.year, day.month, day.day, 5, 26, 41, tzinfo=UTC)
        day += timedelta(days=every)


def _optical(frame: Frame, when: datetime, orbit: int, part: float, cloud: float) -> Json:
    left, bottom, right, top = frame.bounds
    shown = reproject(box(left, bottom, left + part * (right - left), top), frame.epsg, 4326)
    square, stamp, dialect = mgrs_square(frame), when.strftime("%Y%m%dT%H%M%S"), Dialect(code=True)
    name = f"S2A_MSIL2A_{stamp}_R{orbit:03d}_T{square}_{stamp}"
    assets: dict[str, Json] = {band: _asset(band, frame, RESOLUTION_M[band], dialect) for band in BANDS}
    assets |= {"SCL": _asset("SCL", frame, 20, dialect), "visual": _asset("visual", frame, 10, dialect)}
    said: Json = {
        "datetime": zulu(when),
        "platform": "Sentinel-2A",
        "instruments": ["msi"],
        "eo:cloud_cover": round(cloud, 6),
        "s2:mgrs_tile": square,
        "s2:processing_baseline": "05.10",
        "s2:generation_time": zulu(when + timedelta(hours=9)),
        "s2:datatake_id": f"GS2A_{stamp}_{20000 + orbit:06d}_N05.10",
        "s2:product_uri": f"S2A_MSIL2A_{stamp}_N0510_R{orbit:03d}_T{square}_{stamp}.SAFE",
        "s2:mean_solar_zenith": 31.5,
        "s2:mean_solar_azimuth": 150.2,
        "sat:orbit_state": "descending",
        "sat:relative_orbit": orbit,
        **{f"s2:{word}_percentage": 1.5 for word in ("water", "vegetation", "not_vegetated", "snow_ice", "thin_cirrus", "cloud_shadow")},
    }
    return item(OPTICAL, name, shown, dialect=dialect, properties=dialect.crs(frame.epsg) | said, assets=assets)


def _radar(frame: Frame, when: datetime, orbit: int, *, ascending: bool) -> Json:
    dialect, stamp = Dialect(code=False), when.strftime("%Y%m%dT%H%M%S")
    left, _, _, top = frame.bounds
    name = f"S1A_IW_GRDH_1SDV_{stamp}_{int(left) // 1000:06d}_{int(top) // 1000:06X}{frame.epsg}_rtc"
    said: Json = {
        "datetime": zulu(when + timedelta(seconds=int(top) // 1000)),
        "platform": "SENTINEL-1A",
        "sar:polarizations": ["VV", "VH"],
        "sar:instrument_mode": "IW",
        "sar:product_type": "GRD",
        "sat:orbit_state": "ascending" if ascending else "descending",
        "sat:relative_orbit": orbit,
        "sat:absolute_orbit": 30_000 + orbit * 10 + int(left) // 100_000,
        **dialect.crs(frame.epsg),
        **dialect.grid(frame, closing=True),
    }
    assets: dict[str, Json] = {band: {"href": f"./{band}.tif", "type": COG_TYPE, "roles": ["data"]} for band in ("vv", "vh")}
    return item(RADAR, name, reproject(box(*frame.bounds), frame.epsg, 4326), dialect=dialect, properties=said, assets=assets)


def _heights(longitude: int, latitude: int, cell: Polygon) -> Json:
    name, dialect = f"Copernicus_DSM_COG_10_N{latitude:02d}_00_E{longitude:03d}_00_DEM", Dialect(code=True)
    said: Json = {"datetime": "2021-04-22T00:00:00Z", "proj:code": "EPSG:4326", "proj:shape": [3600, 3600]}
    step = 1 / 3600
    said["proj:transform"] = [step, 0.0, longitude - step / 2, 0.0, -step, latitude + 1 + step / 2]
    return item(ELEVATION, name, cell, dialect=dialect, properties=said, assets={"data": {"href": "./data.tif", "type": COG_TYPE}})


def _asset(band: str, frame: Frame, metres: int, dialect: Dialect) -> dict[str, Any]:
    about = {"name": band, "description": f"Band {band}", "center_wavelength": 0.5}
    fields: dict[str, Any] = {"href": f"./{band}.tif", "type": COG_TYPE, "roles": ["data"], "gsd": float(metres), "eo:bands": [about]}
    return fields | dialect.grid(frame.rescaled(metres // 10))
