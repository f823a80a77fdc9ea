"""Names ever given in a region, kept with the outlines they were given for; whoever writes them holds the lease of the region."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.stores.tables import put_features, read_features

_SCHEMA = pa.schema([("feature_id", pa.string()), ("year", pa.int16())])
NamedOutlines = tuple[tuple[str, ...], tuple[int, ...], NDArray[Any]]
"""Names, years and outlines (EPSG:4326) in equal order, sorted by name and year."""


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
