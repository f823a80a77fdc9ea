"""Windows are changed in physical units, by one generator, and never gain a value where there was none."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import max_pool2d

from catalog.facts.errors import RecipeWrong
from models.detector.augment import NONE, RANDOMISED, AugmentOptions, change_values, drop_modalities, window_of
from models.detector.targets import Frame, TargetOptions, target_of
from tests.slump_chips import ORIGIN, blob, slumps

SIZE = 64


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def optics(count: int = 6, seed: int = 1) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(0.02, 0.4, (count, 4, 20, 20)).astype(np.float32))


def test_an_unscaled_window_holds_the_pixels_themselves_and_nothing_beyond_the_chip():
    array = torch.arange(4 * SIZE * SIZE).float().reshape(4, SIZE, SIZE)
    frame = Frame((ORIGIN[0] - 3.0, ORIGIN[1] + 50.0), 20, 2)
    window = window_of(array, ORIGIN, frame, 2)
    assert window.shape == (4, 24, 24)
    assert torch.equal(window[:, 5:, :16], array[:, :19, 48:])
    assert bool(torch.isnan(window[:, :5]).all())
    assert bool(torch.isnan(window[:, :, 16:]).all())


@settings(max_examples=30)
@given(st.booleans(), st.integers(0, 3), st.sampled_from([1.0, 0.75, 1.2, 1.33]), st.floats(6, 26), st.floats(6, 26))
def test_image_and_target_move_together(mirrored, turns, scale, x, y):
    slump = blob(x, y, 5, aspect=1.4)
    side = Frame((float(ORIGIN[0]), float(ORIGIN[1])), SIZE, 1)
    drawn = target_of(slumps(slump), side, TargetOptions()).masks
    frame = Frame((float(ORIGIN[0]), float(ORIGIN[1])), 24, 1, scale, mirrored, turns)
    image = window_of(drawn, ORIGIN, frame, 0)[0] >= 0.5
    target = target_of(slumps(slump), frame, TargetOptions())
    mask = (target.masks[0] >= 0.5).float() if len(target) else target.ignore.float()
    wider, narrower = (sign * max_pool2d(sign * mask[None], 3, 1, 1)[0] for sign in (1, -1))
    assert not (image & (wider == 0)).any()
    assert bool(image[narrower == 1].all()) or not len(target)


def test_a_window_of_another_scale_shows_no_value_where_half_is_unknown():
    array = torch.ones((1, SIZE, SIZE))
    array[:, :, 30:] = float("nan")
    window = window_of(array, ORIGIN, Frame((ORIGIN[0] + 10.0, ORIGIN[1] + 10.0), 40, 2, 1.25), 0)
    assert torch.allclose(window[0, :, :25], torch.ones((40, 25)))
    assert bool(torch.isnan(window[:, :, 26:]).all())


def test_values_change_within_their_ranges():
    options = AugmentOptions(values=1.0, gain=0.1, band_gain=0.05, haze=0.0, noise=0.0)
    before = optics(200)
    after, _ = change_values(before, None, options, generator())
    ratio = (after / before).mean((2, 3))
    assert float((after / before - ratio[..., None, None]).abs().max()) < 1e-4
    assert 0.85 < float(ratio.min()) < 0.9
    assert 1.1 < float(ratio.max()) < 1.156
    # bands go together but for the small part of their own
    assert float((ratio.max(1).values / ratio.min(1).values).max()) < 1.11


def test_haze_falls_with_the_wavelength():
    options = AugmentOptions(values=1.0, gain=0.0, band_gain=0.0, haze=0.06, noise=0.0)
    before = torch.full((200, 4, 4, 4), 0.2)
    added = change_values(before, None, options, generator())[0][:, :, 0, 0] - 0.2
    hazy = added[added[:, 0] > 0.01]
    assert len(hazy) > 50
    assert bool((hazy[:, :-1] > hazy[:, 1:]).all())
    assert 0.05 < float(added[:, 0].max()) <= 0.06
    assert float(added.min()) >= -0.02


def test_nothing_becomes_of_nodata_and_one_count_is_left():
    before = optics()
    before[:, :, :5] = float("nan")
    before[:, 0, 10] = 1e-4
    heights = torch.full((6, 20, 20), 100.0)
    heights[:, 3] = float("nan")
    after, dem = change_values(before, heights, RANDOMISED, generator())
    assert torch.equal(torch.isnan(after), torch.isnan(before))
    assert torch.equal(torch.isnan(dem), torch.isnan(heights))
    assert float(after[torch.isfinite(after)].min()) == pytest.approx(1e-4)
    assert 0 < float((dem - 100)[torch.isfinite(dem)].abs().max()) < 8
    untouched, same = change_values(before, heights, NONE, generator())
    assert torch.equal(untouched.nan_to_num(), before.nan_to_num())
    assert torch.equal(same.nan_to_num(), heights.nan_to_num())


def test_auxiliaries_are_dropped_at_their_rate_and_the_first_modality_never():
    images = {name: torch.ones((4000, 1, 2, 2)) for name in ("rgb", "ndvi", "nir")}
    there = torch.ones((4000, 2), dtype=torch.bool)
    there[0] = False
    shown, present = drop_modalities(images, there, AugmentOptions(), generator())
    assert bool((shown["rgb"] == 1).all())
    assert (~present).float().mean(0).tolist() == pytest.approx([0.2, 0.2], abs=0.02)
    assert torch.equal(shown["ndvi"][:, 0, 0, 0] == 1, present[:, 0])
    assert torch.equal(shown["nir"][:, 0, 0, 0] == 1, present[:, 1])
    assert not present[0].any()


def test_the_state_of_the_generator_decides_everything():
    first, again, other = (change_values(optics(), None, RANDOMISED, generator(seed))[0] for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(("name", "value"), [("drop", 1.5), ("haze", -0.1), ("scale_low", 0.0), ("gain", 2.0)])
def test_options_out_of_range_are_refused(name, value):
    with pytest.raises(RecipeWrong):
        AugmentOptions(**{name: value})
