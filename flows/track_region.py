"""Inventories of all years of a region to tracks and events."""

from prefect import flow

from catalog.facts.options import MapOptions
from catalog.facts.records import StageReport, Target
from tasks.track_features import track_features

_DEFAULTS = MapOptions()


@flow(name="track-region", flow_run_name="{region}-{target}")
def track_region(region: str, store: str, target: Target = "lakes", options: MapOptions = _DEFAULTS) -> StageReport:
    """Follow every feature of a region through the years that the store holds."""
    return track_features(region, target, store, options.track)
