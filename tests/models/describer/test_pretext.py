from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.scene_facts import MANY
from models.describer.pretext import OF_A_PATCH, OF_A_SCENE, PLACES, STANDOUTS, known_of, pretext_of
from models.language.pretext import Known
from models.language.truth import extreme, nearest
from tests.described_scenes import scenes

SIDE = 8


def test_points_of_a_scene_add_up_to_its_lakes_place_by_place():
    some = list(scenes(6))
    known = known_of(some, SIDE)
    assert known.patches.shape == (len(some), SIDE * SIDE, sum(OF_A_PATCH))
    assert known.counts.shape == (len(some), OF_A_SCENE)
    for scene, patches, counts in zip(some, known.patches, known.counts, strict=True):
        facts = scene.facts()
        places = counts[1:]
        assert int(counts[0]) == len(facts.lakes) == int(places.sum())
        assert places.tolist() == [len(facts.at(place)) for place in PLACES]
        torch.testing.assert_close(patches[:, 2:].sum(dim=0), places.float())


@given(turn=st.integers(0, 7))
def test_what_is_known_turns_with_the_ground(turn):
    (scene,) = scenes(1, first=3)
    now, lying = (known_of([each], SIDE) for each in (scene, scene.turned(turn)))
    assert now.counts[0, 0] == lying.counts[0, 0]
    torch.testing.assert_close(lying.patches[..., 0].sum(), now.patches[..., 0].sum())


def test_the_share_of_lake_is_that_of_the_mask():
    (scene,) = scenes(1, first=5)
    covered = known_of([scene], SIDE).patches[0, :, 0].mean()
    assert float(covered) == pytest.approx(float((scene.lakes.labels > 0).mean()))


def test_what_stands_out_lies_in_the_patches_around_its_point():
    some = list(scenes(6))
    for scene, shares in zip(some, known_of(some, SIDE).standouts, strict=True):
        facts = scene.facts()
        lakes = (extreme(facts, "largest"), extreme(facts, "smallest"), nearest(facts)) if facts.lakes else ()
        for lake, own in zip(lakes, shares, strict=False):
            nearby = own.reshape(SIDE, SIDE)[min(int(lake.y * SIDE), SIDE - 1), min(int(lake.x * SIDE), SIDE - 1)]
            assert float(own.sum()) == pytest.approx(1.0)
            assert float(nearby) == pytest.approx(float(own.max()))
        assert len(lakes) == len(STANDOUTS) or not shares.any()


def test_a_scene_without_lakes_asks_nothing_about_what_stands_out():
    (scene,) = scenes(1, first=5)
    known, pretext = known_of([scene], SIDE), pretext_of(16)
    none = replace(known, standouts=torch.zeros_like(known.standouts))
    seen = torch.randn(1, SIDE * SIDE, 16, generator=torch.Generator().manual_seed(0))
    gradients = []
    for own in (known, none):
        pretext.zero_grad()
        pretext.loss(seen, own).backward()
        gradients.append(float(pretext.standouts.weight.grad.abs().sum()))
    assert gradients[0] > 0 == gradients[1]


def test_counts_stop_at_many():
    (scene,) = scenes(1, first=5)
    known, pretext = known_of([scene], SIDE), pretext_of(16)
    logits = pretext.numbers(torch.zeros(2, 4, 16))
    assert logits.shape == (2, OF_A_SCENE, MANY + 1)
    more = replace(known, counts=torch.full_like(known.counts, MANY + 3))
    assert torch.isfinite(pretext.loss(torch.zeros(1, SIDE * SIDE, 16), more))


def test_a_pretext_that_tells_all_has_less_loss_than_one_that_tells_nothing():
    known = known_of(list(scenes(4)), SIDE)
    torch.manual_seed(0)
    seen, pretext = torch.randn(4, SIDE * SIDE, 64), pretext_of(64)
    seen.requires_grad_(True)
    before = float(pretext.loss(seen, known).detach())
    optimizer = torch.optim.Adam([seen, *pretext.parameters()], 0.05)
    for _ in range(60):
        optimizer.zero_grad()
        pretext.loss(seen, known).backward()
        optimizer.step()
    assert float(pretext.loss(seen, known).detach()) < before / 4
    assert isinstance(known.to(torch.device("cpu")), Known)
    assert np.isfinite(before)
