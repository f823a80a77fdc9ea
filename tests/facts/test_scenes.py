"""Items of every provider become the same kind of scene; real items first."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from catalog.facts.bands import S2_NAMES, SCL_NAME
from catalog.facts.causes import Refusal
from catalog.facts.errors import SourceBroken
from catalog.facts.records import Scene
from catalog.facts.scenes import Rejected, to_scene


def real_items(folder: Path, pattern: str) -> Iterator[dict[str, Any]]:
    paths = sorted(folder.glob(pattern))
    assert paths, pattern
    for path in paths:
        content = json.loads(path.read_text())
        features = content if isinstance(content, list) else content.get("features", [content])
        yield from (item for item in features if isinstance(item, dict) and item.get("type") == "Feature")


def scenes_of(folder: Path, pattern: str, provider: str) -> list[Scene]:
    found = [to_scene(item, provider) for item in real_items(folder, pattern)]
    assert all(isinstance(scene, Scene) for scene in found)
    return [scene for scene in found if isinstance(scene, Scene)]


REAL_OPTICAL = [
    ("stac/pc_sentinel-2-l2a_items.json", "planetary-computer", "05.10", 1000, "metadata"),
    ("stac/pc_sentinel-2-l2a_item_arctic_T24XWR_2022.json", "planetary-computer", "04.00", 1000, "metadata"),
    ("stac/pc_sentinel-2-l2a_item_alaska_T06VVN_2019.json", "planetary-computer", "02.12", 0, "metadata"),
    ("stac/pc_sentinel-2-l2a_itemcollection_9_africa_35MNM.geojson", "planetary-computer", "02.12", 0, "metadata"),
    ("stac/earthsearch_v1_sentinel-2-c1-l2a_itemcollection_10.json", "earth-search", "05.10", 1000, "metadata"),
    ("stac/earthsearch_v1_sentinel-2-l2a_item_28QCH_2020.json", "earth-search", "02.14", 0, "catalog flag"),
    ("stac/earthsearch_v1_sentinel-2-l2a_item_alps_32TPS_2023.json", "earth-search", "05.09", 0, "catalog flag"),
    ("s2/l2a_33TWM_5dates_120m/*/*_L2A.json", "earth-search", "05.09", 0, "catalog flag"),
    ("stac/cdse_sentinel-2-l2a_featurecollection_2026_offset_nodata.json", "cdse", "05.12", 1000, "metadata"),
    ("stac/mapchete_s2_items/*.json", "static", "05.09", 1000, "metadata"),
]


@pytest.mark.parametrize(("pattern", "provider", "baseline", "offset", "evidence"), REAL_OPTICAL)
def test_real_optical_items(shared_data: Path, pattern: str, provider: str, baseline: str, offset: int, evidence: str) -> None:
    for scene in scenes_of(shared_data, pattern, provider):
        assert set(scene.assets) == {*S2_NAMES, SCL_NAME}
        assert (scene.sensor, scene.baseline, scene.offset_counts, scene.offset_evidence) == ("s2", baseline, offset, evidence)
        assert scene.sun_elevation_deg is not None and 5 < scene.sun_elevation_deg < 80
        assert scene.sun_azimuth_deg is not None
        assert scene.cloud_percent is not None
        assert scene.etag is not None
        assert scene.platform is not None and scene.platform.startswith("sentinel-2")
        for band, size in (("B02", 10980), ("B11", 5490), ("B01", 1830), (SCL_NAME, 5490)):
            asset = scene.assets[band]
            assert asset.shape == (size, size), band
            assert asset.transform is not None and asset.transform[0] == 109800 / size
            assert asset.epsg is not None and asset.epsg // 100 in (326, 327)


@pytest.mark.parametrize("provider", ["static", "api", "parquet"])
def test_the_dialect_of_an_unknown_catalog_is_read_from_its_asset_names(shared_data: Path, provider: str) -> None:
    for pattern, known, *_ in REAL_OPTICAL:
        for item in real_items(shared_data, pattern):
            ours, theirs = to_scene(item, provider), to_scene(item, known)
            assert isinstance(ours, Scene)
            assert isinstance(theirs, Scene)
            assert (ours.assets, ours.offset_counts) == (theirs.assets, theirs.offset_counts)


def test_an_item_with_few_fields_still_has_its_projection_and_offset(shared_data: Path) -> None:
    scenes = scenes_of(shared_data, "stac/earthsearch_v1_sentinel-2-l2a_itemcollection_14.json", "earth-search")
    assert {scene.assets["B02"].epsg for scene in scenes} == {32636, 32736}
    assert {scene.offset_counts for scene in scenes} == {1000}
    assert {scene.baseline for scene in scenes} == {None}


def test_real_terrain_corrected_radar(shared_data: Path) -> None:
    for pattern in ("stac/pc_sentinel-1-rtc_items.json", "stac/pc_sentinel-1-rtc_itemcollection_3.json"):
        for scene in scenes_of(shared_data, pattern, "planetary-computer"):
            assert set(scene.assets) == {"VV", "VH"}
            assert scene.assets["VV"].epsg in (32614, 32633)
            assert scene.assets["VV"].shape is not None
            assert scene.assets["VV"].transform is not None
            assert scene.orbit_state in ("ascending", "descending")
            assert scene.platform == "sentinel-1a"
            assert scene.acquisition_key.startswith("sentinel-1a/")
            assert scene.etag is not None


@pytest.mark.parametrize("pattern", ["stac/pc_sentinel-1-grd_item.json", "stac/earthsearch_v1_sentinel-1-grd_item-s1-*.json"])
def test_real_ground_range_radar_is_refused_with_the_reason(shared_data: Path, pattern: str) -> None:
    for item in real_items(shared_data, pattern):
        found = to_scene(item, "api")
        assert isinstance(found, Rejected)
        assert found.reason == Refusal.NOT_TERRAIN_CORRECTED
        assert "use sentinel-1-rtc" in found.message


def test_real_elevation(shared_data: Path) -> None:
    for scene in scenes_of(shared_data, "stac/pc_cop-dem-glo-30_items.json", "planetary-computer"):
        assert scene.sensor == "dem"
        assert scene.assets["DEM"].epsg == 4326
        assert scene.assets["DEM"].shape == (3600, 360)


def test_real_footprints_across_the_antimeridian_are_split_and_small(shared_data: Path) -> None:
    for scene in scenes_of(shared_data, "stac/mapchete_s2_items/*.json", "static"):
        ground = shapely.from_wkt(scene.footprint_wkt)
        assert ground.is_valid
        assert 0 < ground.area < 6
        assert min(abs(ground.bounds[0]), abs(ground.bounds[2])) > 178


def test_two_halves_of_one_real_acquisition_share_their_key(shared_data: Path) -> None:
    halves = scenes_of(shared_data, "stac/mapchete_s2_items/*_T01VCG.json", "static")
    assert len(halves) == 2
    assert len({scene.acquisition_key for scene in halves}) == 1


ITEM: dict[str, Any] = {
    "type": "Feature",
    "stac_version": "1.1.0",
    "id": "S2D_MSIL2A_20290701T053651_N0600_R005_T43TGH_20290701T080000",
    "collection": "sentinel-2-l2a",
    "geometry": {"type": "Polygon", "coordinates": [[[77, 43], [78, 43], [78, 44], [77, 44], [77, 43]]]},
    "bbox": [77, 43, 78, 44],
    "properties": {"datetime": "2029-07-01T05:36:51Z", "platform": "Sentinel-2D", "proj:code": "EPSG:32643"},
    "assets": {"B03": {"href": "B03.tif"}, "B08": {"href": "B08.tif"}},
}


def item_with(*, properties: dict[str, Any] | None = None, assets: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    item = copy.deepcopy(ITEM)
    item["properties"] |= properties or {}
    item["assets"] |= assets or {}
    return item | top


def scene_with(**changes: Any) -> Scene:
    found = to_scene(item_with(**changes), changes.pop("provider", "static"))
    assert isinstance(found, Scene)
    return found


def test_a_satellite_nobody_knew_is_read_like_its_elders() -> None:
    scene = scene_with()
    assert (scene.platform, scene.baseline, scene.offset_counts) == ("sentinel-2d", "06.00", 1000)
    assert scene.acquisition_key == "43TGH/s2d/20290701T053651"


def test_what_the_catalog_does_not_tell_is_none() -> None:
    asset = scene_with().assets["B03"]
    assert (asset.epsg, asset.transform, asset.shape) == (32643, None, None)


@pytest.mark.parametrize(
    "said", [{"proj:code": "EPSG:32644"}, {"proj:epsg": 32644, "proj:code": None}, {"proj:epsg": 32644.0, "proj:code": None}]
)
def test_the_projection_of_both_extensions(said: dict[str, Any]) -> None:
    assert scene_with(properties=said).assets["B03"].epsg == 32644


def test_an_asset_knows_its_projection_better_than_its_item() -> None:
    scene = scene_with(
        assets={"B03": {"href": "x", "proj:code": "EPSG:32642", "proj:transform": [10, 0, 1, 0, -10, 2, 0, 0, 1], "proj:shape": [3, 4]}}
    )
    assert scene.assets["B03"].epsg == 32642
    assert scene.assets["B03"].transform == (10, 0, 1, 0, -10, 2)
    assert scene.assets["B03"].shape == (3, 4)
    assert scene.assets["B08"].epsg == 32643


@pytest.mark.parametrize(
    ("properties", "offset", "evidence"),
    [
        ({"s2:processing_baseline": "03.01"}, 0, "metadata"),
        ({"s2:processing_baseline": "04.00"}, 1000, "metadata"),
        ({"s2:processing_baseline": "5.1"}, 1000, "metadata"),
        ({"s2:processing_baseline": "05.10", "earthsearch:boa_offset_applied": True}, 0, "catalog flag"),
        ({"s2:processing_baseline": "05.10", "earthsearch:boa_offset_applied": False}, 1000, "catalog flag"),
        ({"processing:version": "05.11"}, 1000, "metadata"),
    ],
)
def test_the_offset_follows_flag_then_baseline(properties: dict[str, Any], offset: int, evidence: str) -> None:
    scene = scene_with(id="scene", properties=properties)
    assert (scene.offset_counts, scene.offset_evidence) == (offset, evidence)


def test_the_baseline_decides_and_not_the_date() -> None:
    reprocessed = scene_with(id="scene", properties={"datetime": "2017-07-01T05:36:51Z", "s2:processing_baseline": "05.00"})
    assert reprocessed.offset_counts == 1000


@pytest.mark.parametrize(
    ("asset", "offset"),
    [
        ({"raster:bands": [{"scale": 0.0001, "offset": -0.1}]}, 1000),
        ({"raster:bands": [{"scale": 0.0001, "offset": 0}]}, 0),
        ({"raster:scale": 0.0001, "raster:offset": -0.1}, 1000),
        ({}, 0),
    ],
)
def test_without_a_baseline_the_bands_tell_the_offset(asset: dict[str, Any], offset: int) -> None:
    assert scene_with(id="scene", assets={"B03": {"href": "x", **asset}}).offset_counts == offset


def test_what_earth_search_declares_goes_before_the_baseline_and_elsewhere_after_it() -> None:
    declares = {"raster:bands": [{"scale": 0.0001, "offset": 0}]}
    baseline = {"s2:processing_baseline": "05.10"}
    item = item_with(id="scene", properties=baseline, assets={"B03": {"href": "x", **declares}})
    common = {**item, "assets": {"green": item["assets"]["B03"]}}
    found = [to_scene(one, "static") for one in (item, common)]
    assert [scene.offset_counts for scene in found if isinstance(scene, Scene)] == [1000, 0]


def test_reprocessing_keeps_the_key_and_changes_the_etag() -> None:
    first = scene_with(properties={"updated": "2029-07-01T09:00:00Z"})
    second = scene_with(id=ITEM["id"].replace("N0600", "N0601"), properties={"updated": "2029-09-01T09:00:00.5Z"})
    assert first.acquisition_key == second.acquisition_key
    assert first.etag != second.etag


def test_an_item_without_known_bands_is_refused() -> None:
    found = to_scene(ITEM | {"assets": {"visual": {"href": "TCI.tif"}}}, "static")
    assert isinstance(found, Rejected)
    assert found.reason == Refusal.BANDS_MISSING


def test_top_of_atmosphere_is_not_taken_for_surface_reflectance() -> None:
    found = to_scene(item_with(id="S2A_MSIL1C_20290701T053651_N0600_R005_T43TGH", collection="sentinel-2-l1c"), "static")
    assert isinstance(found, Rejected)


@pytest.mark.parametrize(
    "broken", [{"assets": None}, {"id": None}, {"properties": {"datetime": None}}, {"properties": {"datetime": "soon"}}]
)
def test_what_is_no_item_is_called_broken(broken: dict[str, Any]) -> None:
    with pytest.raises(SourceBroken, match="look at the catalog"):
        to_scene(ITEM | broken, "static")


def test_an_item_without_a_footprint_shows_nothing() -> None:
    assert shapely.from_wkt(scene_with(geometry=None).footprint_wkt).is_empty


def test_an_interval_without_an_instant_counts_from_its_start() -> None:
    scene = scene_with(properties={"datetime": None, "start_datetime": "2029-07-01 05:00:00+00:00", "end_datetime": "2029-07-02T05:00:00Z"})
    assert scene.acquired.isoformat() == "2029-07-01T05:00:00+00:00"
