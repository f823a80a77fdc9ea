import io
from dataclasses import replace

import numpy as np
import pytest
import shapely
from matplotlib.image import imread

from catalog.facts.causes import Cause
from models.pictures.kinds import SLUMP_KINDS, Outline, lake_kind, slump_kind, sureness_of
from models.pictures.map_frame import Extent, bar_length_m, convergence_rad, degree_words
from models.pictures.map_picture import MapCaption, _count_words, map_picture
from models.pictures.thumbnails import Thumbnail, cause_shares, fit, merge, shrink
from models.pictures.tones import shade, true_colour

CAPTION = MapCaption("Small world", 2021, "lakes", 1, 0.25, 0.02, "Model none")


def thumbnail(height=60, width=80, *, epsg=32645, left=500_000.0, top=3_100_000.0, pixel_m=20.0, value=1500):
    rgb = np.full((3, height, width), value, np.uint16)
    return Thumbnail(rgb, np.zeros((height, width), np.uint8), epsg, left, top, pixel_m)


def lake(image, size_m=300.0):
    x, y = image.left_m + 500, image.top_m - 500
    return shapely.box(x, y - size_m, x + size_m, y)


def decode(png):
    return (imread(io.BytesIO(png), format="png")[..., :3] * 255).round().astype(int)


def test_the_picture_is_a_png_no_larger_than_two_thousand_pixels():
    image = thumbnail(1600, 1200)
    height, width, _ = decode(map_picture(image, [Outline(lake(image), "mapped")], CAPTION)).shape
    assert 1600 < height <= 2000
    assert 1200 < width <= 2000


def test_the_same_input_gives_the_same_bytes():
    image = thumbnail()
    assert map_picture(image, [Outline(lake(image), "poor")], CAPTION) == map_picture(image, [Outline(lake(image), "poor")], CAPTION)


def test_an_outline_is_drawn_where_the_lake_lies():
    image = thumbnail(value=300)
    with_lake = decode(map_picture(image, [Outline(lake(image), "mapped")], CAPTION))
    without = decode(map_picture(image, [], CAPTION))
    rows, columns = np.nonzero((with_lake != without).any(-1)[92 : 92 + 720, 52 : 52 + 960])
    # 20 m pixels are drawn 12 px wide: the lake's corner lies 500 m, thus 300 px, from the map's corner
    assert (rows.min(), columns.min()) == pytest.approx((300, 300), abs=2)
    assert (rows.max(), columns.max()) == pytest.approx((300 + 180, 300 + 180), abs=2)


def test_a_lake_too_small_to_see_is_ringed():
    image = thumbnail(value=300)
    changed = (decode(map_picture(image, [Outline(lake(image, 4.0), "mapped")], CAPTION)) != decode(map_picture(image, [], CAPTION))).any(
        -1
    )
    assert changed[92 : 92 + 720, 52 : 52 + 960].sum() > 40


def test_a_reflectance_has_one_colour_in_every_picture():
    dark, bright = true_colour(np.full((3, 4, 4), 200, np.uint16)), true_colour(np.full((3, 4, 4), 9000, np.uint16))
    mixed = true_colour(np.array([200, 9000], np.uint16).reshape(1, 1, 2).repeat(3, 0))
    assert (mixed[0, 0] == dark[0, 0]).all()
    assert (mixed[0, 1] == bright[0, 0]).all()
    assert dark.max() < bright.min()


def test_colours_rise_with_reflectance_and_end_at_white():
    steps = true_colour(np.arange(0, 12_001, dtype=np.uint16).reshape(1, 1, -1).repeat(3, 0))[0, :, 0].astype(int)
    assert (np.diff(steps) >= 0).all()
    assert (steps[0], steps[-1]) == (0, 255)


def test_every_cause_looks_different_and_usable_pixels_are_left_alone():
    colours = np.full((90, 90, 3), 77, np.uint8)
    looks = {}
    for code in Cause:
        looks[code] = shade(colours, np.ones((90, 90), bool), np.full((90, 90), code, np.uint8))
    assert (looks[Cause.USABLE] == colours).all()
    unlike = [(a, b) for a in Cause for b in Cause if a < b and (looks[a] == looks[b]).all()]
    assert unlike == []


def test_shrinking_averages_only_what_has_an_image_and_votes_on_the_cause():
    rgb = np.zeros((3, 2, 2), np.uint16)
    rgb[:, 0, 0], rgb[:, 0, 1] = 1000, 2000
    cause = np.array([[0, 0], [0, 2]], np.uint8)
    small, why = shrink(rgb, cause, 2)
    assert small[:, 0, 0].tolist() == [1500, 1500, 1500]
    assert why.tolist() == [[0]]


def test_shrinking_a_ragged_edge_keeps_its_pixels():
    small, why = shrink(np.full((3, 5, 7), 800, np.uint16), np.zeros((5, 7), np.uint8), 3)
    assert small.shape == (3, 2, 3)
    assert (small == 800).all()
    assert why[0, 0] == Cause.USABLE


@pytest.mark.parametrize(("size", "expected"), [(10, 40), (39, 78), (40, 40), (60, 60), (61, 31), (500, 56)])
def test_a_thumbnail_is_made_to_fit_without_losing_ground(size, expected):
    image = fit(thumbnail(size, size), 40, 60)
    assert image.cause.shape == (expected, expected)
    assert expected * image.pixel_m == pytest.approx(size * 20.0, abs=image.pixel_m)
    assert (image.rgb[:, image.cause == Cause.USABLE] == 1500).all()


def test_two_zones_make_one_map_without_a_gap():
    # either side of 5.3 degrees east, where the zones overlap by some kilometres
    left = thumbnail(50, 50, epsg=32631, left=640_000, top=5_200_000, pixel_m=1000.0)
    left.cause[:, 40:] = Cause.OUTSIDE_REGION
    right = thumbnail(50, 50, epsg=32632, left=210_000, top=5_200_000, pixel_m=1000.0, value=3000)
    joined = merge([left, right])
    assert joined.epsg == 32631
    middle = joined.rgb[0, joined.cause.shape[0] // 2]
    assert {1500, 3000} <= set(middle.tolist())
    inside = np.flatnonzero(joined.cause[joined.cause.shape[0] // 2] == Cause.USABLE)
    assert (np.diff(inside) == 1).all()


def test_shares_are_of_the_region_not_of_the_rectangle():
    cause = np.full((10, 10), Cause.OUTSIDE_REGION, np.uint8)
    cause[:5], cause[0] = Cause.USABLE, Cause.CLOUD
    assert cause_shares(cause) == {Cause.USABLE: 0.8, Cause.CLOUD: 0.2}
    assert cause_shares(np.full((3, 3), Cause.OUTSIDE_REGION, np.uint8)) == {}


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ([], "mapped"),
        (["single_sensor"], "mapped"),
        (["region_edge"], "edge"),
        (["region_edge", "few_looks"], "poor"),
        (["few_looks", "below_minimum_area"], "small"),
    ],
)
def test_the_gravest_flag_decides_the_colour(flags, kind):
    assert lake_kind(flags) == kind


@pytest.mark.parametrize(
    ("status", "flags", "kind"),
    [
        ("growing", [], "growing"),
        ("growing", ["few_looks"], "growing"),
        ("stable", ["below_minimum_area"], "small"),
        (None, [], "unknown"),
        ("of a later version", [], "unknown"),
    ],
)
def test_the_status_decides_the_colour_of_a_slump(status, flags, kind):
    assert slump_kind(status, flags) == kind


def test_scores_fall_into_steps_and_a_lake_has_none():
    assert [sureness_of(score).least for score in (0.99, 0.7, 0.69, 0.5, 0.1, float("nan"))] == [0.7, 0.7, 0.5, 0.5, 0.0, 0.0]
    assert sureness_of(None) is None


def test_every_status_has_its_colour_and_doubt_its_dashes():
    image, caption = thumbnail(value=300), replace(CAPTION, target="slumps")
    shapes = [shapely.affinity.translate(lake(image, 100), 130 * place - 400) for place in range(len(SLUMP_KINDS))]
    doubts = [shapely.affinity.translate(lake(image), 400 * place - 400, -250) for place in range(3)]
    outlines = [Outline(shape, kind, 0.9) for shape, kind in zip(shapes, SLUMP_KINDS, strict=True)]
    outlines += [Outline(shape, "stable", score) for shape, score in zip(doubts, (0.9, 0.6, 0.3), strict=True)]
    drawn = decode(map_picture(image, outlines, caption))[92 : 92 + 720, 52 : 52 + 960]
    coloured = {
        kind: (np.abs(drawn - [int(look.colour[at : at + 2], 16) for at in (1, 3, 5)]).max(-1) < 6) for kind, look in SLUMP_KINDS.items()
    }
    assert all(pixels[:400].any() for pixels in coloured.values())
    steps = [int(coloured["stable"][430:660, left : left + 220].sum()) for left in (40, 280, 520)]
    assert steps[0] > steps[1] > steps[2] > 0


@pytest.mark.parametrize(("count", "words"), [(None, "not mapped"), (0, "no lakes"), (1, "1 lake"), (12_345, "12\u2009345 lakes")])
def test_no_model_is_not_no_lake(count, words):
    assert _count_words(replace(CAPTION, count=count)) == words


@pytest.mark.parametrize(
    ("value", "letters", "words"),
    [
        (86.5, "EW", "86°30′E"),
        (-67.0, "EW", "67°W"),
        (190.0, "EW", "170°W"),
        (180.0, "EW", "180°"),
        (-3.0 - 1 / 120, "NS", "3°00′30″S"),
        (0.0, "NS", "0°"),
    ],
)
def test_degrees_are_written_as_people_read_them(value, letters, words):
    assert degree_words(value, letters) == words


def test_the_scale_bar_is_round_and_fits():
    for room in (37.0, 199.0, 2_300.0, 48_000.0):
        length = bar_length_m(room)
        assert room / 2.5 < length <= room
        assert f"{length:.0e}"[0] in "125"


def test_north_leans_by_the_convergence_of_the_meridians():
    central = Extent(32645, 490_000, 3_000_000, 510_000, 3_020_000)
    eastern = Extent(32645, 690_000, 3_000_000, 710_000, 3_020_000)
    assert convergence_rad(central) == pytest.approx(0, abs=1e-4)
    # tan(lon - lon0) sin(lat) at 2.02 degrees east of the meridian and 27.2 N is 0.92 degrees; true north lies west of grid north
    assert np.degrees(convergence_rad(eastern)) == pytest.approx(-0.92, abs=0.02)
