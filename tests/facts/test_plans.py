"""What a plan multiplies: windows, fits, and the sums of a small world."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from catalog.facts.candidates import Candidates
from catalog.facts.cost_fits import Measured, ModelWork, Work, costs_of, fitted, surface_costs
from catalog.facts.errors import WrongCall
from catalog.facts.grids import CHIP_PX, Tile
from catalog.facts.model_windows import windows_over
from catalog.facts.options import SearchOptions
from catalog.facts.plans import plan_of
from catalog.facts.records import Asset, Scene
from catalog.facts.regions import Region
from catalog.facts.run_records import Prices
from catalog.facts.scenes import Found
from catalog.facts.territory import territory_of
from catalog.facts.tile_ground import ground_of
from catalog.facts.unit_costs import SHIPPED, ModelCost, UnitCosts
from catalog.facts.year_plans import NOTHING_KNOWN, Known, Means, YearPlan

TILE = Tile(32643, 33, 219)


def counted_one_by_one(tiles: dict[Tile, np.ndarray], window_px: int, stride_px: int) -> int:
    """The same count, window by window, pixel by pixel of the first axis and the second."""
    found = set()
    for tile, chips in tiles.items():
        for row, column in np.argwhere(chips):
            top, left = tile.origin_yx_px[0] + row * CHIP_PX, tile.origin_yx_px[1] + column * CHIP_PX
            ys, xs = (range(-(-(start - window_px + 1) // stride_px), (start + CHIP_PX - 1) // stride_px + 1) for start in (top, left))
            found |= {(y, x) for y in ys for x in xs}
    return len(found)


@pytest.mark.parametrize(("window_px", "stride_px"), [(224, 192), (112, 56), (1120, 896)])
def test_windows_are_counted_once_however_tiles_lie(window_px: int, stride_px: int) -> None:
    chips = np.zeros((10, 10), bool)
    chips[2:5, 7:] = True
    tiles = {TILE: np.ones((10, 10), bool), Tile(32643, 35, 218): chips, Tile(32643, 34, 219): chips.T}
    assert windows_over(tiles, window_px, stride_px) == counted_one_by_one(tiles, window_px, stride_px)


def test_nothing_mapped_needs_no_window() -> None:
    assert windows_over({}, 224, 192) == 0
    assert windows_over({TILE: np.zeros((10, 10), bool)}, 224, 192) == 0


def test_a_fit_finds_what_a_unit_costs_once_and_what_its_amount_costs() -> None:
    work = [Work(2.6 + 5.8 * gigabytes, gigabytes) for gigabytes in (0.1, 0.4, 0.9, 1.3)]
    assert fitted(work) == pytest.approx((2.6, 5.8))


def test_equal_units_cannot_tell_the_two_apart() -> None:
    assert fitted([Work(4.0, 2.0), Work(4.2, 2.0), Work(3.8, 2.0)]) == pytest.approx((0.0, 2.0))


def test_a_fit_is_never_negative() -> None:
    assert min(fitted([Work(1.0, 1.0), Work(9.0, 2.0), Work(20.0, 3.0)])) >= 0
    assert min(fitted([Work(5.0, 1.0), Work(3.0, 2.0), Work(1.0, 3.0)])) >= 0


def test_small_ground_tells_how_slow_a_machine_is_and_large_ground_tells_more() -> None:
    noisy = [Work(seconds, 0.05) for seconds in (3.0, 9.0)] + [Work(seconds, 0.06) for seconds in (8.0, 4.0)]
    tile_s, gb_s = surface_costs(noisy, SHIPPED)
    assert tile_s / gb_s == pytest.approx(SHIPPED.tile_s / SHIPPED.gb_s)
    assert sum(tile_s + gb_s * work.amount for work in noisy) == pytest.approx(24.0)
    full = [Work(1.0 + 3.0 * gigabytes, gigabytes) for gigabytes in (0.1, 0.6, 1.2, 1.5)]
    assert surface_costs(full, SHIPPED) == pytest.approx((1.0, 3.0))
    assert surface_costs((), SHIPPED) == (SHIPPED.tile_s, SHIPPED.gb_s)


def test_what_was_not_measured_keeps_the_shipped_figure() -> None:
    found = costs_of(Measured(), SHIPPED, origin="a test", about={})
    assert replace(found, origin=SHIPPED.origin) == replace(SHIPPED, models=dict(SHIPPED.models))
    windows = ModelWork("lakes-tiny", ModelCost(224, 192, 9.0), [Work(3.0, 4.0), Work(5.0, 4.0)])
    costs = costs_of(Measured(features=[Work(6.0, 10), Work(2.0, 30)], models=[windows]), SHIPPED, origin="a test", about={})
    assert (costs.models["lakes-tiny"].cpu_s, costs.feature_s, costs.tile_s) == (pytest.approx(1.0), pytest.approx(0.2), SHIPPED.tile_s)


def test_a_calibration_is_read_back_as_it_was_written() -> None:
    assert UnitCosts.from_json(SHIPPED.to_json(), "here") == replace(SHIPPED, models=dict(SHIPPED.models))
    with pytest.raises(WrongCall, match=r"calibration\.json is not a calibration"):
        UnitCosts.from_json(b"{}", "calibration.json")


@pytest.mark.parametrize("wrong", ['"soon"', "-1.0", "NaN", "Infinity", "null"])
def test_a_calibration_with_what_is_no_amount_is_refused(wrong: str) -> None:
    content = SHIPPED.to_json().decode().replace(f'"tile_s": {SHIPPED.tile_s}', f'"tile_s": {wrong}')
    with pytest.raises(WrongCall, match="tile_s is"):
        UnitCosts.from_json(content.encode(), "calibration.json")


INLAND = Tile(32643, 22, 213)
"""Far from the seams of its zone."""
SQUARE = Region("square", "One tile", "lakes", "user", ground_of(INLAND).buffer(-0.001).wkt)


def optical(day: int, cloud_percent: float) -> Found:
    acquired = datetime(2023, 8, 1, 5, tzinfo=UTC) + timedelta(days=day)
    scene = Scene(f"s2-{day}", "s2", "static", "sentinel-2-l2a", acquired, {"B03": Asset("b", 32643)}, ground_of(INLAND).buffer(1).wkt)
    return Found(replace(scene, cloud_percent=cloud_percent, acquisition_key=f"43TGH/{day}"), {})


def planned(region: Region, *scenes: Found, means: Means | None = None, known: Known = NOTHING_KNOWN) -> YearPlan:
    return plan_of(region, territory_of(region, (region,)), 2023, Candidates(scenes), SearchOptions(), means, known)


def test_a_season_of_clouds_is_planned_as_one() -> None:
    slumps = replace(SQUARE, target="slumps")
    good, poor = (planned(slumps, *(optical(day, cloud) for day, cloud in enumerate(clouds))) for clouds in ((5, 10, 20, 8), (50, 70)))
    assert (good.optical_per_tile, poor.optical_per_tile) == (4, 1), "a scene cloudier than a tile may be is not reckoned with"
    assert good.observed_share > 0.97
    assert poor.observed_share == pytest.approx(0.25, abs=0.01)
    assert poor.windows == pytest.approx(0.25 * good.windows, rel=0.05), "the detector passes over windows that show too little"
    assert poor.stored_gb < good.stored_gb / 1.5
    assert poor.read_gb < good.read_gb / 2


def test_a_segmenter_looks_at_clouded_ground_too() -> None:
    clear, clouded = (planned(SQUARE, optical(0, cloud)) for cloud in (0, 50))
    assert clear.windows == clouded.windows > 0


def test_a_tile_without_a_clear_scene_is_a_hole() -> None:
    assert planned(SQUARE, optical(0, 75)).holes == planned(SQUARE).holes == (INLAND.id,)
    assert planned(SQUARE, optical(0, 55)).holes == ()


def test_hours_bytes_and_money_are_what_the_unit_costs_say() -> None:
    costs = replace(
        SHIPPED, look_s=1, tile_s=100, gb_s=0, outline_s=10, record_s=1000, feature_s=0, models={"lakes-tiny": ModelCost(224, 192, 2)}
    )
    plan = planned(SQUARE, optical(0, 0), optical(9, 0), means=Means(costs=costs, workers=4, prices=Prices(3.6), gb_price=1))
    assert plan.surface_hours * 3600 == pytest.approx(2 * 1 + 100 + 10 + 1000)
    assert plan.model_hours * 3600 == pytest.approx(2 * plan.windows)
    assert plan.wall_hours * 3600 == pytest.approx(112 / 4 + 1000 + 2 * plan.windows), "only tiles spread over workers"
    assert plan.cost == pytest.approx(3.6 * plan.cpu_hours + plan.stored_gb)
    slow = planned(SQUARE, optical(0, 0), means=Means(costs=costs, line_mb_s=0.001))
    assert slow.wall_hours * 3600 == pytest.approx(slow.travel_gb * 1e6)


def test_a_gpu_of_which_nothing_was_measured_is_not_planned_with() -> None:
    with pytest.raises(WrongCall, match=r"lakes-tiny on a GPU.*without --gpu"):
        planned(SQUARE, optical(0, 0), means=Means(gpu=True))
    costs = replace(SHIPPED, models={"lakes-tiny": ModelCost(224, 192, 2, gpu_s=0.5)})
    found = planned(SQUARE, optical(0, 0), means=Means(gpu=True, costs=costs))
    assert (found.model_hours, found.gpu_hours) == (0, pytest.approx(0.5 * found.windows / 3600))


def test_what_is_known_of_the_ground_changes_a_plan() -> None:
    usual, dense = (planned(SQUARE, optical(0, 0), known=known) for known in (NOTHING_KNOWN, Known(features_per_mpx=100, kept_share=0.5)))
    assert dense.surface_hours > usual.surface_hours
    assert dense.optical_per_tile == 0.5
    low = replace(SQUARE, elevation_floor_m=1000.0)
    assert planned(low, optical(0, 0), known=Known({INLAND.id: 200.0})).skipped == 1
