"""What code a process runs, so that workers installed elsewhere cannot mix other code into a product."""

import hashlib
import socket
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from distributed import Client

from catalog.facts.errors import CodeDiffers

Item = TypeVar("Item")
Result = TypeVar("Result")

_FOLDERS = ("catalog", "models", "tasks", "infra")
"""What runs on a worker."""
_LIBRARIES = ("distributed", "numba", "numpy", "pyarrow", "rasterio", "scipy", "shapely", "xarray", "zarr")
"""What changes the numbers, the bytes, or the talk between client and worker."""


@cache
def code_versions() -> Mapping[str, str]:
    """Versions of Python and of what makes the numbers, and a checksum of our own sources: a checkout has no version of its own."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for folder in _FOLDERS:
        for source in sorted((root / folder).rglob("*.py")):
            digest.update(source.relative_to(root).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    own = {"cryoatlas": f"{version('cryoatlas')}+{digest.hexdigest()[:12]}", "python": "{}.{}".format(*sys.version_info)}
    return own | {name: version(name) for name in _LIBRARIES}


def refuse_other_code(expected: Mapping[str, str], function: Callable[[Item], Result], item: Item) -> Result:
    """Call the function, on a worker that runs the expected code; raise CodeDiffers on any other."""
    _compare(expected, code_versions(), socket.gethostname())
    return function(item)


def check_cluster(client: Client, expected: Mapping[str, str]) -> None:
    """Raise CodeDiffers unless the scheduler and the workers that are there run the expected code."""
    try:
        there = {"the scheduler": client.run_on_scheduler(code_versions), **client.run(code_versions)}
    except ModuleNotFoundError as error:
        raise CodeDiffers(
            f"The Dask cluster at {client.scheduler.address} does not have what this program needs ({error}): "
            "start its scheduler and workers from the same image or environment."
        ) from error
    for place, versions in there.items():
        _compare(expected, versions, place)


def _compare(expected: Mapping[str, str], found: Mapping[str, str], place: str) -> None:
    other = [f"{name} {found.get(name, 'missing')} instead of {expected[name]}" for name in expected if found.get(name) != expected[name]]
    if other:
        raise CodeDiffers(
            f"On the Dask cluster, {place} runs {', '.join(other)}: products would hang on which worker made them. "
            "Start scheduler and workers from the same image or environment as this program."
        )
