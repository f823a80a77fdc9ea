"""Tracks to the tables that users read about change; columns as in `change_schemas`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.facts.change_schemas import CHANGE_SHAPES, CHANGES, REGION_TRENDS, TOTAL_CHANGES, TOTALS, TRENDS
from catalog.facts.options import TrackOptions
from models.changes.correlation import year_errors
from models.changes.labels import Labels, labels_of
from models.changes.pairs import Pairs, pairs_of
from models.changes.ranks import LEAST_YEARS
from models.changes.same_mask import RegionTrend, region_trend
from models.changes.settled import settled_areas
from models.changes.shapes import Turnover, pieces_of, turnover_of
from models.changes.totals import history_of, total_changes_of, totals_of
from models.changes.trends import Trends, trends_of
from models.outlines.timeline import Timeline, YearFeatures
from models.outlines.track import Tracks

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ChangeTables:
    """One table per kind of statement."""

    changes: pa.Table
    trends: pa.Table
    region_trends: pa.Table
    totals: pa.Table
    total_changes: pa.Table
    shapes: pa.Table
    """Columns of `change_schemas.CHANGE_SHAPES`."""
    shape_geometry: NDArray[np.object_]
    """One per row of `shapes`, EPSG:4326."""

    def plain(self) -> dict[str, tuple[pa.Table, pa.Schema]]:
        """The tables without geometry with their schemas, by the name they are stored under."""
        return {
            "changes": (self.changes, CHANGES),
            "trends": (self.trends, TRENDS),
            "region_trends": (self.region_trends, REGION_TRENDS),
            "totals": (self.totals, TOTALS),
            "total_changes": (self.total_changes, TOTAL_CHANGES),
        }


def change_tables(tracks: Tracks, years: Sequence[YearFeatures], region: str, options: TrackOptions) -> ChangeTables:  # noqa: ARG001 - part of the agreed form
    """Say what changed: per feature and pair of years, per feature, and for the region.

    Raises nothing of its own; no years give empty tables.
    """
    timeline, reasons = tracks.timeline, tracks.reasons
    times, areas = np.array(timeline.years, np.float64), settled_areas(timeline)
    # a feature has a trend while it exists: that it was not there yet, or no more, is an event and would flatten the line
    present = timeline.settled & timeline.outlined & (reasons == "")
    # what merged, split or leapt tells of the ground, not of errors
    errors = year_errors(times, areas, present & ~_in_events(tracks)[:, None])
    pairs = pairs_of(areas, errors.varying)
    labels = labels_of(pairs, timeline, reasons, years)
    pieces = pieces_of(pairs, timeline, pairs.significant & labels.comparable)
    history = history_of(timeline, years, areas, reasons, errors)
    shapes = {**_named(pairs, timeline, pieces.pair), "kind": pieces.kind, "area_m2": pieces.area_m2}
    series = np.where(present, areas.area_m2, np.nan)
    return ChangeTables(
        changes=_table(_changes(pairs, labels, turnover_of(pairs, timeline), timeline), CHANGES),
        trends=_table({"feature_id": list(timeline.ids), **_trends(trends_of(times, series), timeline, series)}, TRENDS),
        region_trends=_region_trends(region, timeline, region_trend(history) if years else None),
        totals=pa.Table.from_pylist([{"region": region, **asdict(total)} for total in totals_of(history)], schema=TOTALS),
        total_changes=pa.Table.from_pylist(
            [{"region": region, **asdict(change)} for change in (total_changes_of(history) if years else ())], schema=TOTAL_CHANGES
        ),
        shapes=_table(shapes, CHANGE_SHAPES),
        shape_geometry=pieces.geometry,
    )


def _in_events(tracks: Tracks) -> Mask:
    named = {name for column in ("parents", "children") for names in tracks.events.column(column).to_pylist() for name in names}
    return np.array([name in named for name in tracks.timeline.ids], dtype=bool)


def _named(pairs: Pairs, timeline: Timeline, chosen: NDArray[np.int64] | slice = slice(None)) -> dict[str, Any]:
    ids, years = np.array(timeline.ids, dtype=object), np.array(timeline.years, np.int16)
    return {
        "feature_id": ids[pairs.row[chosen]],
        "year_from": years[pairs.before[chosen]],
        "year_to": years[pairs.after[chosen]],
    }


def _changes(pairs: Pairs, labels: Labels, turnover: Turnover, timeline: Timeline) -> dict[str, Any]:
    relative = np.divide(100 * pairs.change_m2, pairs.area_from_m2, out=np.full(len(pairs.row), np.nan), where=pairs.area_from_m2 > 0)
    verdict = np.where(pairs.significant, np.where(pairs.change_m2 > 0, "grown", "shrunk"), "within_error").astype(object)
    verdict[~labels.comparable] = "not_comparable"
    return {
        **_named(pairs, timeline),
        "area_from_m2": pairs.area_from_m2,
        "area_to_m2": pairs.area_to_m2,
        "change_m2": pairs.change_m2,
        "change_low_m2": pairs.low_m2,
        "change_high_m2": pairs.high_m2,
        "relative_change_percent": relative,
        "gain_m2": turnover.gain_m2,
        "loss_m2": turnover.loss_m2,
        "p_value": pairs.p_value,
        "significant": pairs.significant,
        "comparable": labels.comparable,
        "verdict": verdict,
        "because": [list(because) for because in labels.because],
    }


def _region_trends(region: str, timeline: Timeline, found: RegionTrend | None) -> pa.Table:
    if found is None:
        return REGION_TRENDS.empty_table()
    columns = _trends(found.trend, timeline, found.totals_m2[None, :])
    return _table({"region": [region], "basis": ["same_mask"], **columns, "features": [found.features]}, REGION_TRENDS)


def _trends(trends: Trends, timeline: Timeline, series: Floats) -> dict[str, Any]:
    years = np.array(timeline.years, np.float64)
    rows, some = np.arange(len(series)), trends.years > 0
    enough = trends.years >= LEAST_YEARS
    percent = np.divide(100 * trends.slope, trends.middle, out=np.full(len(rows), np.nan), where=enough & (trends.middle > 0))
    return {
        "years_observed": trends.years,
        "first_year": np.where(some, years[trends.first], np.nan),
        "last_year": np.where(some, years[trends.last], np.nan),
        "slope_m2_per_year": trends.slope,
        "slope_low": trends.low,
        "slope_high": trends.high,
        "p_value": trends.p_value,
        "relative_slope_percent": percent,
        "area_first_m2": np.where(some, series[rows, trends.first], np.nan),
        "area_last_m2": np.where(some, series[rows, trends.last], np.nan),
        "direction": trends.direction,
    }


def _table(columns: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """Missing numbers are null."""
    return pa.Table.from_arrays([pa.array(columns[field.name], from_pandas=True).cast(field.type) for field in schema], schema=schema)
