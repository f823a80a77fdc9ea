"""Edits to inventories and tracks: the last stage of each year again, and nothing before it."""

from prefect import flow

from catalog.facts.options import MapOptions
from catalog.facts.records import Job, RegionYearReport, Target
from flows.forms import Year
from flows.track_region import track_region
from tasks.write_inventory import write_inventory
from tasks.write_slumps import write_slumps

_DEFAULTS = MapOptions()


@flow(name="apply-edits", flow_run_name="{region}-{target}")
def apply_edits(
    region: str, store: str, years: list[Year], target: Target = "lakes", options: MapOptions = _DEFAULTS
) -> tuple[RegionYearReport, ...]:
    """Write the inventories whose edits changed, in ascending order, and track the region. Years that are current are left as they are.

    Args:
        region: Its name in the store.
        store: Folder or address of the store.
        years: Years whose inventories are written again if their edits changed.
        target: lakes or slumps, as the region was mapped.
        options: What counts as a scene, a surface, a feature; only what tells how features are followed matters here.
    """
    tracking, reports = options.tracking(target), []
    for year in sorted(years):
        job = Job(region, year, target, store)
        stage = write_inventory(job, tracking) if target == "lakes" else write_slumps(job, None, options.slumps, tracking)
        reports.append(RegionYearReport(job, (stage,)))
    track_region(region, store, target, options)
    return tuple(reports)
