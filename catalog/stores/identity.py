"""Names ever given in a region, kept with the outlines they were given for; one writer at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.stores.files import storage_errors
from catalog.stores.tables import put_features, read_features

_SCHEMA = pa.schema([("feature_id", pa.string()), ("year", pa.int16())])
NamedOutlines = tuple[tuple[str, ...], tuple[int, ...], NDArray[Any]]
"""Names, years and outlines (EPSG:4326) in equal order, sorted by name and year."""


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the names of a region while the body runs; a process that dies lets go."""
    lock = path.with_suffix(".lock")
    with storage_errors(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def read_names(path: Path) -> NamedOutlines:
    """Return every name with its outlines; nothing when none was given yet."""
    if not path.is_file():
        return (), (), np.empty(0, dtype=object)
    frame = read_features(path).sort_values(["feature_id", "year"], kind="stable")
    return tuple(frame.feature_id), tuple(int(year) for year in frame.year), frame.geometry.to_numpy()


def write_names(path: Path, names: NamedOutlines) -> None:
    """Keep every name with its outlines."""
    ids, years, outlines = names
    put_features(path, outlines, {"feature_id": ids, "year": years}, _SCHEMA, provenance={})
