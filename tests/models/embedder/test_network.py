"""What the specification counts, and that every part of an item reaches its one vector, whatever stands around it."""

from dataclasses import replace

import pytest
import torch
from transformers import Qwen2VLForConditionalGeneration

from catalog.facts.describer_cards import AdapterConfig
from catalog.facts.embedder_cards import CONFIGURATIONS, PUBLISHED, TINY, EmbedderCard, GeoConfig
from catalog.facts.errors import WeightsUnfit
from models.embedder.losses import info_nce
from models.embedder.network import build, qwen_config
from models.embedder.places import Place
from models.embedder.stream import Item, Stream, StreamIds
from models.language.adapters import adapted_modules
from models.language.vision_language import on_meta, parameter_count
from tests.embedded_scenes import SMALL, image, network, soft, streamer, vectors

QWEN_IDS = StreamIds(pad=151_643, begin=151_644, end=151_645, image=151_655, vision_start=151_652, vision_end=151_653, place=151_657)
ADAPTED = replace(SMALL, adapter=AdapterConfig(rank=4, alpha=8, dropout=0.1, targets=("q_proj", "down_proj")), language_path="adapted")
BOX, ELSEWHERE = (0.1, 0.4, 0.3, 0.2), (0.6, 0.9, 0.8, 0.7)
ITEMS = [
    Item(image=image(1), text="two clear lakes", bounds_lbrt=BOX, place=Place(27.9, 86.1), instruction="Find it."),
    Item(text="a glacier"),
    Item(image=image(2, 64)),
    Item(place=Place(-60.0, 3.0)),
    Item(text="the largest lake", bounds_lbrt=ELSEWHERE),
]


@pytest.fixture(scope="module")
def small():
    return network()


def cosine(own, first: Item, second: Item) -> float:
    one, other = vectors(own, [first, second])
    return float(one @ other)


def test_published_sizes_have_the_parameters_of_the_checkpoint():
    with on_meta():
        qwen = Qwen2VLForConditionalGeneration(qwen_config(PUBLISHED, QWEN_IDS))
        whole = build(PUBLISHED, QWEN_IDS, 151_658)
        tiny = build(TINY, StreamIds(0, 1, 2, 3, 445, 446, 447), 448)
    assert parameter_count(qwen) / 1e6 == pytest.approx(8_291.4, abs=0.1)
    assert parameter_count(qwen.model.visual) / 1e6 == pytest.approx(675.8, abs=0.1)
    assert parameter_count(whole) == parameter_count(qwen.model) + 20_185_088
    assert parameter_count(whole, trainable=True) == 20_185_088
    assert len(adapted_modules(whole)) == 28 * 7
    assert all("language_model" in name for name in adapted_modules(whole))
    assert {type(module).__name__ for module in tiny.modules()} <= {type(module).__name__ for module in whole.modules()}
    assert parameter_count(tiny) < 1e6
    assert PUBLISHED.vision.tokens == 144
    assert TINY.vision.tokens == 16


def test_rank_sixteen_has_twice_the_parameters():
    with on_meta():
        whole = build(replace(PUBLISHED, adapter=replace(PUBLISHED.adapter, rank=16)), QWEN_IDS, 151_658)
    assert parameter_count(whole, trainable=True) == 40_370_176


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_an_item_is_one_vector_of_length_one(pooling):
    own = network(replace(SMALL, pooling=pooling))
    assert vectors(own, ITEMS[:1]).shape == (1, SMALL.language.hidden)
    found = vectors(own, ITEMS)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(len(ITEMS)))
    assert (found @ found.T - torch.eye(len(ITEMS))).max() < 1 - 1e-4


def test_patches_that_change_places_move_the_vector(small):
    seen, swapped = image(4), image(4)
    swapped[:, :16, :16], swapped[:, :16, 16:] = seen[:, :16, 16:], seen[:, :16, :16]
    assert cosine(small, Item(image=seen), Item(image=swapped)) < 1 - 1e-5


def test_rotary_positions_hang_on_which_tokens_are_images(small):
    stream, given = streamer().of([ITEMS[0]]), []
    handle = small.qwen.register_forward_pre_hook(lambda _module, _args, named: given.append(named), with_kwargs=True)
    with torch.inference_mode():
        right = small(stream)
        plain = small(replace(stream, kinds=torch.zeros_like(stream.kinds)))
    handle.remove()
    assert torch.equal(given[0]["mm_token_type_ids"], stream.kinds)
    assert stream.kinds.sum() == SMALL.vision.tokens
    assert (right - plain).abs().max() > 1e-5


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "two milky lakes"},
        {"bounds_lbrt": ELSEWHERE},
        {"place": Place(47.9, 86.1)},
        {"image": image(8)},
        {"instruction": "Name it."},
    ],
    ids=["text", "box", "place", "image", "instruction"],
)
@pytest.mark.parametrize("encoding", ["text", "fourier", "sh"])
def test_every_part_of_an_item_moves_the_vector(changed, encoding):
    own = network(soft(encoding), seed=3)
    assert cosine(own, ITEMS[0], replace(ITEMS[0], **changed)) < 1 - 1e-6


@pytest.mark.parametrize("encoding", ["fourier", "sh"])
def test_a_soft_place_moves_the_vector_more_the_farther_it_is(encoding):
    own = network(soft(encoding), seed=4)
    near, far = (cosine(own, Item(place=Place(28, 86)), Item(place=place)) for place in (Place(28.01, 86), Place(48, 106)))
    assert 1 - near < 1e-4
    assert 1 - far > 10 * (1 - near)


@pytest.mark.parametrize("config", [SMALL, replace(SMALL, pooling="mean"), soft("sh")], ids=["last", "mean", "soft place"])
def test_padding_changes_nothing(config):
    own, stream = network(config), streamer(config).of(ITEMS)
    pad = torch.zeros(len(ITEMS), 13, dtype=torch.long)
    ids, attention, kinds = (
        torch.cat([part, whole], dim=1)
        for part, whole in ((pad + streamer(config).ids.pad, stream.ids), (pad, stream.attention), (pad, stream.kinds))
    )
    with torch.inference_mode():
        assert (own(stream) - own(Stream(ids, attention, kinds, stream.pixels, stream.grids, stream.places))).abs().max() < 1e-4
    right = replace(stream, ids=ids.flip(1), attention=attention.flip(1), kinds=kinds.flip(1))
    with pytest.raises(AssertionError, match="padded on the left"):
        own(right)


def test_items_do_not_see_each_other(small):
    straight, order = vectors(small, ITEMS), [3, 0, 4, 2, 1]
    assert (straight[order] - vectors(small, [ITEMS[place] for place in order])).abs().max() < 1e-5
    alone = torch.cat([vectors(small, [item]) for item in ITEMS])
    assert (straight - alone).abs().max() < 1e-5


@pytest.mark.parametrize("config", [SMALL, soft("fourier"), ADAPTED], ids=["full", "soft place", "adapted"])
def test_everything_that_may_learn_has_a_gradient_and_nothing_else(config):
    own, stream = (
        network(config, seed=5).train(),
        streamer(config).of([*ITEMS, Item(text="no"), Item(image=image(5)), Item(image=image(6))]),
    )
    if config is ADAPTED:
        with torch.no_grad():  # fresh adapters are 0 on one side, which hides the other from the gradient
            for name, parameter in own.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(0, 0.1)
    found = own(stream)
    info_nce(found[:4], found[4:], torch.arange(4), torch.zeros(4, 4, dtype=torch.bool), 0.07).backward()
    for name, parameter in own.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().max() > 0, name
        else:
            assert parameter.grad is None, name
    if config is ADAPTED:
        learning = [name for name, parameter in own.named_parameters() if parameter.requires_grad]
        assert learning
        assert all("lora_" in name and "language_model" in name for name in learning)


def test_fresh_adapters_change_nothing_and_what_they_hold_is_kept():
    plain, adapted, again = network(seed=6), network(ADAPTED, seed=7), network(ADAPTED, seed=8)
    below = plain.qwen.state_dict()
    own = {
        name: tensor if "lora_" in name else below[name.replace("base_layer.", "")] for name, tensor in adapted.qwen.state_dict().items()
    }
    adapted.qwen.load_state_dict(own)
    torch.testing.assert_close(vectors(adapted, ITEMS), vectors(plain, ITEMS))
    again.load_state_dict(adapted.state_dict())
    assert torch.equal(vectors(adapted, ITEMS), vectors(again, ITEMS))


def test_what_prepares_the_network_is_called_before_it_is_adapted():
    seen = []
    own = streamer()
    build(ADAPTED, own.ids, len(own.tokenizer), lambda qwen: seen.append(adapted_modules(qwen)))
    assert seen == [[]]


def test_parts_that_cannot_work_together_are_refused():
    for change, said in (
        ({"adapter": AdapterConfig()}, "goes without an adapter"),
        ({"vision": replace(SMALL.vision, image_px=40)}, "no whole number of tokens of 16 px"),
        ({"language": replace(SMALL.language, sections=(2, 2, 3))}, "add up to 7"),
        ({"language": replace(SMALL.language, kv_heads=3)}, "split evenly"),
        ({"vision": replace(SMALL.vision, heads=16)}, "multiple of 4"),
        ({"geo": GeoConfig(decimals=-1)}, "-1 decimals"),
        ({"box_side": 1}, "box grid of 1"),
    ):
        with pytest.raises(WeightsUnfit, match=said):
            replace(SMALL, **change)
    with pytest.raises(WeightsUnfit, match="no room in 448 rows"):
        build(SMALL, streamer().ids, 449)


def test_cards_of_newer_formats_are_refused():
    card = EmbedderCard("e", "1", "E", "CC0", "nothing", "", "0" * 64, CONFIGURATIONS["embed-tiny"], 0.02, "1")
    assert card.system == "embedder"
    with pytest.raises(WeightsUnfit, match="update cryoatlas"):
        replace(card, format=99)
    with pytest.raises(WeightsUnfit, match="temperature of 0"):
        replace(card, temperature=0)
