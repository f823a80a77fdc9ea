from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from catalog.facts.causes import Cause
from catalog.facts.errors import GridMismatch
from catalog.facts.schemas import LAKES, require
from models.outlines.glaciers import GlacierLinks
from models.outlines.inventory import Company, Origin, Shapes, lakes_table
from models.outlines.measure import MARGIN_PX, Surroundings, body_of, measure, touches_region_edge, window_of
from models.outlines.shape import ShapeIndices

SHAPE = (30, 32)
LAKE = np.zeros(SHAPE, bool)
LAKE[8:20, 9:22] = True
NONE = np.zeros(SHAPE, bool)
INDICES = ShapeIndices(np.array([0.5, 0.75]), np.array([1.4, 1.2]), np.array([3.0, 1.5]))


def around(**changes):
    clear = Surroundings(
        origin_yx=(-300_000, 40_000),
        probability=np.where(LAKE, 225, 25).astype(np.uint8),
        spread=np.full(SHAPE, 10, np.uint8),
        dem=np.full(SHAPE, 4800, np.float32),
        looks=np.full(SHAPE, 5, np.uint8),
        day=np.full(SHAPE, 220, np.uint16),
        cause=np.zeros(SHAPE, np.uint8),
        radar=np.ones(SHAPE, bool),
    )
    return replace(clear, **changes)


def described(surroundings, inside=LAKE, others=NONE):
    return measure(inside, others, surroundings, pixel_area_m2=100.0, year=2021)


def painted(value, mask, dtype, otherwise=0):
    return np.where(mask, value, otherwise).astype(dtype)


def test_probability_is_summed_over_lake_and_rim_and_averaged_inside():
    found = described(around())
    rim = 16 * 17 - LAKE.sum()
    assert found.probability == pytest.approx(0.9)
    assert found.spread == pytest.approx(0.04)
    assert found.area_probability_m2 == pytest.approx(100 * (0.9 * LAKE.sum() + 0.1 * rim))
    assert found.doubt_m2 == 0, "0.9 and 0.1 are far from the threshold for a spread of 0.04"
    assert found.variance_px == pytest.approx(0.09 * (LAKE.sum() + rim))


def test_doubt_is_half_of_what_one_spread_more_or_less_would_change():
    probability = around().probability.copy()
    probability[8, 9:22] = 130
    probability[7, 9:13] = 120
    found = described(around(probability=probability))
    assert found.doubt_m2 == pytest.approx(100 * (13 + 4) / 2)


def test_the_rim_leaves_a_neighbouring_lake_to_itself():
    other = np.zeros(SHAPE, bool)
    other[8:20, 23:28] = True
    alone = described(around())
    beside = described(around(), others=other)
    assert alone.area_probability_m2 - beside.area_probability_m2 == pytest.approx(100 * 0.1 * 12)


def test_pixels_without_prediction_do_not_count():
    probability = around().probability.copy()
    probability[8:14] = 255
    found = described(around(probability=probability, spread=np.full(SHAPE, 255, np.uint8)))
    assert found.probability == pytest.approx(0.9)
    assert np.isnan(found.spread)
    assert found.doubt_m2 == 0


def test_elevation_is_the_median_inside_and_slope_that_of_the_shore():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    dem = (4800 + 10 * np.tan(np.radians(20)) * x).astype(np.float32)
    dem[10, 12] = np.nan
    found = described(around(dem=dem))
    assert found.shore_slope_deg == pytest.approx(20, abs=0.1)
    assert found.elevation_m == pytest.approx(4800 + 10 * np.tan(np.radians(20)) * 15, abs=2)
    assert 30 < found.elevation_range_m < 45
    assert y.shape == SHAPE


def test_no_elevation_is_not_a_number():
    found = described(around(dem=np.full(SHAPE, np.nan, np.float32)))
    assert np.isnan([found.elevation_m, found.elevation_range_m, found.shore_slope_deg]).all()


def test_observed_share_counts_lake_and_rim():
    cause = np.zeros(SHAPE, np.uint8)
    cause[6:8] = Cause.CLOUD
    found = described(around(cause=cause))
    assert found.observed_share == pytest.approx(1 - 2 * 17 / (16 * 17))
    assert found.cause_shares["cloud"] == pytest.approx(1 - found.observed_share)
    assert sum(found.cause_shares.values()) == pytest.approx(1)


def test_dates_are_the_first_middle_and_last_of_the_pixels_that_were_seen():
    day = painted(213, LAKE, np.uint16)
    day[8, 9], day[8, 10], day[8, 11] = 200, 244, 0
    found = described(around(day=day))
    assert (found.date_first, found.date_median, found.date_last) == (date(2021, 7, 19), date(2021, 8, 1), date(2021, 9, 1))
    assert described(around(day=np.zeros(SHAPE, np.uint16))).date_median is None


def covering(share):
    """A mask over this share of the lake and its rim, a few pixels more or less."""
    order = np.flatnonzero(body_of(LAKE, NONE))
    mask = np.zeros(SHAPE, bool)
    mask.flat[order[: round(share * len(order))]] = True
    return mask


@pytest.mark.parametrize(
    ("flag", "cause"),
    [
        ("lake_ice", Cause.SNOW_OR_ICE),
        ("cloud_share", Cause.CLOUD),
        ("cloud_share", Cause.CLOUD_SHADOW),
        ("terrain_shadow", Cause.TERRAIN_SHADOW),
    ],
)
def test_ice_cloud_and_shadow_are_flagged_from_a_tenth_of_lake_and_rim_on(flag, cause):
    assert described(around(cause=painted(cause, covering(0.11), np.uint8))).flags == (flag,)
    assert described(around(cause=painted(cause, covering(0.09), np.uint8))).flags == ()


def test_cloud_and_its_shadow_count_together():
    cause = painted(Cause.CLOUD, covering(0.12), np.uint8)
    cause[covering(0.06)] = Cause.CLOUD_SHADOW
    assert described(around(cause=cause)).flags == ("cloud_share",)


def test_few_looks_are_fewer_than_two_at_half_of_the_lake():
    half = LAKE & (np.arange(SHAPE[1]) < 15)
    assert described(around(looks=painted(1, half, np.uint8, otherwise=2))).flags == ()
    assert described(around(looks=painted(1, half | (LAKE & (np.arange(SHAPE[1]) < 17)), np.uint8, otherwise=2))).flags == ("few_looks",)


def test_a_sensor_counts_that_saw_half_of_the_lake():
    most = LAKE & (np.arange(SHAPE[1]) < 17)
    assert described(around(radar=most)).sensors == "S1+S2"
    assert described(around(radar=LAKE & ~most)).flags == ("single_sensor",)


def test_every_flag_but_those_of_people_and_size_can_be_raised_at_once():
    cause = painted(Cause.SNOW_OR_ICE, covering(0.4), np.uint8)
    cause[covering(0.25)], cause[covering(0.12)] = Cause.CLOUD, Cause.TERRAIN_SHADOW
    cause[20, 22] = Cause.OUTSIDE_REGION
    found = described(around(cause=cause, looks=np.ones(SHAPE, np.uint8), radar=NONE))
    assert found.flags == ("region_edge", "few_looks", "lake_ice", "cloud_share", "terrain_shadow", "single_sensor")


@pytest.mark.parametrize(
    ("changes", "sensors", "flags"),
    [
        ({}, "S1+S2", ()),
        ({"radar": NONE}, "S2", ("single_sensor",)),
        ({"looks": np.zeros(SHAPE, np.uint8)}, "S1", ("few_looks", "single_sensor")),
        ({"looks": np.ones(SHAPE, np.uint8)}, "S1+S2", ("few_looks",)),
        ({"cause": painted(Cause.SNOW_OR_ICE, LAKE, np.uint8)}, "S1+S2", ("lake_ice",)),
        ({"cause": painted(Cause.CLOUD_SHADOW, LAKE, np.uint8)}, "S1+S2", ("cloud_share",)),
        ({"cause": painted(Cause.TERRAIN_SHADOW, LAKE, np.uint8)}, "S1+S2", ("terrain_shadow",)),
    ],
)
def test_sensors_and_flags(changes, sensors, flags):
    found = described(around(**changes))
    assert found.sensors == sensors
    assert found.flags == flags


def test_a_lake_beside_unmapped_ground_is_at_the_region_edge_even_across_a_corner():
    cause = np.zeros(SHAPE, np.uint8)
    cause[20, 22] = Cause.OUTSIDE_REGION
    assert touches_region_edge(LAKE, cause)
    assert "region_edge" in described(around(cause=cause)).flags
    cause[:] = 0
    cause[21, 23] = Cause.OUTSIDE_REGION
    assert not touches_region_edge(LAKE, cause)


def test_windows_reach_beyond_the_shore_slope():
    assert window_of((10, 20, 30, 40)) == (10 - MARGIN_PX, 20 - MARGIN_PX, 30 + MARGIN_PX, 40 + MARGIN_PX)


def test_windows_of_different_shapes_are_refused():
    with pytest.raises(GridMismatch, match=r"\(3, 3\)"):
        described(around(looks=np.zeros((3, 3), np.uint8)))
    with pytest.raises(GridMismatch, match="0 pixels"):
        described(around(), inside=NONE)


def test_the_inventory_has_every_column_with_its_type_and_flags_small_lakes():
    shapes = Shapes(
        np.array([86.9, 86.8]), np.array([27.9, 27.8]), np.array([15_600.0, 1_200.0]), np.array([500.0, 160.0]), INDICES,
        ["32645-0020-0138", "32645-0020-0138"], [32645, 32645],
    )  # fmt: skip
    origin = Origin(2021, "run-1", "planetary-computer")
    statistics = [described(around()), described(around(spread=np.full(SHAPE, 255, np.uint8)))]
    company = Company(np.array([0.9, np.nan]))
    table = require(lakes_table(["GL1", "GL2"], shapes, statistics, company, origin=origin, min_area_m2=5000.0), LAKES, where="test")
    rows = table.to_pylist()
    assert table.schema.names == LAKES.names
    assert [row["flags"] for row in rows] == [[], ["below_minimum_area"]]
    assert [row["size_class"] for row in rows] == ["1-5ha", "<0.5ha"]
    assert rows[1]["spread"] is None
    assert [row["agreement"] for row in rows] == [pytest.approx(0.9), None]
    assert [row["circularity"] for row in rows] == [0.5, 0.75]
    assert {rows[0][name] for name in ("lake_type", "glacier_id", "glacier_distance_m", "glacier_overlap_share", "edit")} == {None}
    assert rows[0]["obs_id"] != rows[1]["obs_id"]
    assert all(row["area_low_m2"] < row["area_m2"] < row["area_high_m2"] for row in rows)
    assert rows[0]["date_median"] == date(2021, 8, 8)


def test_an_empty_inventory_has_every_column():
    nothing = np.empty(0)
    indices = ShapeIndices(nothing, nothing, nothing)
    shapes = Shapes(nothing, nothing, nothing, nothing, indices, [], [])
    links = GlacierLinks(nothing.astype(object), nothing, nothing)
    for company in (Company(nothing), Company(nothing, links, [])):
        table = lakes_table([], shapes, [], company, origin=Origin(2021, "r", ""), min_area_m2=1.0)
        assert require(table, LAKES, where="test").num_rows == 0


def test_what_glaciers_tell_is_in_the_columns_and_what_they_do_not_is_null():
    one = np.array([5e4])
    shapes = Shapes(one, one, one, one, ShapeIndices(one, one, one), ["32645-0020-0138"], [32645])
    links = GlacierLinks(np.array([None], object), np.array([np.nan]), np.zeros(1))
    company = Company(np.array([np.nan]), links, ["unconnected"])
    (row,) = lakes_table(["GL1"], shapes, [described(around())], company, origin=Origin(2021, "r", ""), min_area_m2=1.0).to_pylist()
    assert (row["lake_type"], row["glacier_id"], row["glacier_distance_m"], row["glacier_overlap_share"]) == ("unconnected", None, None, 0)
