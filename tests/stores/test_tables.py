import duckdb
import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely

from catalog.facts.errors import SchemaError
from catalog.stores.tables import put_features, put_table, read_features, read_provenance, read_table

SCHEMA = pa.schema([("lake_id", pa.string()), ("area_m2", pa.float64()), ("flags", pa.list_(pa.string()))])
PROVENANCE = {"region": "khumbu", "year": 2021, "model": "indices"}


def put(path, count=50, seed=0):
    rng = np.random.default_rng(seed)
    points = shapely.points(rng.uniform(80, 90, count), rng.uniform(27, 30, count))
    columns = {"lake_id": [f"GL{i}" for i in range(count)], "area_m2": rng.uniform(1e3, 1e6, count), "flags": [[] for _ in range(count)]}
    return put_features(path, shapely.buffer(points, 0.01), columns, SCHEMA, provenance=PROVENANCE)


def test_a_table_opens_in_geopandas_with_crs_types_and_provenance(tmp_path):
    put(tmp_path / "part.parquet")
    frame = read_features(tmp_path / "part.parquet")
    assert frame.crs.to_epsg() == 4326
    assert sorted(frame.lake_id) == sorted(f"GL{i}" for i in range(50))
    assert read_provenance(tmp_path / "part.parquet") == PROVENANCE
    clipped = gpd.read_parquet(tmp_path / "part.parquet", bbox=(80, 27, 82, 30))
    assert 0 < len(clipped) < 50


def test_hive_partitions_are_read_by_duckdb_with_their_keys(tmp_path):
    for year in (2020, 2021):
        put(tmp_path / "region=khumbu" / f"year={year}" / "part.parquet", seed=year)
    rows = duckdb.read_parquet(str(tmp_path / "*" / "*" / "part.parquet"), hive_partitioning=True)
    assert rows.aggregate("year, count(*), sum(area_m2) > 0", "year").order("year").fetchall() == [(2020, 50, True), (2021, 50, True)]


def test_an_empty_table_keeps_its_columns_and_crs(tmp_path):
    put(tmp_path / "part.parquet", count=0)
    frame = read_features(tmp_path / "part.parquet")
    assert len(frame) == 0
    assert frame.crs.to_epsg() == 4326
    assert read_table(tmp_path / "part.parquet").schema.field("flags").type == pa.list_(pa.string())


def test_equal_content_is_the_same_bytes_and_is_not_written_again(tmp_path):
    first = put(tmp_path / "part.parquet")
    before = (tmp_path / "part.parquet").stat().st_mtime_ns
    assert put(tmp_path / "part.parquet") == first
    assert (tmp_path / "part.parquet").stat().st_mtime_ns == before


def test_every_mismatch_with_the_schema_is_listed(tmp_path):
    with pytest.raises(SchemaError, match=r"area_m2 is string, expected double; flags is missing"):
        put_table(tmp_path / "t.parquet", pa.table({"lake_id": ["a"], "area_m2": ["b"]}), SCHEMA, provenance={})


def test_a_truncated_file_is_refused_with_the_way_out(tmp_path):
    put(tmp_path / "part.parquet")
    (tmp_path / "part.parquet").write_bytes((tmp_path / "part.parquet").read_bytes()[:200])
    with pytest.raises(SchemaError, match="Delete it and run again"):
        read_features(tmp_path / "part.parquet")
