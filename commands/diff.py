"""`cryoatlas diff`: what differs between two inventories, and why."""

from dataclasses import asdict
from typing import Annotated

import typer

from catalog.facts.differences import CAUSES_OF_DIFFERENCE, DiffReport
from catalog.facts.errors import WrongCall
from commands.console import OUT, say, show_json, show_table
from commands.parse import years_of
from commands.running import run_diff

_DETAILS = 12
_ANY_YEAR = 1900


def diff(
    store_a: Annotated[str, typer.Argument(help="Store before.")],
    store_b: Annotated[str, typer.Argument(help="Store after; the same one to compare two years.")],
    *,
    region: Annotated[str, typer.Option(help="Region of both stores.")],
    year: Annotated[str, typer.Option(help="One year, or two as 2021,2022: the first of store A, the second of store B.")],
    out: Annotated[str | None, typer.Option(help="File for every feature: .parquet or .gpkg.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say which features were added, lost, changed or renamed between two inventories, and what caused it.

    Example: cryoatlas diff backup demo-store --region demo_hma --year 2021 --out differences.gpkg
    """
    years = [one for part in year.split(",") for one in years_of(part, first=_ANY_YEAR)]
    if len(years) not in {1, 2}:
        raise WrongCall(f"Year {year!r}: write one year, or two with a comma, for example 2021,2022.")
    report = run_diff(store_a, store_b, region, (years[0], years[-1]), out)
    if as_json:
        show_json(asdict(report))
    else:
        _show(report)
    if report.written:
        say(f"Wrote {report.written}")


def _show(report: DiffReport) -> None:
    years = f"{report.years[0]}" if report.years[0] == report.years[1] else f"{report.years[0]} -> {report.years[1]}"
    rows = [
        (kind, int(row["features"]), *(_ha(row[name]) for name in ("area_a_m2", "area_b_m2", "change_m2")))
        for kind, row in report.kinds.items()
    ]
    before, after = report.totals_m2
    rows.append(("together", int(sum(row["features"] for row in report.kinds.values())), _ha(before), _ha(after), _ha(after - before)))
    show_table(f"{report.region} {years}, areas in ha", ("", "features", "A", "B", "B - A"), rows)
    OUT.print(f"B - A is the sum of the changes to within {abs(report.unexplained_residual_m2):.3f} m2.")
    causes = [
        (cause, int(row["features"]), _ha(row["change_m2"]), _ha(row["absolute_m2"]), CAUSES_OF_DIFFERENCE[cause])
        for cause, row in report.causes.items()
    ]
    show_table("By cause, areas in ha", ("cause", "features", "B - A", "without signs", "what it says"), causes)
    if report.details:
        show_table("What differs", ("features", "what"), [(count, what) for what, count in list(report.details.items())[:_DETAILS]])
    if report.largest:
        largest = [(row["feature_id"], row["kind"], _ha(row["change_m2"]), row["cause"], row["because"][0]) for row in report.largest]
        show_table("Largest, ha", ("feature", "", "B - A", "cause", "because"), largest)


def _ha(area_m2: float) -> str:
    return f"{area_m2 / 1e4:,.3f}"
