"""A GPU that fails in mid-run: its units fail with the reason, or go on with the CPU when that was asked for."""

from collections.abc import Iterator

import pytest

from catalog.facts.causes import State
from catalog.facts.devices import DeviceTerms, Gpu
from catalog.facts.errors import GpuOutOfMemory
from catalog.facts.records import Outcome, Unit
from catalog.stores import ledger
from catalog.stores.gpu_slots import HeldDevice
from catalog.stores.gpu_work import each_on_device
from catalog.stores.store import Store, open_store
from models.segmenter.devices import lost, too_small

UNITS = tuple(Unit("khumbu", 2021, tile, "segment") for tile in "abcd")


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    monkeypatch.setenv("CRYOATLAS_GPU_SLOTS", str(tmp_path / "slots"))
    return open_store(str(tmp_path / "store"), create=True)


def visible() -> tuple[Gpu, ...]:
    return (Gpu(0, "fake"),)


class Work:
    """Does two units and then fails on a GPU; on the CPU does all."""

    def __init__(self, store: Store, error: Exception) -> None:
        self.store, self.error, self.devices, self.done = store, error, list[str](), list[str]()

    def __call__(self, held: HeldDevice) -> Iterator[Outcome]:
        self.devices.append(held.name)
        for number, unit in enumerate(UNITS):
            if known := ledger.is_current(self.store, unit, "f"):
                yield known
                continue
            if held.name != "cpu" and number == 2:
                raise self.error
            self.done.append(unit.tile)
            yield ledger.put(self.store, Outcome(unit, State.DONE, "f"))


def run(store: Store, work: Work, *, fallback: bool) -> list[Outcome]:
    terms = DeviceTerms("cuda", cpu_fallback=fallback)
    return list(each_on_device(store, UNITS, work, terms=terms, visible=visible, lost=lost))


@pytest.mark.parametrize(
    ("error", "cause"),
    [(too_small("cuda:0"), "GpuOutOfMemory"), (RuntimeError("CUDA error: unspecified launch failure\nmore"), "GpuLost")],
)
def test_without_being_asked_the_cpu_is_not_used_and_the_units_left_fail(store, error, cause):
    work = Work(store, error)
    outcomes = run(store, work, fallback=False)
    assert [(o.unit.tile, str(o.state), o.cause) for o in outcomes] == [
        ("a", "done", ""),
        ("b", "done", ""),
        ("c", "failed", cause),
        ("d", "failed", cause),
    ]
    assert "--cpu-fallback" in outcomes[-1].message
    assert work.devices == ["cuda:0"]
    assert ledger.find(store, UNITS[3]).cause == cause


def test_when_asked_the_rest_goes_on_with_the_cpu_and_nothing_twice(store):
    work = Work(store, too_small("cuda:0"))
    outcomes = run(store, work, fallback=True)
    assert [(o.unit.tile, str(o.state)) for o in outcomes] == [(tile, "done") for tile in "abcd"]
    assert work.devices == ["cuda:0", "cpu"]
    assert work.done == list("abcd")


def test_another_error_is_not_taken_for_one_of_the_gpu(store):
    with pytest.raises(RuntimeError, match="shapes"):
        run(store, Work(store, RuntimeError("shapes do not fit")), fallback=True)


def test_a_run_resumes_what_a_gpu_left(store):
    run(store, Work(store, GpuOutOfMemory("full")), fallback=False)
    work = Work(store, GpuOutOfMemory("full"))
    terms = DeviceTerms("cpu")
    assert all(o.state == State.DONE for o in each_on_device(store, UNITS, work, terms=terms, visible=visible, lost=lost))
    assert work.done == ["c", "d"]
