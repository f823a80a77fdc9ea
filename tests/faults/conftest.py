"""One world of one chip on a server that can fail, mapped once without a fault."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from catalog.facts.schemas import SCHEMA_VERSION
from catalog.stores.raster_files import close_files
from catalog.stores.store import Store, open_store
from commands.main import run
from simulator.make import make
from tests.faults.fault_server import FaultServer, serving
from tests.faults.impatience import wait_for_nothing
from tests.faults.running import Ended
from tests.products import products_of
from tests.small_world import SMALLEST, World

YEAR = 2021


REGION = "demo_hma"


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """The world mapped without a fault; tests only read it."""

    region: str
    catalog: str
    store: Store
    products: dict[str, bytes]

    def arguments(self, store: Path) -> list[object]:
        """The command that maps the world into another store."""
        return ["run", "--region", self.region, "--years", YEAR, "--catalog", self.catalog, "--store", store, "--model", "indices"]


def new_store(root: Path) -> Path:
    """A store whose tiles are one chip: five small units of each stage instead of two large ones."""
    root.mkdir()
    (root / "store.json").write_text(json.dumps({"schema_version": SCHEMA_VERSION, "chips_per_tile": 1}))
    return root


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultServer]:
    root = tmp_path_factory.mktemp("world")
    make(SMALLEST, [YEAR], root)
    # GDAL keeps what it read over HTTP for the life of a process, and tests would read what others were answered
    os.environ["CPL_VSIL_CURL_NON_CACHED"] = "/vsicurl/http://127.0.0.1"
    with serving(root) as server:
        yield server
    del os.environ["CPL_VSIL_CURL_NON_CACHED"]


@pytest.fixture
def server(_server: FaultServer) -> Iterator[FaultServer]:
    """The server of the world, without faults at first."""
    yield _server
    _server.heal()
    close_files()


@pytest.fixture(scope="session")
def undisturbed(_server: FaultServer, prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    from flows.annual import annual  # noqa: PLC0415 - Prefect reads the environment when it is imported

    region, location = World(_server.folder).region, new_store(tmp_path_factory.mktemp("undisturbed") / "store")
    reports = annual([region], [YEAR], _server.catalog, str(location), model="indices")
    assert not any(report.failures for report in reports)
    store = open_store(str(location))
    return Undisturbed(region, _server.catalog, store, products_of(store))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store for a run to which something happens."""
    return new_store(tmp_path / "store")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs `cryoatlas ARGUMENT...` in this process, which saves the seconds of a start; reads are tried again at once."""
    monkeypatch.setenv("COLUMNS", "400")
    wait_for_nothing(monkeypatch.setattr)

    def call(arguments: Sequence[object]) -> Ended:
        capsys.readouterr()
        close_files()
        code = 0
        try:
            run([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return call


@pytest.fixture
def same(undisturbed: Undisturbed) -> Callable[[Path], None]:
    """Fails unless a store holds the products of the undisturbed run, byte for byte."""

    def check(location: Path) -> None:
        found = products_of(open_store(str(location)))
        assert found.keys() == undisturbed.products.keys()
        assert [name for name in found if found[name] != undisturbed.products[name]] == []

    return check


@pytest.fixture
def mended(same: Callable[[Path], None], here: Callable[..., Ended]) -> Callable[[Path], Ended]:
    """Runs the one command that `audit` names, once; fails unless products are then those of the undisturbed run. Returns the audit."""

    def mend(location: Path) -> Ended:
        told = here(["audit", "--store", location])
        assert told.code == 3, told
        assert len(told.commands) == 1, told.out
        ended = here(told.commands[0])
        assert ended.code == 0, ended
        same(location)
        proof = here(["audit", "--store", location, "--checksums"])
        assert proof.code == 0, proof
        return told

    return mend
