import numpy as np
import pytest

from catalog.facts.scene_facts import MANY, QUADRANTS, LakeFact, Place, SceneFacts, in_order, place_of
from models.describer.answers import asks, description
from models.language.check import check
from models.language.corrections import corrected
from models.language.facts_of import facts_of
from models.language.instances import instances_of_mask
from models.language.parse import read
from models.language.sentences import SEG, TEMPLATES, Claim, joined, read_clause, wordings, write
from models.language.slots import EVENTS, EXTREMES, TRENDS, VERDICTS
from models.language.truth import holds
from models.language.verify import verified
from tests.language_scenes import scene

PLACES = [Place(quadrant, near) for quadrant in QUADRANTS[:4] for near in (True, False)] + [Place("center")]
VALUES = {
    "lakes": range(MANY + 1), "more": range(1, MANY + 1), "place": PLACES, "other": PLACES, "quadrant": [Place(q) for q in QUADRANTS],
    "size": ["small", "medium", "large"], "extreme": EXTREMES, "trend": TRENDS, "year": [1999, 2022], "km2": [2000.0, 41_000.0, 1_234_000.0],
    "before": [0.0, 77_000.0], "metres": [-3.0, 5012.0], "across": [0.0, 0.37, 1.0], "down": [0.44], "latitude": [27.91, -46.5],
    "longitude": [86.92, -72.33], "region": ["hma-everest", "tibet 2"], "lake_id": ["gl086923e27912n", "gl1w2s"], "answer": ["yes", "no"],
    "since": [1998, 2021], "tally": [10, 123], "percent": [0.0, 0.86, 1.0], "low": [0.0, 36_000.0], "high": [43_000.0], "verdict": list(VERDICTS), "event": list(EVENTS),
}  # fmt: skip


def claims_of(kind: str, template: str, fixed) -> list[Claim]:
    """Claims of a wording with every value of every slot."""
    slots = [name for name in VALUES if f"{{{name}}}" in template]
    return [
        Claim(kind, {**{name: VALUES[name][turn % len(VALUES[name])] for name in slots}, **fixed})
        for turn in range(max([len(VALUES[name]) for name in slots], default=1))
    ]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_every_wording_is_read_back_as_what_it_said(kind):
    for template, fixed in TEMPLATES[kind]:
        for claim in claims_of(kind, template, fixed):
            frames = len(wordings(claim))
            assert frames >= 1
            for frame in range(frames):
                assert read_clause(write(claim, frame).lower()) == claim


@pytest.mark.parametrize("seed", range(40))
def test_text_of_true_claims_is_read_and_found_true(seed):
    facts, _ = scene(seed)
    for ask in asks(facts):
        text = joined([write(claim, seed) for claim in ask.claims], list_after_first=seed % 2 == 1) + f" {SEG}"
        found = check(text, facts)
        assert found.reading.claims == ask.claims
        assert (found.true, found.hallucinated, found.reading.unread) == (found.total, 0, ()), text
        assert found.reading.masks == 1


def test_a_described_scene_reads_as_people_would_write_it():
    lakes = [LakeFact(1, 0.2, 0.2, 30_000, (0, 1, 1, 0)), LakeFact(2, 0.62, 0.6, 600_000, (0, 1, 1, 0))]
    facts = SceneFacts("s", 10, in_order(lakes))
    assert joined([write(claim) for claim in description(facts)]) == (
        "There are two glacial lakes. A small one in the top left, far from the center. A large one in the bottom right, near the center."
    )


def test_position_rule_of_the_published_system_holds_for_every_lake():
    assert place_of(0.5, 0.45) == Place("center")
    assert place_of(0.39, 0.5) == Place("bottom left", near=True)
    assert place_of(0.61, 0.3) == Place("top right", near=False)
    assert place_of(0.29, 0.49) == Place("top left", near=False)


def test_the_point_of_a_bent_lake_is_one_of_its_pixels():
    mask = np.zeros((41, 41), bool)
    mask[5:36, 5:9], mask[5:9, 5:36], mask[32:36, 5:36] = True, True, True
    lake = facts_of(instances_of_mask(mask, 10.0), 10.0).lakes[0]
    assert mask[int(lake.y * 41), int(lake.x * 41)]


def test_lakes_of_the_year_before_give_growth():
    before, now = np.zeros((2, 40, 40), bool)
    before[5:10, 5:15] = now[5:15, 5:15] = True
    now[25:35, 25:35] = True
    facts = facts_of(instances_of_mask(now, 10.0), 10.0, whereabouts=scene(0)[0].whereabouts, before=instances_of_mask(before, 10.0))
    assert {lake.area_before_m2 for lake in facts.lakes} == {5_000.0, 0.0}
    assert holds(Claim("more", {"more": 1, "year": 2022}), facts)
    assert holds(Claim("trend", {"trend": "grown", "year": 2022}), facts)
    assert not holds(Claim("trend", {"trend": "grown", "year": 2021}), facts)


def test_two_descriptions_cannot_mean_the_same_lake():
    facts = SceneFacts("s", 10, (LakeFact(1, 0.2, 0.2, 30_000, (0, 1, 1, 0)),))
    found = check(
        "There are two glacial lakes: a small one in the top left, far from the center; a small one in the top left, far from the center.",
        facts,
    )
    assert (found.described, found.hallucinated, found.omitted) == (2, 1, 0)
    assert [each.true for each in found.judged] == [False, True, False]


def test_a_wrong_size_is_false_and_a_wrong_place_is_no_lake():
    facts = SceneFacts("s", 10, (LakeFact(1, 0.2, 0.2, 30_000, (0, 1, 1, 0)),))
    assert check("A large one in the top left, far from the center.", facts).hallucinated == 0
    assert check("A large one in the top left, far from the center.", facts).true == 0
    found = check("A small one in the top right, far from the center.", facts)
    assert (found.hallucinated, found.omitted, found.positions) == (1, 1, (0, 1))


@pytest.mark.parametrize("text", ["About 17 lakes maybe.", "Something big in the top left corner.", "A small thing."])
def test_what_tells_a_number_a_size_or_a_position_and_cannot_be_read_is_not_true(text):
    found = check(text, scene(1)[0])
    assert (found.true, found.total) == (0, 1)
    assert verified(text, scene(1)[0]).text == ""


def test_idle_words_are_no_claims():
    assert check("Glaciers are beautiful.", scene(1)[0]).total == 0


@pytest.mark.parametrize("seed", range(60))
def test_whatever_was_written_what_is_printed_is_true(seed):
    """Answers on one scene, printed for another: all that is false is corrected or dropped, and counted."""
    facts, other = scene(seed)[0], scene(seed + 1000)[0]
    written = [claim for ask in asks(other) for claim in ask.claims]
    text = joined([write(claim, seed) for claim in written]) + f" And 12 yaks graze in the top left. {SEG}"
    result = verified(text, facts)
    again = check(result.text, facts)
    assert (again.true, again.hallucinated) == (again.total, 0)
    assert result.kept + result.corrected + result.dropped == len(written) + 1
    assert result.text.endswith(SEG)


def test_a_wrong_count_is_corrected_and_a_lake_that_is_not_there_is_dropped():
    facts = SceneFacts("s", 10, (LakeFact(1, 0.2, 0.2, 30_000, (0, 1, 1, 0)),))
    result = verified(
        "There are three glacial lakes. A small one in the bottom right, near the center. The largest one is in the center.", facts
    )
    assert result.text == "There is one glacial lake. The largest glacial lake lies in the top left, far from the center."
    assert (result.kept, result.corrected, result.dropped) == (0, 2, 1)
    assert corrected(Claim("nearest", {"place": Place("center")}), SceneFacts("s", 10, ())) is None


def test_reading_gives_count_places_and_masks():
    reading = read(f"There are two glacial lakes: one in the top left, near the center; one in the center. {SEG}")
    assert (reading.count, reading.places, reading.masks) == (2, (Place("top left", near=True), Place("center")), 1)
