"""Inventories in the formats of other programs."""

from pathlib import Path

import geopandas as gpd

from catalog.facts.records import Target
from catalog.stores.files import storage_errors
from catalog.stores.store import Store
from catalog.stores.tables import read_features


def write_geopackage(store: Store, target: Target, region: str, year: int, path: Path) -> Path:
    """Write an inventory as a GeoPackage that QGIS and GDAL open; lists become comma-separated text."""
    frame = read_features(store.inventory(target, region, year))
    frame = frame.drop(columns=["bbox"], errors="ignore").assign(
        region=region, year=year, flags=[",".join(flags) for flags in frame["flags"]]
    )
    partial = path.with_name(f".{path.name}")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        gpd.GeoDataFrame(frame, geometry="geometry").to_file(partial, driver="GPKG", layer=target)
        partial.replace(path)
    return path
