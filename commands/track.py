"""`cryoatlas track`: the same feature through the years."""

from typing import Annotated, Literal

import typer

from catalog.facts.errors import WrongCall
from catalog.facts.options import MapOptions
from catalog.stores.jobs import stored_region
from catalog.stores.store import open_store
from catalog.stores.tables import read_table
from commands.console import progress_shown, show_json, show_table
from commands.running import run_track, run_track_outlines


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
    """Follow every feature through all mapped years: tracks and events, each year observed or not.

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


def _show(store: str, region: str, target: str, *, as_json: bool) -> None:
    opened = open_store(store)
    path = opened.tracks(target, region, "tracks")  # type: ignore[arg-type]
    if not path.is_file():
        raise WrongCall(f"Region {region!r} has no inventory in {store}. Map it first with `cryoatlas run`.")
    tracks = read_table(path).to_pylist()
    events = read_table(opened.tracks(target, region, "events")).to_pylist()  # type: ignore[arg-type]
    if as_json:
        show_json({"tracks": len({row["feature_id"] for row in tracks}), "events": events})
        return
    years = sorted({row["year"] for row in tracks})
    states = ("present", "absent", "partly_observed", "unobserved")
    rows = [(year, *(sum(r["year"] == year and r["state"] == state for r in tracks) for state in states)) for year in years]
    show_table(f"Tracks of {region}", ("year", *(state.replace("_", " ") for state in states)), rows)
    happened = [(e["event"], e["year_from"], e["year_to"], " ".join(e["parents"]), " ".join(e["children"]), e["reason"]) for e in events]
    if happened:
        show_table("Events", ("event", "from", "to", "parents", "children", "reason"), happened)
