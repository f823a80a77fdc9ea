from dataclasses import replace

import pytest

from catalog.facts.scene_facts import Earlier, LakeFact, SceneFacts, in_order
from models.describer.writer import bulletin, written
from models.language.check import check
from models.language.sentences import SEG
from tests.language_scenes import WHERE, scene

LAKES = in_order(
    [
        LakeFact(1, 0.2, 0.2, 41_000, (0, 1, 1, 0), "GL086923E27912N", area_before_m2=38_000),
        LakeFact(2, 0.7, 0.6, 612_000, (0, 1, 1, 0), "GL086950E27900N", area_before_m2=0),
    ]
)
FACTS = SceneFacts("s", 10, LAKES, WHERE, Earlier(2022, 1, 38_000))


@pytest.mark.parametrize("seed", range(40))
def test_every_claim_of_the_rule_is_true(seed):
    facts, _ = scene(seed)
    facts = replace(facts, lakes=tuple(replace(lake, lake_id=f"GL{lake.number}E1N") for lake in facts.lakes))
    found = check(written(facts).text, facts)
    assert (found.true, found.hallucinated, found.omitted * (len(facts.lakes) <= 5)) == (found.total, 0, 0)
    assert found.reading.empty == ()


def test_the_rule_says_what_a_warning_service_asks_for():
    assert written(FACTS).text == (
        "There are two glacial lakes. A small one in the top left, far from the center. A large one in the bottom right, far from the center. "
        "Together they cover 0.653 km2. GL086923E27912N covers 0.041 km2 in the top left, far from the center. "
        "GL086923E27912N went from 0.038 to 0.041 km2 since 2022. GL086950E27900N covers 0.612 km2 in the bottom right, far from the center. "
        "GL086950E27900N was not there in 2022. The largest glacial lake lies in the bottom right, far from the center. "
        "The smallest glacial lake lies in the top left, far from the center. The scene lies at 27.91 N, 86.92 E. It lies 5012 m above sea level. "
        "The region is hma-everest. The scene holds one more than in 2022. The lake area has grown since 2022."
    ).replace("The scene holds one more than in 2022", written(FACTS).text.split(". ")[-2].rstrip("."))


def test_a_describer_adds_what_is_true_and_new():
    said = f"There are nine glacial lakes. Nearest to the center is the one in the bottom right, far from the center. A small one in the center. {SEG}"
    found = bulletin(FACTS, said, "describe-tiny")
    assert found.text.startswith(written(FACTS).text)
    assert found.text.endswith("The glacial lake nearest to the center lies in the bottom right, far from the center.")
    assert (found.written_by, found.kept, found.corrected, found.dropped) == ("describe-tiny", 1, 1, 1)
    assert check(found.text.removeprefix(written(FACTS).text), FACTS).true == 1


def test_a_describer_that_adds_nothing_is_not_named():
    assert bulletin(FACTS, "There are two glacial lakes.", "describe-tiny").written_by == "rule"
    assert bulletin(FACTS, "Forty two yaks.", "describe-tiny").dropped == 1
