"""`cryoatlas backfill`: what is missing or stale, why, and exactly that done again."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape

from catalog.facts.backfills import WHYS, BackfillReport, Planned, YearPlan
from catalog.facts.errors import EXIT_UNITS_FAILED
from catalog.facts.leases import WAIT_MINUTES
from commands.console import progress_shown, report_as_dict, say, show_json, show_table, stage_rows, states_in_words
from commands.parse import years_of
from commands.running import run_backfill
from infra.settings import choose_device

_SHOWN = 30
"""Units that a terminal lists one by one; all are in --json and in the receipt."""


def backfill(  # noqa: PLR0913 - the options of a command are its form
    store: Annotated[str, typer.Option(help="Store to be brought up to date.")],
    *,
    region: Annotated[list[str] | None, typer.Option(help="Only this region; may be given again.")] = None,
    years: Annotated[str | None, typer.Option(help="Only these, for example 2018-2023; also years that were never mapped.")] = None,
    catalog: Annotated[
        str | None, typer.Option(help="Where to look for new scenes; else where each region-year was searched; `stored`: nowhere.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="As for `cryoatlas run`; else what each region-year was mapped with.")] = None,
    refuse: Annotated[list[str] | None, typer.Option(help="ID of a scene that must not be used; may be given again.")] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the store, and told by `cryoatlas explain`.")] = "",
    force: Annotated[
        list[str] | None, typer.Option(help="Unit to be done anyway: region/year/tile/stage, with * and ?; may be given again.")
    ] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only region-years not complete for which scenes may still arrive.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and why; do nothing.")] = False,
    checksums: Annotated[bool, typer.Option("--checksums", help="Read every product, to find bytes that changed in place.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Force more than a hundred units.")] = False,
    wait: Annotated[float, typer.Option(help="Minutes to wait for another run on the same region-year.")] = WAIT_MINUTES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE, or auto, by default.")] = None,
    cpu_fallback: Annotated[bool, typer.Option("--cpu-fallback", help="Go on with the CPU when the GPU fails in mid-run.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Tell progress as JSON, one object a line, on standard error.")] = False,
) -> None:
    """Do exactly what is missing or stale, and say why per unit: new scenes, new weights, new options, failed, damaged, ...

    Example: cryoatlas backfill --store hma --reason "late scenes of September" --dry-run
    """
    form: dict[str, Any] = {"regions": region, "years": years_of(years) if years else None, "catalog": catalog, "model": model}
    form |= {"reason": reason, "force": force, "refuse": refuse, "waiting": waiting, "dry_run": dry_run, "checksums": checksums, "yes": yes}
    choose_device(device, cpu_fallback=cpu_fallback)
    with progress_shown(quiet=as_json and not log_json, log_json=log_json):
        report = run_backfill(store, form | {"wait_minutes": wait})
    if as_json:
        show_json(_as_dict(report))
    else:
        _show_plan(store, report)
        _show_work(store, report)
    if report.failures:
        raise typer.Exit(EXIT_UNITS_FAILED)


def _show_plan(store: str, report: BackfillReport) -> None:
    rows = [row for plan in report.plans for row in _rows(plan)]
    if rows:
        columns = ("region", "year", "why", "units", "may follow")
        caption = "may follow: done only if what they are made from turns out to have other bytes."
        show_table(f"Backfill of {store}", columns, rows, caption=caption)
    _show_units([unit for unit in report.units if unit.certain])
    for note in sorted({f"{plan.order.region} {plan.order.year}: {plan.order.note}" for plan in report.plans if plan.order.note}):
        say(note)
    for plan in (plan for plan in report.plans if plan.trouble):
        say(f"[bold red]not planned[/] {plan.order.region} {plan.order.year} {plan.trouble}")


def _rows(plan: YearPlan) -> list[tuple[object, ...]]:
    found = list[tuple[object, ...]]()
    for why in WHYS:
        units = [unit for unit in plan.units if unit.reasons[0].why == why]
        if units:
            sure = [unit for unit in units if unit.certain]
            found.append((plan.order.region, str(plan.order.year), why, _stages(sure), _stages(u for u in units if not u.certain)))
    return found


def _stages(units: Any) -> str:
    return states_in_words(Counter(unit.unit.stage for unit in units)).replace("nothing to do", "-")


def _show_units(units: Sequence[Planned]) -> None:
    for unit in units[:_SHOWN]:
        taken = " (taken out)" if unit.retired else ""
        say(f"{unit.name}{taken}  " + "; ".join(f"[bold]{reason.why}[/]: {escape(reason.detail)}" for reason in unit.reasons))
    if len(units) > _SHOWN:
        say(f"and {len(units) - _SHOWN} more: --json lists all")


def _show_work(store: str, report: BackfillReport) -> None:
    if not report.plans:
        say("No region-year waits for scenes.")
        return
    sure = sum(unit.certain for unit in report.units)
    if report.dry_run:
        more = f", and up to {len(report.units) - sure} that follow from them" if len(report.units) > sure else ""
        say(f"{sure} units would be done{more}. Nothing was done." if report.units else "Nothing is missing or stale.")
        return
    if report.reports:
        show_table("Stages", ("region", "year", "stage", "units", "worked on now", "seconds"), stage_rows(report.reports))
    for failure in report.failures:
        say(f"[bold red]failed[/] {failure}")
    receipt = report.receipt
    if receipt is not None and receipt.became is not None:
        said = states_in_words(Counter(receipt.became.values())) if receipt.became else "nothing was missing or stale"
        say(f"{said}. Receipt: {store}/backfills/{receipt.id}.json")
        if receipt.unforeseen:
            say(
                f"Not foreseen: {', '.join(receipt.unforeseen[:3])}; {len(receipt.unforeseen)} units were done because other bytes came out."
            )
    if report.failures:
        say(f"The others are complete. Resume with: cryoatlas backfill --store {store}")


def _as_dict(report: BackfillReport) -> dict[str, Any]:
    return {
        "dry_run": report.dry_run,
        "region_years": [
            {
                "region": plan.order.region,
                "year": plan.order.year,
                "catalog": plan.order.request.catalog,
                "model": plan.order.request.model,
                "note": plan.order.note,
                "trouble": plan.trouble,
                "units": [_unit_as_dict(unit) for unit in plan.units],
            }
            for plan in report.plans
        ],
        "runs": [report_as_dict(one) for one in report.reports],
        "became": dict(report.receipt.became or {}) if report.receipt else {},
        "unforeseen": list(report.receipt.unforeseen) if report.receipt else [],
        "receipt": report.receipt.id if report.receipt else None,
        "failures": list(report.failures),
    }


def _unit_as_dict(unit: Planned) -> dict[str, Any]:
    reasons = [{"why": reason.why, "detail": reason.detail} for reason in unit.reasons]
    return {"unit": unit.name, "reasons": reasons, "certain": unit.certain, "taken_out": unit.retired}
