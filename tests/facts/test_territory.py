"""Who maps which ground: regions without overlaps or holes, zones that meet, chips that touch."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.facts.errors import WrongCall
from catalog.facts.grids import Tile, from_lonlat, owns_its_centre, parse_tile, tile_centre_lonlat, to_lonlat, zone_epsg
from catalog.facts.lattice import zones_of
from catalog.facts.regions import Region
from catalog.facts.territory import Territory, ZoneTerritory, skip_reason, territory_of
from catalog.facts.tile_ground import ground_of
from catalog.stores.regions import all_regions, family_of, find_region

BUNDLED = all_regions()
TERRITORIES = {region.name: territory_of(region, family_of(region)) for region in BUNDLED}


def of_user(bounds: str) -> Territory:
    region = find_region(bounds)
    return territory_of(region, family_of(region))


def tile_at(epsg: int, longitude: float, latitude: float) -> Tile:
    x, y = from_lonlat(epsg).transform(longitude, latitude)
    return Tile(epsg, int(x // 22400), int(y // 22400))


def claimants(territories: list[Territory], longitude: float, latitude: float) -> list[str]:
    """Regions that answer for a feature whose representative point lies here."""
    tile = tile_at(zone_epsg(longitude, latitude), longitude, latitude)
    return [territory.region for territory in territories for zone in territory.zones if tile in zone.claimed]


@given(st.floats(-180, 180), st.floats(-80, 84))
def test_zones_of_arrays_are_the_zones_of_points(longitude: float, latitude: float) -> None:
    assert zones_of(np.array([longitude]), np.array([latitude]))[0] == zone_epsg(longitude, latitude)


@pytest.mark.parametrize("family", ["hma", "arctic"])
def test_every_tile_belongs_to_exactly_one_region(family: str) -> None:
    counts = Counter(chain.from_iterable(TERRITORIES[region.name].owned for region in BUNDLED if region.family == family))
    assert len(counts) > 1000
    assert set(counts.values()) == {1}


def test_the_most_specific_region_gets_the_tile() -> None:
    centre = shapely.Point(77.2, 43.1)
    holders = [name for name, territory in TERRITORIES.items() for tile in territory.owned if shapely.contains(ground_of(tile), centre)]
    assert set(holders) == {"ile_alatau"}


def test_a_tile_belongs_where_its_centre_lies_even_if_it_touches_a_more_specific_region() -> None:
    special = find_region("ile_alatau")
    touching = [tile for tile in TERRITORIES["tien_shan_full"].owned if shapely.intersects(special.geometry, ground_of(tile))]
    assert touching
    assert not any(shapely.contains_xy(special.geometry, *tile_centre_lonlat(tile)) for tile in touching)
    assert all(shapely.contains_xy(special.geometry, *tile_centre_lonlat(tile)) for tile in TERRITORIES["ile_alatau"].owned)


@pytest.mark.parametrize("name", ["tibetan_plateau", "tien_shan_full", "taymyr"])
def test_owned_ground_beside_a_seam_is_mapped_in_the_other_zone_too_even_at_the_border_of_the_region(name: str) -> None:
    territory, tested = TERRITORIES[name], 0
    for tile in territory.owned:
        left, bottom, right, top = tile.bounds_lbrt
        for x, y in ((left + 500, bottom + 500), (right - 500, top - 500), (left + 500, top - 500), (right - 500, bottom + 500)):
            longitude, latitude = to_lonlat(tile.epsg).transform(x, y)
            degrees = 8.0 / (111.3 * np.cos(np.radians(latitude)))
            for other in {zone_epsg(longitude - degrees, latitude), zone_epsg(longitude + degrees, latitude)} - {tile.epsg}:
                across = tile_at(other, longitude, latitude)
                if not owns_its_centre(across):  # a tile whose centre lies in that zone has its own region there
                    tested += 1
                    assert across in territory.zone(other).tiles
    assert tested > 20


def test_owned_tiles_have_their_centre_in_their_zone_and_overlap_tiles_have_not() -> None:
    for name in ("pamir", "taymyr", "chukotka_coast"):
        territory = TERRITORIES[name]
        assert all(owns_its_centre(tile) for tile in territory.owned)
        assert not any(owns_its_centre(tile) for zone in territory.zones for tile in zone.overlap)


@pytest.mark.parametrize("family", ["hma", "arctic"])
def test_every_point_of_a_family_has_exactly_one_region_that_answers_for_it(family: str) -> None:
    regions = [region for region in BUNDLED if region.family == family]
    territories = [TERRITORIES[region.name] for region in regions]
    rng = np.random.default_rng(7)
    tested = 0
    for region in regions:
        for part in shapely.get_parts(region.geometry):
            west, south, east, north = part.bounds
            points = np.column_stack([rng.uniform(west, east, 120), rng.uniform(south, north, 120)])
            # many points where it is hard: within a tile of a zone seam
            points[::2, 0] = np.clip(np.round((points[::2, 0] + 180) / 6) * 6 - 180 + rng.normal(0, 0.15, len(points[::2])), west, east)
            for longitude, latitude in points[shapely.contains_xy(part, points[:, 0], points[:, 1])]:
                tested += 1
                assert len(claimants(territories, longitude, latitude)) == 1, (longitude, latitude)
    assert tested > 500


@pytest.mark.parametrize("name", ["pamir", "chukotka_coast", "yamal_gydan"])
def test_ground_within_ten_kilometres_of_a_seam_is_mapped_in_both_zones(name: str) -> None:
    region = find_region(name)
    territory = TERRITORIES[name]
    rng = np.random.default_rng(3)
    tested = 0
    for seam in range(-180, 180, 6):
        for latitude in rng.uniform(region.geometry.bounds[1], region.geometry.bounds[3], 30):
            longitude = seam + rng.uniform(-1, 1) * 10.0 / (111.3 * np.cos(np.radians(latitude)))
            longitude = (longitude + 180) % 360 - 180
            if not shapely.contains_xy(region.geometry, longitude, latitude):
                continue
            tested += 1
            for epsg in (zone_epsg((seam - 1 + 180) % 360 - 180, latitude), zone_epsg(seam + 1, latitude)):
                assert tile_at(epsg, longitude, latitude) in territory.zone(epsg).tiles, (longitude, latitude, epsg)
    assert tested > 10


def test_chukotka_is_mapped_on_both_sides_of_the_antimeridian() -> None:
    territory = TERRITORIES["chukotka_coast"]
    assert {32601, 32660} <= {zone.epsg for zone in territory.zones}
    wrangel = {tile_at(32660, 179.0, 71.2), tile_at(32601, -179.0, 71.2)}
    assert wrangel <= set(territory.owned)
    assert max(ground_of(tile).area for tile in territory.tiles) < 1.0


def test_one_pixel_is_one_chip_of_one_tile() -> None:
    (zone,) = of_user("76.50000,42.70000,76.50010,42.70008").zones
    assert (len(zone.owned), len(zone.overlap)) == (1, 0)
    assert zone.chip_mask(zone.owned[0]).sum() == 1


def test_the_chip_of_a_pixel_is_the_one_that_holds_it() -> None:
    (zone,) = of_user("76.50000,42.70000,76.50001,42.70001").zones
    (tile,) = zone.owned
    x, y = from_lonlat(zone.epsg).transform(76.500005, 42.700005)
    left, _, _, top = tile.bounds_lbrt
    row, column = np.argwhere(zone.chip_mask(tile))[0]
    assert (row, column) == (int((top - y) // 2240), int((x - left) // 2240))


@given(st.floats(-0.12, 0.12), st.floats(-55, 70))
def test_a_pixel_beside_a_seam_is_mapped_in_the_zone_that_owns_it(offset: float, latitude: float) -> None:
    longitude = 78.0 + offset
    territory = of_user(f"{longitude:.5f},{latitude:.5f},{longitude + 1e-4:.5f},{latitude + 1e-4:.5f}")
    point = (longitude + 5e-5, latitude + 5e-5)
    epsg = zone_epsg(*point)
    tile = tile_at(epsg, *point)
    assert tile in territory.zone(epsg).tiles
    assert tile in territory.zone(epsg).claimed


@settings(max_examples=60)
@given(
    west=st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, -0.1, 2.9, 8.95, 20.9, 33.0, 41.9, 77.9, 179.95])),
    south=st.one_of(st.floats(-79, 83), st.sampled_from([-0.1, 55.9, 63.9, 71.9, 83.4])),
    side=st.sampled_from([1e-4, 0.05, 0.5]),
    share=st.floats(0.05, 0.95),
)
def test_every_point_of_any_box_is_mapped_and_claimed_in_the_zone_that_holds_it(
    west: float, south: float, side: float, share: float
) -> None:
    east = (west + side + 180) % 360 - 180
    if west == east:
        return
    longitude, latitude = (west + share * side + 180) % 360 - 180, south + share * side
    zone = of_user(f"{west:.7f},{south:.7f},{east:.7f},{south + side:.7f}").zone(zone_epsg(longitude, latitude))
    tile = tile_at(zone.epsg, longitude, latitude)
    assert tile in zone.tiles
    assert tile in zone.claimed
    x, y = from_lonlat(zone.epsg).transform(longitude, latitude)
    left, _, _, top = tile.bounds_lbrt
    assert zone.chip_mask(tile)[int((top - y) // 2240), int((x - left) // 2240)]


@pytest.mark.parametrize(
    ("bounds", "zones"),
    [
        ("16,78,17,78.5", {32633}),
        ("8.5,78,9.5,78.5", {32631, 32633}),
        ("20.5,78,21.5,78.5", {32633, 32635}),
        ("5,60,6,61", {32632}),
        ("2.8,60,3.2,60.2", {32631, 32632}),
        ("-73.5,-47.5,-73,-47", {32718}),
        ("-180,71,-179.5,71.3", {32601, 32660}),
        ("77,-0.2,77.5,0.2", {32643, 32743}),
    ],
)
def test_zones_follow_norway_svalbard_the_line_and_the_equator(bounds: str, zones: set[int]) -> None:
    territory = of_user(bounds)
    assert {zone.epsg for zone in territory.zones if zone.owned} <= zones
    assert {zone.epsg for zone in territory.zones} >= zones


def test_ground_beyond_84_north_needs_a_named_crs() -> None:
    with pytest.raises(WrongCall, match="name a polar CRS"):
        of_user("-40,83,-30,84.5")
    box = shapely.box(-40, 83, -30, 85)
    polar = Region("north", "North", "lakes", "user", box.wkt, crs_epsg=3413)
    (zone,) = territory_of(polar, (polar,)).zones
    assert (zone.epsg, zone.overlap) == (3413, ())
    x, y = from_lonlat(3413).transform(-35.0, 84.3)
    tile = Tile(3413, int(x // 22400), int(y // 22400))
    assert tile in zone.owned
    assert parse_tile(tile.id) == tile


def test_a_file_region_of_a_family_masks_nothing() -> None:
    zone = TERRITORIES["ile_alatau"].zones[0]
    assert zone.chip_mask(zone.owned[0]).all()


def test_the_chips_that_a_zone_answers_for_do_not_depend_on_the_tile_size() -> None:
    region = find_region("77.9,42.95,78.2,43.2")
    whole, halves = ({chip for zone in territory_of(region, (region,), chips).zones for chip in _chips_in_zone(zone)} for chips in (10, 5))
    assert whole == halves
    assert len(whole) > 100


def _chips_in_zone(zone: ZoneTerritory) -> set[tuple[int, int, int]]:
    """Mapped chips whose own centre lies in the zone, as positions on the zone's lattice of chips."""
    found = set()
    for tile in zone.tiles:
        for row, column in np.argwhere(zone.chip_mask(tile)):
            chip = Tile(zone.epsg, tile.column * tile.chips + int(column), (tile.row + 1) * tile.chips - 1 - int(row), 1)
            if owns_its_centre(chip):
                found.add((zone.epsg, chip.column, chip.row))
    return found


def test_a_tile_below_the_floor_is_skipped_with_its_height() -> None:
    region = find_region("ile_alatau")
    tile = TERRITORIES["ile_alatau"].owned[0]
    assert skip_reason(region, tile, 900.0, None) == "below the region's elevation floor of 2000 m (highest ground 900 m)"
    assert skip_reason(region, tile, 4000.0, None) is None
    assert skip_reason(region, tile, None, None) is None


def test_a_tile_far_from_all_glaciers_is_skipped() -> None:
    region = find_region("ile_alatau")
    tile = TERRITORIES["ile_alatau"].owned[0]
    longitude, latitude = tile_centre_lonlat(tile)
    near = shapely.GeometryCollection([shapely.Point(longitude + 0.2, latitude).buffer(0.001)])
    far = shapely.GeometryCollection([shapely.Point(longitude + 0.5, latitude).buffer(0.001)])
    assert skip_reason(region, tile, 4000.0, near) is None
    assert skip_reason(region, tile, 4000.0, far) == "farther than 10 km from the given glacier outlines"
    assert skip_reason(find_region("peel_plateau"), tile, 4000.0, far) is None
