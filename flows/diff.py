"""Two inventories to what differs between them and why."""

from prefect import flow

from catalog.facts.differences import DiffReport
from tasks.diff_stores import diff_stores


@flow(name="diff-region", flow_run_name="{region}")
def diff_region(store: str, other: str, region: str, years: tuple[int, int], out: str | None = None) -> DiffReport:
    """Compare the inventory of a region in `store` (years[0]) with that in `other` (years[1]); both may be the same store.

    Args:
        store: Folder or address of the store.
        other: The other store; may be the same.
        region: Its name in the store.
        years: Year in the store, year in the other.
        out: File for every feature, .parquet or .gpkg; none: only the counts.
    """
    return diff_stores((store, other), region, years, out)
