"""Slope and horizon where the elevation model has holes."""

import warnings

import numpy as np

from models.segmenter.relief import relief_of


def test_holes_neither_warn_nor_lift_the_horizon() -> None:
    dem = np.full((128, 128), 500.0, np.float32)
    dem[:, 90:] = 900.0
    holed = dem.copy()
    holed[20:60, 10:50] = np.nan
    holed[64:80, 64:80] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole, found = relief_of(dem, dem.shape), relief_of(holed, dem.shape)
    assert (found.horizon_deg <= whole.horizon_deg).all()
    assert found.horizon_deg[100, 60] == whole.horizon_deg[100, 60] > 20
    assert (found.horizon_deg[24:56, 16:48] == 0).all()
    assert (found.slope_deg[24:56, 14:46] == 0).all()


def test_a_model_known_only_between_the_cells_that_are_sampled_shows_no_horizon() -> None:
    dem = np.full((64, 64), np.nan, np.float32)
    dem[0, 0] = 4000.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (relief_of(dem, dem.shape).horizon_deg == 0).all()
