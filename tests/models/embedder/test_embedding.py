"""Weights on disk read as they were written, and vectors that do not depend on what they are read together with."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from catalog.facts.embedder_cards import EmbedderCard
from catalog.facts.errors import WeightsUnfit, WrongCall
from catalog.stores.checkpoints import write_describer
from catalog.stores.weights import VOCABULARY, read_describer, read_embedder
from commands.main import app
from models.embedder.embedding import load
from models.embedder.places import Place
from models.embedder.stream import Item
from models.language.tokenizer import tokenizer_json
from tests.embedded_scenes import SMALL, image, network, streamer, vectors

ITEMS = [Item(text="two clear lakes"), Item(image=image(1), text="a"), Item(place=Place(27.9, 86.1)), Item(image=image(2)), Item(text="a")]
CARD = EmbedderCard(
    name="embed-test", version="1", title="Test", licence="Apache-2.0", trained_on="nothing", citation="none", sha256="", network=SMALL,
    temperature=0.05, instructions="1",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    words = tokenizer_json(streamer().tokenizer)
    write_describer(tmp_path / "w", network().state_dict(), CARD, words)
    return str(tmp_path / "w")


def test_stored_weights_give_the_vectors_of_the_network_that_was_stored(folder):
    loaded = load(*read_embedder(folder), "cpu")
    expected = vectors(network(), ITEMS)
    np.testing.assert_allclose(loaded.embed(ITEMS), torch.as_tensor(expected).numpy(), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(loaded.embed(ITEMS), axis=1), 1.0, atol=1e-6)


def test_a_vector_does_not_depend_on_what_is_read_with_it(folder):
    loaded = load(*read_embedder(folder), "cpu")
    np.testing.assert_allclose(loaded.embed(ITEMS), loaded.embed(ITEMS, together=1), atol=1e-5)
    assert loaded.embed([]).shape == (0, loaded.width)


def test_weights_without_their_own_words_are_refused(folder, tmp_path):
    (tmp_path / "w" / VOCABULARY).write_text("{}", encoding="utf-8")
    with pytest.raises(WeightsUnfit):
        read_embedder(folder)


def test_a_card_is_shown_with_what_the_network_needs(folder):
    result = CliRunner().invoke(app, ["models", "show", folder, "--json"])
    told = json.loads(result.stdout)
    assert told["needs"] == "B03, B08, B11"
    assert (told["name"], told["temperature"], told["image px"]) == ("embed-test", 0.05, 32)


def test_an_embedder_is_no_describer_and_the_other_way_round(folder):
    with pytest.raises(WrongCall, match="describer is asked for"):
        read_describer(folder)
    with pytest.raises(WrongCall, match="embedder is asked for"):
        read_embedder("describe-tiny")
