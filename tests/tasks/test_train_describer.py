"""Training end to end on a handful of simulated chips: what is kept, that it resumes, that it is read back with its words."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from catalog.facts.describer_cards import TINY
from catalog.facts.errors import ChipsUnusable, RecipeWrong, WeightsMissing, WeightsUnfit, WrongCall
from catalog.stores.recipes import read_recipe, shipped_recipes
from catalog.stores.weights import VOCABULARY, read_describer, read_weights
from models.describer.recipe import Recipe
from models.language.tokenizer import tokenizer_of
from models.language.vision_language import build_llava
from tasks.train_describer import train

DATA = ["simulated:0-11"]
FEW = {
    "steps.total": 4, "steps.pretext": 0, "steps.words": 0, "steps.warmup": 1, "steps.scenes": 2, "steps.validate_every": 2, "steps.validation_scenes": 1, "steps.longest": 4,
    "pairs.referring": 1, "pairs.others": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("describer")
    report = train("tiny-demo", DATA, str(folder), FEW, "cpu")
    assert report.steps == 4
    assert [point["step"] for point in report.history] == [2, 4]
    return folder


def test_weights_are_kept_with_their_card_and_their_words(trained):
    card, tensors, vocabulary = read_describer(str(trained / "weights"))
    assert card.network == TINY
    assert "Simulated scores do not carry over" in card.trained_on
    assert len(tokenizer_of(vocabulary)) <= TINY.language.vocabulary
    assert sum(tensor.numel() for tensor in tensors.values()) < 2e6
    assert all(name.startswith(("val_generated_", "val_teacher_forced_")) for name in card.figures)
    assert {name for name in card.figures if "teacher_forced" in name} <= {
        f"val_teacher_forced_{kind}_iou" for kind in ("lake", "mean", "referring")
    }


def test_weights_are_no_model_of_lakes_and_not_used_without_their_words(trained, tmp_path):
    with pytest.raises(WrongCall, match="a describer of scenes, and a model of lakes is asked for"):
        read_weights(str(trained / "weights"))
    for name in ("weights.safetensors", "card.json"):
        (tmp_path / name).write_bytes((trained / "weights" / name).read_bytes())
    with pytest.raises(WeightsMissing, match=VOCABULARY):
        read_describer(str(tmp_path))
    (tmp_path / VOCABULARY).write_text("{}")
    with pytest.raises(WeightsUnfit, match="was promised"):
        read_describer(str(tmp_path))


def test_a_run_that_stopped_goes_on_and_ends_alike(trained, tmp_path, caplog):
    train("tiny-demo", DATA, str(tmp_path), FEW, "cpu")
    (tmp_path / "state.pt").write_bytes((trained / "state.pt").read_bytes())
    with caplog.at_level(logging.INFO, logger="cryoatlas.progress"):
        train("tiny-demo", DATA, str(tmp_path), FEW, "cpu")
    assert "goes on from step 4" in caplog.text
    first, second = (read_describer(str(folder / "weights"))[1] for folder in (trained, tmp_path))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_another_recipe_does_not_go_on_in_the_same_folder(trained):
    with pytest.raises(RecipeWrong, match="another recipe"):
        train("tiny-demo", DATA, str(trained), FEW | {"seed": 7}, "cpu")


@pytest.mark.parametrize("data", ["simulated:5", "simulated:9-2", "simulated:a-b"])
def test_seeds_that_are_none_are_refused(data, tmp_path):
    with pytest.raises(ChipsUnusable, match="names no simulated chips"):
        train("tiny-demo", [data], str(tmp_path), FEW, "cpu")


def test_weights_of_ours_and_published_parts_are_what_a_training_starts_from(trained, tmp_path):
    source = str(trained / "weights")
    report = train("tiny-demo", DATA, str(tmp_path / "a"), FEW | {"start_from": source, "steps.learning_rate": 0.0}, "cpu")
    first, second = read_describer(source)[1], read_describer(report.weights)[1]
    assert all(torch.equal(first[name], second[name]) for name in first)
    llava = build_llava(TINY.vision, TINY.language)
    tower = {
        f"vision_model.{name.removeprefix('vision_model.')}": tensor.clone()
        for name, tensor in llava.model.vision_tower.state_dict().items()
    }
    save_file(tower, tmp_path / "clip.safetensors")
    changes = FEW | {"vision_from": [str(tmp_path / "clip.safetensors")], "steps.learning_rate": 0.0}
    started = read_describer(train("tiny-demo", DATA, str(tmp_path / "b"), changes, "cpu").weights)[1]
    name = "embeddings.patch_embedding.weight"
    assert torch.equal(started[f"language.model.vision_tower.{name}"], llava.model.vision_tower.state_dict()[name])


def test_a_training_may_take_the_language_path_alone(trained, tmp_path):
    source = str(trained / "weights")
    begin = FEW | {
        "start_from": source,
        "start_with": "language",
        "steps.learning_rate": 0.0,
        "network.encoder.channels": ["B04", "B03", "B02"],
    }
    first = read_describer(source)[1]
    second = read_describer(train("tiny-demo", DATA, str(tmp_path), begin, "cpu").weights)[1]
    assert all(torch.equal(first[name], second[name]) for name in first if name.startswith("language."))
    assert not all(first[name].shape == second[name].shape and torch.equal(first[name], second[name]) for name in first)
    with pytest.raises(WeightsUnfit, match="another shape"):
        train("tiny-demo", DATA, str(tmp_path / "all"), begin | {"start_with": "all"}, "cpu")
    with pytest.raises(WeightsUnfit, match="another shape"):
        train("tiny-demo", DATA, str(tmp_path / "other"), begin | {"network.language.layers": 2}, "cpu")


def test_shipped_recipes_are_read_and_contradictions_refused():
    for name in shipped_recipes("describe"):
        assert read_recipe(name, "describe", Recipe).title
    published = read_recipe("published", "describe", Recipe)
    assert published.network.adapter is not None
    with pytest.raises(RecipeWrong, match="keep one"):
        replace(published, start_from="describe-tiny")
    with pytest.raises(RecipeWrong, match="name them in start_from"):
        replace(published, start_with="language")
    with pytest.raises(RecipeWrong, match="of no use without its words"):
        replace(published, words_from="")
