"""The tables of docs/scale.md: one year of all bundled regions, from their territories and the unit costs in force, as Markdown.

    python -m benchmarks.scale_tables [--shipped] [--gpu-windows-per-s lakes-tiny=400] [--price-cpu-hour 0.04] [--price-gb 0.02] ...

Tiles, chips and windows are exact: they are counted on the territories. What a season gives (`--optical`, `--radar`: looks per tile that are
used, one in five more is looked at and refused) is assumed, and so is that all ground is mapped and seen. The sum is that of `plan`. Unit
costs are those of CRYOATLAS_CALIBRATION, or with `--shipped` those that come with the program.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from catalog.facts.expected_looks import ExpectedLooks
from catalog.facts.model_windows import windows_over
from catalog.facts.options import DEFAULT_MODELS
from catalog.facts.plans import COMPRESSION, Sums, count, priced
from catalog.facts.regions import Region
from catalog.facts.run_records import Prices
from catalog.facts.territory import Territory, territory_of
from catalog.facts.unit_costs import SHIPPED, UnitCosts
from catalog.facts.year_plans import FEATURES_PER_MPX, Means, YearPlan
from catalog.stores.calibrations import read_calibration
from catalog.stores.regions import all_regions, family_of
from infra.settings import calibration_file

FAMILIES: Final = {"hma": "High Mountain Asia", "arctic": "Arctic"}
WORKERS: Final = (2, 8, 64)
LINES_MB_S: Final = (1000, 100, 10)
LOOKED_AT: Final = 1.2
"""Optical scenes looked at per one that is used."""
YEAR: Final = 2023


@dataclass(frozen=True)
class Season:
    """Looks per tile."""

    optical: int
    radar: int


SEASONS: Final = {"hma": Season(15, 8), "arctic": Season(20, 8)}
"""A summer at 30 to 45 N after refusing clouds; in the Arctic orbits overlap, up to the limit of 20 scenes."""


def sums_of(territory: Territory, season: Season, window_px: int, stride_px: int) -> Sums:
    """Count a territory as a plan would, were every tile seen in a season's looks."""
    sums = Sums()
    for zone in territory.zones:
        mapped = {tile: zone.chip_mask(tile) for tile in zone.tiles}
        for tile, chips in mapped.items():
            count(sums, tile, chips, ExpectedLooks(season.optical, season.radar, 1.0))
        sums.windows += windows_over(mapped, window_px, stride_px)
    sums.looks = round(LOOKED_AT * sums.optical)
    return sums


def plans_of(region: Region, season: Season, model: str, means: Means) -> tuple[YearPlan, ...]:
    """One plan per number of workers."""
    cost = means.costs.models[model]
    sums = sums_of(territory_of(region, family_of(region)), season, cost.window_px, cost.stride_px)
    return tuple(priced(region, YEAR, sums, replace(means, workers=workers), cost, FEATURES_PER_MPX) for workers in WORKERS)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


def amount(value: float) -> str:
    """Two or three digits, whole from ten on."""
    return f"{value:,.0f}".replace(",", " ") if value >= 9.95 else f"{value:.2g}"


def territory_table(regions: Sequence[Region]) -> str:
    """Tiles and ground."""
    rows, all_tiles, all_owned, all_px = [], 0, 0, 0.0
    for region in regions:
        territory = territory_of(region, family_of(region))
        sums = sums_of(territory, Season(0, 0), 1120, 896)
        rows.append((region.name, amount(len(territory.tiles)), amount(len(territory.owned)), amount(sums.ground_px / 1e6)))
        all_tiles, all_owned, all_px = all_tiles + len(territory.tiles), all_owned + len(territory.owned), all_px + sums.ground_px
    rows.append(("**all**", f"**{amount(all_tiles)}**", amount(all_owned), amount(all_px / 1e6)))
    return markdown(("region", "tiles", "of these its own", "Mpx mapped"), rows)


def year_row(name: str, plans: Sequence[YearPlan], model: str) -> tuple[str, ...]:
    """What one year of some regions takes."""
    tiles = sum(plan.tiles for plan in plans)
    looks = sum((plan.optical_per_tile + plan.radar_per_tile) * plan.tiles for plan in plans)
    gpu = [plan.gpu_hours for plan in plans if plan.gpu_hours is not None]
    cells = [name, model, amount(tiles), amount(looks), amount(sum(plan.read_gb for plan in plans) / 1e3)]
    cells += [amount(sum(plan.travel_gb for plan in plans) / 1e3), amount(sum(plan.stored_gb for plan in plans) / 1e3)]
    cells += [amount(sum(plan.surface_hours for plan in plans)), amount(sum(plan.model_hours for plan in plans))]
    cells.append(amount(sum(gpu)) if gpu else "not measured")
    costs = [plan.cost for plan in plans if plan.cost is not None]
    return (*cells, amount(sum(costs))) if costs else tuple(cells)


def wall_rows(name: str, plans: Sequence[tuple[YearPlan, ...]], model: str) -> Iterable[tuple[str, ...]]:
    """Hours of a whole family: regions one after another in one run, or side by side on a pool, of which the largest is the last to end."""
    line_hours = [sum(found[0].travel_gb for found in plans) * 1e3 / line / 3600 for line in LINES_MB_S]
    for number, workers in enumerate(WORKERS):
        in_turn = sum(found[number].wall_hours for found in plans)
        shared = sum(found[number].cpu_hours + (found[number].gpu_hours or 0.0) for found in plans) / workers
        beside = max(shared, *(found[-1].wall_hours for found in plans))
        shown = [amount(max(beside, hours)) + (" (line)" if hours > beside else "") for hours in line_hours]
        yield name, model, str(workers), amount(in_turn), amount(beside), *shown


def with_gpu(costs: UnitCosts, rates: Sequence[tuple[str, float]]) -> UnitCosts:
    """Take a GPU's windows per second as told."""
    return replace(costs, models={**costs.models, **{name: replace(costs.models[name], gpu_s=1 / rate) for name, rate in rates}})


def report(costs: UnitCosts, means: Means, seasons: dict[str, Season], models: dict[str, tuple[str, ...]]) -> None:
    """Print all tables."""
    names = [
        "",
        "model",
        "tiles",
        "looks at tiles",
        "TB decoded",
        "TB that travel",
        "TB stored",
        "CPU h without the model",
        "CPU h model",
        "GPU h",
    ]
    years, walls = [], []
    for family, title in FAMILIES.items():
        regions = [region for region in all_regions() if region.family == family]
        print(f"### {title}\n\n{territory_table(regions)}\n", flush=True)
        for model in models[family]:
            gpu = costs.models[model].gpu_s is not None
            plans = [plans_of(region, seasons[family], model, replace(means, gpu=gpu)) for region in regions]
            if model == models[family][0]:
                years += [year_row(region.name, found[:1], model) for region, found in zip(regions, plans, strict=True)]
            years.append(year_row(f"**{title}**", [found[0] for found in plans], model))
            walls += wall_rows(title, plans, model)
    priced_too = any(price is not None for price in (means.prices.cpu_hour, means.prices.gpu_hour, means.gb_price))
    print(f"### One year\n\n{markdown([*names, 'cost'] if priced_too else names, years)}\n")
    lines = [f"at {line} MB/s" for line in LINES_MB_S]
    print(f"### Wall hours\n\n{markdown(['', 'model', 'workers', 'regions in turn', 'side by side', *lines], walls)}")


def rate_of(text: str) -> tuple[str, float]:
    """Read `lakes-tiny=400`."""
    name, _, rate = text.partition("=")
    if name not in SHIPPED.models or not float(rate) > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not MODEL=WINDOWS with one of {', '.join(SHIPPED.models)}")
    return name, float(rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shipped", action="store_true", help="unit costs that come with the program, whatever was calibrated")
    parser.add_argument("--optical", type=int, help="optical looks per tile; default 15 in High Mountain Asia, 20 in the Arctic")
    parser.add_argument("--radar", type=int, help="radar looks per tile; default 8")
    parser.add_argument("--gpu-windows-per-s", type=rate_of, action="append", default=[], metavar="MODEL=RATE")
    for price in ("cpu-hour", "gpu-hour", "gb"):
        parser.add_argument(f"--price-{price}", type=float)
    call = parser.parse_args()
    costs = with_gpu(SHIPPED if call.shipped else read_calibration(calibration_file()), call.gpu_windows_per_s)
    means = Means(costs=costs, prices=Prices(call.price_cpu_hour, call.price_gpu_hour), gb_price=call.price_gb)
    seasons = {
        family: Season(call.optical if call.optical is not None else season.optical, call.radar if call.radar is not None else season.radar)
        for family, season in SEASONS.items()
    }
    print(f"Unit costs: {costs.origin}; looks per tile: {seasons}; decoded bytes per byte that travels: {COMPRESSION}.\n")
    report(costs, means, seasons, {"hma": (DEFAULT_MODELS["lakes"], "indices"), "arctic": (DEFAULT_MODELS["slumps"],)})


if __name__ == "__main__":
    main()
