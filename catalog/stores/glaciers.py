"""Glacier outlines of a region: read from any vector file, kept with their IDs, found again."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS, Transformer
from shapely.geometry import MultiPolygon, box
from shapely.geometry.base import BaseGeometry

from catalog.facts.antimeridian import split, unwrapped
from catalog.facts.errors import WrongCall
from catalog.facts.glaciers import GLACIER_REACH_M, GLACIERS, Glaciers
from catalog.facts.regions import KM_PER_DEGREE, Region, search_bounds
from catalog.facts.schemas import SCHEMA_VERSION
from catalog.stores.files import checksum
from catalog.stores.store import Store
from catalog.stores.tables import put_features, read_features, read_provenance

_ID_COLUMNS: Final = ("glacier_id", "rgi_id", "rgiid", "glac_id", "glims_id", "glimsid")
"""Names, in lower case, of columns that name a glacier in RGI 5 to 7 and GLIMS; the first that is there counts."""
_DATE_COLUMNS: Final = ("src_date", "bgndate", "date", "anlys_time", "year")
_LINE_TYPE: Final = "line_type"
"""GLIMS keeps rocks, debris and lakes beside the glaciers, and tells them apart in this column."""
_GLACIER_LINE: Final = "glac_bound"
_YEAR: Final = r"^\s*((?:18|19|20)\d{2})"
_FORMATS: Final = "give a GeoPackage, shapefile, GeoJSON or GeoParquet of glaciers."


def keep_glaciers(store: Store, region: Region, path: str) -> None:
    """Keep the outlines of a user's file that lie near a region; raises WrongCall when it cannot be read or holds none there."""
    found = read_glaciers(Path(path).expanduser(), region)
    columns = {
        "glacier_id": found.ids.tolist(),
        "date": found.dates.tolist(),
        "year": [None if np.isnan(year) else int(year) for year in found.years],
        "source": [found.source] * len(found),
    }
    provenance = {"schema_version": SCHEMA_VERSION, "region": region.name, "source": found.source, "kept_within_m": GLACIER_REACH_M}
    put_features(store.glaciers(region.name), found.outlines, columns, GLACIERS, provenance=provenance)


def find_glaciers(store: Store, region: str) -> Glaciers | None:
    """Return the outlines that a user gave for a region, or None; raises SchemaError for a damaged file."""
    path = store.glaciers(region)
    if not path.is_file():
        return None
    frame = read_features(path)
    dates = np.array([None if pd.isna(date) else date for date in frame["date"]], np.object_)
    years = frame["year"].to_numpy(np.float64, na_value=np.nan)
    source = str(read_provenance(path).get("source", ""))
    return Glaciers(frame["glacier_id"].to_numpy(object), dates, years, frame.geometry.to_numpy(), source)


def glaciers_checksum(store: Store, region: str) -> str:
    """Return the checksum of the outlines kept for a region; empty without any."""
    path = store.glaciers(region)
    return checksum(path) if path.is_file() else ""


def read_glaciers(path: Path, region: Region) -> Glaciers:
    """Read the glaciers of a file (RGI, GLIMS or any vector file) within `GLACIER_REACH_M` of a region's bounds.

    Invalid outlines are repaired. Rows without a name are called by the file's and their number in it. Raises WrongCall when the file
    cannot be read, holds no polygon, or none near the region: every lake would then seem to be far from ice.
    """
    near = _near(region)
    frame = _parquet(path) if path.suffix.lower() in (".parquet", ".geoparquet") else _vector(path, near)
    if frame.crs is not None:
        frame = frame.to_crs(4326)
    frame = frame.rename(columns={name: str(name).lower() for name in frame.columns if name != frame.geometry.name})
    if _LINE_TYPE in frame and (frame[_LINE_TYPE] == _GLACIER_LINE).any():
        frame = frame[frame[_LINE_TYPE] == _GLACIER_LINE]
    outlines = _polygons(frame.geometry.to_numpy())
    there = ~shapely.is_empty(outlines) & shapely.intersects(outlines, near)
    if not there.any():
        raise WrongCall(
            f"Outlines {path} hold no glacier polygon within {GLACIER_REACH_M / 1000:.0f} km of region {region.name!r}:"
            " give a file of glacier outlines that covers it."
        )
    frame, outlines = frame[there], outlines[there]
    dates = _dates(frame)
    years = pd.Series(dates, dtype=object).astype("string").str.extract(_YEAR, expand=False).astype("Float64")
    return Glaciers(_ids(frame, path.stem), dates, np.asarray(years.to_numpy(np.float64, na_value=np.nan), np.float64), outlines, path.name)


def _near(region: Region) -> BaseGeometry:
    """Bounds of all that the region maps, grown by the reach, split at +-180."""
    west, south, east, north = search_bounds(region)
    grow = GLACIER_REACH_M / 1000 / KM_PER_DEGREE
    south, north = max(south - grow, -90.0), min(north + grow, 90.0)
    aside = grow / max(float(np.cos(np.radians(max(abs(south), abs(north))))), 0.01)
    width = (east - west) % 360.0 or (360.0 if east > west else 0.0)
    if width + 2 * aside >= 360.0:
        return box(-180.0, south, 180.0, north)
    return split(box(west - aside, south, west + width + aside, north))


def _vector(path: Path, near: BaseGeometry) -> gpd.GeoDataFrame:
    """Rows of a file whose bounds meet the boxes of `near`, numbered as in the file: inventories of the globe are large."""
    try:
        information = pyogrio.read_info(path)
        wanted = [name for name in information["fields"] if str(name).lower() in (*_ID_COLUMNS, *_DATE_COLUMNS, _LINE_TYPE)]
        boxes = [_in_layer(part.bounds, information["crs"]) for part in shapely.get_parts(near)]
        parts = [pyogrio.read_dataframe(path, columns=wanted, bbox=bounds, fid_as_index=True, force_2d=True) for bounds in boxes]
    except (DataSourceError, DataLayerError) as error:
        raise WrongCall(f"Outlines {path} cannot be read ({error}): {_FORMATS}") from error
    together = gpd.GeoDataFrame(pd.concat(parts), crs=parts[0].crs)
    return together[~together.index.duplicated()].sort_index()


def _parquet(path: Path) -> gpd.GeoDataFrame:
    # the GDAL of Python wheels has no Parquet driver
    try:
        return gpd.read_parquet(path)
    except (pa.ArrowInvalid, ValueError, OSError) as error:
        raise WrongCall(f"Outlines {path} cannot be read ({error}): {_FORMATS}") from error


def _in_layer(bounds: tuple[float, float, float, float], crs: str | None) -> tuple[float, float, float, float] | None:
    """Degrees as bounds in the file's system; None (read all) where that has no bounds for them."""
    if crs is None or CRS.from_user_input(crs).is_geographic:
        return bounds
    moved = Transformer.from_crs(4326, crs, always_xy=True).transform_bounds(*bounds, densify_pts=21)
    return moved if np.isfinite(moved).all() else None


def _polygons(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Valid polygons of each geometry, cut at +-180; an empty one where there is none."""
    shapes = shapely.force_2d(np.asarray(geometries, object))
    shapes[shapely.is_missing(shapes)] = MultiPolygon()
    for place in np.flatnonzero(~shapely.is_valid(shapes) | ~np.isin(shapely.get_type_id(shapes), (3, 6))):
        parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(shapes[place])))
        shapes[place] = MultiPolygon([part for part in parts if part.geom_type == "Polygon" and not part.is_empty])
    bounds = shapely.bounds(shapes)
    with np.errstate(invalid="ignore"):
        across = np.flatnonzero((bounds[:, 0] < -180) | (bounds[:, 2] > 180) | (bounds[:, 2] - bounds[:, 0] > 180))
    for place in across:
        shapes[place] = split(unwrapped(shapes[place]))
    return shapes


def _ids(frame: gpd.GeoDataFrame, stem: str) -> NDArray[np.object_]:
    numbered = [f"{stem}:{row}" for row in frame.index]
    column = next((name for name in _ID_COLUMNS if name in frame), None)
    given: list[Any] = [None] * len(frame) if column is None else frame[column].tolist()
    unnamed = [pd.isna(name) or not str(name).strip() for name in given]
    return np.array([own if nameless else str(name) for name, own, nameless in zip(given, numbered, unnamed, strict=True)], np.object_)


def _dates(frame: gpd.GeoDataFrame) -> NDArray[np.object_]:
    column = next((name for name in _DATE_COLUMNS if name in frame), None)
    given: list[Any] = [None] * len(frame) if column is None else frame[column].tolist()
    return np.array([None if pd.isna(date) else _day(date) for date in given], np.object_)


def _day(date: object) -> str:
    # GDAL makes an instant of what is a day in GeoJSON, and of what is text in a shapefile nothing
    return date.date().isoformat() if isinstance(date, datetime) else str(date)
