"""The same feature through the years: one row per feature and year, observed or not, and the events between them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from catalog.facts.options import TrackOptions
from catalog.facts.schemas import EVENTS, TRACKS
from models.outlines.comparable import reasons_of
from models.outlines.events import events_of
from models.outlines.identity import Registry, empty_registry, name_features
from models.outlines.interval import area_interval, without_probability
from models.outlines.short_edges import areas_perimeters
from models.outlines.timeline import Observed, Timeline, YearFeatures, timeline_of

Geometries = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Tracks:
    """Tables with the columns of `schemas.TRACKS` and `schemas.EVENTS`."""

    rows: pa.Table
    events: pa.Table
    timeline: Timeline
    reasons: NDArray[np.object_]
    """Per ID and year of the timeline the reasons against comparing it, joined by commas."""


def tracks_of(years: Sequence[YearFeatures], span: tuple[int, int], observed: Observed, options: TrackOptions) -> Tracks:
    """Follow named features through every year of the span (both ends included); years may come in any order.

    `observed` tells which share of an outline was observed in a year whose inventory has none for its ID. States: `present` outlined and
    observed; `absent` observed and not outlined (area 0); `partly_observed` too little observed to say (area where outlined);
    `unobserved`. Only settled states (present, absent) without a reason against it are `comparable`.
    """
    years = sorted(years, key=lambda features: features.year)
    timeline = timeline_of(years, span, observed, min_observed=options.min_observed)
    reasons = reasons_of(timeline, years, dip_share=options.dip_share)
    events = events_of(timeline, reasons, options)
    table = pa.Table.from_pylist([asdict(event) for event in events], schema=EVENTS)
    return Tracks(_track_rows(timeline, reasons), table, timeline, reasons)


def tracks_from_polygons(
    outlines: Mapping[int, Geometries],
    span: tuple[int, int],
    options: TrackOptions,
    *,
    pixel_m: float,
    prefix: str = "GL",
    observed: Observed | None = None,
) -> tuple[Tracks, Registry]:
    """Follow the outlines (EPSG:4326) of inventories that come without cubes through every year of the span.

    A year that is not given is `unobserved`; one that is given was observed everywhere, or as `observed` says. Else as `named_years`.
    """
    years, registry = named_years(outlines, options, pixel_m=pixel_m, prefix=prefix)
    return tracks_of(years, span, observed or _everywhere, options), registry


def named_years(
    outlines: Mapping[int, Geometries], options: TrackOptions, *, pixel_m: float, prefix: str = "GL", known: Registry | None = None
) -> tuple[list[YearFeatures], Registry]:
    """Name the outlines (EPSG:4326) of inventories of others, year by year from the first, by the names that are `known`.

    Areas and intervals are ours, from pixels of `pixel_m`. New names start with `prefix`.
    """
    registry, years = known or empty_registry(), []
    for year in sorted(outlines):
        features, registry = _named(year, outlines[year], registry, options, (pixel_m, prefix))
        years.append(features)
    return years, registry


def _everywhere(_: int, asked: Geometries) -> NDArray[np.float64]:
    return np.ones(len(asked))


def _named(
    year: int, outlines: Geometries, registry: Registry, options: TrackOptions, drawn: tuple[float, str]
) -> tuple[YearFeatures, Registry]:
    pixel_m, prefix = drawn
    valid = shapely.make_valid(np.asarray(outlines, dtype=object))
    points = shapely.get_coordinates(shapely.point_on_surface(valid))
    ids, registry = name_features(year, valid, points, registry, min_overlap=options.min_overlap, prefix=prefix)
    area, perimeter = areas_perimeters(valid)
    interval = area_interval(without_probability(area, perimeter), pixel_m=pixel_m)
    unknown = np.full(len(ids), np.nan)
    return YearFeatures(year, ids, valid, area, interval.low_m2, interval.high_m2, np.ones(len(ids)), unknown), registry


def states_of(timeline: Timeline) -> NDArray[np.object_]:
    """Return the state of every ID and year."""
    states = np.where(timeline.outlined, "present", "absent").astype(object)
    states[~timeline.settled] = "partly_observed"
    states[(timeline.observed_share <= 0) & ~timeline.outlined] = "unobserved"
    return states


def _track_rows(timeline: Timeline, reasons: NDArray[np.object_]) -> pa.Table:
    states = states_of(timeline).ravel()
    absent = states == "absent"
    settled = timeline.settled.ravel()
    because = np.where(settled, reasons.ravel(), "")
    areas = {name: np.where(absent, 0.0, getattr(timeline, name).ravel()) for name in ("area_m2", "area_low_m2", "area_high_m2")}
    columns = {
        "feature_id": np.repeat(np.array(timeline.ids, dtype=object), len(timeline.years)),
        "year": np.tile(np.array(timeline.years, np.int16), len(timeline.ids)),
        "state": states,
        "observed_share": timeline.observed_share.ravel().astype(np.float32),
        "comparable": settled & (because == ""),
        "not_comparable_because": [reason or None for reason in because],
        **areas,
    }
    arrays = [pa.array(columns[column.name], column.type, from_pandas=True) for column in TRACKS]
    return pa.Table.from_arrays(arrays, schema=TRACKS)
