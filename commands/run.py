"""`cryoatlas run`: region and years to inventories and tracks."""

from dataclasses import replace
from typing import Annotated, Literal

import typer

from catalog.facts.errors import EXIT_UNITS_FAILED
from catalog.facts.leases import WAIT_MINUTES
from catalog.facts.options import MapOptions, SearchOptions
from catalog.facts.records import RegionYearReport
from catalog.stores.store import open_store
from commands.console import progress_shown, report_as_dict, say, show_json, show_table, stage_rows
from commands.exports import write_geopackage
from commands.parse import years_of
from commands.running import run_annual
from infra.settings import choose_device


def run(  # noqa: PLR0913 - the options of a command are its form
    region: Annotated[str, typer.Option(help="A name of `cryoatlas regions list`, a GeoJSON file, or W,S,E,N.")],
    years: Annotated[str, typer.Option(help="One year or a span, for example 2018-2023.")],
    catalog: Annotated[
        str, typer.Option(help="planetary-computer, earth-search, cdse, a STAC API, a static catalog, stac-geoparquet, or `stored`.")
    ],
    store: Annotated[str, typer.Option(help="Folder that holds cubes, inventories and the ledger.")],
    *,
    model: Annotated[
        str | None,
        typer.Option(help="A name of `cryoatlas models list`, or weights: a folder, hf://..., https://...; else the target's default."),
    ] = None,
    glacier_outlines: Annotated[
        str | None, typer.Option(help="RGI or GLIMS outlines: types of lakes and distances to ice; tiles beyond their buffer are skipped.")
    ] = None,
    until: Annotated[
        Literal["surface", "inventory"], typer.Option(help="surface: build cubes, for training chips, and map nothing.")
    ] = "inventory",
    refuse: Annotated[list[str] | None, typer.Option(help="ID of a scene that must not be used; may be given again.")] = None,
    format: Annotated[Literal["parquet", "gpkg"], typer.Option(help="gpkg: a GeoPackage for QGIS too, under exports/.")] = "parquet",  # noqa: A002 - the option's name
    wait: Annotated[float, typer.Option(help="Minutes to wait for another run on the same region-year.")] = WAIT_MINUTES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE, or auto, by default.")] = None,
    cpu_fallback: Annotated[bool, typer.Option("--cpu-fallback", help="Go on with the CPU when the GPU fails in mid-run.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Tell progress as JSON, one object a line, on standard error.")] = False,
) -> None:
    """Map a region over years, track its features, and say what is complete. Doing it again does only what is missing or changed.

    Example: cryoatlas run --region ile_alatau --years 2021-2023 --catalog planetary-computer --store hma
    """
    options = MapOptions(until=until)
    if refuse:
        options = replace(options, search=replace(SearchOptions(), refuse=tuple(sorted(refuse))))
    choose_device(device, cpu_fallback=cpu_fallback)
    with progress_shown(quiet=as_json and not log_json, log_json=log_json):
        reports = run_annual([region], years_of(years), catalog, store, model, options, glacier_outlines, wait)
    if format == "gpkg" and until == "inventory":
        _export(reports, store)
    if as_json:
        show_json([report_as_dict(report) for report in reports])
    else:
        show_table("Stages", ("region", "year", "stage", "units", "worked on now", "seconds"), stage_rows(reports))
    _conclude(
        reports, store, f"--catalog {catalog}" + (f" --model {model}" if model else "") + (" --until surface" if until == "surface" else "")
    )


def _export(reports: tuple[RegionYearReport, ...], store: str) -> None:
    opened = open_store(store)
    for job in (report.job for report in reports if report.job.store):
        path = opened.root / "exports" / job.target / f"{job.region}_{job.year}.gpkg"
        say(f"Wrote {write_geopackage(opened, job.target, job.region, job.year, path)}")


def _conclude(reports: tuple[RegionYearReport, ...], store: str, source: str) -> None:
    failures = [(report.job, failure) for report in reports for failure in report.failures]
    for job, warning in ((report.job, warning) for report in reports for stage in report.stages for warning in stage.warnings):
        say(f"[bold]look at[/] {job.region} {job.year} {warning}")
    if not failures:
        done = f"Surfaces are under {store}/cubes" if source.endswith("surface") else f"Inventories are under {store}/inventory"
        say(f"Complete. {done}; `cryoatlas audit --store {store}` proves it.")
        return
    for job, failure in failures:
        say(f"[bold red]failed[/] {job.region} {job.year} {failure}")
    resume = f"cryoatlas run --region {failures[0][0].region} --years {failures[0][0].year} {source} --store {store}"
    say(f"{len(failures)} units failed; the others are complete. Resume with: {resume}")
    raise typer.Exit(EXIT_UNITS_FAILED)
