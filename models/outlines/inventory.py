"""Features of one region-year as the table that users read."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import sha256

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.facts.schemas import LAKES, size_class
from models.outlines.glaciers import GlacierLinks
from models.outlines.interval import AreaEvidence, area_interval
from models.outlines.measure import Statistics
from models.outlines.shape import ShapeIndices

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Geodesic figures of features, arrays of equal length."""

    longitude: Floats
    latitude: Floats
    area_m2: Floats
    perimeter_m: Floats
    indices: ShapeIndices
    tile: Sequence[str]
    """Tile that holds the representative point."""
    utm_epsg: Sequence[int]


@dataclass(frozen=True, slots=True)
class Company:
    """What is told of lakes by what they are seen with: a second sensor, and glaciers; all of equal length."""

    agreement: Floats
    """NaN where it cannot be told (`models.outlines.agreement`)."""
    glaciers: GlacierLinks | None = None
    """None without outlines of glaciers."""
    lake_types: Sequence[str | None] = ()
    """One per lake, by `lake_types.RULE`; read only with `glaciers`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a region-year comes from."""

    year: int
    run_id: str
    provider: str
    """Catalogs of the scenes, for example `planetary-computer`."""


def obs_ids(ids: Sequence[str], origin: Origin) -> list[str]:
    """Return one key per row: the first 16 hexadecimal digits of SHA-256 over lake, year and run."""
    return [sha256(f"{lake}:{origin.year}:{origin.run_id}".encode()).hexdigest()[:16] for lake in ids]


def lakes_table(
    ids: Sequence[str], shapes: Shapes, statistics: Sequence[Statistics], company: Company, *, origin: Origin, min_area_m2: float
) -> pa.Table:
    """Return the columns of `schemas.LAKES` in order; null is what is not known, what people would have to say, and glaciers without outlines."""
    columns: dict[str, object] = {
        "lake_id": ids,
        "obs_id": obs_ids(ids, origin),
        "longitude": shapes.longitude,
        "latitude": shapes.latitude,
        "area_m2": shapes.area_m2,
        "perimeter_m": shapes.perimeter_m,
        "size_class": [size_class(area) for area in shapes.area_m2],
        "provider": [origin.provider] * len(ids),
        "tile": shapes.tile,
        "utm_epsg": shapes.utm_epsg,
        "flags": [_flags(found, area, min_area_m2) for found, area in zip(statistics, shapes.area_m2, strict=True)],
        **index_columns(shapes.indices),
        **_interval_columns(shapes, statistics),
        **_company_columns(company),
    }
    measured = set(Statistics.__dataclass_fields__) & set(LAKES.names) - set(columns)
    columns |= {name: [_known(getattr(found, name)) for found in statistics] for name in measured}
    arrays = [pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(len(ids), field.type) for field in LAKES]
    return pa.Table.from_arrays(arrays, schema=LAKES)


def index_columns(indices: ShapeIndices) -> dict[str, list[object]]:
    """Return the columns of the shape indices, null where there is none."""
    return {field.name: [_known(value) for value in getattr(indices, field.name).tolist()] for field in fields(ShapeIndices)}


def _company_columns(company: Company) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {"agreement": [_known(value) for value in company.agreement.tolist()]}
    if company.glaciers is None:
        return columns
    return columns | {
        "lake_type": list(company.lake_types),
        "glacier_id": company.glaciers.ids.tolist(),
        "glacier_distance_m": [_known(value) for value in company.glaciers.distance_m.tolist()],
        "glacier_overlap_share": company.glaciers.overlap_share.tolist(),
    }


def _flags(found: Statistics, area_m2: float, min_area_m2: float) -> list[str]:
    return [*found.flags, *(["below_minimum_area"] if area_m2 < min_area_m2 else [])]


def _known(value: object) -> object:
    return None if isinstance(value, float) and np.isnan(value) else value


def _interval_columns(shapes: Shapes, statistics: Sequence[Statistics]) -> dict[str, object]:
    names = ("area_probability_m2", "doubt_m2", "variance_px", "shore_seen")
    measured = (np.array([getattr(found, name) for found in statistics], np.float64) for name in names)
    interval = area_interval(AreaEvidence(shapes.area_m2, shapes.perimeter_m, *measured))
    return {"area_sigma_m2": interval.sigma_m2, "area_low_m2": interval.low_m2, "area_high_m2": interval.high_m2}
