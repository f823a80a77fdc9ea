"""`cryoatlas audit`: what is done, what is not, and the command that mends it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from catalog.facts.errors import EXIT_UNITS_FAILED
from catalog.stores.completeness import STAGES, Completeness, completeness_of
from catalog.stores.edits import edit_counts
from catalog.stores.jobs import stored_regions, years_begun
from catalog.stores.store import Store, open_store
from commands.console import OUT, show_json, show_table, states_in_words


def audit(
    store: Annotated[str, typer.Option(help="Store to look at.")],
    *,
    region: Annotated[str | None, typer.Option(help="Only this region.")] = None,
    checksums: Annotated[bool, typer.Option("--checksums", help="Read every product and compare it with its checksum.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say per region-year and stage what is done, empty, failed, skipped or unobserved. Exit code 3 when anything is missing.

    Example: cryoatlas audit --store demo-store
    """
    opened = open_store(store)
    chosen = [name for name in stored_regions(opened) if region in (None, name)]
    findings = [completeness_of(opened, name, year, checksums=checksums) for name in chosen for year in years_begun(opened, name)]
    if as_json:
        show_json([asdict(finding) | {"edits": edit_counts(opened, finding.target, finding.region, finding.year)} for finding in findings])
    else:
        _show(opened, findings)
    if any(finding.mend for finding in findings):
        raise typer.Exit(EXIT_UNITS_FAILED)


def _show(store: Store, findings: Sequence[Completeness]) -> None:
    for target, stages in STAGES.items():
        rows = [
            (f.region, f.year, *(states_in_words(f.stages[stage]) if f.stages[stage] else "not yet" for stage in stages))
            for f in findings
            if f.target == target
        ]
        if rows:
            show_table(f"Audit of {store.root}: {target}", ("region", "year", *stages), rows)
    for finding in findings:
        for hole in finding.holes:
            OUT.print(f"{finding.region} {finding.year} {hole.stage} {hole.tile} [bold]{hole.why}[/]: {hole.message}", markup=True)
        if finding.mend:
            OUT.print(f"  mend: {finding.mend}")
        if edits := edit_counts(store, finding.target, finding.region, finding.year):
            OUT.print(f"{finding.region} {finding.year} edits: {states_in_words(edits).replace('_', ' ')}{_see(store, finding, edits)}")
    if not any(finding.mend for finding in findings):
        OUT.print(
            "Complete: every unit is done, empty, skipped or unobserved, and its products are there." if findings else "Nothing mapped yet."
        )


def _see(store: Store, finding: Completeness, edits: Mapping[str, int]) -> str:
    if "pending" in edits:
        return f"; apply them with: cryoatlas edits apply --store {store.root} --region {finding.region}"
    return f"; see: cryoatlas edits list --store {store.root} --region {finding.region}" if "conflict" in edits else ""
