"""Where and why nothing was seen, and which scenes every tile was made of, packed for the page."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from catalog.facts.grids import Tile
from catalog.facts.report_records import Plane, ReportTables, YearTables
from models.report.outlines import packed_outlines, tile_outlines, to_plane
from models.report.packing import Header, Packer, as_floats, as_word

_SHARES: Final = ("observed_share", "cloud_share", "snow_ice_share", "shadow_share", "no_scene_share")
_NUMBERS: Final = {**dict.fromkeys(_SHARES, 0.001), "looks_median": 0.5, "scenes_used": 1.0, "scenes_refused": 1.0}
_SENSORS: Final = {"sentinel-1": "S1", "sentinel-2": "S2", "landsat": "Landsat"}
"""How collections begin, and the sensor's short name; elevation has no date that matters."""


def pack_tiles(packer: Packer, tables: ReportTables, tiles: Mapping[str, Tile], plane: Plane) -> Header:
    """Pack the tiles of all years: their squares, once, and per year what was observed of each and by which scenes."""
    names = sorted({name for year in tables.years for name in _column(year.coverage, "tile")} & tiles.keys())
    squares = to_plane(tile_outlines([tiles[name] for name in names]), plane.epsg)
    years = {year.year: _pack_coverage(packer, year, names) for year in tables.years}
    return {"names": names, "squares": packed_outlines(packer, squares, plane), "years": years}


def _pack_coverage(packer: Packer, year: YearTables, names: Sequence[str]) -> Header:
    rows = {row["tile"]: row for row in year.coverage.to_pylist()}
    ordered = [rows.get(name, {}) for name in names]
    packed = {name: packer.numbers(as_floats([row.get(name) for row in ordered]), quantum) for name, quantum in _NUMBERS.items()}
    packed |= {name: packer.words([as_word(row.get(name)) for row in ordered]) for name in ("state", "cause", "message")}
    dates = _dates(year.scenes)
    return packed | {"dates": packer.words([dates.get(name) for name in names])}


def _dates(scenes: pa.Table) -> dict[str, str]:
    """Per tile the days of the scenes that it was made of: `S2 2022-07-21 2022-08-30; S1 2022-07-09`."""
    days: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    if not {"tile", "used", "datetime", "collection"} <= set(scenes.column_names):
        return {}
    used = scenes.filter(scenes.column("used"))
    for tile, moment, collection in zip(*(used.column(name).to_pylist() for name in ("tile", "datetime", "collection")), strict=True):
        sensor = next((short for start, short in _SENSORS.items() if (collection or "").startswith(start)), None)
        if sensor and moment is not None:
            days[tile][sensor].add(moment.strftime("%Y-%m-%d"))
    return {tile: "; ".join(f"{sensor} {' '.join(sorted(found[sensor]))}" for sensor in sorted(found)) for tile, found in days.items()}


def scenes_of(year: YearTables) -> dict[str, Any]:
    """Scenes of a year: how many were considered, used by some tile, and per reason how many tiles refused one."""
    if not {"id", "used"} <= set(year.scenes.column_names):
        return {"year": year.year, "considered": 0, "used": 0, "refused": {}, "catalogs": []}
    ids, used = (year.scenes.column(name).to_pylist() for name in ("id", "used"))
    reasons = Counter(
        reason or "no reason given" for reason, kept in zip(_column(year.scenes, "refused_because"), used, strict=True) if not kept
    )
    return {
        "year": year.year,
        "considered": len(set(ids)),
        "used": len({name for name, kept in zip(ids, used, strict=True) if kept}),
        "rows_used": sum(used),
        "rows_refused": len(used) - sum(used),
        "refused": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        "catalogs": sorted(set(filter(None, _column(year.scenes, "provider")))),
        "collections": sorted(set(filter(None, _column(year.scenes, "collection")))),
    }


def observed_share(coverage: pa.Table) -> float | None:
    """Mean of the tiles' observed shares, 0 to 1; None where nothing is known."""
    shares = as_floats(_column(coverage, "observed_share"))
    return None if not np.isfinite(shares).any() else float(np.nanmean(shares))


def _column(table: pa.Table, name: str) -> list[Any]:
    return list(table.column(name).to_pylist()) if name in table.column_names else []
