"""One small mountain world, mapped once; tests copy what they change."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.stores.store import Store, open_store
from flows.annual import annual
from simulator.make import make
from tests.small_world import SMALL, World

YEARS = (2021, 2022)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A small world of two years."""
    root = tmp_path_factory.mktemp("world")
    make(SMALL, YEARS, root)
    return World(root)


@pytest.fixture(scope="session")
def mapped(world: World, prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The world mapped and tracked over both years; tests only read it."""
    location = str(tmp_path_factory.mktemp("store"))
    reports = annual([world.region], list(YEARS), world.catalog, location, model="indices")
    assert not any(report.failures for report in reports)
    return open_store(location)


@pytest.fixture
def copied(mapped: Store, tmp_path: Path) -> Store:
    """A copy of the mapped store that a test may harm."""
    shutil.copytree(mapped.root, tmp_path / "store", copy_function=shutil.copy2)
    return open_store(str(tmp_path / "store"))


@pytest.fixture(scope="session")
def products() -> Callable[[Store], dict[str, bytes]]:
    """Bytes of everything that users read, without what tells seconds."""

    def read(store: Store) -> dict[str, bytes]:
        kinds = ("cubes", "probability", "outlines", "features", "identity", "inventory", "tracks", "events", "scenes")
        files = (path for kind in kinds for path in (store.root / kind).rglob("*") if path.is_file() and path.suffix != ".lock")
        return {store.relative(path): path.read_bytes() for path in sorted(files)}

    return read
