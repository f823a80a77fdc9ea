"""Label inventories of others (GeoParquet, GeoPackage, shapefile, GeoJSON) as one table of outlines."""

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio.errors
import shapely

from catalog.facts.errors import ChipsUnusable

_IDS = ("lake_id", "id", "ID", "fid")
_POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_PARQUET = {".parquet", ".geoparquet", ".pq"}


@dataclass(frozen=True, slots=True)
class Labels:
    """Outlines for the images of one year."""

    outlines: gpd.GeoDataFrame
    """Columns lake_id, class, hard, hard_because, observable, label_year and geometry (valid polygons, EPSG:4326)."""
    year: int
    """Of the labels."""
    repaired: int
    """Outlines that were invalid and had to be repaired."""


def read_labels(place: str, image_year: int, label_year: int | None = None) -> Labels:
    """Read the labels for the images of a year.

    `place` is a file, or a pattern with `{year}` for one file per year. The year of a label is that of its file, else of its `year`
    column (of which the year nearest to the image is taken), else `label_year`. Raises ChipsUnusable with the way out.
    """
    path = Path(place.replace("{year}", str(image_year))).expanduser()
    raw = _read(path)
    if raw.crs is None:
        raise ChipsUnusable(f"Labels {path}: no coordinate system is declared. Declare it, for example with ogr2ogr -a_srs EPSG:4326.")
    chosen, year = _of_year(raw, path, image_year, image_year if "{year}" in place else label_year)
    if not len(chosen):
        raise ChipsUnusable(f"Labels {path}: no outline in it. Give an inventory that holds polygons of lakes.")
    return _cleaned(chosen, path, year)


def _read(path: Path) -> gpd.GeoDataFrame:
    if not path.exists():
        raise ChipsUnusable(f"Labels {path}: no such file. Give a GeoParquet, GeoPackage or shapefile, or a pattern with {{year}}.")
    try:
        if path.suffix in _PARQUET:
            # one file, not a data set: Hive keys in its path stay out of the columns
            with path.open("rb") as file:
                return gpd.read_parquet(file)
        return gpd.read_file(path)
    except (ValueError, OSError, pyogrio.errors.DataSourceError) as error:
        raise ChipsUnusable(f"Labels {path}: not a file of outlines ({error}). Give a GeoParquet, GeoPackage or shapefile.") from error


def _of_year(raw: gpd.GeoDataFrame, path: Path, image_year: int, known: int | None) -> tuple[gpd.GeoDataFrame, int]:
    if known is not None:
        return raw, known
    if "year" not in raw.columns:
        raise ChipsUnusable(f"Labels {path}: nothing tells their year. Add a `year` column, use a pattern with {{year}}, or --label-year.")
    years = raw["year"].dropna().astype(int)
    if years.empty:
        raise ChipsUnusable(f"Labels {path}: the `year` column is empty. Fill it, or say --label-year.")
    # of two years equally near, the later: lakes mostly appear
    nearest = min(sorted(set(years), reverse=True), key=lambda year: abs(year - image_year))
    return raw[raw["year"] == nearest], nearest


def _cleaned(raw: gpd.GeoDataFrame, path: Path, year: int) -> Labels:
    there = raw[raw.geometry.notna() & ~raw.geometry.is_empty].to_crs(4326)
    shapes = there.geometry.to_numpy()
    broken = ~shapely.is_valid(shapes)
    shapes[broken] = shapely.make_valid(shapes[broken])
    shapes = np.array([_polygonal(shape) for shape in shapes], object)
    solid = shapely.area(shapes) > 0
    if not solid.any():
        raise ChipsUnusable(f"Labels {path}: no polygon in it. Give the outlines of lakes, not points or lines.")
    columns = _columns(there, year)[solid]
    return Labels(gpd.GeoDataFrame(columns, geometry=shapes[solid], crs=4326), year, int(broken.sum()))


def _polygonal(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a shape: repair may leave lines and points beside them."""
    if shapely.get_type_id(shape) in _POLYGONAL:
        return shape
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _columns(there: gpd.GeoDataFrame, year: int) -> pd.DataFrame:
    name = next((column for column in _IDS if column in there.columns), None)
    ids = [str(value) for value in (there[name] if name else range(len(there)))]
    return pd.DataFrame(
        {
            "lake_id": ids,
            "label_year": year,
            "class": _texts(there, "class"),
            "hard": _flags(there, "hard", otherwise=False),
            "hard_because": _texts(there, "hard_because"),
            "observable": _flags(there, "observable", otherwise=True),
        }
    )


def _texts(frame: gpd.GeoDataFrame, name: str) -> list[str]:
    if name not in frame.columns:
        return [""] * len(frame)
    return ["" if pd.isna(value) else str(value) for value in frame[name]]


def _flags(frame: gpd.GeoDataFrame, name: str, *, otherwise: bool) -> list[bool]:
    return [bool(value) for value in frame[name]] if name in frame.columns else [otherwise] * len(frame)
