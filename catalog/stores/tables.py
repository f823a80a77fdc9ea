"""Feature tables in GeoParquet 1.1: bbox covering, zstd, Hilbert order, provenance; whole or not at all."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from catalog.facts.errors import SchemaError
from catalog.facts.schemas import require
from catalog.stores import fences
from catalog.stores.files import write_if_changed

_ROW_GROUP = 20_000
_METADATA_KEY = b"cryoatlas"


def put_features(
    path: Path,
    geometry: NDArray[Any],
    columns: Mapping[str, Sequence[Any]],
    schema: pa.Schema,
    *,
    provenance: Mapping[str, Any],
    in_order: bool = False,
) -> str:
    """Write features with their geometry (EPSG:4326); return the file's checksum. Equal content is not written again.

    Rows follow a Hilbert curve, or stay in the order given where another file counts on it.
    """
    frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries(geometry, crs="EPSG:4326"))
    order = range(len(frame)) if in_order or not len(frame) else frame.hilbert_distance().argsort(kind="stable").to_numpy()
    attributes = pa.table({field.name: pa.array(columns[field.name], field.type) for field in schema}, schema=schema).take(
        pa.array(list(order), pa.int64())
    )
    shapes = _geometry_table(frame.iloc[list(order)])
    table = shapes
    for position, name in enumerate(attributes.column_names):
        table = table.add_column(position, attributes.schema.field(name), attributes.column(name))
    return put_table(path, table, schema, provenance=provenance)


def put_table(path: Path, table: pa.Table, schema: pa.Schema, *, provenance: Mapping[str, Any]) -> str:
    """Write a table with its provenance; return the file's checksum. Equal content is not written again."""
    require(table, schema, where=str(path))
    metadata = {**(table.schema.metadata or {}), _METADATA_KEY: json.dumps(provenance, sort_keys=True, default=str).encode()}
    fences.check_path(path)
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), buffer, compression="zstd", row_group_size=_ROW_GROUP)
    return write_if_changed(path, buffer.getvalue())


def read_features(path: Path) -> gpd.GeoDataFrame:
    """Read a feature table; raises SchemaError when the file is not one."""
    try:
        # one file, not a data set: the Hive keys in its path stay out of the columns
        with path.open("rb") as file:
            return gpd.read_parquet(file)
    except (pa.ArrowInvalid, ValueError, OSError) as error:
        raise SchemaError(f"{path}: not a readable feature table ({error}). Delete it and run again.") from error


def columns_of(frame: gpd.GeoDataFrame) -> dict[str, list[Any]]:
    """Return the columns of a feature table beside its geometry, so that missing numbers stay null and dates stay dates."""
    table = pa.Table.from_pandas(frame.drop(columns=["geometry", "bbox"], errors="ignore"), preserve_index=False)
    return {name: table.column(name).to_pylist() for name in table.column_names}


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a plain table, or some columns of it; raises SchemaError when the file is not one."""
    try:
        with path.open("rb") as file:
            return pq.read_table(file, columns=None if columns is None else list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise SchemaError(f"{path}: not a readable table ({error}). Delete it and run again.") from error


def read_provenance(path: Path) -> dict[str, Any]:
    """Return what a file of ours says of its origin; empty for files of others."""
    with path.open("rb") as file:
        metadata = pq.read_schema(file).metadata or {}
    return dict(json.loads(metadata.get(_METADATA_KEY, b"{}")))


def _geometry_table(frame: gpd.GeoDataFrame) -> pa.Table:
    if len(frame) == 0:
        # geopandas writes no geometry type for an empty file, and readers then stumble; the CRS and bbox stay declared
        frame = gpd.GeoDataFrame(geometry=gpd.GeoSeries([shapely.Point(0, 0)], crs="EPSG:4326"))
        return _geometry_table(frame).slice(0, 0)
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, schema_version="1.1.0", write_covering_bbox=True)
    buffer.seek(0)
    table = pq.read_table(buffer)
    return table.replace_schema_metadata({b"geo": table.schema.metadata[b"geo"]})
