"""Cubes and labels, or an archive of others, to a set of training chips."""

from prefect import flow

from catalog.facts.chips import ChipCounts, CutOptions
from flows.forms import Year
from tasks import cut_chips as cutting
from tasks import import_shards as importing

_DEFAULTS = CutOptions()


@flow(name="cut-chips", flow_run_name="{region}")
def cut_chips(store: str, region: str, years: list[Year], labels: str, out: str, options: CutOptions = _DEFAULTS) -> ChipCounts:
    """Cut chips of a region and some years under the split that all stages share.

    Args:
        store: Folder or address of the store.
        region: Its name in the store.
        years: Years whose cubes are cut.
        labels: Outlines of lakes or slumps (GeoParquet, GeoPackage, shapefile), or a pattern with {year}.
        out: Folder of the chips.
        options: Which chips, and how they are split.
    """
    return cutting.cut_chips(store, region, years, labels, out, options)


@flow(name="import-shards")
def import_shards(shards: str, out: str) -> ChipCounts:
    """Convert CryoSentinel's chip archive."""
    return importing.import_shards(shards, out)
