"""Which chips and windows a step sees: in the ratio of the schedule, and as the generator says."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from catalog.facts.detector_cards import DetectorConfig
from catalog.facts.errors import ChipsUnusable, RecipeWrong
from models.detector.augment import NONE, AugmentOptions
from models.detector.draws import Schedule, draw_chips, frames_drawn, frames_fixed
from models.detector.slumps import no_slumps
from models.detector.targets import TargetOptions, target_of
from tests.slump_chips import ORIGIN, blob, slumps

CONFIG = DetectorConfig(modalities=("rgb",), window_px=112)
ORIGINS = np.array([ORIGIN])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_negatives_grow_from_one_to_five_by_half_time():
    assert [Schedule().negatives(progress) for progress in (0, 0.25, 0.5, 1)] == [1, 3, 5, 5]


@pytest.mark.parametrize(("progress", "share"), [(0.0, 1 / 2), (1.0, 1 / 6)])
def test_chips_are_drawn_in_the_ratio_of_the_schedule(progress, share):
    own = [slumps(blob(20, 20, 5)), *[no_slumps()] * 8, slumps(blob(20, 20, 5), ignored=[True])]
    places, wanted = draw_chips(own, 6000, progress, Schedule(), generator())
    assert wanted.mean() == pytest.approx(share, abs=0.03)
    assert set(places[wanted].tolist()) == {0}
    assert set(places[~wanted].tolist()) == set(range(10))


def test_what_looks_like_a_slump_is_drawn_more_often():
    own = [slumps(lures=[blob(20, 20, 5)]), no_slumps()]
    places, wanted = draw_chips(own, 6000, 1.0, Schedule(lures=4.0), generator())
    assert not wanted.any()
    assert (places == 0).mean() == pytest.approx(0.8, abs=0.03)


def test_without_a_chip_there_is_nothing_to_draw():
    with pytest.raises(ChipsUnusable, match="the split is empty"):
        draw_chips([], 4, 0.0, Schedule(), generator())
    with pytest.raises(RecipeWrong, match="0 or more"):
        Schedule(first=-1)


@settings(max_examples=40)
@given(st.floats(-10, 234), st.floats(-10, 234), st.floats(2, 20), st.integers(0, 1000), st.booleans())
def test_a_window_that_has_to_show_a_slump_does(x, y, radius, seed, scaled):
    own = slumps(blob(x, y, radius))
    chip = shapely.box(ORIGIN[1] * 10, -ORIGIN[0] * 10 - 2240, ORIGIN[1] * 10 + 2240, -ORIGIN[0] * 10)
    assume(own.shapes[0].intersection(chip).area > 400)
    options = replace(AugmentOptions(), scale=float(scaled))
    (frame,) = frames_drawn([own], ORIGINS, CONFIG, options, generator(seed))
    assert len(target_of(own, frame, TargetOptions(least_m2=0, least_visible=0))) == 1
    side = CONFIG.window_px / frame.scale
    assert all(-1 <= start - corner <= 225 - side for start, corner in zip(frame.origin_yx, ORIGIN, strict=True))


def test_a_window_that_should_not_looks_elsewhere():
    own = slumps(blob(112, 30, 12), blob(40, 200, 12))
    chips, wanted = [own] * 200, np.zeros(200, bool)
    frames = frames_drawn(chips, np.repeat(ORIGINS, 200, 0), CONFIG, NONE, generator(), wanted=wanted)
    shown = [len(target_of(own, frame, TargetOptions(least_m2=0, least_visible=0))) for frame in frames]
    assert np.mean(np.array(shown) > 0) < 0.05
    assert len({frame.origin_yx for frame in frames}) > 100


def test_windows_lie_anywhere_in_the_chip_and_in_all_eight_ways():
    frames = frames_drawn([no_slumps()] * 2000, np.repeat(ORIGINS, 2000, 0), CONFIG, AugmentOptions(), generator())
    corner = np.array([frame.origin_yx for frame in frames if frame.scale == 1.0]) - ORIGIN
    assert (corner.min(0) < 3).all()
    assert (corner.max(0) > 109).all()
    assert np.array_equal(corner, corner.round())
    assert len({(frame.mirrored, frame.turns) for frame in frames}) == 8
    scales = np.array([frame.scale for frame in frames])
    assert (scales != 1).mean() == pytest.approx(0.5, abs=0.05)
    assert (scales.min(), scales.max()) == pytest.approx((0.75, 1.33), abs=0.01)


def test_what_a_step_draws_does_not_depend_on_what_is_in_the_chips():
    one, two = generator(3), generator(3)
    frames_drawn([no_slumps()] * 4, np.repeat(ORIGINS, 4, 0), CONFIG, AugmentOptions(), one)
    frames_drawn([slumps(blob(20, 20, 5))] * 4, np.repeat(ORIGINS, 4, 0), CONFIG, AugmentOptions(), two)
    assert torch.rand(3, generator=one).tolist() == torch.rand(3, generator=two).tolist()


def test_validation_windows_lie_side_by_side():
    frames, own = frames_fixed(np.array([ORIGIN, (0, 0)]), CONFIG)
    assert own == [0] * 4 + [1] * 4
    assert [frame.origin_yx for frame in frames[4:]] == [(0, 0), (0, 112), (112, 0), (112, 112)]
    assert len(frames_fixed(ORIGINS, replace(CONFIG, window_px=224))[0]) == 1
    with pytest.raises(ChipsUnusable, match="do not fit"):
        frames_fixed(ORIGINS, replace(CONFIG, window_px=256))
