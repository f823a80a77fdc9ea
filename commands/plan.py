"""`cryoatlas plan`: what a run would read, keep and take; runs nothing but, when asked, a short measurement."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from catalog.facts.errors import WrongCall
from catalog.facts.options import DEFAULT_MODELS, SearchOptions
from catalog.facts.plans import plan_of
from catalog.facts.records import Target
from catalog.facts.regions import Region
from catalog.facts.run_records import Prices
from catalog.facts.territory import territory_of
from catalog.facts.unit_costs import ModelCost
from catalog.facts.year_plans import Known, Means, YearPlan
from catalog.stores.calibrations import calibrated_from, known_from, read_calibration, write_calibration
from catalog.stores.candidates import find_candidates
from catalog.stores.garbage import nothing_thrown_away
from catalog.stores.regions import family_of, find_region
from catalog.stores.store import open_store
from commands.calibration import measure_here
from commands.console import say, show_json, show_table
from commands.parse import years_of
from infra.settings import calibration_file, read_settings

_MOST = 1e9
"""Of a price or a bandwidth: more is a slip of the pen, and infinity makes every sum of it meaningless."""


def plan(  # noqa: PLR0913 - the options of a command are its form
    region: Annotated[str | None, typer.Option(help="A name of `cryoatlas regions list`, a GeoJSON file, or W,S,E,N.")] = None,
    years: Annotated[str | None, typer.Option(help="One year or a span, for example 2018-2023.")] = None,
    catalog: Annotated[str | None, typer.Option(help="As for `cryoatlas run`.")] = None,
    *,
    model: Annotated[str | None, typer.Option(help="As for `cryoatlas run`; decides the model hours.")] = None,
    store: Annotated[str | None, typer.Option(help="A store whose earlier years tell heights, glaciers and clouds of the region.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Tiles at a time; decides the wall time. Default: CRYOATLAS_WORKERS.")] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="The model runs on a GPU; needs a calibration made on one.")] = False,
    line_mb_s: Annotated[
        float | None, typer.Option(min=0.001, max=_MOST, help="Megabytes per second that the line to the scenes gives.")
    ] = None,
    price_cpu_hour: Annotated[float | None, typer.Option(min=0, max=_MOST, help="Price of a CPU hour.")] = None,
    price_gpu_hour: Annotated[float | None, typer.Option(min=0, max=_MOST, help="Price of a GPU hour.")] = None,
    price_gb: Annotated[float | None, typer.Option(min=0, max=_MOST, help="Price of a stored gigabyte.")] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Measure what units of work cost on this machine; takes minutes.")] = False,
    from_store: Annotated[str | None, typer.Option(help="Calibrate by what the units of this store took instead.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Count tiles, scenes and holes, and estimate bytes, hours, storage and cost, from the catalog alone: no pixel is read.

    Example: cryoatlas plan --region ile_alatau --years 2021-2023 --catalog planetary-computer --workers 16

    Example: cryoatlas plan --calibrate
    """
    if calibrate and from_store is not None:
        raise WrongCall("--calibrate measures here, --from-store learns from a store: name one of them.")
    measuring = calibrate or from_store is not None
    asked = [option is not None for option in (region, years, catalog)]
    if not all(asked) and (any(asked) or not measuring):
        raise WrongCall("A plan needs --region, --years and --catalog; --calibrate and --from-store need none of them.")
    # what is wrong with a plan is told before minutes of measuring
    span = () if years is None else years_of(years)
    found = None if region is None else find_region(region)
    if measuring:
        _calibrate(from_store)
    if found is None or catalog is None:
        return
    costs, prices = read_calibration(calibration_file()), _prices(price_cpu_hour, price_gpu_hour)
    means = Means(model, costs, workers or read_settings().workers, gpu, line_mb_s, prices, price_gb)
    plans = _plans(found, span, catalog, means, known_from(None if store is None else open_store(store), found.name))
    if as_json:
        show_json([asdict(entry) | {"cpu_hours": entry.cpu_hours, "unit_costs": costs.origin} for entry in plans])
        return
    _show(plans, means, _origin(means, found.target))


def _prices(cpu_hour: float | None, gpu_hour: float | None) -> Prices:
    usual = read_settings().prices
    return Prices(usual.cpu_hour if cpu_hour is None else cpu_hour, usual.gpu_hour if gpu_hour is None else gpu_hour)


def _plans(region: Region, years: Sequence[int], catalog: str, means: Means, known: Known) -> list[YearPlan]:
    territory, options = territory_of(region, family_of(region)), SearchOptions()
    plans = []
    for year in years:
        candidates = find_candidates(catalog, region, year, options)
        with nothing_thrown_away():
            plans.append(plan_of(region, territory, year, candidates, options, means, known))
    return plans


def _calibrate(from_store: str | None) -> None:
    path = calibration_file()
    costs = measure_here() if from_store is None else calibrated_from(open_store(from_store))
    write_calibration(path, costs)
    rows = [
        ("surface, per tile", costs.tile_s),
        ("surface, per decoded GB", costs.gb_s),
        ("look, per scene and tile", costs.look_s),
        ("choice of scenes, per tile", costs.record_s),
        ("outlines of lakes, per tile", costs.outline_s),
        ("lake or slump: measured, inventoried", costs.feature_s),
        *((f"{name}, per window of {entry.window_px} px{_unless_measured(entry)}", entry.cpu_s) for name, entry in costs.models.items()),
        *((f"{name}, per window, GPU s", entry.gpu_s) for name, entry in costs.models.items() if entry.gpu_s is not None),
    ]
    about = {
        **costs.about,
        "bytes kept of a pixel": f"{costs.ground_bytes_per_px:.1f}, {costs.optical_bytes_per_px:.1f} more where observed",
        "wall per CPU second": f"{costs.wall_share:.2f}",
        **({} if costs.disk_mb_s is None else {"disk": f"{costs.disk_mb_s:.0f} MB/s"}),
    }
    caption = f"{costs.origin}; {'; '.join(f'{key} {value}' for key, value in about.items())}. Kept in {path}."
    show_table("CPU seconds of a unit of work", ("unit", "CPU s"), rows, caption=caption)


def _unless_measured(model: ModelCost) -> str:
    return "" if model.sha256 else " (not measured: shipped)"


def _origin(means: Means, target: Target) -> str:
    """Where unit costs come from, and whether the model was among what was measured."""
    usual, origin = DEFAULT_MODELS[target], f"Unit costs: {means.costs.origin}."
    if means.model is None or means.model in means.costs.models:
        return origin
    return f"{origin} Nothing was measured of {means.model}: its windows are taken to be and to cost what those of {usual} do."


def _show(plans: list[YearPlan], means: Means, origin: str) -> None:
    rows: list[tuple[object, ...]] = [
        ("tiles", *(p.tiles for p in plans)),
        ("skipped, as far as is known", *(p.skipped for p in plans)),
        ("tiles without a clear scene", *(len(p.holes) for p in plans)),
        ("optical looks per tile", *(p.optical_per_tile for p in plans)),
        ("radar looks per tile", *(p.radar_per_tile for p in plans)),
        ("ground seen between clouds, %", *(round(100 * p.observed_share) for p in plans)),
        ("GB decoded", *(p.read_gb for p in plans)),
        ("GB that travel", *(p.travel_gb for p in plans)),
        ("GB stored", *(p.stored_gb for p in plans)),
        ("CPU hours without the model", *(p.surface_hours for p in plans)),
        ("model, GPU hours" if means.gpu else "model, CPU hours", *(p.gpu_hours or p.model_hours for p in plans)),
        (f"wall hours, {means.workers} workers", *(p.wall_hours for p in plans)),
    ]
    if plans[0].cost is not None:
        rows.append(("cost", *(p.cost for p in plans)))
    show_table(f"Plan for {plans[0].region}", ("", *(str(p.year) for p in plans)), rows, caption=origin)
    for entry in plans:
        if entry.holes:
            shown = ", ".join(entry.holes[:8]) + (" ..." if len(entry.holes) > 8 else "")
            say(f"{entry.year}: no optical scene that is clear enough over {len(entry.holes)} tiles: {shown}")
