"""`cryoatlas audit`: what is done, what is not, what is waited for, and the command that mends it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from catalog.facts.errors import EXIT_UNITS_FAILED
from catalog.facts.standings import Finding, LeaseSeen
from catalog.stores.completeness import STAGES
from catalog.stores.edits import edit_counts
from catalog.stores.findings import find_findings, leases_seen
from catalog.stores.jobs import stored_region
from catalog.stores.standings import set_policy
from catalog.stores.store import Store, open_store
from commands.console import OUT, say, show_json, show_table, states_in_words


def audit(
    store: Annotated[str, typer.Option(help="Store to look at.")],
    *,
    region: Annotated[str | None, typer.Option(help="Only this region.")] = None,
    checksums: Annotated[bool, typer.Option("--checksums", help="Read every product and compare it with its checksum.")] = False,
    set_target: Annotated[
        float | None, typer.Option(help="From now on: share of the ground to be observed, 0 to 1; of --region, or of all others.")
    ] = None,
    set_grace_days: Annotated[
        int | None, typer.Option(help="From now on: days after the season in which late scenes are waited for.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say per region-year and stage what is done, empty, failed, skipped or unobserved, and what is only waited for.

    Exit code 3 when something is incomplete, which the command printed with it mends.

    Example: cryoatlas audit --store demo-store
    """
    opened = open_store(store)
    if set_target is not None or set_grace_days is not None:
        _set(opened, region, set_target, set_grace_days)
    findings = find_findings(opened, [region] if region else None, None, datetime.now(UTC), checksums=checksums)
    if as_json:
        show_json([asdict(finding) | {"edits": edit_counts(opened, finding.target, finding.region, finding.year)} for finding in findings])
    else:
        _show(opened, findings, leases_seen(opened, region))
    if any(finding.mend for finding in findings):
        raise typer.Exit(EXIT_UNITS_FAILED)


def _set(store: Store, region: str | None, target: float | None, grace_days: int | None) -> None:
    named = stored_region(store, region).name if region else None
    set_policy(store, named, coverage_target=target, grace_days=grace_days)
    say(f"Kept in {store.policy()}.")


def _show(store: Store, findings: Sequence[Finding], leases: Sequence[LeaseSeen]) -> None:
    for target, stages in STAGES.items():
        rows = [
            (f.region, f.year, f.state, _share(f), *(states_in_words(f.stages[s]) if f.stages[s] else "not yet" for s in stages))
            for f in findings
            if f.target == target
        ]
        if rows:
            show_table(f"Audit of {store.root}: {target}", ("region", "year", "state", "observed", *stages), rows)
    for finding in findings:
        _show_one(store, finding)
    for lease in leases:
        OUT.print(
            f"lease on {escape(lease.subject)}: {escape(lease.holder)} since {_at(lease.taken)}, until {_at(lease.expires)}: {lease.standing}"
        )
    _conclude(findings)


def _show_one(store: Store, finding: Finding) -> None:
    where = f"{finding.region} {finding.year}"
    for hole in finding.holes:
        OUT.print(f"{where} {hole.stage} {hole.tile} [bold]{hole.why}[/]: {escape(hole.message)}")
    if finding.mend:
        OUT.print(f"  mend: {escape(finding.mend)}")
    if finding.look_again:
        OUT.print(f"{where} [bold]{finding.state}[/]: {finding.because}")
        OUT.print(f"  look for late scenes: {escape(finding.look_again)}")
    if edits := edit_counts(store, finding.target, finding.region, finding.year):
        OUT.print(f"{where} edits: {states_in_words(edits).replace('_', ' ')}{_see(store, finding, edits)}")


def _conclude(findings: Sequence[Finding]) -> None:
    if not findings:
        OUT.print("Nothing mapped yet.")
    elif not any(finding.mend for finding in findings):
        rest = [f"{count} {state}" for state in ("waiting", "short") if (count := sum(f.state == state for f in findings))]
        said = f" Of {len(findings)} region-years {' and '.join(rest)} for want of clear scenes." if rest else ""
        OUT.print(f"Complete: every unit is done, empty, skipped or unobserved, and its products are there.{said}")


def _share(finding: Finding) -> str:
    seen = "-" if finding.observed_share is None else f"{finding.observed_share:.2f}"
    return f"{seen} of {finding.coverage_target:.2f}"


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _see(store: Store, finding: Finding, edits: Mapping[str, Any]) -> str:
    if "pending" in edits:
        return f"; apply them with: cryoatlas edits apply --store {store.root} --region {finding.region}"
    return f"; see: cryoatlas edits list --store {store.root} --region {finding.region}" if "conflict" in edits else ""
