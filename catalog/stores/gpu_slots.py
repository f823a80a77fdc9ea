"""One process owns a GPU: slots on this machine, kept by file locks that end with the process that holds them.

Threads, Prefect's runners, Dask's workers and other programs of the same user all ask here, so no setting of any of them can put
two networks on one GPU.
"""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from catalog.facts.devices import DeviceTerms, Gpu, candidates
from catalog.stores.files import storage_errors

logger = logging.getLogger(__name__)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 2.0
_TOLD_EVERY_S: Final = 300.0


@dataclass(slots=True)
class HeldDevice:
    """The device that is ours, and since when."""

    name: str
    """For torch: `cpu` or `cuda:N`."""
    since_s: float

    @property
    def held_s(self) -> float:
        """Seconds that a GPU has been ours; 0 on the CPU."""
        return 0.0 if self.name == "cpu" else time.monotonic() - self.since_s


@contextmanager
def device_held(terms: DeviceTerms, visible: Callable[[], Sequence[Gpu]], folder: Path | None = None) -> Iterator[HeldDevice]:
    """Hold the CPU at once, or a slot of the first GPU that is free; waits as long as all are taken, and says so.

    `visible` is asked only when a GPU may be wanted, because that imports torch. Raises WrongCall for a device that is not here.
    """
    gpus = candidates(terms.asked, () if terms.asked == "cpu" else visible())
    if not gpus:
        yield HeldDevice("cpu", time.monotonic())
        return
    gpu, lock = _first_free(gpus, terms.slots, folder or slots_folder())
    try:
        yield HeldDevice(f"cuda:{gpu.index}", time.monotonic())
    finally:
        # closing it lets it go, as the death of the process does
        os.close(lock)


def slots_folder() -> Path:
    """Folder of the locks: of this user and machine, or CRYOATLAS_GPU_SLOTS, which containers and users that share GPUs must share too."""
    if named := os.environ.get("CRYOATLAS_GPU_SLOTS"):
        return Path(named)
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"cryoatlas-gpus-{os.getuid()}"


def _first_free(gpus: Sequence[Gpu], slots: int, folder: Path) -> tuple[Gpu, int]:
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    pause, waited, told = _FIRST_PAUSE_S, 0.0, -_TOLD_EVERY_S
    while True:
        # first slots of all GPUs before the second of any: what may be shared is still better alone
        for slot in range(max(slots, 1)):
            for gpu in gpus:
                lock = _taken(folder / f"{gpu.key.replace('/', '_')}.{slot}.lock")
                if lock is not None:
                    return gpu, lock
        if waited - told >= _TOLD_EVERY_S:
            logger.warning("all %d GPUs are taken (%s); waiting for one", len(gpus), ", ".join(f"cuda:{gpu.index}" for gpu in gpus))
            told = waited
        time.sleep(pause)
        waited, pause = waited + pause, min(2 * pause, _LONGEST_PAUSE_S)


def _taken(path: Path) -> int | None:
    """Lock a file for this opening of it, so that threads of one process exclude each other too; None when another has it."""
    with storage_errors(path):
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
