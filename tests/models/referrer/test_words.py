"""Phrases mean one feature each, and what they mean is read from their words alone."""

import re

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from catalog.facts.feature_classes import CLASSES, fit_to_refer, words_for, words_of
from catalog.facts.pixel_grids import PixelGrid
from models.referrer.arrangement import arrange
from models.referrer.features import FeatureMap
from models.referrer.pairs import PairOptions, corpus, draw_pairs, fixed_pairs
from models.referrer.phrasings import PHRASINGS, TASKS, known_phrasings
from models.referrer.pointing import meant, pointing
from models.referrer.references import CELLS, ENDS, Reference, cell_of, resolve
from models.referrer.sources import features_of_inventories, features_of_labels
from models.referrer.wording import phrase_of, reference_of
from simulator.referred import referred_chip
from tests.referred_scenes import discs, told


@pytest.mark.parametrize(("count", "kept"), [(4, True), (5, False)])
def test_four_of_a_class_may_be_told_apart_and_five_not(count, kept):
    assert fit_to_refer(("glacier",) * count) is kept


@pytest.mark.parametrize(("count", "kept"), [(3, True), (4, False)])
def test_eleven_features_in_all_are_kept_and_twelve_not(count, kept):
    assert fit_to_refer(("clear lake",) * 4 + ("milky lake",) * 4 + ("glacier",) * count) is kept


ROW = ((60, 30, 4), (60, 42, 4), (60, 54, 4), (60, 66, 4))
BLOCK = ((50, 50, 4), (50, 62, 4), (62, 50, 4), (62, 62, 4))


@pytest.mark.parametrize("seed", range(8))
def test_rows_blocks_and_far_ones_are_told_apart_whatever_two_pixels_of_noise_do(seed):
    noise = np.random.default_rng(seed).uniform(-2, 2, (4, 2)) if seed else np.zeros((4, 2))

    def moved(places):
        return discs(*((row + dy, column + dx, radius) for (row, column, radius), (dy, dx) in zip(places, noise, strict=True)))

    assert [(group.kind, group.axis) for group in arrange(moved(ROW))] == [("linear", "left")]
    assert [group.kind for group in arrange(moved(BLOCK))] == ["clustered"]
    assert sorted(group.kind for group in arrange(moved((*ROW[:3], (10, 110, 4))))) == ["isolated", "linear"]
    assert sorted(group.kind for group in arrange(moved((*ROW[:2], (10, 110, 4), (110, 110, 4))))) == ["isolated", "isolated", "pair"]


def test_a_column_is_told_from_its_top():
    (group,) = arrange(discs(*((column, row, radius) for row, column, radius in ROW)))
    assert (group.kind, group.axis) == ("linear", "top")
    assert [feature.y for feature in group.members] == sorted(feature.y for feature in group.members)


def test_every_reference_is_read_back_from_its_words():
    every = [
        Reference(noun, relation, cell)
        for noun in CLASSES
        for relation in ("only", "largest", "smallest", "all")
        for cell in (None, *CELLS)
    ]
    every += [Reference(noun, relation) for noun in CLASSES for relation in ("closest", "farthest")]
    every += [Reference(n, "ordinal", c, place=p, axis=a) for n in CLASSES for c in CELLS for p in (1, 2, 3, 4) for a in ("left", "top")]
    every += [Reference(n, "end", c, end=e, group=g) for n in CLASSES for c in CELLS for e in ENDS for g in ("pair", "clustered")]
    phrases = [phrase_of(reference) for reference in every]
    assert len(set(phrases)) == len(every) == 1302
    assert [reference_of(phrase) for phrase in phrases] == every


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        ("The biggest lake in the top left?", "the largest lake in the upper left"),
        ("glacier", "the glacier"),
        ("the lake nearest to the largest lake", "the lake closest to the largest lake"),
        ("all the thaw slumps", "all thaw slumps"),
        ("the snow patch in the centre", "the snow patch in the middle"),
    ],
)
def test_words_of_users_are_read_as_ours(words, phrase):
    assert reference_of(words) == reference_of(phrase) is not None


@pytest.mark.parametrize(
    "words", ["", "the lake that grew since 2018", "the lake closest to the largest glacier", "the volcano", "the third lake"]
)
def test_words_that_say_something_else_are_not_guessed_at(words):
    assert reference_of(words) is None
    assert meant(words, discs((20, 20, 5))) is None


def test_what_cannot_be_told_apart_is_not_one():
    two = discs((60, 20, 6), (60, 100, 6))
    assert resolve(Reference("clear lake", "largest"), two) == {1, 2}
    assert resolve(Reference("clear lake"), two) == {1, 2}
    assert resolve(Reference("lake", cell="left"), two) == {1}
    assert resolve(Reference("glacier"), two) == frozenset()
    uneven = discs((60, 20, 6), (60, 100, 8), (100, 100, 5))
    assert resolve(Reference("clear lake", "largest"), uneven) == {2}
    assert resolve(Reference("lake", "closest"), uneven) == {3}
    assert resolve(Reference("lake", "farthest"), uneven) == {1}


def test_places_in_a_row_and_ends_of_a_cluster():
    row = discs(*ROW)
    assert [meant(f"the clear lake {word} from the left in the row in the middle", row) for word in ("first", "fourth")] == [{1}, {4}]
    block = discs((50, 50, 4), (56, 64, 4), (64, 52, 4))
    assert meant("the uppermost clear lake of the cluster in the middle", block) == {1}
    assert meant("the rightmost lake of the cluster in the middle", block) == {2}


def test_every_kept_phrase_means_its_feature_and_few_features_are_dropped():
    total = dropped = 0
    for scene in told(30):
        total, dropped = total + len(scene.features), dropped + scene.phrases.dropped
        for number, references in scene.phrases.by_feature.items():
            assert references
            for reference in references:
                assert meant(phrase_of(reference), scene.features) == {number}
        for reference, numbers in scene.phrases.sets:
            assert meant(phrase_of(reference), scene.features) == numbers
        for reference in scene.phrases.absent:
            assert meant(phrase_of(reference), scene.features) == frozenset()
    assert total > 100
    assert dropped / total < 0.05


def test_features_that_no_phrase_tells_apart_are_counted():
    # three of one size around a fourth of that size: no row, and the middle one is at no end
    found = pointing(discs((60, 60, 5), (60, 72, 5), (52, 53, 5), (68, 53, 5)))
    assert found.dropped == 1
    assert 1 not in found.by_feature


def test_words_turn_with_the_pixels():
    chip = referred_chip(4, size_px=96)
    ground = features_of_labels(chip.labels, chip.kinds, 23.0)
    before, after = ground.features(), ground.turned(4).features()
    assert all(cell_of(1 - first.x, first.y) == cell_of(second.x, second.y) for first, second in zip(before, after, strict=True))
    assert [each.kind for each in before] == [each.kind for each in after]


def test_pairs_point_at_what_their_phrases_mean():
    rng = np.random.default_rng(0)
    tasks, absent, counts = set(), 0, set()
    for scene in told(30):
        for pair in (*draw_pairs(scene, PairOptions(segment=4, talk=3), rng), *fixed_pairs(scene, 1, held_out=True)):
            tasks.add(pair.task)
            assert pair.phrasing < len(PHRASINGS[pair.task])
            assert pair.held_out == (pair.phrasing >= known_phrasings(pair.task))
            if pair.task == "segment":
                counts.add(len(pair.targets))
                absent += pair.absent
                assert [meant(phrase, scene.features) for phrase in pair.phrases] == ([set(each) for each in pair.targets] or [set()])
                assert pair.answer.count("[SEG0]") == pair.answer.count("[SEG5]") == len(pair.targets)
                assert all(phrase in pair.question.lower() for phrase in pair.phrases)
    assert tasks == set(TASKS)
    assert counts == {0, 1, 2, 3, 4}
    assert absent > 20


def test_answers_in_words_are_what_masks_prove():
    (scene,) = [each for each in told(30) if len(each.features) >= 5][:1]
    answers = {pair.task: pair for pair in fixed_pairs(scene, 3, held_out=False)}
    quantity = answers["quantity"]
    noun = next(kind for kind in sorted(CLASSES, key=len, reverse=True) if words_of(kind).many in quantity.question)
    count = sum(noun in words_for(feature.kind) for feature in scene.features)
    assert quantity.answer.lower().startswith(("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "more")[count])
    box = [int(number) for number in answers["refer"].answer.strip("{}<>").split("><")]
    # left, bottom, right, top are told as x1, y1, x2, y2
    assert any(box == [round(100 * feature.bounds_lbrt[side]) for side in (0, 3, 2, 1)] for feature in scene.features)


def test_fixed_pairs_and_words_are_the_same_at_every_call():
    scene = told(3)[2]
    assert fixed_pairs(scene, 5, held_out=True) == fixed_pairs(scene, 5, held_out=True)
    assert fixed_pairs(scene, 5, held_out=True) != fixed_pairs(scene, 6, held_out=True)
    texts = corpus(told(3))
    assert all(any(word in text for text in texts) for word in ("[segment]", "[refer]", "there", "outline"))


def test_simulated_chips_are_the_same_at_every_call_and_hold_what_they_say():
    first, second = referred_chip(7, size_px=64), referred_chip(7, size_px=64)
    assert np.array_equal(first.s2, second.s2)
    assert np.array_equal(first.labels, second.labels)
    assert first.labels.max() == len(first.kinds)
    assert first.s2.min() >= 1
    assert {kind for seed in range(30) for kind in referred_chip(seed, size_px=48).kinds} == set(CLASSES) - {"lake"}


def test_scenes_that_hold_nothing_or_too_much_are_not_asked_about():
    none = FeatureMap(told(1)[0].features and features_of_labels(np.zeros((8, 8), np.int32), (), 10.0).instances, ())
    assert not none.usable
    labels = np.zeros((40, 40), np.int32)
    for number in range(5):
        labels[8 * number : 8 * number + 5, 2:9] = number + 1
    assert not features_of_labels(labels, ("glacier",) * 5, 10.0).usable
    assert features_of_labels(labels, ("glacier",) * 4 + ("snow patch",), 10.0).usable


def test_inventories_of_lakes_and_slumps_are_asked_about_by_their_own_names():
    grid = PixelGrid(32643, 500_000.0, 4_000_000.0, 10.0, 100, 100)

    def table(name, *places):
        shapes = [box(500_000 + x, 4_000_000 - y - 120, 500_000 + x + 150, 4_000_000 - y) for x, y in places]
        ids = [f"{name}-{number}" for number in range(len(places))]
        return gpd.GeoDataFrame({f"{name}_id": ids, "area_m2": [18_000.0] * len(places)}, geometry=shapes, crs=32643).to_crs(4326)

    ground = features_of_inventories(grid, table("lake", (100, 100), (600, 700)), table("slump", (600, 100), (5_000, 0)))
    assert sorted(ground.kinds) == ["lake", "lake", "thaw slump"]
    features = ground.features()
    assert [features[number - 1].feature_id for number in meant("the lake in the lower right", features)] == ["lake-1"]
    assert [features[number - 1].feature_id for number in meant("the thaw slump", features)] == ["slump-0"]
    assert features[0].area_m2 == 18_000.0
    assert not features_of_inventories(grid, None).kinds


def test_words_of_held_out_phrasings_occur_in_others():
    """Who starts from nothing knows no synonyms: what is tested is whether known words are read in a new order."""
    known = {word for task in TASKS for phrasing in PHRASINGS[task][: known_phrasings(task)] for word in plain_words(phrasing)}
    for task in TASKS:
        for phrasing in PHRASINGS[task][known_phrasings(task) :]:
            assert plain_words(phrasing) <= known, phrasing


def plain_words(phrasing: str) -> set[str]:
    return set(re.findall("[a-z]+", re.sub(r"{\w+}", "", phrasing.lower())))


def test_a_row_longer_than_people_count_is_told_without_its_last():
    """Five lakes of three kinds: the word `lake` means all of them."""
    kinds = ("clear lake", "milky lake", "clear lake", "frozen lake", "milky lake")
    features = discs(*((60, 14 + 23 * place, 6) for place in range(5)), kinds=kinds)
    assert [group.kind for group in arrange(features)] == ["linear"]
    found = pointing(features)
    ordinals = [each.place for own in found.by_feature.values() for each in own if each.relation == "ordinal" and each.noun == "lake"]
    assert ordinals == [1, 2, 3, 4]
