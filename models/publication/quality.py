"""What must hold before anything is published; every fault is one sentence."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from catalog.facts.records import Target
from catalog.facts.schemas import ID_COLUMNS
from models.outlines.overlaps import overlaps_of

_SHARES: Final = ("observed_share", "cloud_share", "snow_ice_share", "shadow_share", "no_scene_share")
_SHARE_SLACK: Final = 0.01
"""Shares are rounded, and ground whose reading failed has none."""
_SHARED_M2: Final = 1.0
"""Neighbours share an edge; rounded degrees give it an area below a square metre."""
_SEAM_SHARE: Final = 0.1
"""Outlines of two zones are one feature from a tenth of the smaller on (models/outlines/seams.py), so less may overlap at a seam."""
_SUM_SLACK: Final = 1e-6


@dataclass(frozen=True, slots=True)
class YearTables:
    """One region-year as it is stored; tables through the years with the rows of all years."""

    target: Target
    year: int
    features: pa.Table
    """Without geometry."""
    geometry: NDArray[np.object_]
    """EPSG:4326, in the order of the features."""
    coverage: pa.Table
    tracks: pa.Table | None = None
    totals: pa.Table | None = None


def faults_of(tables: YearTables) -> tuple[str, ...]:
    """Return every fault of a region-year, each a sentence without a full stop; none for what may be published."""
    checks = (_names, _shapes, _shared_ground, _areas, _coverage, _tracked, _totals)
    return tuple(f"{tables.year}: {fault}" for check in checks for fault in check(tables))


def _names(tables: YearTables) -> Iterator[str]:
    for name in (ID_COLUMNS[tables.target], "obs_id"):
        values = tables.features.column(name).to_pylist()
        twice = sorted(value for value, count in Counter(values).items() if count > 1 and value is not None)
        if twice:
            yield f"{name} {twice[0]} is given to more than one row ({len(twice)} names are)"
        if None in values:
            yield f"{name} is null in {values.count(None)} rows"


def _shapes(tables: YearTables) -> Iterator[str]:
    names = tables.features.column(ID_COLUMNS[tables.target]).to_pylist()
    bad = np.flatnonzero(~shapely.is_valid(tables.geometry) | shapely.is_empty(tables.geometry) | shapely.is_missing(tables.geometry))
    if bad.size:
        why = shapely.is_valid_reason(tables.geometry[bad[0]]) or "there is none"
        yield f"the outline of {names[bad[0]]} is not a valid polygon: {why} ({bad.size} are not)"


def _shared_ground(tables: YearTables) -> Iterator[str]:
    names, zones = (tables.features.column(name).to_pylist() for name in (ID_COLUMNS[tables.target], "utm_epsg"))
    usable = np.flatnonzero(shapely.is_valid(tables.geometry) & ~shapely.is_empty(tables.geometry))
    pairs = overlaps_of(tables.geometry[usable], tables.geometry[usable])
    left, right = usable[pairs.left], usable[pairs.right]
    found = [
        (names[a], names[b], area)
        for a, b, area, share in zip(left, right, pairs.area_m2, pairs.share, strict=True)
        if a < b and area > _SHARED_M2 and (zones[a] == zones[b] or share > _SEAM_SHARE)
    ]
    if found:
        yield f"{found[0][0]} and {found[0][1]} overlap by {found[0][2]:.0f} m2 ({len(found)} pairs do)"


def _areas(tables: YearTables) -> Iterator[str]:
    names = tables.features.column(ID_COLUMNS[tables.target]).to_pylist()
    area, low, high = (_numbers(tables.features, name) for name in ("area_m2", "area_low_m2", "area_high_m2"))
    for bad, words in ((~(area > 0), "is not positive"), ((area > 0) & ~((low <= area) & (area <= high)), "lies outside its interval")):
        places = np.flatnonzero(bad)
        if places.size:
            first = places[0]
            yield (
                f"the area of {names[first]} {words}: {area[first]:.0f} m2 in {low[first]:.0f} to {high[first]:.0f} ({places.size} do so)"
            )


def _coverage(tables: YearTables) -> Iterator[str]:
    for row in tables.coverage.to_pylist():
        shares = [row[name] for name in _SHARES]
        if row["state"] in ("done", "unobserved", "empty") and None not in shares and abs(sum(shares) - 1) > _SHARE_SLACK:
            yield f"the shares of tile {row['tile']} add up to {sum(shares):.3f}, not 1"


def _tracked(tables: YearTables) -> Iterator[str]:
    if tables.tracks is None:
        return
    listed = dict(zip(_column(tables.features, ID_COLUMNS[tables.target]), _column(tables.features, "area_m2"), strict=True))
    followed = {
        row["feature_id"]: row["area_m2"]
        for row in tables.tracks.select(["feature_id", "year", "area_m2"]).to_pylist()
        if row["year"] == tables.year and row["area_m2"]
    }
    differ = sorted(name for name in listed.keys() | followed.keys() if not _equal(listed.get(name), followed.get(name)))
    if differ:
        yield (
            f"tracks and inventory disagree on {differ[0]}: {followed.get(differ[0])} and {listed.get(differ[0])} m2 ({len(differ)} features); "
            "track again with `cryoatlas track`"
        )


def _totals(tables: YearTables) -> Iterator[str]:
    rows = [] if tables.totals is None else [row for row in tables.totals.to_pylist() if row["year"] == tables.year]
    count, area = listed_total(tables.features)
    for row in rows:
        if row["features"] != count or not _equal(row["area_m2"], area):
            yield (
                f"totals say {row['features']} features of {row['area_m2']:.0f} m2, the inventory lists {count} of {area:.0f} m2; "
                "make them again with `cryoatlas track`"
            )


def listed_total(features: pa.Table) -> tuple[int, float]:
    """Return number and area (m2) of the features that count: those without the flag `below_minimum_area`."""
    counted = [area for area, flags in zip(_column(features, "area_m2"), _column(features, "flags"), strict=True) if _counts(flags)]
    return len(counted), float(np.sum(np.sort(np.array(counted, np.float64))))


def _counts(flags: Sequence[str] | None) -> bool:
    return "below_minimum_area" not in (flags or ())


def _column(table: pa.Table, name: str) -> list[Any]:
    return list(table.column(name).to_pylist())


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in _column(table, name)], np.float64)


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _SUM_SLACK * max(abs(one), abs(other), 1.0)
