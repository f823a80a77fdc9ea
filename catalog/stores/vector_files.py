"""Vector files of others, in any format that GDAL reads, and GeoParquet, which the wheels of GDAL do not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyogrio.errors import DataSourceError

from catalog.facts.errors import WrongCall

_PARQUET: Final = (".parquet", ".geoparquet")


def columns_in(path: Path) -> tuple[str, ...]:
    """Return the columns of a vector file beside its geometry; raises WrongCall for a file that cannot be read."""
    try:
        if path.suffix.lower() in _PARQUET:
            with path.open("rb") as file:
                return tuple(pq.read_schema(file).names)
        return tuple(str(name) for name in pyogrio.read_info(path)["fields"])
    except (DataSourceError, pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error


def read_vector(path: Path, columns: Sequence[str] = ()) -> gpd.GeoDataFrame:
    """Read outlines, in EPSG:4326 and without heights, and some columns beside them; empty geometries are left out.

    Raises WrongCall for a file that cannot be read or names no CRS.
    """
    try:
        if path.suffix.lower() in _PARQUET:
            with path.open("rb") as file:
                # a file without the geometry column's metadata is no GeoParquet, and geopandas says so
                frame = gpd.read_parquet(file)
            frame = frame[[*columns, frame.geometry.name]].set_geometry(shapely.force_2d(frame.geometry))
        else:
            frame = pyogrio.read_dataframe(path, columns=list(columns), force_2d=True)
    except (DataSourceError, pa.ArrowInvalid, ValueError, OSError) as error:
        raise _unreadable(path, error) from error
    if frame.crs is None:
        raise WrongCall(f"{path}: it names no CRS. Write one into the file.")
    kept: gpd.GeoDataFrame = frame[~(frame.geometry.is_empty | frame.geometry.isna())].to_crs(4326)
    return kept


def _unreadable(path: Path, error: Exception) -> WrongCall:
    return WrongCall(f"{path}: not a readable vector file ({error}). Give GeoPackage, shapefile, GeoJSON or GeoParquet.")
