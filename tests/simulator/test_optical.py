"""What a scene shows: clouds, shadows, mixed light, the faults of the classification, and the radar's view of slopes."""

from dataclasses import replace

import numpy as np
import pytest

from simulator import optical, radar
from simulator.clouds import Clouds, clouds_of
from simulator.ground import Ground, stand_on
from simulator.mountains import mountains
from simulator.schedule import OpticalPass, optical_passes, radar_passes
from simulator.sky import Sun, cast_shadow
from simulator.spectra import BANDS, MATERIALS
from simulator.worlds import HMA

SMALL = replace(HMA, chips=(1, 1, 1, 1), scattered=4)
LOW_SUN = Sun(52.0, 150.0)
NEAR, GREEN = BANDS.index("B08"), BANDS.index("B03")


@pytest.fixture(scope="module")
def ground() -> Ground:
    scenery = mountains(SMALL, 7)
    return stand_on(scenery, scenery.cover(2022), SMALL.scene_frame(32643), 2022)


def half_clouded() -> OpticalPass:
    return replace(optical_passes(SMALL, 7, 2022)[1], cloud_cover=0.4, missing=0.0, cirrus=0.0)


def scene_of(ground: Ground, pass_: OpticalPass) -> tuple[optical.OpticalScene, optical.Air, Clouds]:
    clouds = clouds_of(SMALL, 7, pass_, LOW_SUN, 2.1)
    cast = cast_shadow(optical.averaged(mountains(SMALL, 7).elevation, 2), LOW_SUN, 2.1)
    air = optical.air_over(ground, pass_, LOW_SUN, 2.1, (clouds, cast))
    return optical.render(ground, air, clouds, pass_, 7), air, clouds


def test_clouds_cover_what_was_asked_with_soft_edges() -> None:
    clouds = clouds_of(SMALL, 7, half_clouded(), LOW_SUN, 2.1)
    assert float((clouds.opacity > 0.25).mean()) == pytest.approx(0.4, abs=0.05)
    assert 0.02 < float(((clouds.opacity > 0.05) & (clouds.opacity < 0.95)).mean()) < 0.15


def test_cloud_shadows_fall_away_from_the_sun() -> None:
    clouds = clouds_of(SMALL, 7, half_clouded(), LOW_SUN, 2.1)
    best = max(
        ((rows, columns) for rows in range(-70, 71, 5) for columns in range(-70, 71, 5)),
        key=lambda step: float((clouds.shadow * np.roll(clouds.opacity, step, axis=(0, 1))).mean()),
    )
    rows, columns = best
    assert rows < 0
    assert columns < 0


def test_two_dates_of_the_poor_year_hide_the_same_places() -> None:
    first, second = (clouds_of(SMALL, 7, pass_, LOW_SUN, 2.1).opacity for pass_ in optical_passes(SMALL, 7, 2020)[1:])
    both = float(((first > 0.25) & (second > 0.25)).mean())
    assert both > 1.15 * float((first > 0.25).mean() * (second > 0.25).mean())


def test_cast_shadow_alone_looks_like_water_to_ndwi(ground: Ground) -> None:
    scene, air, _ = scene_of(ground, replace(half_clouded(), cloud_cover=0.0, haze=0.0))
    green, near = scene.bands["B03"], scene.bands["B08"]
    index = (green - near) / np.maximum(green + near, 0.005)
    dark = (air.cast > 0.95) & (ground.water == 0) & (ground.layers[NEAR] < 0.25)
    assert dark.sum() > 500
    assert float((index[dark] > 0.05).mean()) > 0.5
    lit = (air.cast < 0.05) & (ground.water == 0) & (ground.layers[NEAR] < 0.25) & (air.light > 0.6)
    assert float((index[lit] > 0.05).mean()) < 0.02


def test_the_classification_errs_as_the_real_one_does(ground: Ground) -> None:
    scene, air, _ = scene_of(ground, half_clouded())
    water, cast, opacity = (optical.averaged(field, 2) for field in (ground.water, air.cast, air.opacity))
    clear_water = (water > 0.9) & (opacity < 0.05)
    assert 0.02 < float((scene.scl[clear_water] == optical.CLOUD_SHADOW).mean()) < 0.7
    assert float((scene.scl[(cast > 0.5) & (opacity < 0.05)] == optical.WATER).mean()) > 0.01
    thick = opacity > 0.9
    assert float(np.isin(scene.scl[thick], (optical.CLOUD_MEDIUM, optical.CLOUD_HIGH)).mean()) > 0.8
    assert float(np.isin(scene.scl[thick], (optical.CLOUD_MEDIUM, optical.CLOUD_HIGH)).mean()) < 1.0


def test_dark_water_may_fall_below_the_offset_and_is_never_no_data(ground: Ground) -> None:
    scene, _, _ = scene_of(ground, replace(half_clouded(), cloud_cover=0.0, haze=-0.006))
    counts = scene.counts("B12", 1000)
    wet = optical.averaged(ground.water, 2) > 0.99
    assert counts[wet].min() > 0
    assert float((counts[wet] < 1000).mean()) > 0.1
    assert scene.counts("B12", 0)[wet].min() == 1


def test_beyond_the_swath_there_is_no_data_in_any_band(ground: Ground) -> None:
    scene, _, _ = scene_of(ground, replace(half_clouded(), missing=0.3))
    for band in ("B02", "B11", "B01"):
        assert 0.15 < float((scene.counts(band, 1000) == 0).mean()) < 0.4
    assert 0.15 < float((scene.scl == 0).mean()) < 0.4


def test_twenty_and_sixty_metre_bands_are_means_of_what_the_ten_metre_pixels_see(ground: Ground) -> None:
    scene, _, _ = scene_of(ground, half_clouded())
    assert {band: scene.bands[band].shape for band in ("B02", "B05", "B09")} == {
        "B02": ground.frame.shape,
        "B05": ground.frame.rescaled(2).shape,
        "B09": ground.frame.rescaled(6).shape,
    }
    field = np.arange(36.0 * 24).reshape(36, 24).astype(np.float32)
    np.testing.assert_allclose(optical.averaged(field, 6), field.reshape(6, 6, 4, 6).mean(axis=(1, 3)), rtol=1e-6)


def test_radar_sees_slopes_toward_it_bright_and_water_dark_unless_there_is_wind(ground: Ground) -> None:
    passes = radar_passes(SMALL, 7, 2022)
    calm, windy = replace(passes[0], wind=0.0, border=False), replace(passes[0], wind=0.9, border=False)
    scene = radar.render(SMALL, ground, calm, 7)
    wet, toward, away = ground.water > 0.99, ground.rise_east > 0.8, ground.rise_east < -0.8
    assert scene["vv"][toward].mean() > 5 * scene["vv"][away].mean()
    assert 10 * np.log10(scene["vv"][wet].mean()) < -18
    assert radar.render(SMALL, ground, windy, 7)["vv"][wet].mean() > 3 * scene["vv"][wet].mean()
    descending = radar.render(SMALL, ground, replace(calm, ascending=False), 7)
    assert descending["vv"][away].mean() > 5 * descending["vv"][toward].mean()


def test_speckle_has_the_looks_it_claims(ground: Ground) -> None:
    scene = radar.render(SMALL, ground, replace(radar_passes(SMALL, 7, 2022)[0], wind=0.0, border=False), 7)
    flat = (np.hypot(ground.rise_east, ground.rise_north) < 0.01) & (ground.water > 0.999)
    ratio = scene["vv"][flat] / (ground.layers[12][flat] + radar.NOISE_FLOOR[0])
    assert float(ratio.mean() ** 2 / ratio.var()) == pytest.approx(radar.LOOKS, rel=0.15)


def test_clear_water_and_turbid_water_differ_where_it_matters() -> None:
    clear, grey, ice = (MATERIALS[name].layers for name in ("clear", "grey", "ice"))
    index = [(layers[GREEN] - layers[NEAR]) / (layers[GREEN] + layers[NEAR]) for layers in (clear, grey, ice)]
    assert index[0] > 0.5
    assert 0.1 < index[1] < 0.25
    assert index[2] > 0.15
