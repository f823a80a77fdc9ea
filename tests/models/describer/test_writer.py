from dataclasses import replace

import pytest

from catalog.facts.bulletins import BulletinRequest, Reply, Surroundings, Teller
from catalog.facts.scene_facts import Earlier, EventFact, LakeFact, MissedLake, SceneFacts, in_order
from models.describer.bulletin import bulletin_of
from models.describer.writer import additions, written
from models.language.check import check
from models.language.sentences import SEG
from tests.language_scenes import WHERE, scene

SMALL = LakeFact(
    1, 0.2, 0.2, 41_000, (0, 1, 1, 0), "GL086923E27912N", area_before_m2=38_000, low_m2=39_000, high_m2=43_000, verdict="grown"
)
LARGE = LakeFact(2, 0.7, 0.6, 612_000, (0, 1, 1, 0), "GL086950E27900N", area_before_m2=0)
FACTS = SceneFacts("s", 10, in_order([SMALL, LARGE]), WHERE, Earlier(2022, 1, 38_000), observed_share=0.996)
HIDDEN = replace(
    FACTS,
    earlier=None,
    incomparable_with=2022,
    complete=False,
    missed=(MissedLake("GL1E1N", looked_for=False), MissedLake("GL2E1N", looked_for=True)),
    events=(EventFact("GL3E1N", "appear", 2022, 2023), EventFact("GL4E1N", "drain", 2021, 2023, alarm=True)),
    lakes=(replace(SMALL, verdict="not_comparable", area_before_m2=None, year_before=2022),),
)


@pytest.mark.parametrize("seed", range(40))
def test_every_claim_of_the_rule_is_true(seed):
    facts, _ = scene(seed)
    facts = replace(facts, lakes=tuple(replace(lake, lake_id=f"GL{lake.number}E1N") for lake in facts.lakes))
    found = check(written(facts), facts)
    assert (found.true, found.hallucinated, found.omitted * (len(facts.lakes) <= 5)) == (found.total, 0, 0)
    assert found.reading.empty == ()


def test_the_rule_says_what_a_warning_service_asks_for():
    assert written(FACTS).splitlines() == [
        "This is the inventory of 2023. 99 percent of the ground was observed.",
        "There are two glacial lakes. A small one in the top left, far from the center. A large one in the bottom right, far from the center. "
        "Together they cover 0.653 km2.",
        "GL086923E27912N covers 0.041 km2 (95 percent interval 0.039 to 0.043) in the top left, far from the center. "
        "GL086923E27912N went from 0.038 to 0.041 km2 since 2022, a growth beyond its error.",
        "GL086950E27900N covers 0.612 km2 in the bottom right, far from the center. GL086950E27900N was not there in 2022.",
        "The largest glacial lake lies in the bottom right, far from the center. "
        "The smallest glacial lake lies in the top left, far from the center. The scene lies at 27.91 N, 86.92 E. "
        "It lies 5012 m above sea level. The region is hma-everest. The scene holds one more than in 2022. The lake area has grown since 2022.",
    ]


def test_what_was_hidden_is_said_before_anything_is_counted():
    lines = written(HIDDEN, "GL1E1N").splitlines()
    assert lines[0] == (
        "This is the inventory of 2023. The inventory of 2023 is not complete. 99 percent of the ground was observed. "
        "One glacial lake known from other years is hidden from view in 2023. Alarm, GL4E1N drained between 2021 and 2023."
    )
    assert "GL1E1N was hidden from view in 2023." in lines
    assert "GL086923E27912N cannot be compared with 2022." in lines[3]
    assert "GL3E1N appeared between 2022 and 2023." in lines
    assert lines[-1].endswith("As a whole, the lakes cannot be compared with 2022.")
    assert "GL2E1N was looked for in 2023 and is not there." in written(HIDDEN, "GL2E1N")
    found = check("\n".join(lines), HIDDEN)
    assert (found.true, found.reading.empty) == (found.total, ())


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("99 percent of the ground", "98 percent of the ground"),
        ("Alarm, GL4E1N drained", "Alarm, GL4E1N appeared"),
        ("Alarm, GL4E1N drained", "GL4E1N drained"),
        ("One glacial lake known", "Two glacial lakes known"),
        ("interval 0.039 to 0.043", "interval 0.040 to 0.043"),
        ("cannot be compared with 2022", "cannot be compared with 2021"),
        ("inventory of 2023.", "inventory of 2022."),
    ],
)
def test_a_wrong_word_of_the_rule_would_be_found(said, meant):
    text = written(HIDDEN, "GL1E1N")
    assert said in text
    found = check(text.replace(said, meant), HIDDEN)
    assert found.true < found.total


def test_lakes_that_were_seen_in_part_are_told_before_they_are_counted():
    facts = replace(FACTS, lakes=(replace(SMALL, seen_in_part=True), LARGE))
    lines = written(facts).splitlines()
    assert lines[0].endswith("One glacial lake is seen only in part in 2023.")
    assert "GL086923E27912N was seen only in part in 2023." in lines[2]
    assert check("\n".join(lines), facts).true == check("\n".join(lines), facts).total
    assert check("\n".join(lines), FACTS).true == check("\n".join(lines), FACTS).total - 2


def test_many_lakes_are_counted_exactly():
    lakes = tuple(LakeFact(n, 0.2, 0.2 + 0.001 * n, 9_000.0 + 1_000 * n, (0, 1, 1, 0), f"GL{n}E1N") for n in range(1, 24))
    facts = replace(
        FACTS, lakes=in_order(list(lakes)), earlier=None, missed=tuple(MissedLake(f"GL{n}E2N", looked_for=False) for n in range(12))
    )
    text = written(facts)
    assert "There are 23 glacial lakes. There are 23 glacial lakes in the top left." in text
    assert "12 glacial lakes known from other years are hidden from view in 2023." in text
    assert check(text, facts).true == check(text, facts).total
    assert check(text.replace("There are 23", "There are 22"), facts).true < check(text, facts).total


def test_a_describer_adds_what_is_true_and_new():
    said = f"There are nine glacial lakes. Nearest to the center is the one in the bottom right, far from the center. A small one in the center. {SEG}"
    found = additions(FACTS, (said,), written(FACTS))
    assert found.sentences == ("The glacial lake nearest to the center lies in the bottom right, far from the center.",)
    assert (found.kept, found.corrected, found.dropped) == (1, 1, 1)


def test_a_describer_that_adds_nothing_is_not_named():
    assert additions(FACTS, ("There are two glacial lakes.",), written(FACTS)).sentences == ()
    assert additions(FACTS, ("Forty two yaks.",), written(FACTS)).dropped == 1


def looked(**changes) -> Surroundings:
    reply = Reply("Which?", "Said.", "Printed.")
    plain = Surroundings("GL086950E27900N", (86, 27, 87, 28), (reply,), ("True and new.",), 1, 2, 3, 0.8)
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("request_", "scene_", "last", "by"),
    [
        (BulletinRequest("lake", "GL086950E27900N"), looked(), "True and new.", "describe-tiny"),
        (BulletinRequest("tile", "32645-0001-0001"), looked(), "Around GL086950E27900N: True and new.", "describe-tiny"),
        (BulletinRequest("tile", "32645-0001-0001"), looked(added=(), refused_because="it saw nothing"), None, "rule"),
    ],
)
def test_a_bulletin_names_whoever_wrote_it(request_, scene_, last, by):
    bulletin = bulletin_of(request_, "hma-everest", FACTS, [scene_], Teller("describe-tiny", "abc"), {"run_id": "1"})
    assert bulletin.text.splitlines()[-1] == (last or written(FACTS).splitlines()[-1])
    assert (bulletin.written_by, bulletin.kept, bulletin.corrected, bulletin.dropped) == (by, 1, 2, 3)
    assert bool(bulletin.note) == bool(scene_.refused_because)
    assert bulletin.as_dict()["facts"]["count"] == 2
