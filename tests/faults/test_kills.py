"""`kill -9` at named points of the real command; then the one command that `audit` names, once."""

import signal

import pytest

from tests.faults.mishaps import Mishap
from tests.faults.running import command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

POINTS = {
    "in the search": Mishap("kill", "call", "catalog.stores.static_catalog:_read_json", nth=5),
    "before what a tile shows is recorded": Mishap("kill", "move", r"/receipts/.*\.look\.json$", nth=3),
    "before the record of scenes is in place": Mishap("kill", "move", r"/scenes/.*\.parquet$"),
    "while scenes are read": Mishap("kill", "call", "models.surface.looks:LookReader.counts", nth=7),
    "while a shard is written": Mishap("kill", "move", r"/cubes/.*/s2/c/"),
    "between data and record": Mishap("kill", "move", r"/receipts/.*\.surface\.json$"),
    "between receipt and ledger": Mishap("kill", "move", r"/receipts/.*\.surface\.json$", nth=2, moment="after"),
    "while the model predicts": Mishap("kill", "call", "tasks.segment_region:_read", nth=2),
    "before outlines are in place": Mishap("kill", "move", r"/outlines/.*\.parquet$", nth=2),
    "between features and their record": Mishap("kill", "move", r"/features/.*\.parquet$", moment="after"),
    "between names and inventory": Mishap("kill", "move", r"/identity/.*\.parquet$", moment="after"),
    "before the inventory is in place": Mishap("kill", "move", r"/inventory/.*\.parquet$"),
    "between tables through the years": Mishap("kill", "move", r"/tracks/.*\.parquet$", moment="after"),
}


def test_killed_at_all_points_one_after_the_other(undisturbed, store, mended):
    for name, mishap in POINTS.items():
        ended = command(undisturbed.arguments(store), mishap)
        assert ended.code == -signal.SIGKILL, f"{name} was not reached: {ended}"
    mended(store)


def test_killed_in_the_search_of_an_empty_store(undisturbed, store, mended):
    assert command(undisturbed.arguments(store), POINTS["in the search"]).code == -signal.SIGKILL
    mended(store)


def test_killed_while_its_lease_is_renewed(undisturbed, store, mended, monkeypatch):
    monkeypatch.setenv("CRYOATLAS_LEASE_S", "4")
    ended = command(undisturbed.arguments(store), Mishap("kill", "call", "catalog.stores.leases:replace_if"))
    assert ended.code == -signal.SIGKILL, ended
    mended(store)


def test_killed_while_it_publishes(undisturbed, tmp_path):
    to = tmp_path / "release"
    publish = ["publish", "--store", undisturbed.store.root, "--region", "demo_hma", "--year", 2021, "--allow-partial", "--to"]
    assert command([*publish, tmp_path / "whole"]).code == 0
    for nth in (1, 3, 4):
        assert command([*publish, to], Mishap("kill", "move", r"/release/", nth=nth)).code == -signal.SIGKILL
    assert command([*publish, to]).code == 0
    assert _bytes(to) == _bytes(tmp_path / "whole")


def _bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
