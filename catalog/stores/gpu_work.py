"""The units of a stage on one device; and what becomes of them when it fails."""

import logging
from collections.abc import Callable, Iterator, Sequence

from catalog.facts.devices import DeviceTerms, Gpu
from catalog.facts.errors import CryoatlasError, GpuLost, GpuOutOfMemory
from catalog.facts.records import Outcome, Unit
from catalog.stores import ledger
from catalog.stores.gpu_slots import HeldDevice, device_held
from catalog.stores.store import Store

logger = logging.getLogger(__name__)
Work = Callable[[HeldDevice], Iterator[Outcome]]
"""Yields the outcome of every unit; asked a second time it does only what is not current."""


def each_on_device(
    store: Store,
    units: Sequence[Unit],
    work: Work,
    *,
    terms: DeviceTerms,
    visible: Callable[[], Sequence[Gpu]],
    lost: Callable[[RuntimeError], GpuLost | None],
) -> Iterator[Outcome]:
    """Yield the outcome of every unit once, worked on while a device is ours.

    When a GPU fails the units left go on with the CPU if that was asked for, else they fail with the reason and nothing else does.
    `lost` says what an error of the library means. Raises WrongCall for a device that is not here.
    """
    seen = set[Unit]()
    try:
        with device_held(terms, visible) as held:
            yield from _noted(work(held), seen)
    except (GpuOutOfMemory, GpuLost) as error:
        fault: CryoatlasError = error
    except RuntimeError as error:
        known = lost(error)
        if known is None:
            raise
        fault = known
    else:
        return
    if terms.cpu_fallback and held.name != "cpu":
        logger.warning("%s: going on with the CPU, as asked", fault)
        yield from _noted((outcome for outcome in work(HeldDevice("cpu", 0.0)) if outcome.unit not in seen), seen)
        return
    for unit in (unit for unit in units if unit not in seen):
        yield ledger.put(store, ledger.failure(unit, fault))


def _noted(outcomes: Iterator[Outcome], seen: set[Unit]) -> Iterator[Outcome]:
    for outcome in outcomes:
        seen.add(outcome.unit)
        yield outcome
