import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.errors import WrongCall
from catalog.facts.grids import Tile, from_lonlat, owns_its_centre, parse_tile, tile_centre_lonlat, tiles_over_bounds, zone_epsg

longitudes = st.floats(-180, 180, allow_nan=False)
latitudes = st.floats(-79.9, 83.9, allow_nan=False)


def test_tile_id_and_bounds_are_those_of_the_design():
    tile = parse_tile("32643-0029-0214")
    assert tile.id == "32643-0029-0214"
    assert tile.bounds_lbrt == (649_600, 4_793_600, 672_000, 4_816_000)
    assert tile.origin_yx_px == (-481_600, 64_960)
    assert (tile.size_px, tile.size_m) == (2240, 22_400)


@pytest.mark.parametrize("text", ["32643-29-214", "T43TGH", "", "32643-0029-0214-1"])
def test_what_is_no_tile_id_is_refused_with_an_example(text):
    with pytest.raises(WrongCall, match="for example 32643-0029-0214"):
        parse_tile(text)


@pytest.mark.parametrize(
    ("longitude", "latitude", "epsg"),
    [
        (77.99, 44.0, 32643),
        (78.01, 44.0, 32644),
        (5.0, 60.0, 32632),  # Bergen lies in the widened zone 32
        (15.0, 78.2, 32633),  # Svalbard has no zones 32, 34, 36
        (8.9, 78.0, 32631),
        (179.9, 71.0, 32660),
        (-179.9, 71.0, 32601),
        (180.0, 71.0, 32601),
        (-70.0, -46.0, 32719),
    ],
)
def test_zone_of_a_point(longitude, latitude, epsg):
    assert zone_epsg(longitude, latitude) == epsg


def test_beyond_84_north_a_polar_crs_must_be_named():
    with pytest.raises(WrongCall, match="polar CRS"):
        zone_epsg(10.0, 84.5)


@given(longitudes, latitudes)
def test_every_point_has_one_zone_and_lies_in_the_tile_that_says_so(longitude, latitude):
    epsg = zone_epsg(longitude, latitude)
    x, y = from_lonlat(epsg).transform(longitude, latitude)
    (tile,) = tiles_over_bounds(epsg, (x - 0.001, y - 0.001, x + 0.001, y + 0.001)) if x % 22_400 > 1 and y % 22_400 > 1 else [None]
    if tile is not None:
        left, bottom, right, top = tile.bounds_lbrt
        assert left <= x <= right
        assert bottom <= y <= top
        assert parse_tile(tile.id) == tile


def test_tiles_over_bounds_cover_them_without_overlap():
    tiles = list(tiles_over_bounds(32643, (650_000, 4_790_000, 700_000, 4_800_000)))
    assert [tile.id for tile in tiles] == [f"32643-{c:04d}-{r:04d}" for r in (214, 213) for c in (29, 30, 31)]


def test_a_tile_belongs_to_the_zone_that_holds_its_centre():
    # 78 E is the seam of zones 43 and 44; column 33 of zone 43 reaches over it
    columns = [tile for tile in (Tile(32643, c, 214) for c in range(30, 36)) if owns_its_centre(tile)]
    assert columns == [tile for tile in columns if tile_centre_lonlat(tile)[0] < 78.0]
    assert 0 < len(columns) < 6


def test_neighbours_are_the_eight_around():
    tile = Tile(32643, 29, 214)
    around = tile.neighbours()
    assert len(set(around)) == 8
    assert all(max(abs(n.column - 29), abs(n.row - 214)) == 1 for n in around)
