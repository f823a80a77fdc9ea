"""The weight-free model on small composites with exactly known shares of water."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, label, zoom

from catalog.facts.bands import s2_index
from catalog.facts.causes import Cause
from catalog.facts.grids import CHIP_PX, Tile
from models.segmenter.contract import WindowArrays
from models.segmenter.index_options import IndexOptions
from models.segmenter.indices import IndexModel, predict_window
from models.segmenter.predict import stream

OPTIONS = IndexOptions()
SIDE = 128
BANDS = ("B02", "B03", "B04", "B08", "B11", "B12")
COARSE = ("B11", "B12")
# Reflectance of BANDS: lakes after Giardino et al. 2010 and Kutser et al. 2016, ice and snow after Dozier & Painter 2004.
SPECTRA = {
    "clear": (0.045, 0.040, 0.020, 0.010, 0.005, 0.004),
    "milky": (0.120, 0.140, 0.100, 0.040, 0.008, 0.005),
    "grey": (0.130, 0.155, 0.160, 0.110, 0.015, 0.010),
    "black": (0.012, 0.011, 0.009, 0.013, 0.010, 0.007),
    "moraine": (0.150, 0.180, 0.205, 0.230, 0.275, 0.260),
    "debris": (0.110, 0.132, 0.150, 0.173, 0.185, 0.170),
    "grass": (0.042, 0.073, 0.060, 0.275, 0.205, 0.115),
    "ice": (0.480, 0.470, 0.430, 0.300, 0.035, 0.025),
    "dirty_ice": (0.240, 0.250, 0.240, 0.200, 0.050, 0.040),
    "snow": (0.870, 0.860, 0.850, 0.780, 0.100, 0.080),
    "wet_snow": (0.730, 0.720, 0.690, 0.460, 0.030, 0.025),
    "lake_ice": (0.550, 0.550, 0.520, 0.370, 0.045, 0.035),
    "rock_in_shadow": (0.023, 0.021, 0.018, 0.015, 0.008, 0.006),
    "snow_in_shadow": (0.220, 0.165, 0.125, 0.075, 0.005, 0.003),
}
WATERS = ("clear", "milky", "grey", "black")


def discs(*places: tuple[float, float, float], side: int = SIDE) -> NDArray[np.float64]:
    """Share of water (y, x) of discs given as centre row, column and radius in pixels, from an 8 times finer raster."""
    fine = (np.arange(side * 8) + 0.5) / 8
    wet = np.zeros((side * 8, side * 8), bool)
    for row, column, radius in places:
        wet |= (fine[:, None] - row) ** 2 + (fine[None, :] - column) ** 2 < radius**2
    return wet.reshape(side, 8, side, 8).mean(axis=(1, 3))


def composite(share: NDArray[np.float64], water: str, land: str, *, seed: int = 0) -> NDArray[np.uint16]:
    """Reflectance x 10 000 (12, y, x) of mixed pixels on textured ground; SWIR is averaged to 20 m and interpolated back."""
    rng = np.random.default_rng(seed)
    texture = gaussian_filter(rng.normal(size=share.shape), 2)
    texture = 1 + 0.1 * texture / texture.std()
    s2 = np.full((12, *share.shape), 800.0)
    for band, wet, dry in zip(BANDS, SPECTRA[water], SPECTRA[land], strict=True):
        value = share * wet + (1 - share) * dry * texture
        if band in COARSE:
            value = value.reshape(share.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))
        value = value + rng.normal(size=value.shape) * 0.0025
        s2[s2_index(band)] = 1e4 * (zoom(value, 2, order=1, grid_mode=True, mode="nearest") if band in COARSE else value)
    return np.clip(np.rint(s2), 1, 65535).astype(np.uint16)


def radar(share: NDArray[np.float64], *, water_db: float = -20.5, land_db: float = -10.0, seed: int = 0) -> NDArray[np.float32]:
    """VV and VH in dB (2, y, x) with the speckle of about 18 looks, as a median of four dates has."""
    rng = np.random.default_rng(seed)
    power = share * 10 ** (water_db / 10) + (1 - share) * 10 ** (land_db / 10)
    layers = [power * factor * rng.gamma(18, 1 / 18, share.shape) for factor in (1.0, 0.22)]
    return (10 * np.log10(np.stack(layers))).astype(np.float32)


def window(s2: NDArray[np.uint16] | None, **others: NDArray[np.generic]) -> WindowArrays:
    shape = s2.shape[1:] if s2 is not None else next(iter(others.values())).shape[-2:]
    return WindowArrays(**({"cause": np.zeros(shape, np.uint8), "s2": s2} | others))  # type: ignore[arg-type]


def probability(arrays: WindowArrays) -> NDArray[np.float32]:
    return predict_window(arrays, OPTIONS)[0]


@pytest.mark.parametrize("land", ["moraine", "debris", "grass", "ice", "snow"])
@pytest.mark.parametrize("water", WATERS)
def test_areas_are_unbiased_from_one_hectare_on(water: str, land: str) -> None:
    share = discs((40.3, 41.1, 20), (95.6, 30.2, 6), (90.2, 90.7, 12), (30.4, 100.5, 7.3))
    found = probability(window(composite(share, water, land)))
    assert (found >= 0.5).sum() == pytest.approx(share.sum(), rel=0.04)
    assert found.sum() == pytest.approx(share.sum(), rel=0.05)


@pytest.mark.parametrize("land", ["moraine", "debris", "grass", "ice"])
@pytest.mark.parametrize("water", ["clear", "milky", "grey"])
def test_lakes_of_half_a_hectare_are_found(water: str, land: str) -> None:
    share = discs(*[(16.3 + 32 * row, 16.6 + 32 * column, 4.0) for row in range(4) for column in range(4)])
    found = probability(window(composite(share, water, land))) >= 0.5
    cells = found.reshape(4, 32, 4, 32).sum(axis=(1, 3))
    assert (cells > 25).all()
    assert found.sum() == pytest.approx(share.sum(), rel=0.12)


def test_probability_at_a_shore_is_the_share_of_water() -> None:
    share = np.zeros((SIDE, SIDE))
    share[:, :40] = 1.0
    share[:, 40] = 0.5
    found = probability(window(composite(share, "clear", "moraine")))
    assert found[8:-8, 40].mean() == pytest.approx(0.5, abs=0.1)
    assert found[8:-8, 37].min() > 0.9
    assert found[8:-8, 44].max() < 0.2


@pytest.mark.parametrize("land", ["moraine", "debris", "grass", "ice", "dirty_ice", "snow", "wet_snow", "lake_ice", "snow_in_shadow"])
def test_dry_frozen_and_snowy_ground_holds_no_lake(land: str) -> None:
    nothing = np.zeros((SIDE, SIDE))
    assert probability(window(composite(nothing, "clear", land))).max() < 0.5
    snow_patch = discs((60, 60, 15))
    assert probability(window(composite(snow_patch, land, "moraine"))).max() < 0.5


def shadow_world() -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Ground lit by the sky only, on and before a wall of 40 degrees that rises 300 m."""
    shade = np.zeros((SIDE, SIDE))
    shade[56:98] = 1.0
    rise = np.clip(90 - np.arange(SIDE), 0, 36) * 10 * np.tan(np.radians(40))
    return composite(shade, "rock_in_shadow", "moraine"), np.repeat(rise[:, None], SIDE, 1).astype(np.float32)


def test_shadow_below_a_wall_is_no_lake_but_a_clear_lake_there_is() -> None:
    s2, dem = shadow_world()
    assert probability(window(s2, dem=dem)).max() < 0.5
    lake = discs((107, 60, 12))
    assert (probability(window(composite(lake, "clear", "moraine"), dem=dem)) >= 0.5).sum() == pytest.approx(lake.sum(), rel=0.05)


def channel(*, half_width: float) -> NDArray[np.float64]:
    """Share of water of a winding channel from top to bottom."""
    rows = np.arange(SIDE) + 0.5
    middle = 60 + 12 * np.sin(rows / 14)
    return np.clip(half_width + 0.5 - np.abs(np.arange(SIDE)[None, :] + 0.5 - middle[:, None]), 0, 1)


def tilted(gradient: float) -> NDArray[np.float32]:
    """Ground that falls from top to bottom, metres, with the noise of a real model."""
    noise = gaussian_filter(np.random.default_rng(1).normal(size=(SIDE, SIDE)), 3)
    plane = np.repeat((SIDE - np.arange(SIDE))[:, None], SIDE, 1) * 10 * gradient
    return (plane + noise / noise.std()).astype(np.float32)


@pytest.mark.parametrize("half_width", [1.5, 2.5, 5.0])
def test_water_that_falls_along_its_way_is_a_river(half_width: float) -> None:
    found = probability(window(composite(channel(half_width=half_width), "grey", "moraine"), dem=tilted(0.05))) >= 0.5
    pieces, _ = label(found)
    assert found.sum() < 0.3 * channel(half_width=half_width).sum()
    assert np.bincount(pieces.ravel())[1:].max(initial=0) < 50  # half a hectare


def test_a_river_is_cut_off_the_lake_it_feeds() -> None:
    lake = discs((95, 64, 25))
    share = np.maximum(np.where(np.arange(SIDE)[:, None] < 72, channel(half_width=2), 0), lake)
    dem = np.maximum(tilted(0.05) - tilted(0.05)[72, 64], 0).astype(np.float32)
    found = probability(window(composite(share, "milky", "moraine"), dem=dem)) >= 0.5
    assert found[75:].sum() == pytest.approx(lake[75:].sum(), rel=0.03)
    assert found[:60].sum() < 40


def test_a_level_narrow_lake_is_kept() -> None:
    share = np.zeros((SIDE, SIDE))
    share[20:80, 60:68] = 1.0
    found = probability(window(composite(share, "clear", "moraine"), dem=tilted(0.0)))
    assert (found >= 0.5).sum() == pytest.approx(share.sum(), rel=0.05)


def test_the_sea_is_kept() -> None:
    share = np.zeros((SIDE, SIDE))
    share[:, 50:] = 1.0
    found = probability(window(composite(share, "clear", "grass"), s1=radar(share), dem=tilted(0.0)))
    assert (found >= 0.5).sum() == pytest.approx(share.sum(), rel=0.01)


LAKES = discs((40.3, 41.1, 20), (90.2, 90.7, 12))


def test_radar_alone_finds_the_lake_with_less_confidence_and_says_nothing_elsewhere() -> None:
    cause = np.full((SIDE, SIDE), Cause.CLOUD, np.uint8)
    alone = probability(window(None, cause=cause, s1=radar(LAKES)))
    both = probability(window(composite(LAKES, "clear", "moraine"), s1=radar(LAKES)))
    wet = LAKES == 1
    assert (np.nan_to_num(alone) >= 0.5).sum() == pytest.approx(LAKES.sum(), rel=0.1)
    assert np.isnan(alone[discs((40.3, 41.1, 26), (90.2, 90.7, 18)) == 0]).all()
    assert 0.6 < np.nanmean(alone[wet]) < both[wet].mean()


def test_a_windy_lake_is_not_seen_by_radar_alone_rather_than_denied() -> None:
    cause = np.full((SIDE, SIDE), Cause.NO_SCENE, np.uint8)
    assert np.isnan(probability(window(None, cause=cause, s1=radar(LAKES, water_db=-12.0)))).all()


ICE_DB = -17.8


def test_radar_needs_a_surer_lake_where_no_optical_sensor_ever_looked() -> None:
    never = np.full((SIDE, SIDE), Cause.NO_SCENE, np.uint8)
    calm, ice = radar(LAKES, water_db=-21.5), radar(LAKES, water_db=ICE_DB)
    assert (np.nan_to_num(probability(window(None, cause=never, s1=calm))) >= 0.5).sum() == pytest.approx(LAKES.sum(), rel=0.1)
    assert np.isnan(probability(window(None, cause=never, s1=ice))).all()
    long = channel(half_width=4.0)
    assert np.isnan(probability(window(None, cause=never, s1=radar(long, water_db=-21.5)))).all()


def test_one_cloudy_look_nearby_witnesses_that_the_season_was_seen() -> None:
    cause = np.full((SIDE, SIDE), Cause.NO_SCENE, np.uint8)
    cause[:, 100:] = Cause.CLOUD
    found = np.nan_to_num(probability(window(None, cause=cause, s1=radar(LAKES, water_db=ICE_DB)))) >= 0.5
    assert found.sum() == pytest.approx(LAKES.sum(), rel=0.15)


def test_wind_on_the_lake_does_not_outvote_clear_optics() -> None:
    windy = probability(window(composite(LAKES, "clear", "moraine"), s1=radar(LAKES, water_db=-11.0)))
    assert (windy >= 0.5).sum() == pytest.approx(LAKES.sum(), rel=0.05)


def test_unknown_backscatter_does_not_spread() -> None:
    s2, s1 = composite(LAKES, "milky", "moraine"), radar(LAKES)
    s1[:, 30:60, 20:70] = np.nan
    s1[0, 90, 90] = np.nan
    with_holes = probability(window(s2, s1=s1))
    without = probability(window(s2))
    assert np.isfinite(with_holes).all()
    assert np.allclose(with_holes[32:58, 22:68], without[32:58, 22:68], atol=0.02)
    assert (with_holes >= 0.5).sum() == pytest.approx(LAKES.sum(), rel=0.05)


def test_unknown_elevation_vetoes_nothing() -> None:
    s2 = composite(LAKES, "milky", "moraine")
    dem = np.full((SIDE, SIDE), np.nan, np.float32)
    assert np.array_equal(probability(window(s2, dem=dem)), probability(window(s2)))


def test_a_cloud_over_part_of_a_lake_leaves_the_rest_as_it_is() -> None:
    s2 = composite(LAKES, "milky", "moraine")
    cause = np.zeros((SIDE, SIDE), np.uint8)
    cause[:, 45:60] = Cause.CLOUD
    found = probability(window(s2, cause=cause))
    assert np.isnan(found[:, 45:60]).all()
    clear = np.nan_to_num(np.where(cause == 0, found, 0))
    assert (clear >= 0.5).sum() == pytest.approx(np.where(cause == 0, LAKES, 0).sum(), rel=0.05)


def test_a_cloud_over_half_a_windy_lake_leaves_that_half_unobserved() -> None:
    s2, s1 = composite(LAKES, "milky", "moraine"), radar(LAKES, water_db=-12.0)
    cause = np.zeros((SIDE, SIDE), np.uint8)
    cause[:, 41:] = Cause.CLOUD
    found = probability(window(s2, cause=cause, s1=s1))
    assert np.isnan(found[:, 41:]).all()
    assert (found[:, :41] >= 0.5).sum() == pytest.approx(LAKES[:, :41].sum(), rel=0.05)


def test_a_cloud_over_half_a_calm_lake_is_seen_through() -> None:
    cause = np.zeros((SIDE, SIDE), np.uint8)
    cause[:, 41:] = Cause.CLOUD
    found = probability(window(composite(LAKES, "milky", "moraine"), cause=cause, s1=radar(LAKES)))
    assert (np.nan_to_num(found) >= 0.5).sum() == pytest.approx(LAKES.sum(), rel=0.1)


def test_snow_that_is_dark_to_radar_does_not_grow_onto_the_lake() -> None:
    lake = discs((60, 60, 15))
    cause = np.zeros((SIDE, SIDE), np.uint8)
    cause[:, 76:] = Cause.SNOW_OR_ICE
    dark = np.maximum(lake, np.where(cause == Cause.SNOW_OR_ICE, 1.0, 0.0))
    s2 = composite(lake, "milky", "moraine")
    with_radar, without = probability(window(s2, cause=cause, s1=radar(dark))), probability(window(s2, cause=cause))
    assert np.isnan(with_radar[cause > 0]).all()
    assert np.array_equal(with_radar[cause == 0] >= 0.5, without[cause == 0] >= 0.5)


def test_spread_is_larger_at_the_shore_than_inside() -> None:
    spread = predict_window(window(composite(LAKES, "clear", "moraine")), OPTIONS)[1]
    inside = discs((40.3, 41.1, 16), (90.2, 90.7, 8)) == 1
    assert spread.min() >= 0
    assert spread.max() <= 0.5
    assert spread[(LAKES > 0) & ~inside].mean() > spread[inside].mean() + 0.1


def without(s2: NDArray[np.uint16], *names: str, where: NDArray[np.bool_] | None = None) -> NDArray[np.uint16]:
    """The composite with no data in some bands, everywhere or in places."""
    result = s2.copy()
    for name in names:
        result[s2_index(name)][where if where is not None else ...] = 0
    return result


@pytest.mark.parametrize("land", ["moraine", "debris", "grass", "ice"])
@pytest.mark.parametrize("water", ["clear", "milky", "black"])
def test_green_and_infrared_are_enough_for_lakes_of_a_hectare(water: str, land: str) -> None:
    share = discs((40.3, 41.1, 20), (95.6, 30.2, 6), (90.2, 90.7, 12))
    whole = composite(share, water, land)
    for missing in (COARSE, ("B02", "B04", *COARSE)):
        found = probability(window(without(whole, *missing)))
        assert np.isfinite(found).all()
        assert (found >= 0.5).sum() == pytest.approx(share.sum(), rel=0.06)


@pytest.mark.parametrize("land", ["moraine", "debris", "grass", "ice", "dirty_ice", "snow", "wet_snow", "lake_ice"])
def test_without_swir_dry_frozen_and_snowy_ground_still_holds_no_lake(land: str) -> None:
    patches = (composite(np.zeros((SIDE, SIDE)), "clear", land), composite(discs((60, 60, 15)), land, "moraine"))
    for patch in patches:
        assert probability(window(without(patch, *COARSE))).max() < 0.5


@pytest.mark.parametrize("water", ["clear", "milky"])
def test_without_swir_the_model_is_less_sure(water: str) -> None:
    s2 = composite(LAKES, water, "moraine")
    (sure, narrow), (unsure, broad) = (predict_window(window(values), OPTIONS) for values in (s2, without(s2, *COARSE)))
    assert broad[LAKES > 0].mean() > 1.5 * narrow[LAKES > 0].mean()
    assert broad.max() <= 0.5
    deep = discs((40.3, 41.1, 14), (90.2, 90.7, 6)) == 1
    assert unsure[deep].mean() < sure[deep].mean() - 0.003


def test_swir_that_is_missing_in_places_is_used_elsewhere() -> None:
    s2, place = composite(LAKES, "milky", "moraine"), np.zeros((SIDE, SIDE), bool)
    place[:, 64:] = True
    mixed = probability(window(without(s2, *COARSE, where=place)))
    assert np.isfinite(mixed).all()
    assert np.abs(mixed - probability(window(s2)))[:, :60].max() < 0.05
    assert (mixed >= 0.5).sum() == pytest.approx(LAKES.sum(), rel=0.05)


def test_without_green_or_infrared_optics_say_nothing() -> None:
    s2 = composite(LAKES, "milky", "moraine")
    for name in ("B03", "B08"):
        assert np.isnan(probability(window(without(s2, name)))).all()


def test_inputs_are_left_as_they_were() -> None:
    arrays = window(composite(LAKES, "milky", "moraine"), s1=radar(LAKES), dem=tilted(0.01))
    before = [array.copy() for array in (arrays.s2, arrays.s1, arrays.dem, arrays.cause) if array is not None]
    probability(arrays)
    assert all(np.array_equal(a, b) for a, b in zip(before, (arrays.s2, arrays.s1, arrays.dem, arrays.cause), strict=True))


def _streamed(tiles: Sequence[Tile], s2: NDArray[np.uint16], batch_size: int) -> NDArray[np.uint8]:
    side = s2.shape[1]
    model = IndexModel(IndexOptions(window_px=160, stride_px=112, margin_px=16, block_px=32))

    def read(origin_yx: tuple[int, int], size: int) -> WindowArrays:
        rows, columns = (np.arange(size) + start for start in origin_yx)
        inside = ((rows >= 0) & (rows < side))[:, None] & ((columns >= 0) & (columns < side))[None, :]
        values = s2[:, np.clip(rows, 0, side - 1)[:, None], np.clip(columns, 0, side - 1)[None, :]]
        cause = np.where(inside, Cause.USABLE, Cause.OUTSIDE_REGION).astype(np.uint8)
        return WindowArrays(cause, np.where(inside, values, 0).astype(np.uint16))

    result = np.zeros((side, side), np.uint8)
    for prediction in stream(model, tiles, read, batch_size=batch_size):
        row, column = prediction.tile.origin_yx_px
        result[row : row + prediction.tile.size_px, column : column + prediction.tile.size_px] = prediction.probability
    return result


def test_a_lake_across_tile_corners_is_the_same_whatever_the_tiles() -> None:
    side = 2 * CHIP_PX
    share = discs((224.4, 223.1, 30), (100.3, 220.2, 9), (300.2, 60.1, 14), side=side)
    s2 = composite(share, "milky", "moraine")
    whole = _streamed([Tile(32643, 0, -1, 2)], s2, 1)
    quarters = _streamed([Tile(32643, column, row, 1) for row in (-1, -2) for column in (0, 1)], s2, 3)
    assert np.array_equal(whole, quarters)
    assert (whole >= 125).sum() == pytest.approx(share.sum(), rel=0.03)
    assert whole.max() <= 250


def test_a_short_reach_that_falls_steeply_is_a_river_and_a_level_or_compact_one_a_pond() -> None:
    reach, pond = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    reach[50:66, 60:63] = 1.0
    pond[50:62, 60:64] = 1.0
    narrow, compact = composite(reach, "milky", "moraine"), composite(pond, "milky", "moraine")
    assert (probability(window(narrow, dem=tilted(0.08))) >= 0.5).sum() == 0
    assert (probability(window(narrow, dem=tilted(0.0))) >= 0.5).sum() > 20
    assert (probability(window(compact, dem=tilted(0.08))) >= 0.5).sum() > 40
