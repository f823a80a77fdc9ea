"""How region-years stand: holes, coverage beside its target, and who is at work; kept in the store when a schedule asks for it."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final

from catalog.facts.records import Job
from catalog.facts.standings import Finding, LeaseSeen
from catalog.stores import ledger
from catalog.stores.completeness import completeness_of
from catalog.stores.files import write_atomic
from catalog.stores.jobs import stored_region, stored_regions, years_begun
from catalog.stores.leases import find_leases
from catalog.stores.standings import standing
from catalog.stores.store import Store

_WAITED_FOR: Final = frozenset({"waiting", "short"})


def find_findings(
    store: Store, regions: Sequence[str] | None, years: Sequence[int] | None, now: datetime, *, checksums: bool = False
) -> tuple[Finding, ...]:
    """Audit region-years, by region and year; without names all that were begun. Raises WrongCall for a region that is not there."""
    names = [stored_region(store, name).name for name in regions] if regions else stored_regions(store)
    begun = [(name, year) for name in names for year in years_begun(store, name) if not years or year in years]
    return tuple(finding_of(store, name, year, now, checksums=checksums) for name, year in begun)


def finding_of(store: Store, region: str, year: int, now: datetime, *, checksums: bool = False) -> Finding:
    """Audit one region-year."""
    found = completeness_of(store, region, year, checksums=checksums)
    job = Job(region, year, found.target, str(store.root))
    stands = standing(store, job, ledger.find_all(store, region, year), len(found.holes), now.date())
    again = f"cryoatlas backfill --store {shlex.quote(str(store.root))} --region {region} --years {year}"
    return Finding(
        region=region,
        year=year,
        target=found.target,
        state=stands.state,
        because=stands.because,
        observed_share=stands.observed_share,
        coverage_target=stands.coverage_target,
        grace_until=stands.grace_until,
        stages=found.stages,
        holes=found.holes,
        mend=found.mend,
        look_again=again if stands.state in _WAITED_FOR else "",
        leases=tuple(lease for lease in leases_seen(store, region) if lease.year in (None, year)),
    )


def leases_seen(store: Store, region: str | None = None) -> tuple[LeaseSeen, ...]:
    """Return every lease of a region, or of all."""
    return tuple(
        LeaseSeen(lease.region, lease.year, lease.subject, str(lease.holder), lease.taken, lease.expires, how)
        for lease, how in find_leases(store, region)
    )


def keep_findings(store: Store, findings: Sequence[Finding], moment: datetime) -> Path:
    """Write the findings of an audit into the store; return their file."""
    path = store.audits() / f"{moment:%Y%m%dT%H%M%SZ}.json"
    write_atomic(path, json.dumps([asdict(finding) for finding in findings], indent=1, default=str).encode())
    return path
