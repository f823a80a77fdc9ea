"""Cubes and labels, or an archive of others, to a set of training chips."""

from prefect import flow

from catalog.facts.chips import ChipCounts, CutOptions
from tasks import cut_chips as cutting
from tasks import import_shards as importing

_DEFAULTS = CutOptions()


@flow(name="cut-chips", flow_run_name="{region}")
def cut_chips(store: str, region: str, years: list[int], labels: str, out: str, options: CutOptions = _DEFAULTS) -> ChipCounts:
    """Cut chips of a region and some years under the split that all stages share."""
    return cutting.cut_chips(store, region, years, labels, out, options)


@flow(name="import-shards")
def import_shards(shards: str, out: str) -> ChipCounts:
    """Convert CryoSentinel's chip archive."""
    return importing.import_shards(shards, out)
