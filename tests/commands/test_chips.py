"""From a mapped world to training chips, as a user does it."""

import json
from pathlib import Path

import numpy as np
import pytest

from catalog.stores.chips import open_chips
from simulator.make import make
from tests.small_world import SMALLEST, World

YEAR = 2021


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    root = tmp_path_factory.mktemp("world")
    make(SMALLEST, [YEAR], root)
    return World(root)


@pytest.fixture(scope="module")
def store(world, prefect_server, tmp_path_factory) -> Path:
    from catalog.facts.options import MapOptions  # noqa: PLC0415
    from commands.running import run_annual  # noqa: PLC0415 - Prefect reads the environment when it is imported

    root = tmp_path_factory.mktemp("store")
    run_annual([world.region], [YEAR], world.catalog, str(root), "indices", MapOptions(), None)
    return root


def call(world: World, store: Path, out: Path, *more: object) -> list[object]:
    labels = world.root / "truth" / "lakes" / "year={year}.parquet"
    region = next((store / "regions").glob("*.geojson")).stem
    return ["chips", "cut", "--store", store, "--region", region, "--years", YEAR, "--labels", labels, "--out", out, *more]


def test_a_mapped_world_becomes_chips_and_a_table_of_them(cryoatlas, world, store, tmp_path):
    said = cryoatlas(*call(world, store, tmp_path / "set", "--split", "train", "--ground", "world-1", "--json"))
    assert said.code == 0, said.err
    counts = json.loads(said.out)
    found = open_chips(tmp_path / "set")
    assert counts["by_split"] == {"train": len(found)}
    assert counts["chips"] == len(found) >= 1
    batch = found.read(np.arange(len(found)))
    full = found.table["valid_share"].to_numpy() == 1
    assert full.any()
    assert batch.s2[full].any(axis=(0, 2, 3)).all(), "all twelve bands"
    assert np.isfinite(batch.dem[full]).mean() > 0.9
    truth = world.truth(YEAR)
    assert set(found.labels["lake_id"]) <= set(truth["id"])
    wet = found.table[found.table["lakes"] > 0]
    assert len(wet)
    assert set(wet["classes"].explode()) <= set(truth["class"])
    shown = cryoatlas("chips", "show", tmp_path / "set")
    assert shown.code == 0
    assert "train" in shown.out
    rows = json.loads(cryoatlas("chips", "show", tmp_path / "set", "--json").out)["counts"]
    assert sum(row["chips"] for row in rows) == len(found)
    assert sum(row["wet"] + row["dry"] for row in rows) == len(found)


def test_wrong_calls_exit_2_with_one_sentence(cryoatlas, world, store, tmp_path):
    again = call(world, store, tmp_path / "set", "--split", "val", "--ground", "world-1")
    assert cryoatlas(*again).code == 0
    said = cryoatlas(*again)
    assert said.code == 2
    assert "already holds a set" in said.err
    said = cryoatlas("chips", "show", tmp_path)
    assert said.code == 2
    assert "no set of chips here" in said.err
    said = cryoatlas("chips", "import", "--shards", tmp_path, "--out", tmp_path / "other")
    assert said.code == 2
    assert "none here" in said.err


@pytest.mark.parametrize("command", ["cut", "import", "show"])
def test_every_command_has_help_with_an_example(cryoatlas, command):
    said = cryoatlas("chips", command, "--help")
    assert said.code == 0
    assert "Example: cryoatlas chips" in said.out
