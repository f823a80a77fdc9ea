"""On what, and how busy, something was measured: a line that stands above every table."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine_line() -> str:
    """Processor, cores, memory, load and versions."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    load = os.getloadavg()
    versions = " ".join(f"{name} {version(name)}" for name in ("cryoatlas", "prefect", "distributed", "zarr", "numpy"))
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB; load {load[0]:.1f} (1 min) {load[2]:.1f} (15 min); {versions}"


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    names = (
        [line.partition(":")[2].strip() for line in about.read_text().splitlines() if line.startswith("model name")]
        if about.is_file()
        else []
    )
    return names[0] if names else platform.processor() or platform.machine()
