"""Edits on their way to and from QGIS: an inventory as an editable file, and the rows of any vector file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import pyogrio
import pyogrio.errors
import shapely

from catalog.facts.errors import WrongCall
from catalog.facts.records import Target
from catalog.facts.schemas import ID_COLUMNS
from catalog.stores.files import storage_errors
from catalog.stores.store import Store
from catalog.stores.tables import read_features

_LAYER: Final = "edits"
_TOLD: Final = ("area_m2", "size_class", "probability", "edit")
"""Columns of the inventory that help to decide."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file of edits, as its author left it."""

    place: int
    """Counted from 1, for messages."""
    values: Mapping[str, str]
    """Lower-case column -> text; empty where the file has none."""
    geometry: shapely.Geometry | None
    """EPSG:4326."""


def write_template(store: Store, target: Target, region: str, year: int, path: Path) -> int:
    """Write an inventory as a file to edit, with an empty column `action`; return how many features. Refuses to overwrite."""
    if path.exists():
        raise WrongCall(f"{path} exists and may hold edits. Give another --out.")
    frame = read_features(store.inventory(target, region, year))
    blank = [""] * len(frame)
    columns = {
        "feature_id": frame[ID_COLUMNS[target]],
        "year": [year] * len(frame),
        "action": blank,
        "reason": blank,
        "author": blank,
        **{name: frame[name] for name in _TOLD if name in frame},
        "flags": [",".join(flags) for flags in frame["flags"]],
        "seen_area_m2": frame["area_m2"],
        "seen_outline": shapely.to_wkt(frame.geometry.to_numpy(), rounding_precision=7),
    }
    partial = path.with_name(f".{path.name}")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        table = gpd.GeoDataFrame(columns, geometry=frame.geometry.to_numpy(), crs=4326)
        pyogrio.write_dataframe(table, partial, layer=_LAYER, driver="GPKG", geometry_type="MultiPolygon", promote_to_multi=True)
        partial.replace(path)
    return len(frame)


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read every row of a vector file with a column `action`; raises WrongCall with the way out."""
    if not path.is_file():
        raise WrongCall(f"Edits {path}: no such file. Make one with `cryoatlas edits template`.")
    try:
        frame = pyogrio.read_dataframe(path, force_2d=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise WrongCall(f"{path}: not a readable vector file ({error}). Give GeoPackage, shapefile or GeoJSON.") from error
    names = {str(name).lower(): str(name) for name in frame.columns if name != "geometry"}
    if "action" not in names:
        raise WrongCall(f"{path}: no column `action`. Make a file that has it with `cryoatlas edits template`.")
    if isinstance(frame, gpd.GeoDataFrame) and frame.crs is None:
        raise WrongCall(f"{path}: it names no CRS. Write one into the file.")
    placed = isinstance(frame, gpd.GeoDataFrame)
    shapes: Sequence[Any] = frame.geometry.to_crs(4326).to_numpy() if placed else [None] * len(frame)
    texts = {low: [_text(value) for value in frame[name]] for low, name in names.items()}
    return tuple(Row(place + 1, {n: column[place] for n, column in texts.items()}, shapes[place]) for place in range(len(frame)))


def _text(value: Any) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
