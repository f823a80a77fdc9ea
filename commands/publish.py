"""`cryoatlas publish`: inventories as a release that others can cite."""

import os
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from catalog.facts.errors import WrongCall
from catalog.facts.releases import PublishOptions, PublishReport
from catalog.stores.jobs import stored_region
from catalog.stores.publications import open_publication, refuse_inside
from catalog.stores.store import open_store
from commands.console import OUT, say, show_json
from commands.parse import years_of
from commands.running import run_publish


def publish(  # noqa: PLR0913 - a command's options are its form
    store: Annotated[str, typer.Option(help="Store that holds the inventories.")],
    region: Annotated[str, typer.Option(help="Region of the store.")],
    to: Annotated[str, typer.Option("--to", help="Folder of the publication, new or made by an earlier call: a static STAC catalog.")],
    *,
    year: Annotated[int | None, typer.Option(help="Year to publish.")] = None,
    years: Annotated[str | None, typer.Option(help="Years to publish, for example 2018-2023.")] = None,
    release: Annotated[str, typer.Option(help="Name of the release; otherwise the year of its date and the first free number.")] = "",
    reason: Annotated[str, typer.Option(help="Why it takes the place of an earlier release; needed when it does.")] = "",
    allow_partial: Annotated[bool, typer.Option("--allow-partial", help="Publish in spite of missing units, and state them.")] = False,
    cogs: Annotated[bool, typer.Option("--cogs", help="Add rasters of probability and surface (cloud-optimised GeoTIFF).")] = False,
    licence: Annotated[str, typer.Option(help="SPDX identifier of the licence.")] = "CC-BY-4.0",
    doi: Annotated[str, typer.Option(help="DOI of the release, when one was reserved.")] = "",
    author: Annotated[list[str] | None, typer.Option(help="Author of the citation; may be given several times.")] = None,
    day: Annotated[str, typer.Option("--date", help="Day of the release, otherwise that of SOURCE_DATE_EPOCH, otherwise today.")] = "",
    model: Annotated[str, typer.Option(help="Weights that mapped the region, when they did not come with the program.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Publish inventories as a release: a STAC catalog with tables, columns, licence and citation. Exit code 3 while anything is missing.

    Example: cryoatlas publish --store demo-store --region demo_hma --years 2018-2023 --to public
    """
    opened, publication = open_store(store), open_publication(to)
    refuse_inside(publication, opened.root)
    stored_region(opened, region)
    options = PublishOptions(_day(day), release, reason, allow_partial, cogs, licence, doi, tuple(author or ()), model)
    report = run_publish(region, _years(year, years), str(opened.root), str(publication.root), options)
    if as_json:
        show_json(asdict(report))
    else:
        _show(report, str(publication.catalog()))


def _years(year: int | None, years: str | None) -> list[int]:
    if (year is None) == (years is None):
        raise WrongCall("Which years? Give --year 2021, or --years 2018-2023.")
    return years_of(years if years is not None else str(year))


def _day(text: str) -> date:
    if text:
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise WrongCall(f"Date {text!r}: write it as 2026-03-31.") from error
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC).date() if epoch.isdigit() else datetime.now(UTC).date()


def _show(report: PublishReport, catalog: str) -> None:
    for name in report.finished:
        say(f"Finished {name}, which an interrupted call had left out of the catalog.")
    if not report.release:
        OUT.print(f"Nothing new: {', '.join(report.unchanged)} hold the same already.")
        return
    OUT.print(f"Released {report.release} of {report.region}: {report.files} files, {report.bytes / 1e6:.1f} MB in {report.folder}")
    for name in report.items:
        OUT.print(f"  {name}")
    if report.unchanged:
        OUT.print(f"Unchanged, and left as they are: {', '.join(report.unchanged)}")
    if report.supersedes:
        OUT.print(f"Superseded: {', '.join(report.supersedes)}")
    if report.gaps:
        OUT.print(f"Holes: {len(report.gaps)}, stated in the items and in README.md:")
        for gap in report.gaps:
            OUT.print(f"  {gap.year} {gap.stage} {gap.tile} {gap.cause}, {gap.km2:.1f} km2: {gap.message}")
    OUT.print(f"Catalog: {catalog}")
