"""The promise to operators: a server, `cryoatlas deploy`, a worker; and what was asked for is done."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.exceptions import PrefectHTTPStatusError

from catalog.stores.completeness import completeness_of
from catalog.stores.store import Store, open_store
from simulator.make import make
from tests.flows.prefect_site import Site, open_site
from tests.small_world import SMALLEST, World

HARMED = 2022
# the first test also waits for the session's world and store where no other test has made them yet
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with all deployments, and a worker that takes two runs at a time; none of them is left behind."""
    home = tmp_path_factory.mktemp("site")
    with open_site(home) as site:
        done = site.run("cryoatlas", "deploy", "--store", str(home / "store"), "--catalog", "stored")
        assert done.returncode == 0, done.stderr
        with site.running("worker", "prefect", "worker", "start", "--pool", "cpu", "--limit", "2", "--name", "one"):
            yield site
    assert site.left_behind() == []


def test_a_worker_finishes_a_backfill_and_wrong_parameters_are_refused(site: Site, mapped: Store, copied: Store, products) -> None:
    (region,) = (path.stem for path in (copied.root / "regions").glob("*.geojson"))
    for harmed in (copied.inventory("lakes", region, HARMED), next(copied.root.glob(f"outlines/lakes/{region}/{HARMED}/*.parquet"))):
        harmed.unlink()
    assert completeness_of(copied, region, HARMED).holes

    with pytest.raises(PrefectHTTPStatusError, match="409"):
        site.submit("backfill/backfill", {"store": str(copied.root), "years": ["last"]})
    with pytest.raises(PrefectHTTPStatusError, match="409"):
        site.submit("backfill/backfill", {"store": str(copied.root), "options": {"surface": {"water_vote_share": 60}}})
    run = site.submit("backfill/backfill", {"store": str(copied.root), "regions": [region], "reason": "two files were lost"})

    state = site.state_at_end(run)
    assert state.is_completed(), f"{state.message}\n{site.logs()}"
    assert [completeness_of(copied, region, year).holes for year in (HARMED - 1, HARMED)] == [(), ()]
    assert products(copied) == products(mapped)


def test_an_annual_run_gives_its_region_years_to_the_pool(site: Site, tmp_path: Path) -> None:
    make(SMALLEST, [2021, 2022], tmp_path / "world")
    world, store = World(tmp_path / "world"), str(tmp_path / "store")
    asked = {"regions": [world.region], "years": [2022, 2021], "catalog": world.catalog, "store": store, "model": "indices"}
    run = site.submit("annual/annual-hma", asked | {"deployment": "map-region/region-year"})

    state = site.state_at_end(run)
    assert state.is_completed(), f"{state.message}\n{site.logs()}"
    opened = open_store(store)
    (region,) = (path.stem for path in (opened.root / "regions").glob("*.geojson"))
    assert [completeness_of(opened, region, year).holes for year in (2021, 2022)] == [(), ()]
    assert opened.tracks("lakes", region, "tracks").is_file()
    with site.client() as client:
        children = [child for child in client.read_flow_runs() if "region-year" in child.tags]
    first, second = sorted(children, key=lambda child: child.start_time)
    assert [first.parameters["year"], second.parameters["year"]] == [2021, 2022]
    assert first.end_time <= second.start_time, "names are given at first sight, so years of one region never run side by side"


def test_a_wrong_region_ends_a_run_with_our_sentence(site: Site, tmp_path: Path) -> None:
    asked = {"regions": ["karakorum"], "years": [2021], "catalog": "stored", "store": str(tmp_path / "store")}
    state = site.state_at_end(site.submit("annual/annual-hma", asked))
    assert state.is_failed()
    assert "did you mean 'karakoram'?" in str(state.message)
    assert not (tmp_path / "store").exists()
