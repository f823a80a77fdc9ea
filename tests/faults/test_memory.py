"""The memory of the device runs out while a network maps a region, and is there again later."""

import shutil

import pytest
import torch

from catalog.facts.cards import NetworkConfig, WeightsCard
from catalog.stores.checkpoints import write_weights
from catalog.stores.store import open_store
from models.segmenter.passes import Passes
from tests.products import products_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CARD = WeightsCard(
    "untrained", "1", "Untrained", "CC0-1.0", "nothing", "nobody", "", NetworkConfig(decoder="compact", detail=8), stride_px=208
)


@pytest.fixture
def weights(tmp_path):
    from models.segmenter.network import build  # noqa: PLC0415 - terratorch takes seconds

    torch.manual_seed(1)
    write_weights(tmp_path / "weights", build(CARD.network).state_dict(), CARD)
    return tmp_path / "weights"


def test_units_that_do_not_fit_the_memory_are_named_and_done_when_they_do(undisturbed, weights, here, tmp_path, monkeypatch):
    def mapped(store):
        return here([*undisturbed.arguments(store)[:-1], weights])

    for name in ("calm", "harmed"):
        shutil.copytree(undisturbed.store.root, tmp_path / name)
    assert mapped(tmp_path / "calm").code == 0

    calls = 0
    forward = Passes._timed

    def full(passes, given):
        nonlocal calls
        calls += 1
        if calls > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(passes, given)

    with monkeypatch.context() as patched:
        patched.setattr(Passes, "_timed", full)
        ended = mapped(tmp_path / "harmed")
    assert calls > 3, "smaller batches were tried first"
    assert ended.code == 3, ended
    assert "smaller network" in ended.out + ended.err

    told = here(["audit", "--store", tmp_path / "harmed"])
    assert told.code == 3, told
    assert "segment" in told.out
    (mend,) = told.commands
    assert here(mend).code == 0
    calm, harmed = (products_of(open_store(str(tmp_path / name))) for name in ("calm", "harmed"))
    assert harmed.keys() == calm.keys()
    assert [name for name in calm if harmed[name] != calm[name]] == []
    assert calm != undisturbed.products, "the network made other products than the index"
