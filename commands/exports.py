"""Inventories in the formats of other programs."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
from shapely.geometry import shape

from catalog.facts.ask_records import AskAnswer
from catalog.facts.records import Target
from catalog.stores.files import storage_errors
from catalog.stores.jobs import stored_region, years_with
from catalog.stores.objects import ObjectPath
from catalog.stores.store import Store
from catalog.stores.tables import columns_of, read_features, read_provenance
from models.detector.arts import Contribution, SlumpYear, arts_columns

_LISTS = ("flags", "related_ids")


def write_geopackage(store: Store, target: Target, region: str, year: int, path: Path) -> Path:
    """Write an inventory as a GeoPackage that QGIS and GDAL open; lists become comma-separated text."""
    frame = read_features(store.inventory(target, region, year)).drop(columns=["bbox"], errors="ignore")
    texts = {name: [",".join(entries) if entries is not None else "" for entries in frame[name]] for name in _LISTS if name in frame}
    return _write(frame.assign(region=region, year=year, **texts), path, layer=target)


def write_arts(store: Store, region: str, year: int, path: Path, *, lab: str) -> Path:
    """Write an inventory of slumps with the fields of ARTS, as GeoParquet or else a GeoPackage by the end of the name.

    Slumps seen in earlier years keep the UID of their first row. Raises SchemaError for a slump without a date.
    """
    source = store.inventory("slumps", region, year)
    model = str(read_provenance(source).get("model", ""))
    today = datetime.now(ZoneInfo("UTC")).date()
    contribution = Contribution(stored_region(store, region).title, lab, today, model)
    years = [each for each in years_with(store, "slumps", region) if each <= year]
    frames = {each: read_features(store.inventory("slumps", region, each)) for each in years}
    inventories = [SlumpYear(each, columns_of(frame), np.asarray(frame.geometry, object)) for each, frame in frames.items()]
    columns = arts_columns(inventories, year, contribution)
    return _write(gpd.GeoDataFrame(columns, geometry=frames[year].geometry.to_numpy(), crs="EPSG:4326"), path, layer="slumps")


def write_items(answer: AskAnswer, path: Path) -> Path:
    """Write what an answer names as GeoJSON or GeoParquet by the end of the name, each with the words that were asked."""
    columns = {
        "feature_id": [item.feature_id or None for item in answer.items],
        "kind": [item.kind for item in answer.items],
        "year": [item.year for item in answer.items],
        "area_m2": [item.area_m2 for item in answer.items],
        "score": [item.score for item in answer.items],
        "phrase": [answer.words] * len(answer.items),
        "found_by": [answer.way] * len(answer.items),
    }
    outlines = [shape(dict(item.geometry)) for item in answer.items]
    return _write(gpd.GeoDataFrame(columns, geometry=outlines, crs="EPSG:4326"), path, layer="answer")


def _write(frame: gpd.GeoDataFrame, path: Path, *, layer: str) -> Path:
    if isinstance(path, ObjectPath):
        # GDAL writes files of this machine
        with TemporaryDirectory() as folder:
            path.send(_write(frame, Path(folder) / path.name, layer=layer))
        return path
    partial = path.with_name(f".{path.name}")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            frame.to_parquet(partial, index=False, schema_version="1.1.0")
        else:
            driver = "GeoJSON" if path.suffix == ".geojson" else "GPKG"
            gpd.GeoDataFrame(frame, geometry="geometry").to_file(partial, driver=driver, layer=layer)
        partial.replace(path)
    return path
