import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.scene_facts import QUADRANTS, Place, SceneFacts, place_of
from models.describer.answers import LISTED, asks
from models.describer.pairs import corpus, draw_pairs, fixed_pairs, mask_of, pair_of, runs_of
from models.describer.phrasings import PHRASINGS, REFERRING, known_phrasings
from models.describer.questions import read_question
from models.language.check import check
from models.language.facts_of import facts_of
from models.language.instances import InstanceOptions, instances_of_mask
from models.language.reading import worn
from models.language.sentences import SEG, TEMPLATES
from tests.language_scenes import PIXEL_M, WHERE, scene

SCENES = [scene(seed) for seed in range(60)]


def test_every_family_is_asked_and_every_answer_is_true():
    families = set()
    for facts, _ in SCENES:
        for ask in asks(facts):
            families.add(ask.family)
            pair = pair_of(ask, facts, 0, 1)
            found = check(pair.answer, facts)
            assert found.true == found.total > 0, pair.answer
    assert families == set(PHRASINGS)


def test_a_mark_of_segmentation_stands_exactly_where_a_mask_is_not_empty():
    for facts, instances in SCENES:
        for pair in fixed_pairs(facts, 1, held_out=False):
            assert pair.answer.endswith(SEG) == bool(pair.lakes)
            assert instances.mask(pair.lakes).any() == bool(pair.lakes)


def test_referring_masks_hold_the_lakes_of_the_words_alone():
    facts, instances = scene(3, 6)
    for ask in asks(facts):
        if ask.family == "refer_quadrant":
            quadrant = ask.values["quadrant"].quadrant
            inside = {lake.number for lake in facts.lakes if lake.place.quadrant == quadrant}
            assert set(np.unique(instances.labels[instances.mask(ask.lakes)])) == inside


def test_questions_have_eight_phrasings_and_answers_three():
    assert min(len(own) for own in PHRASINGS.values()) >= 8
    assert all(len(set(own)) == len(own) for own in PHRASINGS.values())
    asked = {claim.kind for facts, _ in SCENES for ask in asks(facts) for claim in ask.claims}
    assert min(len(TEMPLATES[kind]) for kind in asked) >= 3


def test_words_of_held_out_phrasings_occur_in_others():
    """Who starts from nothing knows no synonyms: what is tested is whether known words are read in a new order."""
    known = {word for family, own in PHRASINGS.items() for phrasing in own[: known_phrasings(family)] for word in plain_words(phrasing)}
    for family, own in PHRASINGS.items():
        assert known_phrasings(family) == 16
        for phrasing in own[known_phrasings(family) :]:
            assert plain_words(phrasing) <= known, phrasing


def plain_words(phrasing: str) -> set[str]:
    return set(re.findall("[a-z]+", re.sub(r"{\w+}", "", phrasing.lower())))


def test_every_phrasing_is_read_as_its_own_family():
    for facts, _ in SCENES:
        for ask in asks(facts):
            for phrasing in range(len(PHRASINGS[ask.family])):
                asked = read_question(pair_of(ask, facts, phrasing, 0).question)
                assert asked is not None
                assert (asked.family, dict(asked.values)) == (ask.family, dict(ask.values))


@given(seed=st.integers(0, 10_000), share=st.floats(0, 0.9))
def test_a_phrasing_with_holes_keeps_what_it_asks_about(seed, share):
    rng = np.random.default_rng(seed)
    for own in PHRASINGS.values():
        phrasing = own[seed % len(own)]
        left = worn(phrasing, rng, share)
        assert re.findall(r"{\w+}", left) == re.findall(r"{\w+}", phrasing)
        assert set(left.split()) <= set(phrasing.split())
        assert len(left.split()) > 1
        assert worn(phrasing, rng, 0.0) == phrasing


def test_questions_with_holes_are_asked_and_answered_alike():
    facts, _ = scene(3, 6)
    whole = draw_pairs(facts, 12, np.random.default_rng(5))
    holed = draw_pairs(facts, 12, np.random.default_rng(5), holes=0.5)
    assert len(holed) == 12
    known = {pair.question for pair in whole}
    assert sum(pair.question not in known for pair in holed) > 3
    assert all(check(pair.answer, facts).true == check(pair.answer, facts).total for pair in holed)


def test_answers_are_told_place_by_place_and_in_one_wording():
    facts, _ = scene(3, 6)
    places = [Place(quadrant, near) for quadrant in QUADRANTS for near in (None, True, False)]
    (ask,) = [ask for ask in asks(facts) if ask.family == "list"]
    told = [places.index(claim.place()) for claim in ask.claims if "place" in claim.values]
    assert told == sorted(told)
    frames = [{pair.frame for pair in draw_pairs(facts, 30, np.random.default_rng(1), wordings=count)} for count in (1, 3)]
    assert frames == [{0}, {0, 1, 2}]
    assert {pair.frame for pair in fixed_pairs(facts, 1, held_out=True)} == {0}


def test_training_never_sees_a_phrasing_that_is_held_out():
    rng = np.random.default_rng(0)
    drawn = [pair for facts, _ in SCENES for pair in draw_pairs(facts, 20, rng)]
    kept = [pair for facts, _ in SCENES for pair in fixed_pairs(facts, 0, held_out=True)]
    assert not any(pair.held_out for pair in drawn)
    assert all(pair.held_out for pair in kept)
    assert {pair.phrasing for pair in drawn if pair.family == "count"} == set(range(known_phrasings("count")))


def test_families_are_drawn_by_weight_and_no_question_twice():
    facts, _ = scene(3, 6)
    drawn = draw_pairs(facts, 4, np.random.default_rng(1), {family: float(family in REFERRING) for family in PHRASINGS})
    assert {pair.family for pair in drawn} <= set(REFERRING)
    assert len({(pair.family, pair.lakes) for pair in draw_pairs(facts, 100, np.random.default_rng(1))}) > 8


def test_the_fixed_list_is_fixed():
    facts, _ = SCENES[5]
    assert fixed_pairs(facts, 1, held_out=True) == fixed_pairs(facts, 1, held_out=True)
    assert fixed_pairs(facts, 1, held_out=True) != fixed_pairs(facts, 2, held_out=True)


@pytest.mark.parametrize("turn", range(8))
def test_turning_the_pixels_turns_the_words(turn):
    facts, instances = scene(7, 5)
    turned = facts_of(instances.turned(turn), PIXEL_M, scene_id=facts.scene_id, whereabouts=WHERE)
    rotate = {0: lambda x, y: (x, y), 1: lambda x, y: (y, 1 - x), 2: lambda x, y: (1 - x, 1 - y), 3: lambda x, y: (1 - y, x)}[turn % 4]
    for lake in facts.lakes:
        x = 1 - lake.x if turn >= 4 else lake.x
        own = next(other for other in turned.lakes if other.number == lake.number)
        assert (own.x, own.y) == pytest.approx(rotate(x, lake.y), abs=0.02)
        assert own.place == place_of(own.x, own.y)
    for pair in fixed_pairs(turned, 0, held_out=False):
        assert check(pair.answer, turned).true == check(pair.answer, turned).total


def test_a_mirrored_lake_is_on_the_other_side_in_words():
    mask = np.zeros((64, 64), bool)
    mask[8:14, 8:14] = True
    for turn, place in ((0, "top left"), (4, "top right"), (2, "bottom right"), (1, "bottom left")):
        facts = facts_of(instances_of_mask(mask, 35.0).turned(turn), 35.0)
        assert facts.lakes[0].place == Place(place, near=False)


def test_a_scene_without_lakes_is_asked_about_and_told_as_such():
    facts, _ = scene(0, 0)
    answers = {pair.family: pair.answer for pair in fixed_pairs(facts, 0, held_out=False)}
    assert {"count", "presence", "describe", "refer_quadrant"} <= set(answers)
    assert not any(SEG in answer for answer in answers.values())
    assert all(" no " in f" {answers[family].lower()} " for family in ("count", "presence", "describe"))


def test_a_dozen_lakes_are_told_by_quadrant():
    mask = np.zeros((64, 64), bool)
    for row in range(3):
        for column in range(4):
            mask[4 + 20 * row : 9 + 20 * row, 4 + 15 * column : 9 + 15 * column] = True
    facts = facts_of(instances_of_mask(mask, 35.0), 35.0)
    described = next(pair_of(ask, facts, 0, 0).answer for ask in asks(facts) if ask.family == "describe")
    assert len(facts.lakes) == 12 > LISTED
    assert described.startswith("There are more than nine glacial lakes. There are ")
    assert "a small one" not in described


def test_absolute_place_and_growth_come_with_what_no_image_shows():
    facts, _ = scene(11, 3)
    pairs = {pair.family: pair for pair in fixed_pairs(facts, 0, held_out=False)}
    assert pairs["position"].question.startswith("(27.91 N, 86.92 E; 5012 m; hma-everest; 2022: ")
    assert "27.91 N, 86.92 E" in pairs["position"].answer
    assert "2022" in pairs["change"].answer
    assert not {"position", "change"} & {
        pair.family for pair in fixed_pairs(replace(facts, whereabouts=replace(WHERE, latitude=None), earlier=None), 0, held_out=False)
    }


def test_masks_survive_as_runs_and_rows_are_json():
    for facts, instances in SCENES[:10]:
        for pair in fixed_pairs(facts, 0, held_out=False):
            row = pair.as_row(instances, "test")
            assert (mask_of(row["mask_runs"], instances.labels.shape) == instances.mask(pair.lakes)).all()
            json.dumps(row)
    for mask in (np.ones((3, 3), bool), np.zeros((3, 3), bool)):
        assert (mask_of(runs_of(mask), (3, 3)) == mask).all()


def test_facts_are_json_ready():
    facts, _ = scene(11, 3)
    content = json.loads(json.dumps(facts.as_dict()))
    assert content["count"] == 3
    assert {"quadrant", "near", "size"} <= set(content["lakes"][0])
    assert isinstance(facts, SceneFacts)


def test_the_corpus_holds_every_word_of_every_pair():
    texts = set(corpus([facts for facts, _ in SCENES[:8]]))
    pair = fixed_pairs(SCENES[2][0], 0, held_out=True)[0]
    assert pair.question in texts
    assert InstanceOptions().min_area_m2 == 2000
