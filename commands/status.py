"""`cryoatlas status`: all region-years of a store at one look."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from catalog.facts.overview import Cell, overview_of
from catalog.stores.files import write_atomic
from catalog.stores.findings import find_findings
from catalog.stores.run_records import find_records, standing
from catalog.stores.store import open_store
from commands.console import OUT, say, show_json, show_table
from models.status.page import SIGNS, status_page


def status(
    store: Annotated[str, typer.Option(help="Store to look at.")],
    *,
    html: Annotated[str | None, typer.Option(help="Write the heat map as one HTML page to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Show every region and year: complete, waiting, short, partly, failed, interrupted, running, not begun; and what mends it.

    Example: cryoatlas status --store demo-store --html status.html
    """
    opened, now = open_store(store), datetime.now(UTC)
    runs = [(record, standing(record, now)) for record in find_records(opened)]
    cells = overview_of(find_findings(opened, None, None, now, checksums=False), runs, now)
    if html is not None:
        write_atomic(Path(html).expanduser(), status_page(cells, store, f"{now:%Y-%m-%d %H:%M} UTC").encode())
        say(f"Wrote {html}")
    if as_json:
        show_json([asdict(cell) for cell in cells])
        return
    _show(cells, store)


def _show(cells: tuple[Cell, ...], store: str) -> None:
    if not cells:
        OUT.print("Nothing mapped yet.")
        return
    years = sorted({cell.year for cell in cells})
    rows = [(region, *(_words(cell) for cell in cells if cell.region == region)) for region in dict.fromkeys(cell.region for cell in cells)]
    show_table(
        f"Region-years of {store}", ("region", *(str(year) for year in years)), rows, caption="Share of the ground that was observed."
    )
    for cell in (cell for cell in cells if cell.mend or cell.because):
        OUT.print(escape(f"{cell.region} {cell.year} {cell.state}: {cell.because}"))
        if cell.mend:
            OUT.print(escape(f"  mend: {cell.mend}"))


def _words(cell: Cell) -> str:
    share = "" if cell.observed_share is None else f" {100 * cell.observed_share:.0f} %"
    return f"{SIGNS[cell.state]} {cell.state}{share}"
