"""Outlines of any provider are kept with their IDs, near the region, valid, and skip the tiles that are far from them."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely.geometry import box

from catalog.facts.errors import WrongCall
from catalog.facts.glaciers import GLACIERS
from catalog.facts.schemas import require
from catalog.facts.territory import skip_reason, territory_of
from catalog.stores.files import write_atomic
from catalog.stores.glaciers import find_glaciers, glaciers_checksum, keep_glaciers, read_glaciers
from catalog.stores.jobs import create_job, outlines_of
from catalog.stores.regions import family_of, find_region
from catalog.stores.store import open_store
from catalog.stores.tables import read_table

REGION = find_region("77,43,77.2,43.1")
BOWTIE = shapely.Polygon([(77.0, 43.0), (77.1, 43.1), (77.1, 43.0), (77.0, 43.1)])


def written(path: Path, shapes: list, crs: int = 4326, **columns) -> Path:
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=4326).to_crs(crs)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    return path


@pytest.mark.parametrize(
    ("columns", "ids", "years"),
    [
        ({"rgi_id": ["RGI2000-v7.0-G-13-1", "RGI2000-v7.0-G-13-2"], "src_date": ["2002-08-09T00:00:00", None]}, None, [2002, np.nan]),
        ({"RGIId": ["RGI60-13.1", "RGI60-13.2"], "GLIMSId": ["G1", "G2"], "BgnDate": ["20001030", "-9999999"]}, None, [2000, np.nan]),
        ({"glac_id": ["G077000E43000N", None], "anlys_time": ["2015-09-01", "1999-01-01"]}, ["G077000E43000N", "file:1"], [2015, 1999]),
        ({"name": ["a", "b"]}, ["file:0", "file:1"], [np.nan, np.nan]),
    ],
)
@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "parquet"])
def test_ids_and_dates_of_every_provider_are_known(tmp_path, suffix, columns, ids, years):
    path = written(tmp_path / f"file.{suffix}", [box(77, 43, 77.1, 43.1), box(77.1, 43, 77.2, 43.1)], **columns)
    found = read_glaciers(path, REGION)
    expected = ids or next(iter(columns.values()))
    if suffix == "gpkg":
        # rows of a GeoPackage are numbered from one
        expected = [name.replace("file:1", "file:2").replace("file:0", "file:1") for name in expected]
    assert found.ids.tolist() == expected
    np.testing.assert_array_equal(found.years, years)
    assert found.source == f"file.{suffix}"


@pytest.mark.parametrize("suffix", ["gpkg", "geojson"])
def test_a_day_stays_a_day_in_every_format(tmp_path, suffix):
    path = written(tmp_path / f"g.{suffix}", [box(77, 43, 77.1, 43.1)], date=["2021-08-15"])
    assert read_glaciers(path, REGION).dates.tolist() == ["2021-08-15"]


def test_what_glims_draws_beside_glaciers_is_left_out(tmp_path):
    path = written(tmp_path / "g.gpkg", [box(77, 43, 77.1, 43.1)] * 2, glac_id=["a", "a"], line_type=["intrnl_rock", "glac_bound"])
    assert len(read_glaciers(path, REGION)) == 1


def test_invalid_outlines_are_repaired_and_what_is_no_polygon_is_left_out(tmp_path):
    shapes = [BOWTIE, shapely.LineString([(77, 43), (77.1, 43.1)]), None, box(77.1, 43, 77.2, 43.1)]
    found = read_glaciers(written(tmp_path / "g.gpkg", shapes, rgi_id=["bowtie", "line", "none", "box"]), REGION)
    assert found.ids.tolist() == ["bowtie", "box"]
    assert shapely.is_valid(found.outlines).all()
    assert shapely.area(found.outlines[0]) == pytest.approx(0.005, rel=0.01)


@pytest.mark.parametrize("crs", [4326, 32643, 3857])
def test_only_what_is_near_the_region_is_kept_in_any_projection(tmp_path, crs):
    shapes = [box(77, 43, 77.1, 43.1), box(77.7, 43, 77.75, 43.1), box(79, 43, 79.1, 43.1), box(77, 60, 77.1, 60.1)]
    found = read_glaciers(written(tmp_path / "g.gpkg", shapes, crs, rgi_id=list("abcd")), REGION)
    assert found.ids.tolist() == ["a", "b"]
    assert shapely.bounds(found.outlines[0]) == pytest.approx((77, 43, 77.1, 43.1), abs=1e-3)


def test_a_region_at_the_date_line_keeps_glaciers_on_both_sides(tmp_path):
    shapes = [box(179.5, 66, 179.6, 66.1), box(-179.6, 66, -179.5, 66.1), box(170, 66, 170.1, 66.1)]
    found = read_glaciers(written(tmp_path / "g.geojson", shapes, rgi_id=["west", "east", "far"]), find_region("179.8,65.9,-179.8,66.2"))
    assert sorted(found.ids) == ["east", "west"]


def test_files_that_hold_no_glacier_there_are_a_wrong_call(tmp_path):
    with pytest.raises(WrongCall, match="cannot be read"):
        read_glaciers(tmp_path / "missing.gpkg", REGION)
    with pytest.raises(WrongCall, match="cannot be read"):
        read_glaciers(tmp_path / "missing.parquet", REGION)
    with pytest.raises(WrongCall, match="no glacier polygon within 50 km"):
        read_glaciers(written(tmp_path / "empty.gpkg", [], rgi_id=[]), REGION)
    with pytest.raises(WrongCall, match="covers it"):
        read_glaciers(written(tmp_path / "alps.gpkg", [box(7, 46, 7.1, 46.1)], rgi_id=["alps"]), REGION)


def test_a_job_keeps_outlines_with_their_names_and_the_same_file_again_writes_nothing(tmp_path):
    path = written(tmp_path / "g.gpkg", [BOWTIE, box(77.1, 43, 77.2, 43.1)], RGIId=["a", "b"], BgnDate=["20001030", "20139999"])
    job = create_job("77,43,77.2,43.1", 2021, str(tmp_path / "store"), str(path))
    store = open_store(job.store)
    table = require(read_table(store.glaciers(job.region)), GLACIERS, where="test")
    assert sorted(table.column("year").to_pylist()) == [2000, 2013]
    found, before = find_glaciers(store, job.region), store.glaciers(job.region).stat().st_mtime_ns
    assert found is not None
    assert set(found.ids) == {"a", "b"}
    assert set(found.dates) == {"20001030", "20139999"}
    assert outlines_of(job).area == pytest.approx(0.015, rel=0.01)
    checksum = glaciers_checksum(store, job.region)
    keep_glaciers(store, REGION, str(path))
    assert (store.glaciers(job.region).stat().st_mtime_ns, glaciers_checksum(store, job.region)) == (before, checksum)


def test_without_outlines_there_are_none_and_older_stores_keep_theirs(tmp_path):
    job = create_job("77,43,77.2,43.1", 2021, str(tmp_path), None)
    store = open_store(job.store)
    assert outlines_of(job) is None
    assert find_glaciers(store, job.region) is None
    assert glaciers_checksum(store, job.region) == ""
    write_atomic(store.region(job.region).with_suffix(".outlines.wkb"), shapely.to_wkb(box(77, 43, 77.1, 43.1)))
    assert outlines_of(job).area == pytest.approx(0.01)


def test_real_outlines_skip_what_is_far_from_them(shared_data: Path) -> None:
    path = shared_data / "lake_cases" / "everest_landsat7_2000" / "15_rgi60_glacier_outlines.gpkg"
    region = find_region("central_himalaya")
    glaciers = read_glaciers(path, region)
    assert len(glaciers) == 86
    assert set(glaciers.years) == {2000, 2002, 2010}
    outlines = shapely.GeometryCollection(list(shapely.get_parts(glaciers.outlines)))
    tiles = territory_of(region, family_of(region)).owned
    kept = [tile for tile in tiles if skip_reason(region, tile, None, outlines) is None]
    assert 0 < len(kept) < 20
    assert {skip_reason(region, tile, None, outlines) for tile in tiles} == {None, "farther than 10 km from the given glacier outlines"}


def test_the_invalid_outline_of_rgi60_14_03439_does_not_fail(shared_data: Path) -> None:
    found = read_glaciers(shared_data / "dem" / "rgi60_14_03439_karakoram" / "RGI60-14.03439.shp", find_region("74.9,36.3,75,36.4"))
    assert found.ids.tolist() == ["RGI60-14.03439"]
    assert shapely.is_valid(found.outlines).all()
