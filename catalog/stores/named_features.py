"""Features with names, ours of a region-year and those of another inventory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.errors import WrongCall
from catalog.facts.records import Target
from catalog.facts.schemas import ID_COLUMNS
from catalog.stores.identity import read_names
from catalog.stores.jobs import stored_region, years_with
from catalog.stores.store import Store
from catalog.stores.tables import read_features
from catalog.stores.vector_files import columns_in, read_vector

ID_NAMES: Final = ("glims_id", "gl_id", "rgiid", "rgi_id", "uid", "lake_id", "slump_id", "id")
"""Columns that name features in inventories of others, in lower case; the first that is there counts."""


@dataclass(frozen=True, slots=True)
class NamedFeatures:
    """Names and outlines (EPSG:4326, valid) in equal order."""

    ids: tuple[str, ...]
    outlines: NDArray[np.object_]
    id_column: str = ""
    """Where the names come from; empty where rows were numbered."""

    def some(self, chosen: NDArray[np.bool_]) -> "NamedFeatures":
        """Return the features that are chosen."""
        return NamedFeatures(tuple(np.array(self.ids, dtype=object)[chosen]), self.outlines[chosen], self.id_column)


def target_of(store: Store, region: str) -> Target:
    """Return what a region was mapped for, or tracked for where it holds outlines of others; raises WrongCall for an unknown one."""
    if store.region(region).is_file():
        return stored_region(store, region).target
    tracked: list[Target] = [target for target in get_args(Target) if store.identity(target, region).is_file()]
    if len(tracked) != 1:
        there = ", ".join(sorted({path.stem for path in (store.root / "identity").glob("*/*.parquet")})) or "none yet"
        raise WrongCall(f"Region {region!r} holds {' and '.join(tracked) or 'no features'} in {store.root}. There: {there}.")
    return tracked[0]


def read_ours(store: Store, target: Target, region: str, year: int) -> NamedFeatures:
    """Return the inventory of a region-year, or what `cryoatlas track --outlines` named; raises WrongCall with the years there are."""
    path = store.inventory(target, region, year)
    if path.is_file():
        frame = read_features(path)
        return NamedFeatures(tuple(frame[ID_COLUMNS[target]]), np.asarray(frame.geometry.to_numpy(), dtype=object))
    mapped = years_with(store, target, region)
    names, years, outlines = read_names(store.identity(target, region))
    chosen = np.array(years, np.int64) == year
    if mapped or not chosen.any():
        there = ", ".join(map(str, mapped or sorted(set(years)))) or "none yet"
        raise WrongCall(f"{region} {year}: no inventory in {store.root}. There are: {there}.")
    return NamedFeatures(names, outlines).some(chosen)


def read_theirs(path: Path, id_column: str | None) -> NamedFeatures:
    """Read another inventory with the names in `id_column`, or in a column known to hold names, else the numbers of its rows from 1.

    Raises WrongCall for a file that cannot be read, or a column that is not there.
    """
    if not path.is_file():
        raise WrongCall(f"Inventory {path}: no such file. Give a GeoPackage, shapefile, GeoJSON or GeoParquet.")
    columns = columns_in(path)
    column = _id_column(path, columns, id_column)
    frame = read_vector(path, [column] if column else [])
    names = frame[column].astype(str) if column else (frame.index + 1).astype(str)
    return NamedFeatures(tuple(names), np.asarray(shapely.make_valid(frame.geometry.to_numpy()), dtype=object), column)


def _id_column(path: Path, columns: Sequence[str], asked: str | None) -> str:
    if asked is not None and asked not in columns:
        raise WrongCall(f"{path}: no column {asked!r}. Its columns are {', '.join(columns)}.")
    lower = {name.lower(): name for name in columns}
    return asked or next((lower[name] for name in ID_NAMES if name in lower), "")
