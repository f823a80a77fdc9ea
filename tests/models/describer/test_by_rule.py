"""The template that needs no network: questions read back, lakes by a water index, answers by rule."""

import numpy as np
import pytest

from catalog.facts.bands import s2_index
from models.describer.answers import asks
from models.describer.by_rule import answered_by_rule, lakes_by_index
from models.describer.pairs import pair_of
from models.describer.phrasings import PHRASINGS
from models.describer.questions import read_question
from models.describer.scenes import Scene
from models.language.instances import InstanceOptions
from models.language.sentences import SEG
from tests.described_scenes import scenes

ROCK = {"B02": 900, "B03": 1100, "B04": 1300, "B08": 1900, "B11": 2400, "B12": 2100}
WATER = {"B02": 900, "B03": 800, "B04": 500, "B08": 150, "B11": 80, "B12": 60}


def test_every_question_is_read_back():
    for scene in scenes(4):
        facts = scene.facts()
        for ask in asks(facts):
            for phrasing in range(len(PHRASINGS[ask.family])):
                asked = read_question(pair_of(ask, facts, phrasing, 0).question)
                assert asked is not None
                assert (asked.family, dict(asked.values)) == (ask.family, dict(ask.values))
    assert read_question("What is the meaning of life?") is None


@pytest.fixture(scope="module")
def seen() -> Scene:
    """Rock with a large lake in the top left and a small one in the bottom right, found by the index."""
    water = np.zeros((128, 128), bool)
    water[15:40, 20:45] = water[90:102, 85:97] = True
    s2 = np.full((1, 12, 128, 128), 1500, np.uint16)
    for band, rock in ROCK.items():
        s2[0, s2_index(band)] = np.where(water, WATER[band], rock)
    noise = np.random.default_rng(0).integers(-30, 30, s2.shape)
    found = lakes_by_index(
        (s2 + noise).astype(np.uint16), np.full((1, 128, 128), 4000, np.float32), np.zeros((1, 128, 128), np.uint8), InstanceOptions()
    )[0]
    assert len(found) == 2
    assert (found.mask((1, 2)) & water).sum() / (found.mask((1, 2)) | water).sum() > 0.9
    empty = scenes(1)[0]
    return Scene("made", 10.0, empty.channels, empty.rgb, found)


@pytest.mark.parametrize(
    ("question", "answer", "lakes"),
    [
        ("Please count all glacial lakes here.", f"There are two glacial lakes. {SEG}", 2),
        ("Segment only the top left.", f"There is one glacial lake in the top left. {SEG}", 1),
        ("Segment only the top right.", "There are no glacial lakes in the top right.", 0),
        ("Where is the largest glacial lake?", f"The largest glacial lake lies in the top left, far from the center. {SEG}", 1),
        ("Compare the lake in the bottom right, far from the center with the one in the top left, far from the center.",
         f"The one in the top left, far from the center is larger than the one in the bottom right, far from the center. {SEG}", 2),
        ("Compare the lake in the center with the one in the top right, far from the center.", f"There are two glacial lakes. {SEG}", 2),
        ("Is there a dragon?", f"There are two glacial lakes. {SEG}", 2),
    ],
)  # fmt: skip
def test_a_question_is_answered_by_what_the_index_found(seen, question, answer, lakes):
    own = answered_by_rule(question, seen, seen.lakes)
    assert (own.text, own.path) == (answer, "by_rule")
    areas = {0: 0.0, 1: 625.0, 2: 769.0}
    assert own.mask().mean() * 128**2 == pytest.approx(areas[lakes], rel=0.15)
