"""One small mountain world, mapped once; tests copy what they change."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import pytest

from catalog.stores.store import Store, open_store
from flows.annual import annual
from simulator.make import make
from simulator.worlds import HMA

YEARS = (2021, 2022)


@dataclass(frozen=True)
class World:
    """Where a simulated world lies."""

    root: Path

    @property
    def region(self) -> str:
        return str(self.root / "region.geojson")

    @property
    def catalog(self) -> str:
        return str(self.root / "catalog")

    def truth(self, year: int) -> gpd.GeoDataFrame:
        return gpd.read_parquet(self.root / "truth" / "lakes" / f"year={year}.parquet")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two by two chips around a tile corner beside a zone seam: four tiles of one zone, and the overlap of the next."""
    small = replace(HMA, chips=(1, 1, 1, 1), optical_dates=5, ascending=2, descending=1, scattered=8)
    root = tmp_path_factory.mktemp("world")
    make(small, YEARS, root)
    return World(root)


@pytest.fixture(scope="session")
def mapped(world: World, prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The world mapped and tracked over both years; tests only read it."""
    location = str(tmp_path_factory.mktemp("store"))
    reports = annual([world.region], list(YEARS), world.catalog, location)
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
