"""The environment, read once when a flow starts, and the quiet defaults that Prefect needs on one machine."""

import math
import os
from dataclasses import dataclass
from pathlib import Path

from catalog.facts.devices import DeviceTerms
from catalog.facts.errors import WrongCall
from catalog.facts.leases import TERMS, Terms, terms_of
from catalog.facts.run_records import NO_PRICES, Prices

_PREFECT_DEFAULTS = {
    # the default of 20 s is missed by a cold start on two busy cores, and the orphan then locks the database
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "cryoatlas",
    # errors reach the user as one sentence of ours, not as a traceback of the engine
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    # flow logs live in the run record; sending every line to the database makes it grow without bound
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
}

_SHORTEST_LEASE_S = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and how wide a run may spread."""

    workers: int
    """Tiles worked on at the same time."""
    cluster: str
    """`threads`, `processes`, the address of a running Dask scheduler, `slurm:FILE.yaml` or `kubernetes:FILE.yaml`."""
    device: str
    """Where networks run: `auto` (the first GPU where there is one), `cpu`, `cuda` or `cuda:N`."""
    weights: Path
    """Folder of weights that were fetched."""
    lease: Terms = TERMS
    """How long a region-year stays with a run that does not renew its lease."""
    prices: Prices = NO_PRICES
    """What an hour of a worker slot and of a GPU costs, for the cost of a run."""
    gpu_slots: int = 1
    """Processes that may use one GPU at the same time."""
    cpu_fallback: bool = False
    """Go on with the CPU when a GPU fails in mid-run."""
    prefetch: int = 1
    """Batches read ahead of the model."""

    @property
    def terms(self) -> DeviceTerms:
        """Where networks run, and by which rules."""
        return DeviceTerms(self.device, self.gpu_slots, self.cpu_fallback, self.prefetch)


def read_settings() -> Settings:
    """Read CRYOATLAS_WORKERS, _CLUSTER, _DEVICE, _WEIGHTS, _LEASE_S (seconds) and the rest of docs/gpu.md and docs/observability.md."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Settings(
        workers=_workers(cores),
        cluster=os.environ.get("CRYOATLAS_CLUSTER", "threads"),
        device=os.environ.get("CRYOATLAS_DEVICE", "auto"),
        weights=Path(os.environ.get("CRYOATLAS_WEIGHTS", _cache_home() / "cryoatlas" / "weights")),
        lease=_lease(),
        prices=Prices(_number("CRYOATLAS_CPU_HOUR_PRICE"), _number("CRYOATLAS_GPU_HOUR_PRICE")),
        gpu_slots=max(int(_number("CRYOATLAS_SLOTS_PER_GPU") or 1), 1),
        cpu_fallback=os.environ.get("CRYOATLAS_CPU_FALLBACK", "") not in ("", "0", "false"),
        prefetch=max(int(_number("CRYOATLAS_PREFETCH", 1.0) or 0), 0),
    )


def _workers(cores: int) -> int:
    given = os.environ.get("CRYOATLAS_WORKERS") or str(cores)
    if not given.isdecimal() or int(given) < 1:
        raise WrongCall(f"CRYOATLAS_WORKERS is {given!r}; write how many tiles are worked on at a time, 1 or more, or unset it.")
    return int(given)


def _lease() -> Terms:
    given = _number("CRYOATLAS_LEASE_S", TERMS.duration_s) or 0.0
    # a store takes its time, and a renewal that comes too late ends the run
    if not _SHORTEST_LEASE_S <= given < math.inf:
        raise WrongCall(
            f"CRYOATLAS_LEASE_S is {os.environ['CRYOATLAS_LEASE_S']!r}; write seconds, {_SHORTEST_LEASE_S:.0f} or more, or unset it: "
            f"{TERMS.duration_s:.0f} are the default."
        )
    return terms_of(given)


def _number(name: str, otherwise: float | None = None) -> float | None:
    given = os.environ.get(name)
    try:
        return float(given) if given else otherwise
    except ValueError:
        raise WrongCall(f"{name} is {given!r}; write a number, or unset it.") from None


def choose_device(device: str | None, *, cpu_fallback: bool) -> None:
    """Let what was given on a command line go before the environment, for this process and those that it starts."""
    if device is not None:
        os.environ["CRYOATLAS_DEVICE"] = device
    if cpu_fallback:
        os.environ["CRYOATLAS_CPU_FALLBACK"] = "1"


def prepare_environment() -> None:
    """Set what Prefect and the numeric libraries read when they are first imported; what the user set stays."""
    for name, value in _PREFECT_DEFAULTS.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" not in os.environ:
        # a private home: a server that another project left behind must not be met here
        home = Path(os.environ.setdefault("PREFECT_HOME", str(_cache_home() / "cryoatlas" / "prefect")))
        home.mkdir(parents=True, exist_ok=True)  # Prefect makes only the last folder, and then times out
    # one level of parallelism at a time: tiles side by side, each on one thread
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def calibration_file() -> Path:
    """Where unit costs that were measured here are kept: CRYOATLAS_CALIBRATION, by default in the user's cache."""
    return Path(os.environ.get("CRYOATLAS_CALIBRATION", _cache_home() / "cryoatlas" / "calibration.json"))


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
