"""A run that ends with the surfaces, and the run that goes on from there."""

from pathlib import Path

import pytest

from catalog.facts.options import MapOptions
from catalog.stores.store import open_store
from flows.annual import annual
from simulator.make import make
from tests.small_world import SMALLEST, World

YEAR = 2021


@pytest.fixture(scope="module")
def smallest(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("smallest")
    make(SMALLEST, [YEAR], root)
    return World(root)


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_a_run_until_the_surface_leaves_cubes_and_the_next_run_goes_on(smallest: World, tmp_path: Path) -> None:
    location = str(tmp_path / "store")
    (first,) = annual([smallest.region], [YEAR], smallest.catalog, location, options=MapOptions(until="surface"), model="indices")
    store = open_store(location)
    assert [stage.stage for stage in first.stages] == ["look", "scenes", "surface"]
    assert not first.failures
    assert any(store.root.glob("cubes/**/s2/**/c/*"))
    assert not store.inventory("lakes", first.job.region, YEAR).exists()

    (second,) = annual([smallest.region], [YEAR], smallest.catalog, location, model="indices")
    written = {stage.stage: stage.written for stage in second.stages}
    assert written["surface"] == 0
    assert written["segment"] > 0
    assert store.inventory("lakes", first.job.region, YEAR).exists()
