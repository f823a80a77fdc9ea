from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.chips import ChipBatch
from catalog.facts.describer_cards import SIX, TINY, ChannelScaling
from catalog.facts.scene_facts import Whereabouts
from models.describer.chip_scenes import scenes_of_chips
from models.describer.inputs import InputOptions, index_seen, level_seen, six_channels, stretched, views_of, water_seen
from models.describer.recipe import Recipe
from simulator.chips import simulated_chip

CHIP = simulated_chip(3)


def test_channels_are_in_units_that_every_scene_shares():
    s2 = np.full((1, 12, 8, 8), 1433, np.uint16)
    dem = np.broadcast_to(4000 + 10.0 * np.arange(8, dtype=np.float32), (1, 8, 8)).astype(np.float32)
    six = six_channels(s2, dem, 10.0, ChannelScaling())
    assert six.shape == (1, len(SIX), 8, 8)
    assert np.allclose(six[0, 2], 0)  # red at its mean
    assert np.allclose(six[0, 4, 2:6, 2:6], (45 - 25) / 15, atol=0.01)  # 10 m in 10 m are 45 degrees
    assert np.allclose(six[0, 5, 0], (10.0 * np.arange(8) - 300) / 300)  # relief, whatever the height
    assert np.allclose(six, six_channels(s2, dem + 1000, 10.0, ChannelScaling()), atol=1e-3)


def test_what_is_not_known_is_the_mean():
    s2, dem = CHIP.s2[None].copy(), CHIP.dem[None].copy()
    s2[:, :, :5] = 0
    dem[:, :5] = np.nan
    assert (six_channels(s2, dem, 10.0, ChannelScaling())[0, :, :5] == 0).all()
    assert np.isfinite(stretched(np.zeros_like(s2))).all()


def test_color_keeps_its_balance_and_fills_the_range():
    rgb = stretched(CHIP.s2[None])[0]
    assert (rgb.min(), rgb.max()) == (0, 1)
    lake = CHIP.lakes == 1
    counts = CHIP.s2[[3, 2, 1]][:, lake].mean(axis=1)
    assert (np.argsort(rgb[:, lake].mean(axis=1)) == np.argsort(counts)).all()


def test_views_have_the_sizes_of_the_configuration_and_enhancing_changes_color_alone():
    plain = views_of(CHIP.s2[None], CHIP.dem[None], 10.0, TINY)
    vivid = views_of(CHIP.s2[None], CHIP.dem[None], 10.0, TINY, options=InputOptions(enhance=True))
    assert plain.channels.shape == (1, 6, 64, 64)
    assert plain.rgb.shape == (1, 3, TINY.vision.image_px, TINY.vision.image_px)
    assert torch.equal(plain.channels, vivid.channels)
    assert not torch.equal(plain.rgb, vivid.rgb)


def test_stored_chips_become_scenes_whose_words_fit_their_labels():
    label = np.where(CHIP.lakes > 0, 250, 0).astype(np.uint8)
    label[:3] = 255
    batch = ChipBatch(
        CHIP.s2[None],
        np.full((1, 2, 224, 224), np.nan, np.float32),
        CHIP.dem[None],
        np.zeros((1, 224, 224), np.uint8),
        label[None],
        np.ones(1, np.float32),
    )
    scene = scenes_of_chips(batch, ["c"], [Whereabouts(86.9, 27.9, None, "hma", 2023)], Recipe("r", "R"), ChannelScaling())[0]
    facts = scene.facts()
    truth = {number for number in range(1, CHIP.lakes.max() + 1) if (CHIP.lakes[3:] == number).sum() >= 20}
    assert len(facts.lakes) == len(truth)
    assert facts.whereabouts.elevation_m is not None
    judged = CHIP.lakes[3:]  # nobody knows the first rows
    assert float(scene.target([lake.number for lake in facts.lakes]).mean()) * 224**2 == pytest.approx(
        np.isin(judged, list(truth)).sum(), rel=0.01
    )


@pytest.mark.parametrize(("shows", "first"), [("rgb", None), ("water", None), ("index", {0.0, 1.0}), ("level", {0.0, 1.0})])
def test_what_the_language_path_is_shown_is_a_matter_of_configuration(shows, first):
    config = replace(TINY, vision=replace(TINY.vision, shows=shows))
    image = views_of(CHIP.s2[None], CHIP.dem[None], 10.0, config).rgb
    assert image.shape == (1, 3, TINY.vision.image_px, TINY.vision.image_px)
    assert torch.isfinite(image).all()
    if first is not None:
        seen = index_seen(CHIP.s2[None], CHIP.dem[None])[0]
        assert set(np.unique(seen[0])) == first
        water = CHIP.lakes > 0
        assert ((seen[0] > 0) & water).sum() / ((seen[0] > 0) | water).sum() > 0.8


def test_level_ground_is_level_and_slopes_are_not_whatever_the_pixel():
    rows = np.arange(40, dtype=np.float32)
    dem = np.broadcast_to(np.where(rows < 20, 4000, 4000 + 2.0 * (rows - 20))[:, None], (40, 40)).astype(np.float32)[None]
    s2 = np.full((1, 12, 40, 40), 1500, np.uint16)
    level = level_seen(s2, dem, 10.0)[0, 2]
    assert (level[:19] > 0.99).all()
    assert (level[22:] == 0).all()  # 2 m in 10 m are 11 degrees
    assert (level_seen(s2, dem, 100.0)[0, 2, 22:] > 0.7).all()
    dem = dem.copy()
    dem[:, :5] = np.nan
    unknown = level_seen(s2, dem, 10.0)[0, 2]
    assert (unknown[:5] == 0).all()
    assert (unknown[8:12] > 0.9).all()
    assert (level_seen(s2, np.full_like(dem, np.nan), 10.0)[0, 2] == 0).all()


def test_lakes_are_more_level_than_what_is_around_them():
    level, water = level_seen(CHIP.s2[None], CHIP.dem[None], 10.0)[0, 2], CHIP.lakes > 0
    assert np.median(level[water]) > np.median(level[~water])


def test_nothing_is_water_where_nothing_is_known():
    assert (water_seen(np.zeros_like(CHIP.s2[None])) == 0).all()
    assert (index_seen(np.zeros_like(CHIP.s2[None]), CHIP.dem[None])[0, 0] == 0).all()
