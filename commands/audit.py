"""`cryoatlas audit`: what is done, what is not, and the command that mends it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer

from catalog.facts.causes import State
from catalog.facts.errors import EXIT_UNITS_FAILED
from catalog.facts.records import Outcome, Target
from catalog.stores import ledger
from catalog.stores.files import checksum, looks_like
from catalog.stores.jobs import stored_region, stored_regions, years_begun
from catalog.stores.store import Store, open_store
from commands.console import OUT, show_json, show_table, states_in_words

_FOLLOWS: Mapping[Target, Mapping[str, str]] = MappingProxyType(
    {
        "lakes": {"surface": "scenes", "segment": "surface", "outline": "segment"},
        "slumps": {"surface": "scenes", "detect": "surface"},
    }
)
"""Stage of a tile -> the stage it needs."""
_LAST: Mapping[Target, tuple[str, ...]] = MappingProxyType({"lakes": ("features", "inventory"), "slumps": ("merge", "inventory", "counts")})
"""Stages of a whole region-year."""
STAGES: Mapping[Target, tuple[str, ...]] = MappingProxyType({t: ("scenes", *_FOLLOWS[t], *_LAST[t]) for t in _FOLLOWS})
"""All stages of a target, in order."""


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
    findings = [_region_year(opened, name, year, checksums=checksums) for name in chosen for year in years_begun(opened, name)]
    if as_json:
        show_json(findings)
    else:
        _show(opened, findings)
    if any(finding["mend"] for finding in findings):
        raise typer.Exit(EXIT_UNITS_FAILED)


def _region_year(store: Store, region: str, year: int, *, checksums: bool) -> dict[str, Any]:
    outcomes, target = ledger.find_all(store, region, year), stored_region(store, region).target
    check = ledger.verified if checksums else ledger.present
    damaged = [outcome for outcome in outcomes if not check(store, outcome)]
    failed = [outcome for outcome in outcomes if outcome.state == State.FAILED]
    states = {stage: Counter(str(o.state) for o in outcomes if o.unit.stage == stage) for stage in STAGES[target]}
    missing = [stage for stage in _LAST[target] if not states[stage]]
    holes = [_hole(o, "failed") for o in failed] + [_hole(o, "damaged") for o in damaged]
    holes += [_missing(tile, stage) for stage, source in _FOLLOWS[target].items() for tile in _not_reached(outcomes, stage, source)]
    holes += [_missing("region", stage) for stage in missing]
    mend = f"cryoatlas run --store {store.root} --region {region} --years {year} --catalog stored" if holes else ""
    if changed := [
        store.root / path for o in damaged for path, promise in o.outputs.items() if _same_size_other_bytes(store.root / path, promise)
    ]:
        # a rerun compares sizes, which is cheap; bytes that changed in place must go first
        mend = f"rm {' '.join(map(str, changed))} && {mend}"
    return {
        "region": region,
        "year": year,
        "target": target,
        "stages": {s: dict(c) for s, c in states.items()},
        "holes": holes,
        "mend": mend,
    }


def _not_reached(outcomes: Sequence[Outcome], stage: str, source: str) -> list[str]:
    """Tiles whose `source` is done and whose next stage has no record: a run ended between them."""
    reached = {outcome.unit.tile for outcome in outcomes if outcome.unit.stage == stage}
    return [o.unit.tile for o in outcomes if o.unit.stage == source and o.state == State.DONE and o.unit.tile not in reached]


def _missing(tile: str, stage: str) -> dict[str, str]:
    return {"tile": tile, "stage": stage, "why": "missing", "message": "not made yet"}


def _same_size_other_bytes(path: Path, promise: str) -> bool:
    return looks_like(path, promise) and checksum(path) != promise


def _hole(outcome: Outcome, why: str) -> dict[str, str]:
    message = outcome.message if why == "failed" else "a product is gone or has another size or checksum than its record says"
    return {"tile": outcome.unit.tile, "stage": outcome.unit.stage, "why": why, "message": message}


def _show(store: Store, findings: list[dict[str, Any]]) -> None:
    for target, stages in STAGES.items():
        rows = [
            (f["region"], f["year"], *(states_in_words(f["stages"][stage]) if f["stages"][stage] else "not yet" for stage in stages))
            for f in findings
            if f["target"] == target
        ]
        if rows:
            show_table(f"Audit of {store.root}: {target}", ("region", "year", *stages), rows)
    for finding in findings:
        for hole in finding["holes"]:
            OUT.print(
                f"{finding['region']} {finding['year']} {hole['stage']} {hole['tile']} [bold]{hole['why']}[/]: {hole['message']}",
                markup=True,
            )
        if finding["mend"]:
            OUT.print(f"  mend: {finding['mend']}")
    if not any(finding["mend"] for finding in findings):
        OUT.print(
            "Complete: every unit is done, empty, skipped or unobserved, and its products are there." if findings else "Nothing mapped yet."
        )
