"""One region-year as it is compared with another: its features, and the road that its records tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
from numpy.typing import NDArray

from catalog.facts.differences import DIFFERENCES, Road
from catalog.facts.errors import WrongCall
from catalog.facts.records import Target
from catalog.facts.schemas import ID_COLUMNS
from catalog.stores import ledger
from catalog.stores.edits import read_status
from catalog.stores.files import checksum, storage_errors
from catalog.stores.identity import read_names
from catalog.stores.jobs import chips_of, stored_region, years_with
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_features, read_features, read_provenance

_DECIDING = frozenset({"reject", "redraw", "draw"})
"""Actions that change which outlines an inventory lists."""


_DRAWN = {"redrawn": "redraw", "drawn": "draw"}


@dataclass(frozen=True, slots=True)
class Compared:
    """A region-year of a store, opened for comparison."""

    target: Target
    features: gpd.GeoDataFrame
    road: Road


def open_compared(location: str, region: str, year: int, label: str) -> Compared:
    """Read one side; raises WrongCall that names the years there are."""
    store = open_store(location)
    target = stored_region(store, region).target
    years = years_with(store, target, region)
    if year not in years:
        raise WrongCall(
            f"Store {label} ({location}): no inventory of {region} {year}. There are: {', '.join(map(str, years)) or 'none yet'}."
        )
    path = store.inventory(target, region, year)
    features = read_features(path).rename(columns={ID_COLUMNS[target]: "feature_id"})
    records = {(o.unit.stage, o.unit.tile): o for o in ledger.remembered(store, region, year)}
    road = Road(
        label,
        year,
        chips_of(store),
        records,
        checksum(store.region(region)),
        str(read_provenance(path).get("model", "")),
        _edits(store, target, region, year, features),
        _first_seen(store, target, region),
    )
    return Compared(target, features, road)


def _edits(store: Store, target: Target, region: str, year: int, features: gpd.GeoDataFrame) -> dict[str, frozenset[str]]:
    """Feature -> what people did to its outline, by the table of edits and by the inventory's own column."""
    told = zip(features.feature_id, features["edit"], strict=True) if "edit" in features else ()
    found = {name: frozenset({_DRAWN[edit]}) for name, edit in told if edit in _DRAWN}
    for verdict in read_status(store, target, region, year):
        if verdict.action in _DECIDING and verdict.state != "not_applicable":
            found[verdict.feature_id] = found.get(verdict.feature_id, frozenset()) | {verdict.action}
    return found


def _first_seen(store: Store, target: Target, region: str) -> dict[str, int]:
    ids, years, _ = read_names(store.identity(target, region))
    first: dict[str, int] = {}
    for name, year in zip(ids, years, strict=True):
        first[name] = min(year, first.get(name, year))
    return first


def write_differences(path: Path, geometry: NDArray[np.object_], columns: Mapping[str, Sequence[Any]], about: Mapping[str, Any]) -> None:
    """Write all rows as GeoParquet, or as a GeoPackage by the end of the name. Raises WrongCall for another format."""
    if path.suffix == ".parquet":
        put_features(path, geometry, columns, DIFFERENCES, provenance=about)
        return
    if path.suffix != ".gpkg":
        raise WrongCall(f"{path}: differences are written as .parquet or .gpkg. Choose one of these ends.")
    texts = {name: [", ".join(entries) for entries in columns[name]] for name in ("because", "overlaps", "tiles")}
    frame = gpd.GeoDataFrame({**columns, **texts}, geometry=geometry, crs=4326)
    partial = path.with_name(f".{path.name}")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        pyogrio.write_dataframe(frame, partial, layer="differences", driver="GPKG", geometry_type="MultiPolygon", promote_to_multi=True)
        partial.replace(path)
