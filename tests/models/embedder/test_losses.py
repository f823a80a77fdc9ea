"""The loss counts what is right as right and what is twice once; chunks give the gradient of the whole batch."""

from math import log

import pytest
import torch
from torch.nn import functional

from catalog.facts.errors import RecipeWrong
from models.embedder import losses
from models.embedder.gradcache import cached_backward
from models.embedder.losses import LossOptions, guess_loss, info_nce, symmetric_info_nce
from models.embedder.places import Place
from models.embedder.stream import Item
from tests.embedded_scenes import image, network, streamer

CPU = torch.device("cpu")


def unit(count: int, seed: int) -> torch.Tensor:
    return functional.normalize(torch.randn(count, 12, generator=torch.Generator().manual_seed(seed)), dim=-1)


def marks(*names: str) -> list[frozenset[str]]:
    return [frozenset({name}) for name in names]


def exclusions(wanted, own, targets) -> torch.Tensor:
    return losses.exclusions([[bool(some & each) for each in targets] for some in wanted], own, targets)


@pytest.mark.parametrize("loss", [info_nce, symmetric_info_nce])
def test_without_doubles_it_is_the_cross_entropy_of_the_paper(loss):
    queries, targets = unit(6, 0), unit(6, 1)
    own = torch.arange(6)
    none = exclusions(marks(*"abcdef"), range(6), marks(*"abcdef"))
    assert not none.any()
    logits = queries @ targets.T / 0.1
    wanted = functional.cross_entropy(logits, own)
    if loss is symmetric_info_nce:
        wanted = (wanted + functional.cross_entropy(logits.T, own)) / 2
    assert float(loss(queries, targets, own, none, 0.1)) == pytest.approx(float(wanted), rel=1e-6)


def test_a_target_that_is_there_twice_counts_once():
    queries, targets = unit(5, 2), unit(4, 3)
    words = ("yes", "no", "one", "two")
    once = exclusions(marks("yes", "no", "one", "two", "yes"), (0, 1, 2, 3, 0), marks(*words))
    twice = exclusions(marks("yes", "no", "one", "two", "yes"), (0, 1, 2, 3, 4), marks(*words, "yes"))
    single = info_nce(queries, targets, torch.tensor([0, 1, 2, 3, 0]), once, 0.05)
    double = info_nce(queries, torch.cat([targets, targets[:1]]), torch.arange(5), twice, 0.05)
    assert float(double) == pytest.approx(float(single), rel=1e-6)
    unmasked = info_nce(queries, torch.cat([targets, targets[:1]]), torch.arange(5), torch.zeros_like(twice), 0.05)
    assert abs(float(unmasked) - float(single)) > 1e-3


def test_a_batch_that_is_doubled_has_the_loss_of_the_batch():
    queries, targets, names = unit(4, 4), unit(4, 5), ("a", "b", "c", "d")
    plain = info_nce(queries, targets, torch.arange(4), exclusions(marks(*names), range(4), marks(*names)), 0.05)
    excluded = exclusions(marks(*names, *names), range(8), marks(*names, *names))
    doubled = info_nce(queries.repeat(2, 1), targets.repeat(2, 1), torch.arange(8), excluded, 0.05)
    assert float(doubled) == pytest.approx(float(plain), rel=1e-6)


def test_what_is_right_is_no_negative():
    excluded = exclusions([frozenset({"told x"}), frozenset({"image 2"})], (0, 1), [
        frozenset({"image 1", "told x"}), frozenset({"image 2", "told y"}), frozenset({"image 3", "told x"})
    ])  # fmt: skip
    assert excluded.tolist() == [[False, False, True], [False, False, False]]


def test_queries_that_share_a_target_do_not_push_each_other_away():
    queries, targets, own = unit(3, 6), unit(2, 7), torch.tensor([0, 1, 0])
    excluded = exclusions(marks("yes", "no", "yes"), own.tolist(), marks("yes", "no"))
    back = (targets[own] @ queries.T / 0.1).masked_fill(torch.tensor([[0, 0, 1], [0, 0, 0], [1, 0, 0]]).bool(), -1e4)
    wanted = (info_nce(queries, targets, own, excluded, 0.1) + functional.cross_entropy(back, torch.arange(3))) / 2
    assert float(symmetric_info_nce(queries, targets, own, excluded, 0.1)) == pytest.approx(float(wanted), rel=1e-6)


@pytest.mark.parametrize("symmetric", [False, True])
def test_vectors_that_are_all_alike_have_the_loss_of_a_guess(symmetric):
    queries, targets, own = unit(1, 8).expand(5, -1), unit(1, 8).expand(6, -1), torch.tensor([0, 1, 2, 3, 0])
    excluded = exclusions(marks("a", "b", "c", "d", "a"), own.tolist(), marks(*"abcdef"))
    loss = (symmetric_info_nce if symmetric else info_nce)(queries, targets, own, excluded, 0.02)
    assert float(loss) == pytest.approx(guess_loss(own, excluded, symmetric=symmetric), abs=1e-5)
    every = torch.arange(8)
    assert guess_loss(every, torch.zeros(8, 8, dtype=torch.bool), symmetric=symmetric) == pytest.approx(log(8))


def test_the_temperature_glides_from_warm_to_final():
    options = LossOptions(warm=0.08, final=0.02, warmup=10, glide=20)
    assert [options.temperature(step) for step in (0, 10, 20, 30, 99)] == pytest.approx([0.08, 0.08, 0.04, 0.02, 0.02])
    assert LossOptions().temperature(0) == pytest.approx(0.02)
    with pytest.raises(RecipeWrong, match="above 0"):
        LossOptions(final=0)


def items() -> list[Item]:
    """Eight items of all sorts, images of two sizes among them: rows of pixels are not rows of items."""
    mixed = [Item(image=image(seed, 32 if seed % 2 else 64), text=f"{seed} lakes") for seed in range(4)]
    return [
        *mixed,
        Item(text="a glacier"),
        Item(image=image(9), bounds_lbrt=(0.1, 0.4, 0.3, 0.2)),
        Item(place=Place(1, 2)),
        Item(text="no"),
    ]


def gradients(own, backward) -> dict[str, torch.Tensor]:
    own.zero_grad(set_to_none=True)
    torch.manual_seed(5)
    backward()
    return {name: parameter.grad.clone() for name, parameter in own.named_parameters() if parameter.grad is not None}


def with_dropout(own, share: float):
    """Dropout after every layer of the language model, as adapters bring it."""
    for layer in own.qwen.language_model.layers:
        layer.register_forward_hook(lambda _layer, _given, state: functional.dropout(state, share, training=True))
    return own


def relative_error(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    assert set(first) == set(second)
    away = torch.stack([(value - second[name]).norm() for name, value in first.items()]).norm()
    return float(away / torch.stack([value.norm() for value in first.values()]).norm())


def loss_of(vectors: torch.Tensor) -> torch.Tensor:
    own = torch.arange(4)
    return info_nce(vectors[:4], vectors[4:], own, torch.zeros(4, 4, dtype=torch.bool), 0.07)


def test_chunks_give_the_gradient_of_the_whole_batch():
    own, stream = network(seed=1), streamer()
    whole = gradients(own, lambda: loss_of(own(stream.of(items()))).backward())
    chunks = [stream.of(items()[start : start + 3]) for start in (0, 3, 6)]
    cached = gradients(own, lambda: cached_backward(own, chunks, loss_of, CPU))
    assert relative_error(whole, cached) < 1e-5


def test_chunks_give_that_gradient_with_dropout_too():
    own, stream = with_dropout(network(seed=2), 0.2), streamer()
    chunks = [stream.of(items()[start : start + 3]) for start in (0, 3, 6)]
    whole = gradients(own, lambda: loss_of(torch.cat([own(chunk) for chunk in chunks])).backward())
    cached = gradients(own, lambda: cached_backward(own, chunks, loss_of, CPU))
    assert relative_error(whole, cached) < 1e-5
    again = gradients(own, lambda: (torch.rand(1), cached_backward(own, chunks, loss_of, CPU)))
    assert relative_error(whole, again) > 1e-2  # other draws are another gradient


def test_draws_go_on_as_after_one_reading():
    own, stream = with_dropout(network(seed=3), 0.2), streamer()
    chunks = [stream.of(items()[:4]), stream.of(items()[4:])]
    torch.manual_seed(1)
    for chunk in chunks:
        own(chunk)
    after = torch.rand(3)
    torch.manual_seed(1)
    loss = cached_backward(own, chunks, loss_of, CPU)
    assert torch.equal(torch.rand(3), after)
    assert not loss.requires_grad
