"""Training end to end on a handful of simulated chips: what is kept, that it resumes, that it is read back with its words."""

import logging
from pathlib import Path

import pytest
import torch

from catalog.facts.errors import ChipsUnusable, RecipeWrong, WeightsMissing, WrongCall
from catalog.facts.referrer_cards import TINY
from catalog.stores.recipes import read_recipe, shipped_recipes
from catalog.stores.weights import VOCABULARY, read_describer, read_referrer
from commands.cards import facts_of_referrer
from models.language.dialogue import Dialogue
from models.language.tokenizer import tokenizer_of
from models.referrer.marks import MARKS
from models.referrer.network import build
from models.referrer.recipe import Recipe
from models.segmenter.tensors import fill
from tasks.train_referrer import train

DATA = ["simulated:0-11"]
STAGE = {"warmup": 0, "learning_rate": 1e-3, "pairs": {"segment": 1, "talk": 1, "most": 2}}
FEW = {
    "stages": [STAGE | {"steps": 1}, STAGE | {"steps": 2}], "steps.scenes": 2, "steps.validate_every": 2, "steps.validation_scenes": 1,
    "steps.longest": 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("referrer")
    report = train("tiny-demo", DATA, str(folder), FEW, "cpu")
    assert report.steps == 3
    assert [(point["stage"], point["step"]) for point in report.history] == [(1, 1), (2, 2), (2, 3)]
    assert report.train_scenes + report.val_scenes + report.left_out == 12
    return folder


def test_weights_are_kept_with_their_card_and_their_words_and_used_again(trained):
    card, tensors, vocabulary = read_referrer(str(trained / "weights"))
    assert card.network == TINY
    assert "Simulated scores do not carry over" in card.trained_on
    assert all(name.startswith(("val_generated_", "val_teacher_forced_")) for name in card.figures)
    assert {"val_generated_miou_other_question", "val_generated_miou_no_memory"} <= set(card.figures)
    words = tokenizer_of(vocabulary, MARKS, "referrer")
    own = Dialogue(words, TINY.vision.tokens, MARKS)
    network = build(card.network, own.ids, own.mark_ids, len(words))
    fill(network, tensors, where="weights")
    assert sum(tensor.numel() for tensor in tensors.values()) < 3e6
    told = facts_of_referrer(card)
    assert told["classes"] == "lake, clear lake, milky lake, frozen lake, snow patch, glacier, thaw slump"
    assert "memory of 8 classes, 8 slots, fused by conv3d" in str(told["network"])
    with pytest.raises(WrongCall, match="a referrer of words, and a describer is asked for"):
        read_describer(str(trained / "weights"))


def test_weights_are_not_used_without_their_words(trained, tmp_path):
    for name in ("weights.safetensors", "card.json"):
        (tmp_path / name).write_bytes((trained / "weights" / name).read_bytes())
    with pytest.raises(WeightsMissing, match=VOCABULARY):
        read_referrer(str(tmp_path))


def test_a_run_that_stopped_goes_on_and_ends_alike(trained, tmp_path, caplog):
    (tmp_path / "state.pt").write_bytes((trained / "state.pt").read_bytes())
    (tmp_path / "candidates").mkdir()
    for file in (trained / "candidates").iterdir():
        (tmp_path / "candidates" / file.name).write_bytes(file.read_bytes())
    with caplog.at_level(logging.INFO, logger="cryoatlas.progress"):
        train("tiny-demo", DATA, str(tmp_path), FEW, "cpu")
    assert "goes on from step 3" in caplog.text
    first, second = (read_referrer(str(folder / "weights"))[1] for folder in (trained, tmp_path))
    assert all(torch.equal(first[name], second[name]) for name in first)
    with pytest.raises(RecipeWrong, match="another recipe"):
        train("tiny-demo", DATA, str(tmp_path), FEW | {"seed": 7}, "cpu")


@pytest.mark.parametrize("data", ["simulated:5", "simulated:9-2", "simulated:a-b"])
def test_seeds_that_are_none_are_refused(data, tmp_path):
    with pytest.raises(ChipsUnusable, match="names no simulated chips"):
        train("tiny-demo", [data], str(tmp_path), FEW, "cpu")


def test_shipped_recipes_are_read():
    for name in shipped_recipes("refer"):
        recipe = read_recipe(name, "refer", Recipe)
        assert recipe.title
        assert len([stage for stage in recipe.stages if not stage.tower]) == 2
    published = read_recipe("published", "refer", Recipe)
    assert [published.network.adapter.rank, published.stages[1].adapter.rank] == [128, 8]
    assert read_recipe("tiny-demo", "refer", Recipe, {"network.memory": None}).network.memory is None
