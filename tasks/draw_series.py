"""Stored tracks to one plot of a region through the years."""

import math
import time

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.records import StageReport, Target
from catalog.stores.files import stamp_of, write_if_changed
from catalog.stores.jobs import stored_region
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_provenance, read_table
from models.pictures.series import EventMark, TrackYear, prepare
from models.pictures.series_picture import series_picture

STAGE = "series"


@task(cache_policy=NO_CACHE, task_run_name="series-{region}-{target}")
def draw_series(region: str, target: Target, store: str) -> StageReport:
    """Draw the plot of a region from its tracks and events; without tracks there is nothing to draw."""
    opened, started = open_store(store), time.monotonic()
    rows = _track_years(opened, region, target)
    if not rows:
        return StageReport(STAGE, {str(State.SKIPPED): 1}, (), 0.0, 0)
    path = opened.pictures(region) / "series.png"
    before = stamp_of(path)
    model = read_provenance(opened.tracks(target, region, "tracks")).get("model", "unknown")
    title = stored_region(opened, region).title
    write_if_changed(
        path, series_picture(prepare(rows, _events(opened, region, target)), title=title, target=target, source=f"Model {model}")
    )
    written = int(stamp_of(path) != before)
    return StageReport(STAGE, {str(State.DONE): 1}, (), round(time.monotonic() - started, 2), written)


def _track_years(store: Store, region: str, target: Target) -> list[TrackYear]:
    path = store.tracks(target, region, "tracks")
    if not path.is_file():
        return []
    return [
        TrackYear(
            row["feature_id"],
            row["year"],
            row["state"],
            _known(row["area_m2"]),
            _known(row["area_low_m2"]),
            _known(row["area_high_m2"]),
            _known(row["observed_share"]) or 0.0,
            row["comparable"] is not False,
        )
        for row in read_table(path).to_pylist()
    ]


def _known(value: float | None) -> float | None:
    """A missing number, whether the table says null or NaN."""
    return None if value is None or math.isnan(value) else float(value)


def _events(store: Store, region: str, target: Target) -> list[EventMark]:
    path = store.tracks(target, region, "events")
    if not path.is_file():
        return []
    return [
        EventMark(row["event"], row["year_from"], row["year_to"], (*(row["parents"] or ()), *(row["children"] or ())))
        for row in read_table(path).to_pylist()
    ]
