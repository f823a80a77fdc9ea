"""Label inventories of others (GeoParquet, GeoPackage, shapefile, GeoJSON) as one table of outlines."""

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio.errors
import shapely

from catalog.facts.errors import ChipsUnusable
from catalog.stores.label_columns import columns_of, years_told

_POLYGONAL = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_PARQUET = {".parquet", ".geoparquet", ".pq"}


@dataclass(frozen=True, slots=True)
class Labels:
    """Outlines for the images of one year."""

    outlines: gpd.GeoDataFrame
    """Columns lake_id (of slumps too), class, hard, hard_because, observable, labeler, label_year and geometry (valid polygons, EPSG:4326)."""
    year: int
    """Of the labels."""
    repaired: int
    """Outlines that were invalid and had to be repaired."""


def read_labels(place: str, image_year: int, label_year: int | None = None) -> Labels:
    """Read the labels for the images of a year.

    `place` is a file, or a pattern with `{year}` for one file per year. The year of a label is that of its file, else `label_year`, else
    that of its `year` column or of its date (image_date, date, BaseMapDate), of which the year nearest to the image is taken. Raises
    ChipsUnusable with the way out.
    """
    path = Path(place.replace("{year}", str(image_year))).expanduser()
    raw = _read(path)
    if raw.crs is None:
        raise ChipsUnusable(f"Labels {path}: no coordinate system is declared. Declare it, for example with ogr2ogr -a_srs EPSG:4326.")
    chosen, year = _of_year(raw, path, image_year, image_year if "{year}" in place else label_year)
    if not len(chosen):
        raise ChipsUnusable(f"Labels {path}: no outline in it. Give an inventory that holds polygons.")
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
    told = years_told(raw)
    if told is None:
        raise ChipsUnusable(
            f"Labels {path}: nothing tells their year. Add a `year` column or a date, use a pattern with {{year}}, or --label-year."
        )
    years = told.dropna().astype(int)
    if years.empty:
        raise ChipsUnusable(f"Labels {path}: the column of years is empty. Fill it, or say --label-year.")
    # of two years equally near, the later: lakes mostly appear, and slumps grow
    nearest = min(sorted(set(years), reverse=True), key=lambda year: abs(year - image_year))
    return raw[(told == nearest).to_numpy()], nearest


def _cleaned(raw: gpd.GeoDataFrame, path: Path, year: int) -> Labels:
    there = raw[raw.geometry.notna() & ~raw.geometry.is_empty].to_crs(4326)
    shapes = there.geometry.to_numpy()
    broken = ~shapely.is_valid(shapes)
    shapes[broken] = shapely.make_valid(shapes[broken])
    shapes = np.array([_polygonal(shape) for shape in shapes], object)
    solid = shapely.area(shapes) > 0
    if not solid.any():
        raise ChipsUnusable(f"Labels {path}: no polygon in it. Give outlines, not points or lines.")
    columns = columns_of(there, year)[solid]
    return Labels(gpd.GeoDataFrame(columns, geometry=shapes[solid], crs=4326), year, int(broken.sum()))


def _polygonal(shape: shapely.Geometry) -> shapely.Geometry:
    """The polygons of a shape: repair may leave lines and points beside them."""
    if shapely.get_type_id(shape) in _POLYGONAL:
        return shape
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
