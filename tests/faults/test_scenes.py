"""Scenes that cannot be read well: survived, or named and read anew by the next run; never a hole that looks like ground."""

import pytest

from catalog.stores.run_records import find_records
from catalog.stores.selections import read_choices
from catalog.stores.store import open_store
from tests.faults.conftest import REGION, YEAR, Undisturbed
from tests.faults.fault_server import Fault, FaultServer
from tests.faults.impatience import clear_settings, sign_for
from tests.faults.running import command


def used(undisturbed: Undisturbed, sensor: str) -> list[str]:
    """Scenes that the undisturbed surface was made of, in a fixed order."""
    choices = read_choices(undisturbed.store.scenes(REGION, YEAR))
    return sorted({choice.scene.id for choice in choices if choice.used and choice.scene.sensor == sensor})


def test_faults_that_pass_leave_no_trace(undisturbed, server: FaultServer, here, store, same):
    optical, radar = used(undisturbed, "s2"), used(undisturbed, "s1")
    server.faults = [
        Fault("status", f"{optical[0]}/B02", 503, times=3),
        Fault("status", f"{optical[0]}/B05", 429, times=3, headers={"Retry-After": "0"}),
        Fault("reset", f"{optical[0]}/SCL", times=3),
        Fault("cut", f"{optical[0]}/B08", times=3),
        Fault("blank", f"{optical[-1]}/B08", times=1),
        Fault("slow", f"{optical[-1]}/B11", times=3),
        Fault("cut", f"{radar[0]}/vh", times=2, after=1),
        Fault("status", "cop-dem.*tif", 504, times=3),
    ]
    ended = here(undisturbed.arguments(store))
    assert [fault.hits for fault in server.faults] == [fault.times for fault in server.faults]
    assert ended.code == 0, ended
    same(store)
    (record,) = find_records(open_store(str(store)))
    # GDAL asks twice more by itself after a bad status; what it cannot mend, cut or blank, is read again here, and counted
    assert record.usage.retries >= 3


@pytest.mark.slow
def test_faults_that_last_fail_their_units_and_the_command_of_the_audit_mends_them(undisturbed, server: FaultServer, here, store, mended):
    optical, radar = used(undisturbed, "s2"), used(undisturbed, "s1")
    server.faults = [
        Fault("status", f"{optical[0]}/SCL", 503),
        Fault("status", f"{optical[1]}/B05", 404),
        Fault("cut", f"{optical[2]}/B11", after=1),
        Fault("blank", f"{optical[3]}/B08"),
        Fault("reset", f"{radar[0]}/vh"),
    ]
    ended = here(undisturbed.arguments(store))
    assert all(fault.hits for fault in server.faults)
    assert ended.code == 3, ended
    server.heal()
    told = mended(store)
    assert "look" in told.out
    assert "surface" in told.out


@pytest.mark.slow
def test_a_token_that_ends_before_its_time_is_renewed(undisturbed, server: FaultServer, here, store, same, monkeypatch):
    monkeypatch.setenv("PC_SDK_SAS_URL", f"{server.address}/token")
    clear_settings()
    sign_for(server.address, monkeypatch.setattr)
    server.token_requests = 60
    ended = here(undisturbed.arguments(store))
    assert ended.code == 0, ended
    assert len(server.tokens) > 5
    same(store)


@pytest.mark.slow
def test_a_catalog_that_is_down_is_named_and_asked_again(undisturbed, server: FaultServer, store, mended):
    server.faults = [Fault("status", "collection.json", 503)]
    ended = command(undisturbed.arguments(store))
    assert ended.code == 3, ended
    assert "collection.json does not answer" in ended.error
    server.heal()
    mended(store)
