"""Slumps of one region-year as the table that users read; names, status and growth come later."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.facts.causes import Cause
from catalog.facts.detector_cards import Calibration
from catalog.facts.schemas import PROBABILITY_NODATA, PROBABILITY_SCALE, size_class
from catalog.facts.slump_schemas import DARTS_MINIMUM_M2, SLUMPS, tier_of
from models.detector.counts import CountingRule
from models.detector.headwall import Headwall
from models.detector.merge import Merged
from models.detector.precision import evidence_of, learn
from models.detector.volume import volume_of
from models.outlines.interval import AreaEvidence, area_interval
from models.outlines.inventory import Origin, Shapes, index_columns, obs_ids
from models.outlines.measure import Statistics

Floats = NDArray[np.float64]
_SURE = round(1 / PROBABILITY_SCALE)


@dataclass(frozen=True, slots=True)
class Described:
    """All that is known of one slump of one year beside its outline."""

    merged: Merged
    statistics: Statistics
    headwall: Headwall


def as_probability(inside: NDArray[np.bool_], cause: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an outline (y, x) as the stored probability that `measure` reads: sure in and out, no prediction where nothing was seen."""
    return np.where(cause == Cause.USABLE, np.where(inside, _SURE, 0), PROBABILITY_NODATA).astype(np.uint8)


def calibrated(scores: Floats, calibration: Calibration, rule: CountingRule) -> Floats:
    """Return the probability that detections of these scores are slumps, on ground like that of the calibration; NaN without one."""
    evidence = evidence_of(calibration, rule.least_score, rule.minimum_area_m2)
    usual = learn(evidence, np.ones(evidence.blocks))
    return np.full(scores.shape, np.nan) if usual is None else usual.probability(scores)


def slumps_table(shapes: Shapes, described: Sequence[Described], probability: Floats, origin: Origin) -> pa.Table:
    """Return the columns of `schemas.SLUMPS` in order, without names; what only other years or other data can tell is null."""
    nobody = [""] * len(described)
    columns: dict[str, Any] = {
        "slump_id": nobody,
        "obs_id": obs_ids(nobody, origin),
        "longitude": shapes.longitude,
        "latitude": shapes.latitude,
        "area_m2": shapes.area_m2,
        "perimeter_m": shapes.perimeter_m,
        "size_class": [size_class(area) for area in shapes.area_m2],
        "provider": [origin.provider] * len(described),
        "tile": shapes.tile,
        "utm_epsg": shapes.utm_epsg,
        "probability": [_known(value) for value in probability],
        "tier": [None if np.isnan(value) else tier_of(float(value)) for value in probability],
        **index_columns(shapes.indices),
        **_interval_columns(shapes, described),
        **_merged_columns(described),
    }
    rows = [asdict(one.headwall) | {n: getattr(one.statistics, n) for n in Statistics.__dataclass_fields__} for one in described]
    measured = {*Headwall.__dataclass_fields__, *Statistics.__dataclass_fields__} & set(SLUMPS.names) - set(columns) - {"spread"}
    columns |= {name: [_known(row[name]) for row in rows] for name in measured}
    columns["flags"] = [_flags(one.statistics, area) for one, area in zip(described, shapes.area_m2, strict=True)]
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(len(described), f.type) for f in SLUMPS]
    return pa.Table.from_arrays(arrays, schema=SLUMPS)


def with_own_doubt(found: Statistics, merged: Merged, *, area_m2: float, perimeter_m: float) -> Statistics:
    """Return what the cubes say of an outline with the detector's own doubt in place of a probability per pixel.

    That doubt is the ground which changes sides when the whole rim moves by one standard deviation of the boundary.
    """
    return replace(found, area_probability_m2=area_m2, variance_px=0.0, doubt_m2=perimeter_m * merged.boundary_sd_m)


def _merged_columns(described: Sequence[Described]) -> dict[str, Any]:
    names = {
        name: name for name in ("score", "members", "votes_share", "edge_cut", "mask_probability", "mask_probability_sd", "boundary_sd_m")
    }
    return {column: [getattr(one.merged, name) for one in described] for column, name in (names | {"merge_conflict": "conflict"}).items()}


def _interval_columns(shapes: Shapes, described: Sequence[Described]) -> dict[str, Any]:
    names = ("area_probability_m2", "doubt_m2", "variance_px", "shore_seen")
    measured = (np.array([getattr(one.statistics, name) for one in described], np.float64) for name in names)
    evidence = AreaEvidence(shapes.area_m2, shapes.perimeter_m, *measured)
    interval = area_interval(evidence)
    volume = volume_of(shapes.area_m2, interval.low_m2, interval.high_m2)
    ends = {"area_sigma_m2": interval.sigma_m2, "area_low_m2": interval.low_m2, "area_high_m2": interval.high_m2}
    volumes = {"volume_m3": volume.volume_m3, "volume_low_m3": volume.low_m3, "volume_high_m3": volume.high_m3}
    return ends | volumes | {"area_probability_m2": evidence.area_probability_m2}


def _flags(found: Statistics, area_m2: float) -> list[str]:
    own = ["snow" if flag == "lake_ice" else flag for flag in found.flags]
    return own + (["below_darts_minimum"] if area_m2 < DARTS_MINIMUM_M2 else [])


def _known(value: object) -> object:
    return None if isinstance(value, float) and np.isnan(value) else value
