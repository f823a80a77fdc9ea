from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import torch

from catalog.facts.chips import ChipBatch
from catalog.facts.describer_cards import ChannelScaling
from models.describer.batches import draw_batch
from models.describer.chip_scenes import stored_scenes
from models.describer.recipe import PairOptions, Recipe
from models.language.facts_of import facts_of
from models.language.instances import InstanceOptions, instances_of_mask
from simulator.chips import simulated_chip
from tests.described_scenes import dialogue

CHIP = simulated_chip(11)
ROWS = pd.DataFrame(
    {
        "chip_id": ["a-2021", "a-2022", "b-2022", "c-2022"],
        "ground": "earth",
        "region": ["hma", "hma", "hma", "tibet"],
        "epsg": 32645,
        "origin_y_px": [0, 0, 224, 0],
        "origin_x_px": [0, 0, 0, 0],
        "longitude": [86.9, 86.9, np.nan, 86.9],
        "latitude": [27.9, 27.9, np.nan, 27.9],
        "year": [2021, 2022, 2022, 2022],
        "label_year": [2021, 2022, 2022, 2022],
        "split": ["train"] * 4,
    }
)


@dataclass
class Stored:
    """A set of four chips: one place in two years, one elsewhere, and one of another region at the same pixels."""

    table: gpd.GeoDataFrame

    def of_split(self, name: str) -> np.ndarray:
        return np.flatnonzero(self.table["split"] == name)

    def read(self, indices: np.ndarray) -> ChipBatch:
        count = len(indices)
        labels = np.stack([np.where((CHIP.before if place == 0 else CHIP.lakes) > 0, 250, 0).astype(np.uint8) for place in indices])
        return ChipBatch(
            np.repeat(CHIP.s2[None], count, 0), np.zeros((count, 2, 224, 224), np.float32), np.repeat(CHIP.dem[None], count, 0),
            np.zeros((count, 224, 224), np.uint8), labels, np.ones(count, np.float32),
        )  # fmt: skip


@pytest.fixture(scope="module")
def scenes():
    chips = Stored(gpd.GeoDataFrame(ROWS))
    return [scene for seen in stored_scenes(chips, "train", Recipe("r", "R"), ChannelScaling()) for scene in seen.scenes]


def test_the_same_ground_a_year_earlier_tells_growth(scenes):
    assert [scene.before is not None for scene in scenes] == [False, True, False, False]
    facts = scenes[1].facts()
    assert facts.earlier is not None
    assert (facts.earlier.year, facts.earlier.count) == (2021, len(scenes[0].lakes))
    assert any(lake.area_before_m2 != lake.area_m2 for lake in facts.lakes)


def test_a_chip_whose_place_nobody_knows_has_no_position(scenes):
    assert scenes[0].facts().whereabouts.latitude == 27.9
    assert scenes[2].facts().whereabouts.latitude is None


def test_a_part_of_a_scene_is_what_its_window_shows(scenes):
    """Whatever is said of the part is what would be said of its pixels alone."""
    whole, options = scenes[0], InstanceOptions(min_area_m2=5_000)
    part = whole.part((4, 0, 12), options)
    alone = instances_of_mask(whole.lakes.labels[56:, :168] > 0, 10.0, options)
    assert part.rgb.shape == whole.rgb.shape
    assert part.channels.shape == whole.channels.shape
    assert sorted(part.lakes.areas_m2) == sorted(alone.areas_m2)
    assert {lake.place for lake in part.facts().lakes} == {lake.place for lake in facts_of(alone, 10.0).lakes}
    shown = part.target(range(1, len(part.lakes) + 1))
    assert shown.shape == (1, 64, 64)
    assert float(shown.mean()) == pytest.approx(float((part.lakes.labels > 0).mean()), abs=0.01)


def test_the_whole_is_a_part_of_itself(scenes):
    whole = scenes[1].part((0, 0, 16), InstanceOptions())
    assert torch.equal(whole.rgb, scenes[1].rgb)
    assert whole.facts() == scenes[1].facts()


def test_batches_of_parts_are_drawn_by_their_seed(scenes):
    drawn = [draw_batch(scenes, dialogue(), PairOptions(parts=True), np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert torch.equal(drawn[0].views.rgb, drawn[1].views.rgb)
    assert not torch.equal(drawn[0].views.rgb, drawn[2].views.rgb)
