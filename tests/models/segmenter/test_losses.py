"""Every term is 0 where the label is met, grows with the error, stays bounded and looks at judged pixels only."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from catalog.facts.errors import RecipeWrong
from models.segmenter import loss_terms
from models.segmenter.losses import LossOptions, LossParts, TermWeights, composite, signed_distance

TERMS = ("bce", "focal", "dice", "generalised_dice", "tversky", "boundary", "lovasz")
ALL = TermWeights(generalised_dice=1.0)
FRACTIONS = ("focal", "dice", "generalised_dice", "tversky", "boundary")
"""Terms that cannot leave 0..1; focal is held by its test below."""
EVERY_PIXEL = LossOptions(ALL, ohem_keep=1.0)


def only(term: str) -> LossOptions:
    return LossOptions(TermWeights(**{name: float(name == term) for name in TERMS}))


def disc(side: int = 32, radius: float = 9.0) -> Tensor:
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return ((y - side / 2) ** 2 + (x - side / 2) ** 2 <= radius**2).float()[None, None]


def soft_disc(side: int = 32, radius: float = 9.0) -> Tensor:
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return (radius + 0.5 - ((y - side / 2) ** 2 + (x - side / 2) ** 2).sqrt()).clamp(0, 1)[None, None]


def loss_of(logits: Tensor, label: Tensor, judged: Tensor | None = None, options: LossOptions = EVERY_PIXEL) -> LossParts:
    return composite(logits, label, torch.ones_like(label, dtype=torch.bool) if judged is None else judged, torch.ones(len(label)), options)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("label", [disc(), soft_disc(), torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)])
def test_a_met_label_costs_nothing(term: str, label: Tensor) -> None:
    logits = torch.logit(label, eps=1e-7)
    assert loss_of(logits, label).parts[term].item() == pytest.approx(0.0, abs=2e-4)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("label", [disc(), soft_disc()])
def test_a_worse_prediction_costs_more(term: str, label: Tensor) -> None:
    perfect = torch.logit(label, eps=1e-3)
    costs = [loss_of(perfect * (1 - turn), label).parts[term].item() for turn in (0.0, 0.5, 0.9, 1.2, 1.6, 2.0)]
    # inside the margin of Lovász nothing costs anything
    assert all(better < worse or (worse == 0 and term == "lovasz") for better, worse in pairwise(costs)), costs
    assert costs[2] > 0


@pytest.mark.parametrize("term", TERMS)
def test_the_least_cost_at_a_shore_is_at_its_coverage(term: str) -> None:
    # one value for all pixels of a lake in which all are covered by 0.7; Lovász only asks for the right side
    label = torch.full((1, 1, 8, 8), 0.7)
    grid = torch.linspace(0.05, 0.95, 19)
    costs = torch.stack([loss_of(torch.logit(torch.full_like(label, float(p))), label).parts[term] for p in grid])
    best = grid[costs.argmin()].item()
    assert best >= 0.65 if term == "lovasz" else best == pytest.approx(0.7, abs=0.026)


@pytest.mark.parametrize("term", TERMS)
def test_pixels_that_are_not_judged_have_no_gradient_and_no_say(term: str) -> None:
    generator = torch.Generator().manual_seed(1)
    label, judged = disc().repeat(2, 1, 1, 1), torch.rand(2, 1, 32, 32, generator=generator) < 0.7
    logits = torch.randn(2, 1, 32, 32, generator=generator)
    other = torch.where(judged, logits, torch.nan).requires_grad_()
    loss = loss_of(other, torch.where(judged, label, 0.3), judged).parts[term]
    (gradient,) = torch.autograd.grad(loss, other)
    assert loss.item() == pytest.approx(loss_of(logits, label, judged).parts[term].item(), rel=1e-6)
    assert (gradient[~judged] == 0).all()
    assert torch.isfinite(gradient).all()
    assert (gradient[judged] != 0).any()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), scale=st.floats(0.0, 200.0), share=st.floats(0.0, 1.0), hard=st.booleans())
def test_every_term_is_bounded_and_its_gradient_finite(seed: int, scale: float, share: float, hard: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = (torch.randn(2, 1, 12, 12, generator=generator) * scale).requires_grad_()
    label = (
        (torch.rand(2, 1, 12, 12, generator=generator) < share).float() if hard else torch.rand(2, 1, 12, 12, generator=generator) * share
    )
    judged = torch.rand(2, 1, 12, 12, generator=generator) < share
    loss = loss_of(logits, label, judged)
    (gradient,) = torch.autograd.grad(loss.total, logits)
    assert torch.isfinite(gradient).all()
    assert all(value.item() >= 0 for value in loss.parts.values()), loss.parts
    assert all(loss.parts[term].item() <= 1 + 1e-5 for term in FRACTIONS if term != "focal"), loss.parts


def test_a_batch_that_nobody_judged_costs_nothing_and_can_be_stepped() -> None:
    logits = torch.randn(2, 1, 8, 8, requires_grad=True)
    loss = loss_of(logits, torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 8, dtype=torch.bool))
    loss.total.backward()
    assert loss.total.item() == 0.0
    assert logits.grad is not None
    assert (logits.grad == 0).all()


def test_an_image_that_nobody_judged_does_not_thin_the_others() -> None:
    logits, label = torch.randn(1, 1, 32, 32), disc()
    judged = torch.cat([torch.ones_like(label), torch.zeros_like(label)]).bool()
    alone, beside = loss_of(logits, label), loss_of(logits.repeat(2, 1, 1, 1), label.repeat(2, 1, 1, 1), judged)
    for term in TERMS:
        assert beside.parts[term].item() == pytest.approx(alone.parts[term].item(), rel=1e-5), term


@pytest.mark.parametrize("term", TERMS)
def test_an_image_counts_by_its_weight(term: str) -> None:
    generator = torch.Generator().manual_seed(2)
    logits, label = torch.randn(2, 1, 16, 16, generator=generator).requires_grad_(), disc(16, 5).repeat(2, 1, 1, 1)
    judged = torch.ones_like(label, dtype=torch.bool)
    options = only(term)
    distrusted = composite(logits, label, judged, torch.tensor([1.0, 0.0]), options).total
    trusted = composite(logits, label, judged, torch.tensor([1.0, 1.0]), options).total
    (gradient,) = torch.autograd.grad(distrusted, logits)
    assert (gradient[1] == 0).all()
    assert distrusted.item() < trusted.item()


def test_a_lake_pixel_weighs_what_judged_pixels_say() -> None:
    label = torch.zeros(1, 1, 10, 10)
    label[..., 0, :5] = 1.0
    judged = torch.ones_like(label, dtype=torch.bool)
    judged[..., 5:, :] = False
    assert loss_of(label, label, judged).positive_weight.item() == pytest.approx(9.0)
    assert loss_of(label, torch.zeros_like(label)).positive_weight.item() == 100.0
    assert loss_of(label, torch.ones_like(label)).positive_weight.item() == 1.0


def test_the_hardest_pixels_of_the_whole_batch_are_kept() -> None:
    label = torch.zeros(2, 1, 10, 10)
    logits = torch.full_like(label, -8.0)
    logits[1, 0, :2] = 3.0
    logits.requires_grad_()
    loss = composite(logits, label, torch.ones_like(label, dtype=torch.bool), torch.ones(2), LossOptions(ohem_keep=0.1, ohem_floor=4)).parts
    (gradient,) = torch.autograd.grad(loss["bce"], logits)
    assert (gradient != 0).sum().item() == 20
    assert (gradient[1, 0, :2] != 0).all()
    assert loss["bce"].item() == pytest.approx(float(np.logaddexp(0.0, 3.0)), rel=1e-5)


def test_the_floor_keeps_pixels_and_no_more_than_there_are() -> None:
    label, judged = torch.zeros(1, 1, 10, 10), torch.ones(1, 1, 10, 10, dtype=torch.bool)
    logits = torch.linspace(-3, 3, 100).reshape(1, 1, 10, 10)
    values = torch.nn.functional.softplus(logits).flatten().sort(descending=True).values
    for floor, kept in ((30, 30), (1000, 100), (1, 5)):
        loss = composite(logits, label, judged, torch.ones(1), LossOptions(ohem_keep=0.05, ohem_floor=floor)).parts["bce"]
        assert loss.item() == pytest.approx(values[:kept].mean().item(), rel=1e-5)


def test_the_focal_term_is_the_published_one_for_hard_labels() -> None:
    generator = torch.Generator().manual_seed(3)
    logits, label = torch.randn(1, 1, 32, 32, generator=generator), disc()
    p = logits.sigmoid()
    expected = torch.where(label > 0, -0.25 * (1 - p) ** 2 * p.log(), -0.75 * p**2 * (1 - p).log()).mean()
    assert loss_of(logits, label).parts["focal"].item() == pytest.approx(expected.item(), rel=1e-4)


def test_dice_is_of_images_not_of_the_batch() -> None:
    label = torch.cat([disc(32, 12.0), disc(32, 2.0)])
    logits = torch.cat([torch.logit(disc(32, 12.0), eps=1e-6), torch.full((1, 1, 32, 32), -14.0)])
    p = logits.sigmoid()
    each = [1 - (2 * (p[i] * label[i]).sum() + 1) / (p[i].sum() + label[i].sum() + 1) for i in range(2)]
    flat = 1 - (2 * (p * label).sum() + 1) / (p.sum() + label.sum() + 1)
    found = loss_of(logits, label).parts["dice"].item()
    assert found == pytest.approx(float(sum(each)) / 2, abs=1e-4)
    assert found > 10 * flat.item()


def test_tversky_charges_missed_water_more_than_false_water() -> None:
    label = disc(32, 8.0)
    missed = loss_of(torch.logit(disc(32, 6.0), eps=1e-6), label).parts["tversky"].item()
    truth, found = label.sum().item(), disc(32, 6.0).sum().item()
    assert missed == pytest.approx(1 - (found + 1) / (found + 0.75 * (truth - found) + 1), abs=1e-3)
    swapped = loss_of(torch.logit(label, eps=1e-6), disc(32, 6.0)).parts["tversky"].item()
    assert swapped < missed


def published_generalised_dice(p: Tensor, y: Tensor) -> float:
    """The fault of CryoSentinel: weights of 1 / n^2 beside a denominator that is clamped at 1 (plus its smooth 1)."""
    weights = [1 / (c.sum() ** 2 + 1) for c in (y, 1 - y)]
    pairs = [(p, y), (1 - p, 1 - y)]
    numerator = sum(w * (a * b).sum() for w, (a, b) in zip(weights, pairs, strict=True))
    denominator = sum(w * (a + b).sum() for w, (a, b) in zip(weights, pairs, strict=True))
    return float(1 - 2 * numerator / torch.as_tensor(denominator).clamp_min(1.0))


def test_generalised_dice_moves_with_the_prediction_where_the_published_one_is_stuck() -> None:
    label = disc(224, 35.0)
    predictions = [torch.logit(shape, eps=1e-6) for shape in (label, disc(224, 25.0), 1 - label)]
    stuck = [published_generalised_dice(logits.sigmoid(), label) for logits in predictions]
    ours = [loss_of(logits, label).parts["generalised_dice"].item() for logits in predictions]
    assert min(stuck) > 0.999
    assert ours[0] == pytest.approx(0.0, abs=1e-3)
    assert ours[0] + 0.1 < ours[1] < ours[2] - 0.1
    assert ours[2] == pytest.approx(1.0, abs=1e-3)


def test_generalised_dice_does_not_depend_on_the_size_of_the_image() -> None:
    label, logits = disc(), torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(4))
    twice = [t.repeat_interleave(3, 2).repeat_interleave(3, 3) for t in (logits, label)]
    assert loss_of(*twice).parts["generalised_dice"].item() == pytest.approx(
        loss_of(logits, label).parts["generalised_dice"].item(), rel=1e-5
    )


def test_generalised_dice_is_the_published_formula_for_hard_labels() -> None:
    label, p = disc(), torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(5)).sigmoid()
    weights = [1 / label.sum() ** 2, 1 / (1 - label).sum() ** 2]
    numerator = weights[0] * (p * label).sum() + weights[1] * ((1 - p) * (1 - label)).sum()
    denominator = weights[0] * (p + label).sum() + weights[1] * (2 - p - label).sum()
    expected = (1 - 2 * numerator / denominator).item()
    assert loss_of(torch.logit(p), label).parts["generalised_dice"].item() == pytest.approx(expected, rel=1e-4)


def lovasz_by_sets(errors: list[float], water: list[bool]) -> float:
    """Lovász extension as its definition says: sum over the sorted errors of error times what its pixel adds to the Jaccard loss."""

    def jaccard_loss(wrong: set[int]) -> float:
        lake = {i for i, wet in enumerate(water) if wet}
        return len(wrong) / len(lake | wrong) if lake | wrong else 0.0

    total, wrong = 0.0, set[int]()
    for index in sorted(range(len(errors)), key=lambda i: -errors[i]):
        before = jaccard_loss(wrong)
        wrong.add(index)
        total += max(errors[index], 0.0) * (jaccard_loss(wrong) - before)
    return total


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_lovasz_equals_its_definition_by_sets(seed: int, share: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 1, 4, 5, generator=generator)
    label = (torch.rand(2, 1, 4, 5, generator=generator) < share).float()
    judged = torch.rand(2, 1, 4, 5, generator=generator) < 0.8
    expected = []
    for z, y, v in zip(logits, label, judged, strict=True):
        signs = 2 * y[v] - 1
        expected.append(lovasz_by_sets((1 - z[v] * signs).tolist(), (y[v] > 0.5).tolist()))
    assert loss_of(logits, label, judged).parts["lovasz"].item() == pytest.approx(float(np.mean(expected)), rel=1e-4)


def test_lovasz_is_of_images_and_exceeds_one_when_all_is_wrong() -> None:
    label = torch.cat([disc(32, 12.0), disc(32, 2.0)])
    logits = torch.cat([(2 * disc(32, 12.0) - 1) * 5, torch.full((1, 1, 32, 32), -5.0)])
    each = [loss_of(logits[i : i + 1], label[i : i + 1]).parts["lovasz"].item() for i in range(2)]
    assert loss_of(logits, label).parts["lovasz"].item() == pytest.approx(sum(each) / 2, rel=1e-5)
    flat = loss_of(logits.reshape(1, 1, 64, 32), label.reshape(1, 1, 64, 32)).parts["lovasz"].item()
    assert abs(flat - sum(each) / 2) > 0.5
    assert loss_of(5 * (1 - 2 * label), label).parts["lovasz"].item() > 1.0


def test_the_distance_runs_from_the_shore_between_two_pixels() -> None:
    label = torch.zeros(1, 1, 1, 7)
    label[..., 3:] = 1.0
    label[..., 2] = 0.4
    judged = torch.ones_like(label, dtype=torch.bool)
    judged[..., 6] = False
    assert signed_distance(label, judged).flatten().tolist() == [2.5, 1.5, 0.5, -0.5, -1.5, -2.5, 0.0]


def test_without_a_shore_the_distance_is_endless_and_the_term_a_plain_difference() -> None:
    label, logits = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    judged = torch.ones_like(label, dtype=torch.bool)
    assert (signed_distance(label, judged) == torch.inf).all()
    assert (signed_distance(label + 1, judged) == -torch.inf).all()
    assert loss_of(logits, label).parts["boundary"].item() == pytest.approx(0.5)


def test_the_boundary_term_is_kervadecs_less_its_least_value() -> None:
    label, p = disc(32, 6.0), torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(6)).sigmoid()
    distance = signed_distance(label, torch.ones_like(label, dtype=torch.bool)).clamp(-20, 20) / 20
    expected = (p * distance).mean() - (label * distance).mean()
    assert (label * distance).mean().item() < 0  # the published term goes below zero
    assert loss_of(torch.logit(p), label).parts["boundary"].item() == pytest.approx(expected.item(), rel=1e-4)


def test_a_distance_that_is_given_is_used_and_one_that_is_not_needed_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    label, logits = disc(), torch.zeros(1, 1, 32, 32)
    judged = torch.ones_like(label, dtype=torch.bool)
    near = composite(logits, label, judged, torch.ones(1), only("boundary"), torch.full_like(label, 5.0)).total
    assert near.item() == pytest.approx(0.5 * 5 / 20)
    monkeypatch.setattr("models.segmenter.losses.signed_distance", None)
    assert composite(logits, label, judged, torch.ones(1), only("dice")).total.item() > 0


def test_the_total_is_the_weighted_sum_and_holds_what_counts_alone() -> None:
    logits, label = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(7)), disc()
    loss = loss_of(logits, label, options=LossOptions())
    weights = {"bce": 0.5, "focal": 1.0, "dice": 1.0, "tversky": 0.5, "boundary": 0.5, "lovasz": 0.3}
    assert set(loss.parts) == set(weights)
    assert loss.total.item() == pytest.approx(sum(weights[name] * value.item() for name, value in loss.parts.items()), rel=1e-5)


def test_smoothing_moves_the_least_bce_off_certainty() -> None:
    label = disc()
    batch = loss_terms.judgement_of(torch.logit(label * 0.9 + 0.05), label, label >= 0, torch.ones(1))
    assert loss_terms.weighted_cross_entropy(batch, torch.tensor(1.0), 0.1).max().item() == pytest.approx(0.0, abs=1e-5)
    sure = loss_terms.judgement_of((2 * label - 1) * 12, label, label >= 0, torch.ones(1))
    assert loss_terms.weighted_cross_entropy(sure, torch.tensor(1.0), 0.1).mean().item() > 0.2


def test_half_precision_logits_are_judged_in_full() -> None:
    label = soft_disc()
    logits = torch.logit(label, eps=1e-3).bfloat16()
    assert loss_of(logits, label).total.item() == pytest.approx(loss_of(logits.float(), label).total.item())
    assert loss_of(logits, label).total.dtype == torch.float32


@pytest.mark.parametrize("wrong", [{"ohem_keep": 0.0}, {"smoothing": 1.0}, {"boundary_clip_px": 0.0}, {"positive_weight_cap": 0.5}])
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(RecipeWrong, match=next(iter(wrong))):
        LossOptions(**wrong)  # type: ignore[arg-type]


def test_weights_that_leave_nothing_are_refused() -> None:
    with pytest.raises(RecipeWrong, match="all 0"):
        TermWeights(0, 0, 0, 0, 0, 0, 0)
    with pytest.raises(RecipeWrong, match="dice = -1"):
        TermWeights(dice=-1.0)
