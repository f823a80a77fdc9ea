"""An inventory of ours beside that of another."""

from prefect import flow

from catalog.facts.matching import MatchOptions, MatchReport
from tasks.match_inventory import match_inventory


@flow(name="match-region", flow_run_name="{region}-{year}")
def match_region(region: str, year: int, store: str, inventory: str, named: tuple[str, str | None], options: MatchOptions) -> MatchReport:
    """Match the features of a region-year with those of a vector file; `named`: its name in the store, and its column of names or None."""
    return match_inventory(region, year, store, inventory, named, options)
