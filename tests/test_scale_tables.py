"""The tables of docs/scale.md: the sum of a plan, without a catalog."""

import argparse
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.scale_tables import Season, amount, markdown, plans_of, rate_of, wall_rows, with_gpu, year_row
from catalog.facts.candidates import Candidates
from catalog.facts.grids import Tile
from catalog.facts.options import SearchOptions
from catalog.facts.plans import plan_of
from catalog.facts.records import Asset, Scene
from catalog.facts.regions import Region
from catalog.facts.scenes import Found
from catalog.facts.territory import territory_of
from catalog.facts.tile_ground import ground_of
from catalog.facts.unit_costs import SHIPPED
from catalog.facts.year_plans import Means

GROUND = ground_of(Tile(32643, 22, 213))
REGION = Region("square", "Four tiles", "lakes", "user", GROUND.buffer(0.05).wkt)


def clear(day: int, sensor: str) -> Found:
    acquired = datetime(2023, 8, 1, 5, tzinfo=UTC) + timedelta(days=day)
    name = f"{sensor}-{day}"
    scene = Scene(name, sensor, "static", "any", acquired, {"B03": Asset("b", 32643)}, GROUND.buffer(2).wkt)  # type: ignore[arg-type]
    orbit = "ascending" if sensor == "s1" else None
    return Found(replace(scene, cloud_percent=0.0, orbit_state=orbit, acquisition_key=f"43TGH/{name}"), {})


def test_the_tables_hold_what_a_plan_of_such_a_season_says() -> None:
    scenes = [clear(day, sensor) for sensor, days in (("s2", 5), ("s1", 3)) for day in range(days)]
    territory = territory_of(REGION, (REGION,))
    planned = plan_of(REGION, territory, 2023, Candidates(scenes), SearchOptions(), Means(workers=2))
    derived = plans_of(REGION, Season(5, 3), "lakes-tiny", Means())[0]
    for name in ("tiles", "optical_per_tile", "radar_per_tile", "read_gb", "stored_gb", "windows", "model_hours"):
        assert getattr(derived, name) == pytest.approx(getattr(planned, name)), name
    assert derived.surface_hours == pytest.approx(planned.surface_hours + planned.tiles * 0.2 * 5 * SHIPPED.look_s / 3600)


def test_the_line_and_the_largest_region_limit_what_workers_can_do() -> None:
    plans = [plans_of(REGION, Season(5, 3), "lakes-tiny", Means())] * 3
    rows = list(wall_rows("three", plans, "lakes-tiny"))
    two, many = rows[0], rows[-1]
    assert float(two[3]) > float(two[4]), "side by side is faster than in turn"
    assert float(many[4]) == pytest.approx(plans[0][-1].wall_hours, rel=0.1), "and never faster than one region"
    slow = [(replace(plan, travel_gb=1e6),) * 3 for (plan, *_) in plans]
    assert all("(line)" in cell for cell in next(iter(wall_rows("three", slow, "lakes-tiny")))[5:])


def test_a_gpu_is_told_only_where_its_rate_is() -> None:
    costs = with_gpu(SHIPPED, [rate_of("lakes-tiny=100")])
    plan = plans_of(REGION, Season(5, 3), "lakes-tiny", Means(costs=costs, gpu=True))[0]
    assert plan.gpu_hours == pytest.approx(plan.windows / 100 / 3600)
    assert year_row("x", [plan], "lakes-tiny")[-1] == amount(plan.windows / 360_000)
    assert year_row("x", [plans_of(REGION, Season(5, 3), "lakes-tiny", Means())[0]], "lakes-tiny")[-1] == "not measured"


@pytest.mark.parametrize("text", ["lakes=3", "lakes-tiny=0", "lakes-tiny=-4"])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="MODEL=WINDOWS"):
        rate_of(text)


def test_numbers_are_rounded_to_what_they_are_worth() -> None:
    assert [amount(value) for value in (15191, 12.4, 9.96, 0.0444)] == ["15 191", "12", "10", "0.044"]
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
