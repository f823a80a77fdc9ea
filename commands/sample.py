"""`cryoatlas sample`: a stratified random sample for people to check, and the accuracy statement their answers make."""

import math
from dataclasses import asdict
from typing import Annotated, Any

import typer

from catalog.facts.samples import Accuracy, Figure, SampleOptions
from commands.console import OUT, say, show_json, show_table
from commands.running import run_sample, run_score_sample

app = typer.Typer(no_args_is_help=True, help="Draw a sample, check it by eye, score it. Example: cryoatlas sample score checks")
_Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
_DEFAULTS = SampleOptions()
_AREAS = {"true_area_m2", "missed_area_m2", "true_area_of_listed_m2"}
_COUNTS = {"true_count", "missed_count"}


@app.command("export")
def export(  # noqa: PLR0913 - the options of a command are its form
    store: Annotated[str, typer.Option(help="Store that holds the inventory.")],
    region: Annotated[str, typer.Option(help="Region of the store.")],
    year: Annotated[int, typer.Option(help="Year of the inventory.")],
    out: Annotated[str, typer.Option(help="Folder to make.")],
    *,
    size: Annotated[int, typer.Option(help="Listed features to check.")] = _DEFAULTS.size,
    cells: Annotated[int, typer.Option(help="Cells of 2.24 km to search for what is missed.")] = _DEFAULTS.cells,
    seed: Annotated[int, typer.Option(help="The same seed draws the same sample of the same inventory.")] = _DEFAULTS.seed,
    small: Annotated[bool, typer.Option("--small", help="Draw from features below the minimum area, too.")] = False,
    pictures: Annotated[bool, typer.Option(help="A picture per case, from the cubes.")] = True,
    as_json: _Json = False,
) -> None:
    """Draw listed features by size and doubt, and cells of ground for what is missed; write them as a GeoPackage with pictures.

    Example: cryoatlas sample export --store demo-store --region demo_hma --year 2021 --size 200 --seed 7 --out checks
    """
    report = run_sample(store, region, year, out, SampleOptions(size, cells, seed, small, pictures))
    if as_json:
        show_json(asdict(report))
        return
    rows = [(r["kind"], r["stratum"], int(r["population"]), int(r["sampled"]), f"{r['inclusion_probability']:.3f}") for r in report.strata]
    show_table(f"Sample of {region} {year}", ("kind", "stratum", "population", "drawn", "inclusion probability"), rows)
    say(
        f"Wrote {report.folder} with {report.pictures} pictures. {report.folder}/README.txt says what to do; then: cryoatlas sample score {report.folder}"
    )


@app.command("score")
def score(
    folder: Annotated[str, typer.Argument(help="Folder of the sample, or the sample.gpkg in it.")],
    *,
    store: Annotated[str | None, typer.Option(help="Store that was sampled, if it moved.")] = None,
    as_json: _Json = False,
) -> None:
    """Turn the answers into an accuracy statement with 95 % intervals; it is written beside them and into the store.

    Example: cryoatlas sample score checks
    """
    accuracy = run_score_sample(folder, store)
    if as_json:
        show_json(asdict(accuracy))
        return
    _show(accuracy)


def _show(accuracy: Accuracy) -> None:
    rows: list[tuple[Any, ...]] = [
        (name.removesuffix("_m2").replace("_", " "), *(_words(name, value) for value in (figure.value, figure.low, figure.high)))
        for name, figure in accuracy.figures.items()
        if isinstance(figure, Figure)
    ]
    show_table(f"Accuracy of {accuracy.region} {accuracy.year}", ("", "estimate", "95 % from", "to"), rows)
    told = ", ".join(f"{count} {verdict}" for verdict, count in accuracy.verdicts.items() if count)
    OUT.print(
        f"Verdicts: {told}. Not answered: {accuracy.answered['features_unanswered']} features, {accuracy.answered['cells_unanswered']} cells."
    )
    for note in accuracy.notes:
        OUT.print(f"Note: {note}.", markup=False)
    OUT.print(f"\n{accuracy.statement}", markup=False)


def _words(name: str, value: float) -> str:
    if math.isnan(value):
        return "unknown"
    if name in _AREAS:
        return f"{value / 1e6:,.3f} km2"
    return f"{value:,.1f}" if name in _COUNTS else f"{100 * value:.1f} %" if "accuracy" in name else f"{value:.3f}"
