"""`cryoatlas track`: the same feature through the years, and what changed."""

from collections import Counter
from typing import Annotated, Any, Literal

import typer

from catalog.facts.errors import WrongCall
from catalog.facts.options import MapOptions
from catalog.facts.records import Target
from catalog.stores.jobs import stored_region
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_table
from commands.console import progress_shown, say, show_json, show_table
from commands.running import run_track, run_track_outlines

_SHOWN = 20
"""Rows of a table of features on a terminal; all are in the store and in --json."""
_FASTEST = 5
_STATES = ("present", "absent", "partly_observed", "unobserved")
_TABLES = ("events", "totals", "total_changes", "region_trends", "trends", "changes")
Row = dict[str, Any]


def track(
    store: Annotated[str, typer.Option(help="Store that holds the inventories, or that shall hold the tracks of --outlines.")],
    *,
    region: Annotated[str, typer.Option(help="Region to track; with --outlines a name for it.")],
    outlines: Annotated[
        str | None,
        typer.Option(
            help="Inventories of others: a pattern of vector files with the year in the name, or one file with a column of years."
        ),
    ] = None,
    target: Annotated[Literal["lakes", "slumps"], typer.Option(help="With --outlines: what they outline.")] = "lakes",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Follow every feature through all mapped years: tracks, events, changes, trends and totals, each year observed or not.

    Example: cryoatlas track --store demo-store --region demo_hma
    """
    options = MapOptions()
    with progress_shown(quiet=as_json):
        if outlines is not None:
            run_track_outlines(region, outlines, store, target, options)
        else:
            target = stored_region(open_store(store), region).target
            run_track(region, store, target, options)
    _show(store, region, target, as_json=as_json)


def _show(store: str, region: str, target: Target, *, as_json: bool) -> None:
    opened = open_store(store)
    path = opened.tracks(target, region, "tracks")
    if not path.is_file():
        raise WrongCall(f"Region {region!r} has no inventory in {store}. Map it first with `cryoatlas run`.")
    tracks = read_table(path).to_pylist()
    found = {name: _rows(opened, target, region, name) for name in _TABLES}
    alarms = [event for event in found["events"] if event["alarm"]]
    if as_json:
        show_json({"tracks": len({row["feature_id"] for row in tracks}), "alarms": alarms, **found})
        return
    _show_alarms(alarms)
    _show_states(region, tracks)
    _show_totals(region, found)
    _show_trends(found["trends"])
    _show_events(found["events"])
    places = ", ".join(str(opened.tracks(target, region, name).relative_to(opened.root)) for name in ("changes", "trends"))
    say(f"Every feature and pair of years: {places}, and with --json.")


def _rows(store: Store, target: Target, region: str, table: str) -> list[Row]:
    path = store.tracks(target, region, table)
    return read_table(path).to_pylist() if path.is_file() else []


def _show_alarms(alarms: list[Row]) -> None:
    if not alarms:
        say("No alarm: no sudden, significant loss between comparable years.")
        return
    rows = [
        (event["event"], event["year_from"], event["year_to"], " ".join(event["parents"]), *_hectares(event, "change_m2", "change"))
        for event in alarms
    ]
    columns = ("event", "from", "to", "features", "change ha", "95 % interval")
    show_table(
        "ALARMS", columns, rows[:_SHOWN], caption=_rest(rows, "Sudden, significant losses: look at the scenes before anything else.")
    )


def _show_states(region: str, tracks: list[Row]) -> None:
    counts = Counter((row["year"], row["state"]) for row in tracks)
    rows = [(year, *(counts[year, state] for state in _STATES)) for year in sorted({year for year, _ in counts})]
    show_table(f"Tracks of {region}", ("year", *(state.replace("_", " ") for state in _STATES)), rows)


def _show_totals(region: str, found: dict[str, list[Row]]) -> None:
    totals = [
        (
            row["year"],
            row["features"],
            row["features_partly_observed"] + row["features_unobserved"],
            f"{row['area_m2'] / 1e6:,.3f}",
            f"{row['area_low_m2'] / 1e6:,.3f} to {row['area_high_m2'] / 1e6:,.3f}",
            _because(row),
        )
        for row in found["totals"]
    ]
    if totals:
        show_table(
            f"Totals of {region}",
            ("year", "listed", "partly or not observed", "km2", "95 % interval", "not comparable because"),
            totals,
        )
    changes = [
        (row["year_from"], row["year_to"], row["features"], *_hectares(row, "change_m2", "change"), _verdict(row), _because(row))
        for row in found["total_changes"]
    ]
    if changes:
        columns = ("from", "to", "features seen in both", "change ha", "95 % interval", "verdict", "differs")
        show_table("Change of the total, same mask", columns, changes)
    for row in found["region_trends"]:
        say(f"Trend of the total of {row['features']} features seen in all {row['years_observed']} comparable years: {_slope(row)}.")


def _show_trends(trends: list[Row]) -> None:
    if not trends:
        return
    counts = Counter(row["direction"] for row in trends)
    said = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in ("growing", "shrinking", "no_trend", "too_short"))
    sure = [row for row in trends if row["direction"] in {"growing", "shrinking"}]
    fastest = sorted(sure, key=lambda row: (-abs(row["slope_m2_per_year"]), row["feature_id"]))
    rows = [
        (
            row["feature_id"],
            row["years_observed"],
            f"{row['slope_m2_per_year'] / 1e4:+.3f}",
            f"{row['slope_low'] / 1e4:+.3f} to {row['slope_high'] / 1e4:+.3f}",
            f"{row['relative_slope_percent']:+.1f}",
        )
        for row in fastest[:_FASTEST]
    ]
    if rows:
        show_table("Fastest trends", ("feature", "years", "ha a year", "95 % interval", "% a year"), rows)
    say(f"Trends of {len(trends)} features: {said}.")


def _show_events(events: list[Row]) -> None:
    rows = [
        (row["event"], row["year_from"], row["year_to"], " ".join(row["parents"]), " ".join(row["children"]), row["reason"] or "")
        for row in events
    ]
    if rows:
        show_table("Events", ("event", "from", "to", "parents", "children", "reason"), rows[:_SHOWN], caption=_rest(rows))


def _rest(rows: list[tuple[Any, ...]], said: str = "") -> str:
    more = f"{len(rows) - _SHOWN} more in the store and with --json." if len(rows) > _SHOWN else ""
    return " ".join(part for part in (said, more) if part)


def _hectares(row: Row, value: str, ends: str) -> tuple[str, str]:
    return f"{row[value] / 1e4:+,.2f}", f"{row[f'{ends}_low_m2'] / 1e4:+,.2f} to {row[f'{ends}_high_m2'] / 1e4:+,.2f}"


def _verdict(row: Row) -> str:
    if not row["comparable"]:
        return "not comparable"
    if not row["significant"]:
        return "within error"
    return "grown" if row["change_m2"] > 0 else "shrunk"


def _slope(row: Row) -> str:
    if row["slope_m2_per_year"] is None:
        return "too few years"
    low, high = row["slope_low"] / 1e4, row["slope_high"] / 1e4
    return f"{row['slope_m2_per_year'] / 1e4:+.2f} ha a year ({low:+.2f} to {high:+.2f}), {row['direction'].replace('_', ' ')}"


def _because(row: Row) -> str:
    return ", ".join(row["because"])
