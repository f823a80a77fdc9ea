"""Checkpoints of others become weights of ours through the command, and are shown with what they saw."""

import json
import warnings
from pathlib import Path

import pytest
import torch

from catalog.stores.weights import find_card


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network of CryoSentinel's layout, as its compiled module was saved."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from terratorch.models.encoder_decoder_factory import EncoderDecoderFactory  # noqa: PLC0415 - warns when it is imported

        model = EncoderDecoderFactory().build_model(
            task="segmentation",
            backbone="terramind_v1_tiny",
            backbone_pretrained=False,
            backbone_modalities=["S2L2A", "S1GRD", "DEM"],
            decoder="UperNetDecoder",
            decoder_channels=32,
            decoder_scale_modules=True,
            necks=[
                {"name": "SelectIndices", "indices": [2, 5, 8, 11]},
                {"name": "ReshapeTokensToImage", "remove_cls_token": False},
                {"name": "LearnedInterpolateToPyramidal"},
            ],
            num_classes=1,
        )
    file = tmp_path_factory.mktemp("published") / "soup.ckpt"
    state = {f"model._orig_mod.{name}": tensor for name, tensor in model.state_dict().items()}
    torch.save({"state_dict": state, "optimizer_states": [{"lr": 1e-4}], "epoch": 3}, file)
    return file


def test_a_checkpoint_is_converted_and_shown(cryoatlas, checkpoint, tmp_path):
    said = cryoatlas("models", "convert", checkpoint, "--out", tmp_path / "w", "--name", "soup", "--trained-on", "12 regions", "--json")
    assert said.code == 0, said.err
    card, file = find_card(str(tmp_path / "w"))
    assert (card.name, card.trained_on, card.network.decoder, card.network.channels) == ("soup", "12 regions", "published", 32)
    assert card.statistics.dem_mean == 4299.8
    shown = json.loads(cryoatlas("models", "show", tmp_path / "w", "--json").out)
    assert shown == json.loads(said.out)
    assert shown["sha256"] == card.sha256
    assert shown["needs"] == "S2L2A, S1GRD, DEM"
    assert file.stat().st_size < checkpoint.stat().st_size
    table = cryoatlas("models", "show", tmp_path / "w").out
    assert "12 regions" in table
    assert "temperature" in table


def test_weights_that_were_changed_are_not_shown(cryoatlas, checkpoint, tmp_path):
    assert cryoatlas("models", "convert", checkpoint, "--out", tmp_path).code == 0
    with (tmp_path / "weights.safetensors").open("ab") as opened:
        opened.write(b"x")
    said = cryoatlas("models", "show", tmp_path)
    assert said.code == 3
    assert "was promised" in said.err
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [("show", "indizes"), ("show", "./nowhere"), ("convert", "nowhere.ckpt", "--out", "x")])
def test_a_wrong_name_is_answered_in_one_line(cryoatlas, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = cryoatlas("models", *arguments)
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_default_model_is_marked(cryoatlas):
    models = json.loads(cryoatlas("models", "list", "--json").out)
    defaults = [model["maps"] for model in models if model["use"] == "default"]
    assert "lakes" in defaults
    assert len(set(defaults)) == len(defaults)


@pytest.mark.parametrize(
    ("name", "needed"), [("describe-tiny", {"B02", "B11", "slope", "elevation"}), ("refer-tiny", {"B03", "B08", "B11"})]
)
def test_models_that_answer_in_words_say_which_bands_they_look_at(cryoatlas, name, needed):
    shown = json.loads(cryoatlas("models", "show", name, "--json").out)
    assert needed <= set(shown["needs"].split(", "))


@pytest.mark.parametrize("name", ["describe-tiny", "refer-tiny"])
def test_they_do_not_map(cryoatlas, name, tmp_path):
    said = cryoatlas(
        "run", "--region", "ile_alatau", "--years", "2021", "--catalog", "planetary-computer", "--store", tmp_path, "--model", name
    )
    assert said.code != 0
    assert said.err.startswith("error:")
    assert name in said.err
    assert "Traceback" not in said.err
