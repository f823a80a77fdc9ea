"""From a store to an answer by rule and by sight: the inventory counts, and what a referrer draws is told beside it with its names."""

import json
from datetime import date

import numpy as np
import pytest
import shapely
import torch

from catalog.facts.ask_records import AskRequest
from catalog.facts.referrer_cards import ReferrerCard
from catalog.facts.schemas import SURFACE
from catalog.stores.checkpoints import write_describer
from catalog.stores.cubes import open_cube, write_tile
from catalog.stores.jobs import mapped_tiles
from models.language.tokenizer import tokenizer_json
from models.referrer import seeing
from models.referrer.sightings import Sighting
from tasks.answer_question import answer_question
from tests.made_store import EPSG, REGION, TILE, job_of, made_store
from tests.referred_scenes import SMALL, dialogue, network


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = made_store(tmp_path_factory.mktemp("asked") / "store", years=(2022,))
    cube = open_cube(made.cube(REGION, 2022, EPSG), mapped_tiles(job_of(made, 2022)), SURFACE)
    size = (TILE.size_px, TILE.size_px)
    arrays = {spec.name: np.full((*((len(spec.bands),) if spec.bands else ()), *size), spec.fill, spec.dtype) for spec in SURFACE}
    # two scenes of the lower left corner were seen
    arrays["cause"][-224:, :448] = 0
    arrays["s2"][:, -224:, :448] = 1500
    write_tile(cube, TILE, arrays)
    return made


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A referrer that has learned nothing."""
    folder = tmp_path_factory.mktemp("untrained")
    card = ReferrerCard("untrained", "1", "Untrained", "Apache-2.0", "nothing", "none", "", SMALL)
    write_describer(folder, network().state_dict(), card, tokenizer_json(dialogue().tokenizer))
    return str(folder)


@pytest.fixture
def drawn(monkeypatch):
    """Let the referrer draw given outlines, metres of the zone, cut at the edges of each scene; returns the scenes that it was shown."""

    def draws(*outlines):
        shown = []

        def of_scene(loaded, s2, noun, grid):
            shown.append(grid)
            assert s2.shape == (len(next(spec for spec in SURFACE if spec.name == "s2").bands), *grid.shape)
            parts = [shapely.intersection(outline, shapely.box(*grid.bounds_lbrt)) for outline in outlines]
            return tuple(Sighting(part, 0.5) for part in parts if shapely.area(part) > 0)

        monkeypatch.setattr(seeing, "drawn_in", of_scene)
        return shown

    return draws


def ask(store, words, **more):
    return answer_question(AskRequest(words, **{"region": REGION, "device": "cpu", **more}), str(store.root))


def square(x, y, side):
    left, bottom, _, _ = TILE.bounds_lbrt
    return shapely.box(left + x, bottom + y, left + x + side, bottom + y + side)


def lake(number):
    """As the inventory of 2022 has it."""
    return square(300 + 900 * number, 1000, 100 + 20 * number + 20)


@pytest.mark.parametrize("words", ["the largest lake", "lakes larger than 0.01 km2"])
def test_every_area_comes_with_its_interval_and_the_date_of_its_observations(store, words):
    (item, *_) = ask(store, words).items
    assert item.values["area_low_m2"] < item.area_m2 < item.values["area_high_m2"]
    assert date.fromisoformat(item.values["date_median"]).year == 2021
    json.dumps(item.values)


def test_a_referrer_that_sees_the_same_agrees(store, weights, drawn):
    shown = drawn(lake(1), lake(2), lake(3))
    found = ask(store, "the largest lake", model=weights)
    assert found.way == "attributes"
    assert shown == []
    found = ask(store, "the largest lake on the right", model=weights)
    assert len(shown) == 2
    assert (found.outcome, found.way) == ("found", "rule")
    assert [item.feature_id for item in found.items] == [item.feature_id for item in found.opinion.items] == ["GL077003E43000N"]
    assert found.opinion.text.endswith("untrained looked at 2 scenes. untrained draws the same.")


def test_a_referrer_that_sees_something_else_is_told_beside_the_inventory(store, weights, drawn):
    drawn(lake(1), lake(2), square(3600, 400, 300))
    found = ask(store, "all lakes", model=weights, tile=None)
    assert (found.way, found.opinion) == ("attributes", None)
    found = ask(store, "the largest lake on the right", model=weights)
    assert [item.feature_id for item in found.items] == ["GL077003E43000N"]
    assert found.opinion.items == ()
    found = ask(store, "the largest lake in the lower right", model=weights)
    assert (found.outcome, found.items) == ("none", ())
    assert [item.feature_id for item in found.opinion.items] == [""]
    assert "1 of them not in the inventory" in found.opinion.text
    assert ask(store, "the lake in the upper left", model=weights).opinion.text.endswith("untrained sees none either.")
    assert "The inventory counts." in found.opinion.text


def test_what_lies_across_the_border_of_two_scenes_is_one(store, weights, drawn):
    drawn(square(2100, 500, 300))
    found = ask(store, "all glaciers", model=weights)
    assert (found.outcome, found.way, len(found.items)) == ("found", "sight", 1)
    assert found.items[0].area_m2 == pytest.approx(90_000, rel=0.002)
    assert found.items[0].feature_id == ""
    assert found.items[0].score == 0.5
    assert shapely.from_geojson(json.dumps(dict(found.items[0].geometry))).geom_type == "Polygon"


def test_words_about_the_whole_place_are_not_answered_scene_by_scene(store, weights, drawn):
    drawn(square(500, 500, 100), square(3000, 500, 200), square(3600, 500, 150))
    found = ask(store, "the largest glacier", model=weights)
    assert [round(item.area_m2, -3) for item in found.items] == [40_000]
    found = ask(store, "the glacier", model=weights)
    assert (found.outcome, len(found.items)) == ("ambiguous", 3)
    assert "Which one, or all of them?" in found.text
    found = ask(store, "the glacier in the upper left", model=weights)
    assert (found.outcome, found.items) == ("none", ())


def test_nobody_is_asked_by_rule_or_without_a_surface(store, weights, tmp_path, monkeypatch):
    assert ask(store, "the largest lake on the right").opinion is None
    assert ask(store, "the largest lake on the right", model="rule").opinion is None
    unknown = ask(store, "the largest glacier", model="rule")
    assert (unknown.outcome, unknown.items) == ("unknown", ())
    assert "name one with --model" in unknown.text
    monkeypatch.setattr("tasks.answer_question.shipped_names", tuple)
    assert "no refer-tiny comes with this version" in ask(store, "the largest glacier").text
    bare = made_store(tmp_path / "store", years=(2022,))
    assert "holds no surface of toy 2022" in ask(bare, "the largest lake on the right", model=weights).note


def test_an_untrained_referrer_is_asked_from_end_to_end(store, weights):
    torch.manual_seed(0)
    found = ask(store, "the largest glacier", model=weights)
    assert found.opinion.scenes == 2
    assert found.outcome in ("found", "none", "ambiguous")
    assert all(not item.feature_id or item.feature_id.startswith("GL") for item in found.items)
