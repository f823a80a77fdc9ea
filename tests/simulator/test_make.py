"""A small world on disk: determinism, items, counts and truth."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pystac
import pytest
import rasterio
from pyproj import Geod, Transformer
from rasterio.features import rasterize
from shapely.ops import unary_union

from simulator.make import WORLDS, make, make_world, scenery_of
from simulator.worlds import ARCTIC, HMA

SMALL = replace(HMA, chips=(1, 1, 1, 0), optical_dates=2, ascending=1, descending=1, scattered=6)
SMALL_ARCTIC = replace(ARCTIC, chips=(1, 0, 0, 1), optical_dates=1, ascending=1, descending=1, scattered=4)
YEARS = (2021, 2022)


def item_files(out: Path, collection: str) -> list[dict]:
    return [json.loads(path.read_text()) | {"folder": path.parent} for path in sorted((out / "catalog" / collection).glob("*/*.json"))]


def digests(out: Path, pattern: str) -> dict[str, str]:
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.glob(pattern)) if path.is_file()
    }


def epsg_of(properties: dict) -> int:
    return properties.get("proj:epsg") or int(properties["proj:code"].removeprefix("EPSG:"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("world")
    summary = make(SMALL, YEARS, out, workers=1)
    assert summary.years == YEARS
    assert summary.optical_scenes == len(item_files(out, "sentinel-2-l2a"))
    return out


@pytest.fixture(scope="module")
def arctic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("arctic")
    make(SMALL_ARCTIC, [2021], out, workers=1)
    return out


def test_a_year_is_the_same_bytes_whatever_the_other_years(world: Path, tmp_path: Path) -> None:
    make(SMALL, [2022], tmp_path, workers=1)
    for pattern in ("catalog/sentinel-*/*2022[01]*/*", "truth/*/year=2022.parquet", "catalog/cop*/*/*.tif", "region.geojson"):
        again = digests(tmp_path, pattern)
        assert again
        assert again.items() <= digests(world, pattern).items()


def test_another_seed_gives_another_world(world: Path, tmp_path: Path) -> None:
    make(replace(SMALL, ascending=0, descending=0, optical_dates=0), [2022], tmp_path, seed=8, workers=1)
    pattern = "catalog/cop*/*/*.tif"
    assert set(digests(tmp_path, pattern).values()).isdisjoint(digests(world, pattern).values())


def test_glaciers_are_drawn_for_every_year_withdraw_and_touch_the_lakes_at_their_ends(world: Path, arctic: Path) -> None:
    glaciers = gpd.read_file(world / "glaciers.geojson").to_crs(HMA.epsgs[0])
    assert glaciers.is_valid.all()
    areas = glaciers.assign(year=glaciers.date.astype(str).str[:4].astype(int), area=glaciers.area).pivot(
        index="glacier_id", columns="year", values="area"
    )
    assert list(areas.columns) == list(YEARS)
    assert len(areas) == 3
    assert (areas[2022] < areas[2021]).all()
    assert not (arctic / "glaciers.geojson").exists()


def test_lakes_on_the_ice_lie_inside_the_outlines_of_their_year_and_ice_contact_lakes_at_them() -> None:
    scenery = scenery_of(HMA, 7)
    for year in YEARS:
        ice = unary_union([outline for _, outline in scenery.glaciers(year)])
        shapes = {kind: [s.shape for s in scenery.lakes.states(year) if s.kind == kind] for kind in ("supraglacial", "ice_contact")}
        assert all(shapes.values())
        assert all(shape.intersection(ice).area > 0.9 * shape.area for shape in shapes["supraglacial"])
        assert all(shape.distance(ice) < 30 and shape.intersection(ice).area < 0.1 * shape.area for shape in shapes["ice_contact"])


def test_every_asset_opens_where_and_in_the_system_its_item_says(world: Path) -> None:
    seen = 0
    for collection in ("sentinel-2-l2a", "sentinel-1-rtc", "cop-dem-glo-30"):
        for record in item_files(world, collection):
            for asset in record["assets"].values():
                fields = record["properties"] | asset
                with rasterio.open(record["folder"] / asset["href"]) as file:
                    assert file.crs.to_epsg() == epsg_of(fields)
                    assert list(file.shape) == fields["proj:shape"]
                    assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
                    if "proj:transform" in fields:
                        assert list(file.transform)[:6] == fields["proj:transform"][:6]
                seen += 1
    assert seen > 100


def test_pystac_reads_the_catalog_from_the_folder(world: Path) -> None:
    catalog = pystac.Catalog.from_file(str(world / "catalog" / "catalog.json"))
    items = list(catalog.get_items(recursive=True))
    assert {item.collection_id for item in items} == {"sentinel-2-l2a", "sentinel-1-rtc", "cop-dem-glo-30"}
    assert all(Path(asset.get_absolute_href() or "").exists() for item in items for asset in item.assets.values())


def test_items_state_their_projection_in_both_ways_and_sometimes_without_a_transform(world: Path) -> None:
    records = item_files(world, "sentinel-2-l2a") + item_files(world, "sentinel-1-rtc")
    assert {("proj:code" in record["properties"], record["stac_version"]) for record in records} == {(True, "1.1.0"), (False, "1.0.0")}
    optical = [record["assets"]["B02"] for record in item_files(world, "sentinel-2-l2a")]
    assert any("proj:transform" in asset for asset in optical)


def test_item_fields_are_those_of_the_planetary_computer(world: Path, shared_data: Path) -> None:
    for collection, name in (("sentinel-2-l2a", "pc_sentinel-2-l2a_items.json"), ("sentinel-1-rtc", "pc_sentinel-1-rtc_items.json")):
        real = json.loads((shared_data / "stac" / name).read_text())
        known = real["features"][0] if isinstance(real, dict) else real[0]
        for record in item_files(world, collection):
            assert set(record["properties"]) - {"proj:code"} <= set(known["properties"])
            assert set(record["assets"]) <= set(known["assets"])
            assert set(record) - {"folder"} <= set(known)


def test_the_offset_is_there_from_baseline_4_on_and_only_then(world: Path) -> None:
    offsets = {}
    for record in item_files(world, "sentinel-2-l2a"):
        with rasterio.open(record["folder"] / "B12.tif") as file:
            pixels = file.read(1)
        offsets[record["properties"]["s2:processing_baseline"]] = int(pixels[pixels > 0].min())
    assert {name for name, low in offsets.items() if low > 600} == {name for name in offsets if name >= "04.00"}
    assert "03.01" in offsets


def test_an_acquisition_of_2021_is_delivered_in_two_baselines_that_differ_by_the_offset(world: Path) -> None:
    by_time: dict[tuple[str, int], list[dict]] = {}
    for record in item_files(world, "sentinel-2-l2a"):
        by_time.setdefault((record["properties"]["datetime"], epsg_of(record["properties"])), []).append(record)
    pairs = [records for records in by_time.values() if len(records) == 2]
    assert pairs
    old, new = sorted(pairs[0], key=lambda record: record["properties"]["s2:processing_baseline"])
    assert (old["properties"]["s2:processing_baseline"], new["properties"]["s2:processing_baseline"]) == ("03.01", "05.00")
    counts = []
    for record in (old, new):
        with rasterio.open(record["folder"] / "B03.tif") as file:
            counts.append(file.read(1).astype(int))
    common = (counts[0] > 1) & (counts[1] > 0)
    assert np.all(counts[1][common] - counts[0][common] == 1000)


def test_truth_areas_are_geodesic(world: Path) -> None:
    for year in YEARS:
        lakes = gpd.read_parquet(world / "truth" / "lakes" / f"year={year}.parquet")
        assert lakes.crs.to_epsg() == 4326
        expected = [abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0]) for shape in lakes.geometry]
        np.testing.assert_allclose(lakes["area_m2"], expected, rtol=1e-9)
        assert lakes.geometry.is_valid.all()
        assert (lakes["hard"] == (lakes["hard_because"] != "")).all()


def test_years_drift(world: Path) -> None:
    first, second = (gpd.read_parquet(world / "truth" / "lakes" / f"year={year}.parquet").set_index("id")["area_m2"] for year in YEARS)
    assert second["ice-main"] > first["ice-main"] * 1.03


def test_the_elevation_model_is_flat_on_lakes(world: Path) -> None:
    lakes = gpd.read_parquet(world / "truth" / "lakes" / "year=2022.parquet").set_index("id")
    spreads = []
    for path in sorted((world / "catalog" / "cop-dem-glo-30").glob("*/*.tif")):
        with rasterio.open(path) as file:
            pixels = file.read(1)
            inner = lakes.loc[["corner", "ice-main"]].to_crs(32643).buffer(-45).to_crs(4326)
            for shape in inner:
                mask = rasterize([shape], out_shape=file.shape, transform=file.transform, dtype="uint8") == 1
                if mask.sum() > 3:
                    spreads.append(float(np.ptp(pixels[mask & (pixels > -1000)])))
    assert spreads
    assert max(spreads) < 0.01


def test_water_is_dark_in_the_near_infrared_where_the_truth_says_so_in_both_zones(world: Path) -> None:
    lakes = gpd.read_parquet(world / "truth" / "lakes" / "year=2022.parquet").set_index("id")
    for epsg in (32643, 32644):
        record = clearest(world, epsg)
        with rasterio.open(record["folder"] / "B08.tif") as near, rasterio.open(record["folder"] / "B03.tif") as green:
            corner = lakes.to_crs(epsg).geometry["corner"]
            inner, ring = corner.buffer(-15), corner.buffer(60).difference(corner.buffer(15))
            wet, dry = (rasterize([shape], out_shape=near.shape, transform=near.transform) == 1 for shape in (inner, ring))
            ratio = (green.read(1).astype(float) - 1000 + 1e-6) / (near.read(1).astype(float) - 1000 + 1e-6)
            assert np.median(ratio[wet]) > 2
            assert np.median(ratio[dry]) < 1.1


def clearest(world: Path, epsg: int) -> dict:
    season = [r for r in item_files(world, "sentinel-2-l2a") if "2022-07" <= r["properties"]["datetime"][:7] <= "2022-09"]
    return min((r for r in season if epsg_of(r["properties"]) == epsg), key=lambda r: r["properties"]["eo:cloud_cover"])


def test_radar_is_linear_power_with_no_data_and_zero_borders(world: Path) -> None:
    for record in item_files(world, "sentinel-1-rtc"):
        with rasterio.open(record["folder"] / "vv.tif") as file:
            assert file.nodata == -32768
            pixels = file.read(1)
        valid = pixels[pixels > 0]
        assert -16 < 10 * np.log10(np.median(valid)) < -6
        assert ((pixels == -32768) | (pixels >= 0)).all()
    assert {record["properties"]["platform"] for record in item_files(world, "sentinel-1-rtc") if "2022" in record["id"]} == {"SENTINEL-1A"}


def test_the_region_touches_only_whole_chips_of_its_zone(world: Path) -> None:
    region = json.loads((world / "region.geojson").read_text())
    assert region["properties"]["target"] == "lakes"
    ring = np.array(region["geometry"]["coordinates"][0])
    east, north = Transformer.from_crs(4326, 32643, always_xy=True).transform(ring[:, 0], ring[:, 1])
    columns, rows = np.floor(np.asarray(east) / 2240), np.floor(np.asarray(north) / 2240)
    assert (columns.max() - columns.min() + 1, rows.max() - rows.min() + 1) == (2, 1)
    assert east.min() % 2240 < 30
    assert 2240 - east.max() % 2240 < 30


def test_the_tundra_has_slumps_lakes_and_confusers(arctic: Path) -> None:
    slumps = gpd.read_parquet(arctic / "truth" / "slumps" / "year=2021.parquet")
    assert len(slumps) >= 4
    assert len(gpd.read_parquet(arctic / "truth" / "lakes" / "year=2021.parquet")) >= 1
    assert {"river_bar", "snow_patch", "road_cut"} <= set(gpd.read_parquet(arctic / "truth" / "confusers" / "year=2021.parquet")["class"])
    assert {"event", "year_from", "year", "parents", "children"} == set(
        pd.read_parquet(arctic / "truth" / "slumps" / "events.parquet").columns
    )


def test_slumps_are_barer_than_the_tundra_around_them(arctic: Path) -> None:
    slumps = gpd.read_parquet(arctic / "truth" / "slumps" / "year=2021.parquet").to_crs(32610)
    fresh = slumps[slumps["class"] == "active"]
    record = min(item_files(arctic, "sentinel-2-l2a"), key=lambda r: r["properties"]["eo:cloud_cover"])
    offset = 1000 if record["properties"]["s2:processing_baseline"] >= "04.00" else 0
    with rasterio.open(record["folder"] / "B08.tif") as near, rasterio.open(record["folder"] / "B04.tif") as red:
        near_pixels, red_pixels = (file.read(1).astype(float) - offset for file in (near, red))
        index = (near_pixels - red_pixels) / (near_pixels + red_pixels + 1)
        inside = rasterize(fresh.buffer(-15), out_shape=near.shape, transform=near.transform) == 1
        assert np.median(index[inside]) < np.median(index[near_pixels > 0]) - 0.15


def test_unknown_worlds_and_empty_spans_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="demo-hma"):
        make_world("demo-alps", [2020], tmp_path)
    with pytest.raises(ValueError, match="at least one year"):
        make_world(next(iter(WORLDS)), [], tmp_path)
