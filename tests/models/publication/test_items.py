"""What items say of models, and what becomes of them when others take their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.publication import JSON, ModelFacts, ReleasedFile
from catalog.stores.weights import find_card
from models.publication.items import with_history
from models.publication.model_items import described_detector, described_rules, described_segmenter, model_folder, model_item
from tests.stac_documents import document_faults

CHECKSUM = f"sha256:{'0' * 64}:9"


def facts(name, description):
    folder = model_folder(name, "1", "0" * 64)
    return ModelFacts(name, "1.1", "0" * 64, "A model", "Apache-2.0", "Somebody", "chips", folder, description)


def described(name):
    if name == "indices":
        return described_rules(name, "Water from spectral indices")
    card, _ = find_card(name)
    return described_segmenter(card) if name == "lakes-tiny" else described_detector(card)


@pytest.mark.parametrize("name", ["lakes-tiny", "slumps-tiny", "indices"])
def test_the_item_of_a_model_is_valid_and_says_what_goes_in_and_what_comes_out(name):
    weights = ReleasedFile("weights", f"models/{name}/weights.safetensors", "application/octet-stream", "Weights", ("mlm:model",), CHECKSUM)
    item = model_item(facts(name, described(name)), [weights])
    assert document_faults(item) == []
    properties = item["properties"]
    assert {"mlm:name", "mlm:architecture", "mlm:tasks", "mlm:input", "mlm:output"} <= properties.keys()
    names = [band for entry in properties["mlm:input"] for band in entry["bands"]]
    assert names == [band["name"] for band in properties["bands"]]
    assert len(names) == {"lakes-tiny": 15, "slumps-tiny": 5, "indices": 15}[name]
    for entry in properties["mlm:input"]:
        assert len(entry.get("value_scaling", entry["bands"])) == len(entry["bands"])
    assert item["assets"]["weights"]["mlm:artifact_type"] == "safetensors.torch.save_file"


def test_a_model_without_a_card_is_named_and_promises_nothing():
    card = ReleasedFile("card", "models/x/card.json", JSON, "Card", ("metadata",), CHECKSUM)
    item = model_item(facts("somebodys", {}), [card])
    assert document_faults(item) == []
    assert not [key for key in item["properties"] if key.startswith("mlm:")]
    assert item["properties"]["cryoatlas:model_sha256"] == "0" * 64


def item_with(scenes):
    links = [{"rel": "parent", "href": "../../../collection.json"}, {"rel": "predecessor-version", "href": "../../x.json"}]
    links += [{"rel": "derived_from", "href": f"https://catalog.example/{number}"} for number in range(scenes)]
    return {"properties": {"deprecated": False, "version": "2026.1"}, "links": links}


HREFS = st.sampled_from(["", "../../../releases/2/a.json", "../../../releases/3/a.json"])


@given(st.integers(0, 3), HREFS, HREFS)
def test_history_is_written_once_however_often_it_is_written(scenes, successor, latest):
    item = item_with(scenes)
    once = with_history(item, successor=successor, latest=latest)
    assert with_history(once, successor=successor, latest=latest) == once
    assert item == item_with(scenes)
    assert once["properties"]["deprecated"] == bool(successor)
    kept = [link for link in once["links"] if link["rel"] not in ("successor-version", "latest-version")]
    assert kept == item["links"]
    assert with_history(once, successor="", latest="") == item
