"""An inventory of ours beside that of another."""

from prefect import flow

from catalog.facts.matching import MatchOptions, MatchReport
from flows.forms import Year
from tasks.match_inventory import match_inventory


@flow(name="match-region", flow_run_name="{region}-{year}")
def match_region(region: str, year: Year, store: str, inventory: str, named: tuple[str, str | None], options: MatchOptions) -> MatchReport:
    """Match the features of a region-year with those of a vector file; `named`: its name in the store, and its column of names or None.

    Args:
        region: Its name in the store.
        year: Year of the inventory.
        store: Folder or address of the store.
        inventory: File of the other inventory: GeoPackage, shapefile, GeoJSON or GeoParquet.
        named: Name of the other in the store, and its column of names or none.
        options: What counts as the same feature.
    """
    return match_inventory(region, year, store, inventory, named, options)
