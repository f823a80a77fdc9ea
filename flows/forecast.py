"""What a run over a region-year would do and why, stage by stage in the order of the main road; no pixel is read."""

from collections.abc import Collection, Sequence

from catalog.facts.backfills import Order
from catalog.facts.forecasts import Forecast
from catalog.facts.options import MapOptions
from catalog.facts.records import Choice, Job, ModelIdentity, Unit
from infra.settings import read_settings
from tasks.build_surfaces import expect_surfaces
from tasks.check_model import check_model, identify_model
from tasks.choose_scenes import expect_choices
from tasks.count_region import expect_counts
from tasks.detect_region import expect_detections
from tasks.look_at_scenes import expect_looks
from tasks.measure_features import expect_features
from tasks.merge_instances import expect_merge
from tasks.outline_tiles import expect_outlines
from tasks.plan_backfill import job_of, open_forecast
from tasks.search_scenes import search_scenes
from tasks.segment_region import expect_segments
from tasks.write_inventory import expect_inventory
from tasks.write_slumps import expect_slumps

Chosen = dict[str, tuple[Choice, ...]]


def forecast_year(order: Order, store: str, forced: Collection[Unit], before: Sequence[Forecast], *, checksums: bool) -> Forecast:
    """Work out what a run would do; `before`: forecasts of earlier years of the region, on which later ones may rest."""
    job, options = job_of(store, order), order.request.options
    forecast = open_forecast(job, options.search, forced, checksums=checksums)
    candidates = search_scenes(job, order.request.catalog, options.search)
    expect_looks(job, candidates, options.search, forecast)
    chosen = expect_choices(job, candidates, options.search, forecast)
    expect_surfaces(job, chosen, options.surface, forecast)
    if options.until == "surface":
        return forecast
    here = check_model(job, order.request.model, read_settings().weights)
    if job.target == "slumps":
        _slumps(job, here, (chosen, options), forecast, before)
    else:
        _lakes(job, identify_model(job, here), (chosen, options), forecast)
    return forecast


def _lakes(job: Job, model: ModelIdentity, asked: tuple[Chosen, MapOptions], forecast: Forecast) -> None:
    chosen, options = asked
    expect_segments(job, model, forecast)
    expect_outlines(job, options.outline, forecast)
    expect_features(job, chosen, options.outline, forecast)
    expect_inventory(job, options.tracking(job.target), forecast)


def _slumps(job: Job, here: str, asked: tuple[Chosen, MapOptions], forecast: Forecast, before: Sequence[Forecast]) -> None:
    chosen, options = asked
    expect_detections(job, identify_model(job, here), forecast)
    expect_merge(job, here, chosen, options.slumps, forecast)
    expect_slumps(job, here, (options.slumps, options.tracking(job.target)), forecast, before)
    expect_counts(job, here, options.slumps, forecast)
