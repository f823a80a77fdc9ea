"""How every region-year of a store stands: what is done, what is not, what is waited for."""

from prefect import flow

from catalog.facts.errors import UnitsFailed
from catalog.facts.standings import Finding
from flows.artifacts import show_findings
from tasks.find_standings import find_standings


@flow(name="audit")
def audit(store: str, regions: list[str] | None = None, years: list[int] | None = None, *, checksums: bool = False) -> tuple[Finding, ...]:
    """Audit a store, and keep what was found in it. Fails when there are holes, so that who hears of failed runs hears of them.

    Args:
        store: Folder or address of the store.
        regions: Names of regions that the store holds; none: all.
        years: Years; none: all that were begun.
        checksums: Read every product and compare it with its checksum.
    """
    findings = find_standings(store, regions, years, checksums=checksums)
    show_findings(findings, "audit")
    mends = [found.mend for found in findings if found.mend]
    if mends:
        raise UnitsFailed(f"{len(mends)} of {len(findings)} region-years have holes. Mend them:\n" + "\n".join(mends))
    return findings
