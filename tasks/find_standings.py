"""How every region-year of a store stands, found and kept."""

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.standings import Finding
from catalog.stores.findings import find_findings, keep_findings
from catalog.stores.store import open_store


@task(cache_policy=NO_CACHE)
def find_standings(store: str, regions: Sequence[str] | None, years: Sequence[int] | None, *, checksums: bool) -> tuple[Finding, ...]:
    """Audit region-years, and write the findings into the store; raises WrongCall for a region that is not there."""
    opened, now = open_store(store), datetime.now(UTC)
    findings = find_findings(opened, regions, years, now, checksums=checksums)
    keep_findings(opened, findings, now)
    return findings
