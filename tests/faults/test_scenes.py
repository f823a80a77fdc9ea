"""Scenes that cannot be read well: survived, or named and read anew by the next run; never a hole that looks like ground."""

from catalog.stores.selections import read_choices
from tests.faults.conftest import REGION, YEAR, Undisturbed
from tests.faults.fault_server import Fault, FaultServer


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
        Fault("blank", f"{optical[-1]}/B05", times=1, after=1),
        Fault("slow", f"{optical[-1]}/B11", times=3),
        Fault("cut", f"{radar[0]}/vh", times=2, after=1),
        Fault("status", "cop-dem.*tif", 504, times=3),
    ]
    ended = here(undisturbed.arguments(store))
    assert [fault.hits for fault in server.faults] == [fault.times for fault in server.faults]
    assert ended.code == 0, ended
    same(store)
