"""The features of many years on one table of IDs and years: outlined, observed, and whose ground is whose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.errors import GridMismatch
from models.outlines.overlaps import boxes_meet, shared_m2, spherical_area_m2

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]
Observed = Callable[[int, Geometries], Floats]
"""(year, outlines in EPSG:4326) -> share of each outline that was observed in that year."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What must be equal for two years to be compared; empty where unknown."""

    baseline: str = ""
    """Processing baselines of the scenes: their generation before or from 04.00 on, or both."""
    model: str = ""
    season: str = ""
    sensors: str = ""
    provider: str = ""
    """Catalogs of the scenes."""
    middle_day: float = float("nan")
    """Median day of the year of the optical scenes that were used; NaN where unknown."""


@dataclass(frozen=True, slots=True)
class YearFeatures:
    """Named features of one year; arrays of equal length."""

    year: int
    ids: tuple[str, ...]
    outlines: Geometries
    """EPSG:4326."""
    area_m2: Floats
    area_low_m2: Floats
    area_high_m2: Floats
    observed_share: Floats
    looks: Floats
    """NaN where unknown."""
    circumstances: Circumstances = field(default_factory=Circumstances)
    listed: Mask | None = None
    """True where the inventory counts the feature: not `below_minimum_area`; None: everywhere."""
    drawn: Mask | None = None
    """True where a person drew the outline; None: nowhere."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """One row per ID (sorted), one column per year of the span, shape (ids, years)."""

    ids: tuple[str, ...]
    years: tuple[int, ...]
    outlines: Geometries
    """Outline of the year, None where there is none."""
    nearest: Geometries
    """Outline of the nearest year that has one; of two the earlier."""
    area_m2: Floats
    area_low_m2: Floats
    area_high_m2: Floats
    looks: Floats
    observed_share: Floats
    ground_m2: Floats
    """Area of all features of the year on the ground that the ID ever covered; NaN without features of that year.

    Ground, not outlines: a lake that one year shows in pieces keeps its ground, a lake that was missed does not.
    """
    outlined: Mask
    """True where the ID has an outline."""
    settled: Mask
    """True where enough was observed to say present or absent."""


def timeline_of(years: Sequence[YearFeatures], span: tuple[int, int], observed: Observed, *, min_observed: float) -> Timeline:
    """Arrange features by ID and year; `observed` is asked where an ID has no outline, about its nearest one.

    A year without an inventory is unobserved, whatever its scenes show: nobody looked for features. An empty inventory counts.
    Raises GridMismatch for a year outside the span, given twice, or with an ID given twice.
    """
    _require_unique(years, span)
    columns = tuple(range(span[0], span[1] + 1))
    ids = tuple(sorted({name for features in years for name in features.ids}))
    row_of = {name: row for row, name in enumerate(ids)}
    outlines = np.full((len(ids), len(columns)), None, dtype=object)
    measured = {name: np.full(outlines.shape, np.nan) for name in ("area_m2", "area_low_m2", "area_high_m2", "looks", "observed_share")}
    for features in years:
        rows, column = np.array([row_of[name] for name in features.ids], np.int64), features.year - span[0]
        outlines[rows, column] = features.outlines
        for name, table in measured.items():
            table[rows, column] = getattr(features, name)
    nearest = _nearest(outlines)
    given = {features.year: features.year - span[0] for features in years}
    _ask(measured["observed_share"], np.isnan(measured["area_m2"]), nearest, observed, given)
    ground = _ground(years, outlines, row_of, span[0])
    known = {"outlined": ~np.isnan(measured["area_m2"]), "settled": measured["observed_share"] >= min_observed}
    return Timeline(ids=ids, years=columns, outlines=outlines, nearest=nearest, ground_m2=ground, **measured, **known)


def _require_unique(years: Sequence[YearFeatures], span: tuple[int, int]) -> None:
    given = [features.year for features in years]
    if len(set(given)) < len(given) or any(not span[0] <= year <= span[1] for year in given):
        raise GridMismatch(f"Years {sorted(given)} must be distinct and lie within {span[0]}-{span[1]}: pass each inventory once.")
    for features in years:
        if len(set(features.ids)) < len(features.ids):
            twice = sorted({name for name in features.ids if features.ids.count(name) > 1})
            raise GridMismatch(f"Year {features.year} has {', '.join(twice[:3])} more than once: name its features again.")


def _nearest(outlines: Geometries) -> Geometries:
    """Fill the gaps of every row from the nearest column that has an outline; of two the earlier."""
    columns = outlines.shape[1]
    known = shapely.is_geometry(outlines)
    nearest = np.empty_like(outlines)
    for column in range(columns):
        distance = np.where(known, np.abs(np.arange(columns) - column), columns)
        nearest[:, column] = outlines[np.arange(len(outlines)), distance.argmin(axis=1)]
    return nearest


def _ask(share: Floats, missing: Mask, nearest: Geometries, observed: Observed, years: Mapping[int, int]) -> None:
    """Fill the observed share where an ID has no outline; `years` maps a year with features to its column."""
    share[missing] = 0.0
    for year, column in years.items():
        rows = np.flatnonzero(missing[:, column])
        if rows.size:
            share[rows, column] = observed(year, nearest[rows, column])


def _ground(years: Sequence[YearFeatures], outlines: Geometries, row_of: Mapping[str, int], first_year: int) -> Floats:
    ground = np.full(outlines.shape, np.nan)
    if not len(outlines):
        return ground
    bounds = shapely.bounds(outlines)
    reach = shapely.box(*np.nanmin(bounds[..., :2], axis=1).T, *np.nanmax(bounds[..., 2:], axis=1).T)
    for features in years:
        rows = np.array([row_of[name] for name in features.ids], np.int64)
        # An ID's own outline lies on its ground by construction: only ground under other names has to be measured.
        own = np.bincount(rows, weights=spherical_area_m2(features.outlines), minlength=len(outlines))
        one, other = boxes_meet(reach, features.outlines)
        foreign = one != rows[other]
        shared = _on_ground(outlines, features.outlines, one[foreign], other[foreign])
        ground[:, features.year - first_year] = own + np.bincount(one[foreign], weights=shared, minlength=len(outlines))
    return ground


def _on_ground(outlines: Geometries, others: Geometries, rows: Indices, places: Indices) -> Floats:
    """Return how much of the outlines at `places` lies on the ground that the IDs of `rows` ever covered, m2 (spherical), pair by pair."""
    outlined = shapely.is_geometry(outlines[rows])
    pair, column = np.nonzero(outlined)
    of_year = np.zeros(outlined.shape)
    of_year[pair, column] = shared_m2(outlines.ravel(), others, rows[pair] * outlines.shape[1] + column, places[pair])
    shared: Floats = of_year.max(axis=1, initial=0.0)
    # Joining outlines is slow, and tells more than one of them only where several lie on the other's ground.
    several = np.flatnonzero((of_year > 0).sum(axis=1) > 1)
    joined = outlines[rows[several]]
    joined[of_year[several] == 0] = None
    ever = np.asarray(shapely.union_all(joined, axis=1), dtype=object)
    shared[several] = shared_m2(ever, others, np.arange(len(several)), places[several])
    return shared
