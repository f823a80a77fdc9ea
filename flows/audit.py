"""How every region-year of a store stands: what is done, what is not, what is waited for."""

from prefect import flow

from catalog.facts.standings import Finding
from tasks.find_standings import find_standings


@flow(name="audit")
def audit(store: str, regions: list[str] | None = None, years: list[int] | None = None, *, checksums: bool = False) -> tuple[Finding, ...]:
    """Audit a store, and keep what was found in it.

    Args:
        store: Folder or address of the store.
        regions: Names of regions that the store holds; none: all.
        years: Years; none: all that were begun.
        checksums: Read every product and compare it with its checksum.
    """
    return find_standings(store, regions, years, checksums=checksums)
