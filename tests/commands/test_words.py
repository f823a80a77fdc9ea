"""Commands that need no store: names, help, and wrong words."""

import json

import pytest

from catalog.facts.errors import WrongCall, YearsInverted
from commands.parse import years_of

COMMANDS = [
    *("demo", "simulate", "plan", "run", "audit", "explain", "track", "export", "regions", "models", "chips", "train", "evaluate"),
    *("match", "diff", "edits", "sample", "report", "publish", "columns", "backfill", "status", "deploy", "ask"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(cryoatlas, command):
    said = cryoatlas(command, "--help")
    assert said.code == 0
    assert "Example: cryoatlas" in said.out or command in {"regions", "models"}


def test_a_misspelt_command_is_answered_with_the_nearest(cryoatlas):
    said = cryoatlas("rnu")
    assert said.code == 2
    assert "Did you mean `run`?" in said.err


def test_a_command_of_the_design_that_is_not_built_says_so(cryoatlas):
    said = cryoatlas("find")
    assert said.code == 2
    assert "later release" in said.err


def test_an_unknown_region_is_answered_with_the_nearest(cryoatlas):
    said = cryoatlas("regions", "show", "ile_alatu")
    assert said.code == 2
    assert "ile_alatau" in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_twenty_regions_are_listed_for_machines(cryoatlas):
    said = cryoatlas("regions", "list", "--json")
    regions = json.loads(said.out)
    assert said.code == 0
    assert sum(region["family"] == "hma" for region in regions) == 12
    assert sum(region["family"] == "arctic" for region in regions) == 8


def test_a_bounding_box_is_a_region(cryoatlas):
    said = cryoatlas("regions", "show", "76.9,43.0,77.1,43.1", "--json")
    assert said.code == 0
    assert json.loads(said.out)["tiles"] >= 1


def test_the_model_tells_what_it_needs_and_cites_its_sources(cryoatlas):
    facts = json.loads(cryoatlas("models", "show", "indices", "--json").out)
    assert "McFeeters" in facts["cite"]
    assert "B03" in facts["needs"]
    assert len(facts["sha256"]) == 64


@pytest.mark.parametrize(
    ("text", "error"), [("2023-2018", YearsInverted), ("1999", YearsInverted), ("20x", WrongCall), ("2018-", WrongCall)]
)
def test_wrong_years_are_refused_with_the_right_way(text, error):
    with pytest.raises(error, match=r"Write|write|Choose"):
        years_of(text)


def test_years_are_read_as_a_span():
    assert years_of("2018-2020") == [2018, 2019, 2020]
    assert years_of("2021") == [2021]
