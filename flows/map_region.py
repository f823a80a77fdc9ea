"""Region and year to an inventory of features: the main road."""

from pathlib import Path

from prefect import flow, runtime

from catalog.facts.backfills import Request
from catalog.facts.devices import DeviceTerms
from catalog.facts.leases import WAIT_MINUTES
from catalog.facts.options import MapOptions
from catalog.facts.pools import TilePool
from catalog.facts.records import Job, RegionYearReport, StageReport
from flows.artifacts import progress_on_server
from flows.forms import Year
from flows.served import conclude
from infra.cluster import open_cluster
from infra.settings import Settings, read_settings
from tasks.build_surfaces import build_surfaces
from tasks.check_device import check_device
from tasks.check_model import check_model
from tasks.choose_scenes import choose_scenes
from tasks.count_region import count_region
from tasks.detect_region import detect_region
from tasks.keep_run_record import region_year_kept, run_kept
from tasks.look_at_scenes import look_at_scenes
from tasks.measure_features import measure_features
from tasks.merge_instances import merge_instances
from tasks.open_job import open_job, region_year_held
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
    year: Year,
    catalog: str,
    store: str,
    model: str | None = None,
    options: MapOptions = _DEFAULTS,
    outlines: str | None = None,
    wait_minutes: float = WAIT_MINUTES,
) -> RegionYearReport:
    """Map one region in one year: scenes, surface, and then lakes or slumps, as the region asks.

    Units that fail are in the report and in the ledger, the others are complete; a run of a deployment then raises UnitsFailed.

    Args:
        region: A bundled name as `cryoatlas regions list` shows it, a GeoJSON file, or W,S,E,N.
        year: Year whose season is mapped.
        catalog: planetary-computer, earth-search, cdse, a STAC API, a static catalog, stac-geoparquet, or stored.
        store: Folder or address that holds cubes, inventories and the ledger.
        model: A name of `cryoatlas models list`, or weights: a folder, hf://..., https://...; none: the default of the target.
        options: What counts as a scene, a surface, a feature; until surface: the cubes are the end.
        outlines: File of glacier outlines beyond whose buffer tiles are skipped.
        wait_minutes: How long to wait at the most while another run is at work on the region-year.
    """
    job, settings = open_job(region, year, store, outlines), read_settings()
    here = check_model(job, model, settings.weights) if options.until == "inventory" else ""
    check_device(settings.device)
    request = Request(catalog, model, options)
    with run_kept(store, settings.prices, region_years=1):
        with (
            region_year_kept(job) as kept,
            region_year_held(job, wait_minutes=wait_minutes, terms=settings.lease, request=request),
            progress_on_server(job.region, year),
        ):
            kept.report = _map(job, here, request, settings)
        return conclude([kept.report], f"{job.region} {year}")[0]


def _map(job: Job, here: str, request: Request, settings: Settings) -> RegionYearReport:
    options = request.options
    candidates = search_scenes(job, request.catalog, options.search)
    with open_cluster(settings) as pool:
        surface = (
            look_at_scenes(job, candidates, options.search, pool),
            choose_scenes(job, candidates, options.search),
            build_surfaces(job, options.surface, pool),
        )
        if options.until == "surface":
            return RegionYearReport(job, surface)
        if job.target == "slumps":
            return RegionYearReport(job, (*surface, *_slumps(job, here, options, settings.terms)))
        return RegionYearReport(job, (*surface, *_lakes(job, here, options, settings.terms, pool)))


def _lakes(job: Job, model: str, options: MapOptions, terms: DeviceTerms, pool: TilePool) -> tuple[StageReport, ...]:
    return (
        segment_region(job, model, terms),
        outline_tiles(job, options.outline, pool),
        measure_features(job, options.outline),
        write_inventory(job, options.tracking(job.target)),
    )


def _slumps(job: Job, model: str, options: MapOptions, terms: DeviceTerms) -> tuple[StageReport, ...]:
    return (
        detect_region(job, model, terms),
        merge_instances(job, model, options.slumps),
        write_slumps(job, model, options.slumps, options.tracking(job.target)),
        count_region(job, model, options.slumps),
    )
