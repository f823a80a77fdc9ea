"""Two opinions on clouds, and water that neither may veto."""

import numpy as np
import pytest

from catalog.facts.causes import Cause
from catalog.facts.options import SurfaceOptions
from models.surface.clouds import REACH_PX, STRIP_PX, LookStack, grow, judge_looks

SIZE = 21
MID = SIZE // 2
OPTIONS = SurfaceOptions()
# blue, green, red, nir, swir (reflectance x 10 000)
ROCK = (900, 1100, 1300, 1700, 2000)
MEADOW = (500, 800, 600, 3000, 1800)
CLEAR_LAKE = (700, 600, 400, 150, 60)
TURBID_LAKE = (1700, 2000, 1800, 1250, 40)
GREY_LAKE = (1300, 1570, 1680, 1140, 170)
SNOW = (8800, 8700, 8500, 7500, 900)
BLUE_ICE = (5200, 5400, 4800, 3300, 300)
CLOUD = (5500, 5400, 5300, 5600, 4200)
THIN_CLOUD = (2100, 2200, 2300, 2900, 2600)
SHADED_MEADOW = (430, 500, 350, 1200, 700)
SAND = (3000, 3570, 3930, 4390, 5350)
DRY_FIELD = (1500, 2300, 3300, 3600, 4200)


def stack(*looks, tags=None):
    """Looks of one uniform spot of ground, or of a spot within another ground: (spectrum, surrounding)."""
    bands = np.empty((5, len(looks), SIZE, SIZE), np.uint16)
    for t, look in enumerate(looks):
        inner, outer = look if isinstance(look[0], tuple) else (look, look)
        bands[:, t] = np.array(outer)[:, None, None]
        bands[:, t, 5:-5, 5:-5] = np.array(inner)[:, None, None]
    classes = np.full((len(looks), SIZE, SIZE), 5, np.uint8)
    for t, tag in enumerate(tags or []):
        classes[t, 5:-5, 5:-5] = tag
    return LookStack(*bands, classes)


def judge(looks, shaded=None):
    shadow = np.zeros(looks.classes.shape, bool) if shaded is None else shaded
    return judge_looks(looks, shadow, OPTIONS)[:, MID, MID].tolist()


def test_clear_ground_of_all_kinds_is_usable():
    for ground in (ROCK, MEADOW, CLEAR_LAKE, TURBID_LAKE, GREY_LAKE, DRY_FIELD, SAND):
        assert judge(stack(ground, ground, ground)) == [0, 0, 0]
        assert judge(stack(ground)) == [0]


@pytest.mark.parametrize("cloud", [CLOUD, THIN_CLOUD])
@pytest.mark.parametrize("ground", [ROCK, MEADOW, CLEAR_LAKE])
def test_a_missed_cloud_stands_out_from_the_pixels_past(ground, cloud):
    assert judge(stack(ground, cloud, ground, ground)) == [0, Cause.CLOUD, 0, 0]


def test_with_two_looks_the_spectrum_decides():
    assert judge(stack(ROCK, CLOUD)) == [0, Cause.CLOUD]
    assert judge(stack(DRY_FIELD, SNOW)) == [0, Cause.SNOW_OR_ICE]


def test_half_of_the_looks_being_missed_clouds_does_not_turn_the_test_around():
    assert judge(stack(ROCK, CLOUD, ROCK, CLOUD, CLOUD, ROCK)) == [0, 2, 0, 2, 2, 0]


def test_fresh_snow_is_snow_and_not_cloud():
    assert judge(stack(ROCK, SNOW, ROCK, ROCK)) == [0, Cause.SNOW_OR_ICE, 0, 0]
    assert judge(stack(ROCK, BLUE_ICE, ROCK, ROCK)) == [0, Cause.SNOW_OR_ICE, 0, 0]


def test_melting_snow_does_not_make_bare_ground_a_shadow():
    assert judge(stack(SNOW, SNOW, SNOW, ROCK, ROCK)) == [5, 5, 5, 0, 0]


def test_ploughed_or_dried_ground_is_not_a_cloud():
    assert judge(stack(MEADOW, MEADOW, DRY_FIELD, MEADOW)) == [0, 0, 0, 0]


def test_a_missed_cloud_shadow_is_found():
    assert judge(stack(MEADOW, SHADED_MEADOW, MEADOW, MEADOW)) == [0, Cause.CLOUD_SHADOW, 0, 0]


def test_a_lake_that_fills_during_the_season_is_not_a_shadow():
    assert judge(stack(ROCK, ROCK, TURBID_LAKE, TURBID_LAKE)) == [0, 0, 0, 0]


@pytest.mark.parametrize("lake", [CLEAR_LAKE, TURBID_LAKE, GREY_LAKE])
@pytest.mark.parametrize("tag", [3, 8, 9, 10, 11])
def test_tags_on_all_dates_do_not_veto_water(lake, tag):
    assert judge(stack(lake, lake, lake, tags=[tag] * 3)) == [0, 0, 0]


def test_a_real_cloud_over_a_lake_stays_a_cloud():
    assert judge(stack(CLEAR_LAKE, CLOUD, CLEAR_LAKE, CLEAR_LAKE, tags=[6, 9, 6, 3])) == [0, 2, 0, 0]


def test_a_frozen_date_of_a_lake_is_ice():
    assert judge(stack(SNOW, CLEAR_LAKE, CLEAR_LAKE, CLEAR_LAKE)) == [5, 0, 0, 0]


def test_shadow_tags_on_land_keep_their_veto():
    assert judge(stack(MEADOW, SHADED_MEADOW, MEADOW, MEADOW, tags=[5, 3, 5, 5])) == [0, 3, 0, 0]


def test_a_shadow_tag_that_comes_back_to_the_same_ground_is_not_a_shadow():
    assert judge(stack(MEADOW, MEADOW, CLOUD, MEADOW, tags=[3, 3, 9, 3])) == [0, 0, 2, 0]
    assert judge(stack(MEADOW, MEADOW, tags=[3, 3])) == [3, 3]


def test_terrain_shadow_keeps_its_veto_over_what_looks_like_water():
    looks = stack(CLEAR_LAKE, CLEAR_LAKE, CLEAR_LAKE)
    assert judge(looks, np.ones(looks.classes.shape, bool)) == [4, 4, 4]


def test_nodata_in_a_visible_band_is_no_scene_even_under_a_cloud_tag():
    looks = stack(ROCK, ROCK, ROCK, tags=[9, 5, 5])
    looks.red[0] = 0
    assert judge(looks) == [1, 0, 0]


def test_without_short_wave_infrared_clouds_are_still_found():
    looks = stack(ROCK, CLOUD, ROCK, MEADOW)
    looks.swir[:] = 0
    assert judge(looks)[1] == Cause.CLOUD


def test_clouds_grow_by_two_pixels_and_specks_do_not_count():
    looks = stack((CLOUD, ROCK), ROCK, ROCK, ROCK)
    reasons = judge_looks(looks, np.zeros(looks.classes.shape, bool), OPTIONS)
    assert (reasons[0] == Cause.CLOUD).sum() == (SIZE - 10 + 4) ** 2
    looks = stack(ROCK, ROCK, ROCK, ROCK)
    for band, value in zip((looks.blue, looks.green, looks.red, looks.nir, looks.swir), CLOUD, strict=True):
        band[0, MID, MID] = value
    assert not judge_looks(looks, np.zeros(looks.classes.shape, bool), OPTIONS).any()


def test_judging_in_strips_changes_nothing():
    rng = np.random.default_rng(8)
    tall = [np.kron(rng.choice([300, 900, 2500, 5600], (4, 60, 10)), np.ones((1, 8, 8))).astype(np.uint16) for _ in range(5)]
    classes = np.kron(rng.integers(2, 12, (4, 60, 10)), np.ones((1, 8, 8))).astype(np.uint8)
    looks = LookStack(*tall, classes)
    shaded = np.zeros(classes.shape, bool)
    whole = judge_looks(looks, shaded, OPTIONS)
    assert classes.shape[1] > 2 * STRIP_PX
    middle = judge_looks(looks.rows(100, 330), shaded[:, 100:330], OPTIONS)
    np.testing.assert_array_equal(middle[:, REACH_PX:-REACH_PX], whole[:, 100 + REACH_PX : 330 - REACH_PX])
    assert len(np.unique(whole)) > 3


def test_growing_is_square_and_stops_at_the_edge():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = mask[0, 0] = True
    assert grow(mask, 2).sum() == 25 + 9 - 1
    assert mask.sum() == 2
