"""Region and year to an inventory of features: the main road."""

from pathlib import Path

from prefect import flow, runtime

from catalog.facts.options import MapOptions
from catalog.facts.pools import TilePool
from catalog.facts.records import Job, RegionYearReport, StageReport
from infra.cluster import open_cluster
from infra.settings import read_settings
from tasks.build_surfaces import build_surfaces
from tasks.check_model import check_model
from tasks.choose_scenes import choose_scenes
from tasks.count_region import count_region
from tasks.detect_region import detect_region
from tasks.look_at_scenes import look_at_scenes
from tasks.measure_features import measure_features
from tasks.merge_instances import merge_instances
from tasks.open_job import open_job
from tasks.outline_tiles import outline_tiles
from tasks.search_scenes import search_scenes
from tasks.segment_region import segment_region
from tasks.write_inventory import write_inventory
from tasks.write_slumps import write_slumps

_DEFAULTS = MapOptions()


def _run_name() -> str:
    parameters = runtime.flow_run.parameters
    return f"{Path(parameters['region']).stem}-{parameters['year']}"


@flow(name="map-region", flow_run_name=_run_name)
def map_region(  # noqa: PLR0913 - a deployment's parameters are its form
    region: str,
    year: int,
    catalog: str,
    store: str,
    model: str | None = None,
    options: MapOptions = _DEFAULTS,
    outlines: str | None = None,
) -> RegionYearReport:
    """Map one region in one year: scenes, surface, and then lakes or slumps, as the region asks.

    `region` is a bundled name, a GeoJSON file or a bounding box; `catalog` a provider, an address or a path;
    `model` a name or a reference to weights, by default that of the region's target; `outlines` a file of glacier outlines beyond
    whose buffer tiles are skipped. With `options.until` = `surface` the cubes are the end. Units that fail are in the report and in
    the ledger; the others are complete.
    """
    job, settings = open_job(region, year, store, outlines), read_settings()
    here = check_model(job, model, settings.weights) if options.until == "inventory" else ""
    candidates = search_scenes(job, catalog, options.search)
    with open_cluster(settings) as pool:
        surface = (
            look_at_scenes(job, candidates, pool),
            choose_scenes(job, candidates, options.search),
            build_surfaces(job, options.surface, pool),
        )
        if options.until == "surface":
            return RegionYearReport(job, surface)
        if job.target == "slumps":
            return RegionYearReport(job, (*surface, *_slumps(job, here, options, settings.device)))
        return RegionYearReport(job, (*surface, *_lakes(job, here, options, settings.device, pool)))


def _lakes(job: Job, model: str, options: MapOptions, device: str, pool: TilePool) -> tuple[StageReport, ...]:
    return (
        segment_region(job, model, device),
        outline_tiles(job, options.outline, pool),
        measure_features(job, options.outline),
        write_inventory(job, options.tracking(job.target)),
    )


def _slumps(job: Job, model: str, options: MapOptions, device: str) -> tuple[StageReport, ...]:
    return (
        detect_region(job, model, device),
        merge_instances(job, model, options.slumps),
        write_slumps(job, model, options.slumps, options.tracking(job.target)),
        count_region(job, model, options.slumps),
    )
