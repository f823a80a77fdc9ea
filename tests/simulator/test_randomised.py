"""Randomised worlds: unlike one another, the same for the same seed, and made once."""

from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from simulator.lakes import mountain_lakes
from simulator.look import PLAIN
from simulator.make import WORLDS, make, world_of
from simulator.many import make_many, seeds_of
from simulator.marks import marks_of
from simulator.mountains import mountains
from simulator.randomised import KINDS, name_of, randomised
from simulator.spectra import MATERIALS
from simulator.terrain import mountain_relief
from simulator.tundra import tundra_features
from simulator.worlds import ARCTIC, HMA

SEEDS = range(900, 903)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_names_one_world(kind: str) -> None:
    worlds = [randomised(seed, kind) for seed in SEEDS]
    assert len({world.name for world in worlds}) == len({world.corner for world in worlds}) == len(SEEDS)
    assert worlds == [randomised(seed, kind) for seed in SEEDS]
    assert len({world.look for world in worlds}) == len(SEEDS)


def test_valleys_and_lakes_lie_elsewhere_in_every_world() -> None:
    worlds = [randomised(seed, "mountains") for seed in SEEDS]
    for first, second in pairwise(worlds):
        fields = [np.minimum.reduce(list(mountain_relief(world, 1).distance.values())) < 400 for world in (first, second)]
        # two independent masks of share p overlap in about p of each; the named worlds overlap in all of it
        assert (fields[0] & fields[1]).sum() < 0.75 * min(field.sum() for field in fields)


def test_lakes_span_three_orders_of_size_and_carry_their_own_colour() -> None:
    areas, tints = [], set()
    for seed in SEEDS:
        lakes = mountain_lakes(randomised(seed, "mountains"), seed).features
        areas += [feature.blob.area_m2 / 1e4 for feature in lakes]
        tints |= {feature.tint for feature in lakes}
    assert min(areas) < 0.2
    assert max(areas) > 30
    assert len(tints) == len(areas)


def test_scripted_lakes_keep_clear_of_one_another() -> None:
    for seed in SEEDS:
        shapes = [shape for _, shape in mountain_lakes(randomised(seed, "mountains"), seed).envelopes()]
        overlap = sum(a.intersection(b).area for number, a in enumerate(shapes) for b in shapes[number + 1 :])
        assert overlap < 0.01 * sum(shape.area for shape in shapes)


def test_marks_keep_clear_of_lakes_and_dry_beds_are_level() -> None:
    seed = next(seed for seed in range(900, 930) if dict(randomised(seed, "mountains").lakescape.marks)["dry_bed"] > 2)
    world = randomised(seed, "mountains")
    scenery = mountains(world, seed)
    lakes = [shape for _, shape in scenery.lakes.envelopes()]
    marks = marks_of(world, seed, lakes)
    assert marks == scenery.marks
    assert min(mark.distance(lake) for _, mark in marks for lake in lakes) >= 49
    bed = max((shape for kind, shape in marks if kind == "dry_bed"), key=lambda shape: shape.area)
    column, row = int((bed.centroid.x - world.base.left) / 10), int((world.base.top - bed.centroid.y) / 10)
    assert np.ptp(scenery.elevation[row - 1 : row + 2, column - 1 : column + 2]) == 0


def test_turned_land_finds_its_way_back() -> None:
    land = randomised(900, "mountains").land
    there = land.to_corner(np.array([100.0, -700.0]), np.array([2000.0, 3.0]))
    back = land.to_local(*there)
    assert np.allclose(back, [[100.0, -700.0], [2000.0, 3.0]], atol=1e-6)


def test_the_named_worlds_are_plain() -> None:
    for world in (HMA, ARCTIC):
        assert world.look == PLAIN
        assert world.lakescape is None
    assert all(PLAIN.layers(name) is not None and (PLAIN.layers(name) == MATERIALS[name].layers).all() for name in MATERIALS)
    assert all(feature.tint == () for feature in mountain_lakes(HMA, 7).features)
    assert all(feature.tint == () and not feature.freezes for feature in tundra_features(ARCTIC, 7)[0].features)


def test_worlds_are_known_by_name() -> None:
    assert {"randomised-mountains", "randomised-tundra"} < set(WORLDS)
    assert world_of("randomised-tundra", 12).name == "randomised-tundra-0012"
    with pytest.raises(ValueError, match="randomised-mountains"):
        world_of("randomised-desert", 12)


@pytest.mark.slow
def test_many_makes_a_world_once_and_the_same_as_alone(tmp_path: Path) -> None:
    assert list(seeds_of("7-9")) == [7, 8, 9]
    assert make_many("tundra", seeds_of("901"), [2019], tmp_path, workers=1) == [name_of("tundra", 901)]
    truth = tmp_path / name_of("tundra", 901) / "truth" / "lakes" / "year=2019.parquet"
    before = truth.stat().st_mtime_ns
    assert make_many("tundra", seeds_of("901"), [2019], tmp_path, workers=1) == []
    assert truth.stat().st_mtime_ns == before
    make(randomised(901, "tundra"), [2019], tmp_path / "alone", seed=901, workers=1)
    assert (tmp_path / "alone" / "truth" / "lakes" / "year=2019.parquet").read_bytes() == truth.read_bytes()
    assert len(gpd.read_parquet(truth)) > 3


def test_slump_worlds_hold_small_and_large_slumps_wet_and_dry_and_what_resembles_them() -> None:
    worlds = [randomised(seed, "slumps") for seed in SEEDS]
    slumps = [feature for world, seed in zip(worlds, SEEDS, strict=True) for feature in tundra_features(world, seed)[1].features]
    hectares, floors = [feature.blob.area_m2 / 1e4 for feature in slumps], [feature.tint[0] for feature in slumps]
    assert {world.target for world in worlds} == {"slumps"}
    assert min(hectares) < 0.25
    assert max(hectares) > 2
    assert min(floors) < 0.7
    assert max(floors) > 0.9
    assert {kind for world in worlds for kind, count in world.lakescape.marks if count} > {"bare_patch", "river_bar"}


def test_wet_floors_lose_more_light_in_the_infrared() -> None:
    world = randomised(SEEDS[0], "slumps")
    wet = min((feature.tint for feature in tundra_features(world, SEEDS[0])[1].features), key=lambda tint: tint[0])
    assert wet[0] > wet[7] > wet[11]


def test_named_and_tundra_worlds_keep_dry_floors() -> None:
    for world in (ARCTIC, randomised(SEEDS[0], "tundra")):
        assert all(feature.tint == () for feature in tundra_features(world, 7)[1].features)
