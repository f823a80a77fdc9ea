"""Searches say what is true of their scene, wrong candidates are wrong, and words for tests are made of words that were seen."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.embedder_cards import TowerConfig
from catalog.facts.errors import ChipsUnusable, RecipeWrong
from catalog.facts.feature_classes import CLASSES
from models.embedder.answers import ANSWERS
from models.embedder.batches import draw_searches, sub_batch_of
from models.embedder.boxes import box_words, overlap
from models.embedder.captions import caption_of, class_of, label_words, region_caption
from models.embedder.instructions import (
    HELD_OUT,
    INSTRUCTIONS,
    OF_BOXES,
    OF_IMAGES,
    OF_WORDS,
    TASKS,
    held_out_instructions,
    known_instructions,
)  # fmt: skip
from models.embedder.places import Place
from models.embedder.scenes import SceneMaker, images_of
from models.embedder.searches import Region, Search, Target
from models.embedder.stream import Item
from models.embedder.tasks import SearchOptions, fixed_searches, search_of
from models.embedder.world import World, ground_look
from models.language.instances import InstanceOptions
from models.referrer.pointing import meant
from simulator.referred import referred_chip
from tests.embedded_scenes import RECIPE, placed
from tests.referred_scenes import discs

OPTIONS = replace(RECIPE.searches, distractors=3, otherwise=2)


@pytest.fixture(scope="module")
def searches():
    found = {task: [] for task in TASKS}
    for scene in placed(24):
        for search in fixed_searches(scene, OPTIONS, 1, held_out=False):
            found[search.task].append((scene, scene.scene.told(asked=False).features, search))
    return found


def words_in(phrasings) -> set[str]:
    return set(re.findall(r"[a-z]+", " ".join(phrasings).lower()))


@pytest.mark.parametrize("task", TASKS)
def test_held_out_instructions_are_new_and_their_words_are_not(task):
    assert len(set(INSTRUCTIONS[task])) == 10
    assert len(held_out_instructions(task)) == HELD_OUT == 2
    assert not set(held_out_instructions(task)) & set(known_instructions(task))
    assert words_in(held_out_instructions(task)) <= words_in(known_instructions(task))


def test_training_never_sees_what_is_held_out():
    rng = np.random.default_rng(0)
    for held_out, choices in ((False, known_instructions), (True, held_out_instructions)):
        for task in TASKS:
            said = {
                search.query.instruction
                for scene in placed(24)
                if (search := search_of(scene, task, OPTIONS, rng, held_out=held_out)) is not None
            }
            assert said
            assert said <= set(choices(task))


def test_every_task_has_searches_with_a_target_negatives_and_a_chance(searches):
    for task, some in searches.items():
        assert len(some) > 12, task
        for _, _, search in some:
            assert search.right(search.target)
            assert not any(search.right(each) for each in search.negatives)
            marks = [each.marks for each in search.candidates()]
            assert len(set(marks)) == len(marks)
            assert search.chance() == pytest.approx(1 / (1 + len(search.negatives)))
        if task != "placed_image":
            assert sum(bool(search.negatives) for _, _, search in some) > len(some) / 2, task


def test_targets_say_what_they_are_and_queries_what_is_wanted(searches):
    for task, some in searches.items():
        wanted = {"refer": OF_BOXES, "classify": OF_WORDS, "question": OF_WORDS, "image_to_text": OF_WORDS, "region_caption": OF_WORDS}
        for _, _, search in some:
            assert search.target.item.instruction == wanted.get(task, OF_IMAGES)
            assert search.query.instruction in INSTRUCTIONS[task]
    silent = search_of(placed(24)[0], "placed_image", replace(OPTIONS, instructed=False), np.random.default_rng(0))
    assert silent is not None
    assert silent.query.instruction == silent.target.item.instruction == ""


def test_queries_hold_what_their_task_is_about(searches):
    parts = {
        task: {
            tuple(getattr(search.query, part) not in (None, "") for part in ("image", "text", "bounds_lbrt", "place"))
            for *_, search in some
        }
        for task, some in searches.items()
    }
    assert parts == {
        "classify": {(True, False, False, False)},
        "image_to_text": {(True, False, False, False)},
        "text_to_image": {(False, True, False, False)},
        "question": {(True, True, False, False)},
        "region_caption": {(True, False, True, False)},
        "refer": {(True, True, False, False)},
        "grounded_image": {(False, True, True, False)},
        "placed_image": {(False, True, False, True)},
        "same_feature": {(True, False, True, False)},
    }


def test_classes_captions_and_regions_are_those_of_the_scene(searches):
    for _, features, search in searches["classify"]:
        kind = class_of(features)
        assert search.target.item.text in label_words(kind)
        assert search.closed
        assert len(search.negatives) == len(CLASSES) - 2
    for _, features, search in searches["image_to_text"]:
        assert search.target.item.text == caption_of(features)
    for scene, features, search in searches["text_to_image"]:
        assert search.query.text == caption_of(features)
        assert search.target.item.image is scene.scene.image
    for _, features, search in searches["region_caption"]:
        boxed = next(each for each in features if each.bounds_lbrt == search.query.bounds_lbrt)
        assert search.target.item.text == region_caption(boxed, features)


def test_a_reference_means_the_feature_of_its_box_and_no_other(searches):
    for scene, _, search in searches["refer"]:
        features = scene.scene.told().features
        found = meant(search.query.text, features)
        assert found is not None
        (number,) = found
        assert search.target.item.bounds_lbrt == features[number - 1].bounds_lbrt
        boxes = {box_words(each.item.bounds_lbrt, 100) for each in search.negatives}
        others = [each.bounds_lbrt for each in features if each.number != number]
        assert {box_words(each, 100) for each in others if overlap(each, search.target.item.bounds_lbrt) < 0.5} <= boxes
        empty = [each for each in search.negatives if all(each.item.bounds_lbrt != feature.bounds_lbrt for feature in features)]
        assert all(overlap(each.item.bounds_lbrt, feature.bounds_lbrt) <= 0.1 for each in empty for feature in features)


def test_questions_have_one_true_answer_among_those_that_could_be_given(searches):
    for _, features, search in searches["question"]:
        answers = {search.target.item.text, *(each.item.text for each in search.negatives)}
        assert answers in [set(some) for some in ANSWERS.values()]
        counted = re.match(r"(?:How many|Count the|What is the number of) ([a-z ]+?)(?: are there| can you see)?[?.]$", search.query.text)
        if counted:
            noun = counted[1].replace("patches", "patch").rstrip("s")
            count = sum(each.kind == noun or (noun == "lake" and each.kind.endswith("lake")) for each in features)
            assert search.target.item.text == ANSWERS["quantity"][count]


def test_images_that_lie_otherwise_are_wrong_where_words_tell_them_apart(searches):
    for scene, _, search in searches["grounded_image"]:
        for each in search.negatives:
            assert each.item.image is not None
            assert not torch.equal(each.item.image, scene.scene.image)
            assert len(each.marks & {f"image {scene.scene.scene_id}"}) == 0
    assert all(not search.negatives for *_, search in searches["placed_image"])


def test_the_same_feature_is_found_by_its_box_among_those_of_its_scene(searches):
    for scene, features, search in searches["same_feature"]:
        place = [each.bounds_lbrt for each in features].index(search.query.bounds_lbrt)
        assert search.target.item.image is scene.later[place]
        assert len(search.negatives) == len(features) - 1
    scene = placed(24)[0]
    turned = scene.turned(3)
    assert torch.equal(turned.later[0], torch.rot90(scene.later[0], 3, dims=(-2, -1)))
    assert search_of(replace(scene, later=()), "same_feature", OPTIONS, np.random.default_rng(0)) is None


def test_the_ground_around_a_feature_has_it_in_the_middle_with_room():
    labels = np.zeros((100, 100), np.int32)
    labels[70:80, 20:30], labels[2:6, 90:100] = 1, 2
    bright = np.where(labels > 0, 6_000, 500).astype(np.uint16)[None].repeat(12, axis=0)
    maker = SceneMaker(TowerConfig(image_px=32, patch_px=8, hidden=32, layers=1, heads=4), 2240.0, InstanceOptions(), World())
    middle, corner = maker.of_labels("s", bright, labels, ("clear lake", "glacier"), bright).later
    assert float(middle[0, 15:17, 15:17].min()) > float(middle[0, :8].max())
    shining = corner[0] > corner[0].mean()
    assert shining[2:6, 24:].all()  # cut at the edges of the chip
    assert not shining[16:].any()


def test_another_year_is_the_same_ground_in_other_light():
    for seed in range(4):
        first, again, later = (referred_chip(seed, size_px=64, year=year) for year in (0, 0, 1))
        assert np.array_equal(first.s2, again.s2)
        assert later.kinds == first.kinds
        for number in range(1, len(first.kinds) + 1):
            both = ((first.labels == number) & (later.labels == number)).sum()
            assert both > 0.5 * (first.labels == number).sum()
        ground = (first.labels == 0) & (later.labels == 0)
        assert np.corrcoef(first.s2[7][ground], later.s2[7][ground])[0, 1] > 0.3
        assert not np.array_equal(first.s2, later.s2)
        assert np.array_equal(later.s2, referred_chip(seed, size_px=64, year=1).s2)


def test_captions_tell_the_largest_only_where_one_is():
    one = discs((20, 20, 6), (60, 60, 12), (100, 100, 9))
    assert caption_of(one) == "There are three clear lakes. The largest is a small clear lake in the middle."
    assert [region_caption(each, one) for each in one] == [
        "The smallest of three clear lakes.", "The largest of three clear lakes.", "Neither the largest nor the smallest of three clear lakes.",
    ]  # fmt: skip
    alike = discs((20, 20, 9), (60, 60, 9), kinds=("glacier", "clear lake"))
    assert caption_of(alike) == "There is one clear lake and one glacier."
    assert class_of(alike) is None
    assert [region_caption(each, alike) for each in alike] == ["The only glacier.", "The only clear lake."]
    same = discs((20, 20, 9), (60, 60, 9))
    assert [region_caption(each, same) for each in same] == [None, None]


def test_a_sub_batch_holds_every_target_once_and_excludes_what_is_right():
    rng = np.random.default_rng(3)
    for task in TASKS:
        searches = draw_searches(placed(24), task, OPTIONS, 10, rng)
        batch = sub_batch_of(searches, 2, rng)
        assert batch.excluded.shape == (len(batch.queries), len(batch.targets)) == (len(searches), len(batch.targets))
        assert not batch.excluded[torch.arange(len(searches)), batch.own].any()
        for search, place in zip(searches, batch.own.tolist(), strict=True):
            found = batch.targets[place]
            assert found.text == search.target.item.text or task == "classify"
            assert found.bounds_lbrt == search.target.item.bounds_lbrt or task == "refer"
        if task in ("classify", "question"):
            assert len(set(batch.own.tolist())) < len(searches)
    with pytest.raises(ChipsUnusable, match="give more scenes"):
        draw_searches(placed(24)[:1], "refer", OPTIONS, 4, rng)


def test_what_lies_in_about_the_same_box_is_right_wherever_it_is():
    box, near, far = (0.1, 0.4, 0.4, 0.1), (0.12, 0.42, 0.42, 0.12), (0.3, 0.6, 0.6, 0.3)
    own = Target(Item(bounds_lbrt=box), frozenset({"box a"}), (Region("", box),))
    close, wide = (Target(Item(bounds_lbrt=each), frozenset({f"box {each}"}), (Region("", each),)) for each in (near, far))
    refer = Search("s", "refer", Item(text="the lake"), own, own.marks, Region("", box), (wide,), closed=True)
    assert [refer.right(each) for each in (own, close, wide)] == [True, True, False]
    assert refer.chance((close,)) == pytest.approx(1 / 2)
    open_one = replace(refer, closed=False)
    assert open_one.candidates((close, close, own)) == (own, wide, close)
    assert open_one.chance((close,)) == pytest.approx(2 / 3)
    images = [
        Target(Item(text="x"), frozenset({f"image {number}"}), regions)
        for number, regions in enumerate(
            ((Region("The only glacier.", box),), (Region("The only glacier.", near),), (Region("A lake.", near),))
        )
    ]
    grounded = [
        Search("s", "grounded_image", Item(text="x"), each, frozenset({f"image {number}"}), each.regions[0], (), closed=False)
        for number, each in enumerate(images)
    ]
    excluded = sub_batch_of(grounded, 1, np.random.default_rng(0)).excluded
    assert excluded.tolist() == [[False, True, False], [True, False, False], [False, False, False]]


def test_searches_are_the_same_at_every_call():
    first, second = (fixed_searches(placed(24)[2], OPTIONS, 5, held_out=True) for _ in range(2))
    assert [(each.query.text, each.query.instruction, each.target.marks) for each in first] == [
        (each.query.text, each.query.instruction, each.target.marks) for each in second
    ]


def test_places_that_are_near_look_alike_and_looks_tell_where():
    world, rng = World(), np.random.default_rng(0)
    degrees = np.stack([rng.uniform(-80, 80, 400), rng.uniform(-180, 180, 400)], axis=1)
    here = world.looks(degrees)
    assert here.std(axis=0).min() > 0.4
    assert np.abs(world.looks(np.add(degrees, (0.01, 0))) - here).max() < 1e-3
    assert np.linalg.norm(world.looks(np.add(degrees, (20, 0))) - here, axis=1).mean() > 0.5
    found = [world.place_of(look, f"scene-{number}") for number, look in enumerate(here)]
    there = world.looks(np.array([(each.latitude_deg, each.longitude_deg) for each in found]))
    assert np.linalg.norm(there - here, axis=1).mean() < 0.25
    assert world.place_of(here[0], "scene-0") == found[0]


def test_looks_of_simulated_ground_fill_their_range_and_its_place_tells_them():
    chips = [referred_chip(seed, size_px=48) for seed in range(60)]
    looks = np.array([ground_look(chip.s2, chip.labels == 0) for chip in chips])
    assert np.abs(looks.mean(axis=0)).max() < 0.3
    assert looks.std(axis=0).min() > 0.4
    world = World()
    places = [world.place_of(look, f"chip-{seed}") for seed, look in enumerate(looks)]
    told = world.looks(np.array([(each.latitude_deg, each.longitude_deg) for each in places]))
    assert min(np.corrcoef(told[:, band], looks[:, band])[0, 1] for band in range(3)) > 0.6
    assert not ground_look(np.zeros((12, 4, 4), np.uint16), np.ones((4, 4), bool)).any()
    assert isinstance(places[0], Place)


@pytest.mark.parametrize("shows", ["rgb", "water"])
def test_one_stretch_shows_all_scenes(shows):
    vision = TowerConfig(image_px=32, patch_px=8, hidden=32, layers=1, heads=4, shows=shows)
    chips = np.stack([referred_chip(seed, size_px=48).s2 for seed in (1, 2)])
    together, alone = images_of(chips, vision), images_of(chips[1:], vision)
    assert together.shape == (2, 3, 32, 32)
    torch.testing.assert_close(together[1:], alone)
    darker = images_of(chips // 2, vision)
    assert (darker.mean() - together.mean()).abs() > 0.05


def test_options_that_make_nothing_are_refused():
    for wrong in ({"tasks": ()}, {"distractors": -1}, {"otherwise": 8}):
        with pytest.raises(RecipeWrong, match="name one task or more"):
            SearchOptions(**wrong)
