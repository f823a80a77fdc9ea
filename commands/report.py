"""`cryoatlas report`: what a store holds about a region, as one page that opens from disk."""

from dataclasses import asdict
from typing import Annotated

import typer

from catalog.facts.errors import WrongCall
from catalog.stores.jobs import stored_region
from catalog.stores.store import open_store
from commands.console import progress_shown, say, show_json, show_table
from commands.running import run_report


def report(
    store: Annotated[str, typer.Option(help="Store that holds the region.")],
    region: Annotated[str, typer.Option(help="Region of the store.")],
    *,
    out: Annotated[str | None, typer.Option(help="File to write; without it reports/<region>.html in the store.")] = None,
    price_per_hour: Annotated[
        float | None, typer.Option(help="Price of an hour of work: the page then gives costs, in your currency.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Write one HTML page: map with a year slider, table, series, totals, events, run facts. It needs no network and no server.

    Example: cryoatlas report --store demo-store --region demo_hma
    """
    stored_region(open_store(store), region)
    if price_per_hour is not None and not 0 <= price_per_hour < float("inf"):
        raise WrongCall(f"--price-per-hour {price_per_hour}: a price is a number from 0 up.")
    with progress_shown(quiet=as_json):
        page = run_report(region, store, out, price_per_hour)
    if as_json:
        show_json(asdict(page))
        return
    rows = [(str(year), count) for year, count in page.features.items()]
    show_table(
        f"Page of {region}",
        ("year", "features"),
        rows,
        caption="Complete." if page.complete else "Not complete: the page says what is missing.",
    )
    say(f"{'Wrote' if page.written else 'Equal, left as it is:'} {page.path} ({page.bytes / 1e6:.1f} MB)")
