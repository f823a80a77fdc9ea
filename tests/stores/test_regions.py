"""Regions by name, file and box; outlines from vector files."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from catalog.facts.antimeridian import split_bounds
from catalog.facts.errors import UnknownRegion, WrongCall
from catalog.facts.grids import Tile
from catalog.facts.regions import Region, search_bounds
from catalog.facts.territory import territory_of
from catalog.facts.tile_ground import ground_of
from catalog.stores.regions import all_regions, family_of, find_region, read_region, to_geojson

LAKE_BOXES = {
    "hindu_kush": (67, 33, 72, 38),
    "pamir": (70, 36, 76, 40),
    "karakoram": (73, 34, 78, 37),
    "western_himalaya": (73, 30, 80, 35),
    "central_himalaya": (79, 26, 89, 32),
    "eastern_himalaya": (88, 26, 96, 30.5),
    "hengduan_nyainqentanglha": (94, 28, 104, 33),
    "tien_shan_full": (70, 38, 83, 45.5),
    "tibetan_plateau": (79, 30, 94, 36),
    "hma_other": (67.46, 26.97, 103.87, 45.40),
    "ile_alatau": (76.5, 42.7, 78.2, 43.55),
    "zhetysu_alatau": (78, 43.8, 81.5, 45.5),
}
SQUARE = {"type": "Polygon", "coordinates": [[[77, 43], [77.1, 43], [77.1, 43.1], [77, 43.1], [77, 43]]]}


def file_with(folder: Path, content: Any, name: str = "Big Almaty.geojson") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_twelve_lake_regions_have_their_boxes_and_are_lakes() -> None:
    lakes = {region.name: region for region in all_regions() if region.family == "hma"}
    assert {name: region.bounds_wsen for name, region in lakes.items()} == LAKE_BOXES
    assert {region.target for region in lakes.values()} == {"lakes"}
    assert min(lakes.values(), key=lambda region: region.priority).name == "ile_alatau"
    assert max(lakes.values(), key=lambda region: region.priority).name == "hma_other"
    assert all(region.elevation_floor_m and region.elevation_floor_why for region in lakes.values())


def test_the_eight_arctic_regions_are_slumps() -> None:
    slumps = {region.name for region in all_regions() if region.family == "arctic" and region.target == "slumps"}
    names = {"banks_island", "peel_plateau", "horton_delta", "yamal_gydan", "taymyr", "lena_bykovsky", "chukotka_coast", "noatak"}
    assert slumps == names


INVENTORIES = {
    "huang2022_banks_island_2020": "banks_island",
    "huang2022_willow_river_2020": "peel_plateau",
    "runge2022_chukotka_coast_by_date": "chukotka_coast",
    "runge2022_east_taymyr_by_date": "taymyr",
    "runge2022_lower_lena_by_date": "lena_bykovsky",
    "barth2023_ET_rts_by_year": "taymyr",
}


@pytest.mark.parametrize(("inventory", "name"), INVENTORIES.items())
def test_published_slumps_lie_in_their_region(shared_data: Path, inventory: str, name: str) -> None:
    slumps = gpd.read_file(shared_data / "rts" / "inventories" / f"{inventory}.gpkg").to_crs(4326)
    assert shapely.contains(find_region(name).geometry, slumps.geometry.representative_point().to_numpy()).all()


@pytest.mark.parametrize("region", all_regions(), ids=lambda region: region.name)
def test_a_region_written_to_a_store_is_read_back_equal(region: Region, tmp_path: Path) -> None:
    path = tmp_path / "region.geojson"
    path.write_bytes(to_geojson(region))
    again = read_region(path)
    assert again == region
    assert territory_of(again, family_of(again)).owned == territory_of(region, family_of(region)).owned


@pytest.mark.parametrize("bounds", ["-180,60,180,61", "-170,60,170,61", "170,60,-170,61", "77,43,77.01,43.01"])
def test_a_box_written_to_a_store_is_read_back_equal(bounds: str, tmp_path: Path) -> None:
    path = tmp_path / "region.geojson"
    path.write_bytes(to_geojson(find_region(bounds)))
    assert read_region(path) == find_region(bounds)


@pytest.mark.parametrize(
    "place", [{"type": "Point", "coordinates": [180, 71.1]}, {"type": "LineString", "coordinates": [[77.9, 43.1], [78.2, 43.2]]}]
)
def test_a_point_or_a_line_is_a_region_too(tmp_path: Path, place: dict[str, Any]) -> None:
    region = find_region(str(file_with(tmp_path, place)))
    zones = territory_of(region, (region,)).zones
    assert len(zones) == 2
    assert all(zone.chip_mask(tile).any() for zone in zones for tile in zone.tiles)


def test_a_region_of_the_user_is_a_file_with_a_polygon_and_nothing_more(tmp_path: Path) -> None:
    region = find_region(str(file_with(tmp_path, SQUARE)))
    assert (region.name, region.target, region.family, region.territory) == ("big_almaty", "lakes", "user", "geometry")
    assert find_region(str(file_with(tmp_path, SQUARE)), target="slumps").target == "slumps"


def test_properties_of_a_file_are_kept(tmp_path: Path) -> None:
    seasons = [{"start": "07-01", "end": "09-01", "elevation_from_m": 3000}]
    properties = {"name": "mine", "target": "slumps", "elevation_floor_m": 10, "seasons": seasons}
    region = find_region(str(file_with(tmp_path, {"type": "Feature", "properties": properties, "geometry": SQUARE})))
    assert (region.name, region.target, region.elevation_floor_m, region.seasons[0].elevation_from_m) == ("mine", "slumps", 10.0, 3000)


def test_a_file_with_longitudes_beyond_the_line_is_split(tmp_path: Path) -> None:
    ring = [[179, 71], [181, 71], [181, 71.5], [179, 71.5], [179, 71]]
    region = find_region(str(file_with(tmp_path, {"type": "Polygon", "coordinates": [ring]})))
    assert region.bounds_wsen == (179, 71, -179, 71.5)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("no json", "cannot be read as GeoJSON"),
        ({"type": "FeatureCollection", "features": []}, "holds no feature"),
        ({"type": "Feature", "properties": {}, "geometry": None}, "no geometry"),
        ({"type": "Polygon", "coordinates": [[[500000, 4700000], [500010, 4700000], [500010, 4700010], [500000, 4700000]]]}, "not degrees"),
        ({**SQUARE, "crs": {"type": "name", "properties": {"name": "EPSG:32643"}}}, "reproject"),
        ({"type": "Feature", "properties": {"target": "trees"}, "geometry": SQUARE}, "lakes or slumps"),
        ({"type": "Feature", "properties": {"elevation_floor_m": "high"}, "geometry": SQUARE}, "number of metres"),
        ({"type": "Feature", "properties": {"seasons": [{"start": "07-01"}]}, "geometry": SQUARE}, "needs start and end"),
        ({"type": "Feature", "properties": {"seasons": [{"start": "07-32", "end": "08-01"}]}, "geometry": SQUARE}, "MM-DD"),
        ({"type": "Polygon", "coordinates": [[[179, 71], [-179, 71], [-179, 71.5], [179, 71.5], [179, 71]]]}, "write 179 to 181"),
        ({"type": "Feature", "properties": {"name": "pamir"}, "geometry": SQUARE}, "as a bundled region is"),
    ],
)
def test_a_file_that_cannot_be_a_region_says_why(tmp_path: Path, content: Any, problem: str) -> None:
    with pytest.raises(WrongCall, match=problem):
        find_region(str(file_with(tmp_path, content)))


@pytest.mark.parametrize("text", ["77,43,76,200", "77,44,78,43", "77,43,77,44"])
def test_a_box_that_is_none_is_a_wrong_call(text: str) -> None:
    with pytest.raises(WrongCall, match="W,S,E,N"):
        find_region(text)


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownRegion, match="did you mean 'karakoram'"):
        find_region("Karakorum")
    with pytest.raises(UnknownRegion, match="does not exist"):
        find_region("missing/region.geojson")


@pytest.mark.parametrize("name", ["ile_alatau", "chukotka_coast", "179.9,66,-179.9,66.1", "77,43,77.01,43.01", "-180,60,180,61"])
def test_a_search_covers_everything_that_is_mapped(name: str) -> None:
    region = find_region(name)
    asked = shapely.union_all([shapely.box(*part) for part in split_bounds(search_bounds(region))])
    for zone in territory_of(region, family_of(region)).zones:
        for tile in zone.tiles[:: max(1, len(zone.tiles) // 200)]:
            left, _, _, top = tile.bounds_lbrt
            for row, column in np.argwhere(zone.chip_mask(tile))[[0, -1]]:
                chip = Tile(zone.epsg, left // 2240 + int(column), top // 2240 - 1 - int(row), 1)
                assert shapely.covers(asked, ground_of(chip)), (tile, row, column)
