"""Inventories of all years of a region to tracks and events."""

from prefect import flow

from catalog.facts.options import MapOptions
from catalog.facts.records import StageReport, Target
from tasks.track_features import track_features
from tasks.track_outlines import track_outlines

_DEFAULTS = MapOptions()


@flow(name="track-region", flow_run_name="{region}-{target}")
def track_region(region: str, store: str, target: Target = "lakes", options: MapOptions = _DEFAULTS) -> StageReport:
    """Follow every feature of a region through the years that the store holds.

    Args:
        region: Its name in the store.
        store: Folder or address of the store.
        target: lakes or slumps, as the region was mapped.
        options: What counts as a scene, a surface, a feature; only what tells how features are followed matters here.
    """
    return track_features(region, target, store, options.tracking(target))


@flow(name="track-inventories", flow_run_name="{region}")
def track_inventories(region: str, pattern: str, store: str, target: Target = "lakes", options: MapOptions = _DEFAULTS) -> StageReport:
    """Follow the features of inventories of others: vector files with the year in their name, or one with a column of years."""
    return track_outlines(region, pattern, store, options.tracking(target), target)
