"""The main road into a bucket: the same products as into a folder, byte for byte, and what a second run and an audit find there."""

import pytest

from catalog.stores.completeness import completeness_of
from catalog.stores.store import Store, open_store
from flows.annual import annual
from simulator.make import make
from tests.s3_server import BUCKET, s3_server
from tests.small_world import SMALLEST, World

pytestmark = pytest.mark.slow
REGION, YEAR = "demo_hma", 2021
# coverage tells seconds too
SAME = ("regions", "scenes", "cubes", "probability", "outlines", "features", "identity", "inventory", "tracks", "events", "changes",
        "trends", "totals", "pictures", "requests")  # fmt: skip


@pytest.fixture(scope="module")
def server():
    with s3_server() as running:
        yield running


@pytest.fixture(scope="module")
def smallest(tmp_path_factory) -> World:
    root = tmp_path_factory.mktemp("smallest")
    make(SMALLEST, (YEAR,), root)
    return World(root)


@pytest.fixture(scope="module")
def stores(smallest, server, prefect_server, tmp_path_factory) -> tuple[Store, Store]:
    """One world mapped into a folder, and into a bucket."""
    locations = (str(tmp_path_factory.mktemp("store")), f"s3://{BUCKET}/stores/demo")
    for location in locations:
        reports = annual([smallest.region], [YEAR], smallest.catalog, location, model="indices")
        assert not any(report.failures for report in reports)
    return open_store(locations[0]), open_store(locations[1])


def products(store: Store) -> dict[str, bytes]:
    paths = (path for kind in SAME for path in (store.root / kind).rglob("*"))
    return {store.relative(path): path.read_bytes() for path in paths if path.is_file()}


def test_products_in_a_bucket_are_those_of_a_folder(stores):
    ours, theirs = (products(store) for store in stores)
    assert {name for name in ours if ours[name] != theirs.get(name)} == set()
    assert set(theirs) == set(ours)
    assert len(ours) > 20


def test_what_is_harmed_in_a_bucket_is_named_by_an_audit_and_mended_by_a_rerun_that_writes_nothing_else(stores, smallest, server):
    store = stores[1]
    assert completeness_of(store, REGION, YEAR, checksums=True).holes == ()
    before = products(store)
    harmed = next(store.root / name for name in before if name.startswith("cubes/") and "/s2/c/" in name)
    harmed.write_bytes(before[store.relative(harmed)][:-1])
    assert [(hole.stage, hole.why) for hole in completeness_of(store, REGION, YEAR).holes] == [("surface", "damaged")]
    written = set[str]()

    def note(method: str, path: str) -> None:
        if method == "PUT":
            written.add(path.removeprefix(f"/{BUCKET}/stores/demo/"))

    server.answer = note
    annual([smallest.region], [YEAR], smallest.catalog, str(store.root), model="indices")
    server.answer = lambda method, path: None
    assert products(store) == before
    assert completeness_of(store, REGION, YEAR, checksums=True).holes == ()
    of_tile = {file for file in written if file.startswith("cubes/")}
    assert store.relative(harmed) in of_tile
    assert {file for file in written if file.split("/")[0] in SAME} == of_tile
