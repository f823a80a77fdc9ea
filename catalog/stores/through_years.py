"""Whether the tables through the years of a region are there, and made from the inventories that are there now."""

from catalog.facts.fingerprints import fingerprint_of
from catalog.facts.records import Target
from catalog.stores.jobs import years_with
from catalog.stores.store import Store
from catalog.stores.tables import read_provenance

TABLES = ("tracks", "events", "changes", "change_shapes", "trends", "totals", "total_changes", "region_trends")


def inventories_fingerprint(store: Store, target: Target, region: str) -> str:
    """Return a hash of the inventories of a region, which its tables through the years carry."""
    years = years_with(store, target, region)
    return fingerprint_of({"inventories": [read_provenance(store.inventory(target, region, year))["fingerprint"] for year in years]})


def tracks_trouble(store: Store, target: Target, region: str) -> str:
    """Return why the tables have to be made again; empty when they are current, or when there is no inventory yet."""
    if not years_with(store, target, region):
        return ""
    gone = [name for name in TABLES if not store.tracks(target, region, name).is_file()]
    if gone:
        return f"{gone[0]} of {region} is not there{f', and {len(gone) - 1} more tables' if gone[1:] else ''}"
    made = read_provenance(store.tracks(target, region, "tracks")).get("fingerprint")
    return "" if made == inventories_fingerprint(store, target, region) else "an inventory was made anew after the tables through the years"
