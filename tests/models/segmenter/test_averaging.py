"""Averages are exact, survive a stop, and leave normalization layers with statistics of the averaged network."""

import pytest
import torch
from torch import Tensor, nn

from catalog.facts.errors import ChipsUnusable, RecipeWrong, WeightsUnfit
from models.segmenter.averaging import ExponentialAverage, RunningAverage, greedy_soup, recompute_norm_statistics, uniform_soup


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 1))


def moved(model: nn.Module, by: float) -> nn.Module:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(by)
    return model


def images(count: int = 6, seed: int = 1) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    # batches of several sizes, ranges and levels: means over batches are not means over pixels
    return [torch.randn(1 + index, 2, 12, 12, generator=generator) * (1 + index) + index for index in range(count)]


def test_the_exponential_average_follows_its_formula() -> None:
    model = network()
    average = ExponentialAverage(model, 0.9, warm_up=False)
    expected = model[0].weight.detach().clone()
    for _ in range(5):
        moved(model, 0.5)
        average.update(model)
        expected = 0.9 * expected + 0.1 * model[0].weight.detach()
    assert average.weights()["0.weight"] == pytest.approx(expected, rel=1e-5)


def test_the_average_lies_between_the_first_and_the_last_weights() -> None:
    model = network()
    first = model[0].weight.detach().clone()
    average = ExponentialAverage(model, 0.99)
    for _ in range(20):
        average.update(moved(model, 0.1))
    mean = average.weights()["0.weight"]
    assert (mean > first).all()
    assert (mean < model[0].weight).all()


def test_warming_up_forgets_the_first_weights_sooner() -> None:
    shares = []
    for warm_up in (True, False):
        model = network()
        first = model[0].weight.detach().clone()
        average = ExponentialAverage(model, 0.999, warm_up=warm_up)
        moved(model, 1.0)
        for _ in range(30):
            average.update(model)
        shares.append((average.weights()["0.weight"] - first).mean().item())
    assert shares[0] > 0.99
    assert shares[1] == pytest.approx(1 - 0.999**30, rel=1e-3)


def test_averages_are_kept_in_full_precision() -> None:
    model = network().bfloat16()
    average = ExponentialAverage(model, 0.9999, warm_up=False)
    before = average.weights()["0.weight"]
    average.update(moved(model, 1.0))
    after = average.weights()["0.weight"]
    assert after.dtype == torch.float32
    assert (after != before).all()  # bfloat16 could not hold a ten-thousandth of a step


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_a_restored_average_goes_on_as_if_it_never_stopped(kind: str) -> None:
    def fresh(model: nn.Module) -> ExponentialAverage | RunningAverage:
        return ExponentialAverage(model, 0.9) if kind == "ema" else RunningAverage(model)

    straight, model = fresh(network()), network()
    for _ in range(3):
        straight.update(moved(model, 0.3))
    state = straight.state()
    resumed = fresh(network(seed=5))
    resumed.restore(state)
    moved(model, 0.3)
    straight.update(model)
    resumed.update(model)
    assert resumed.count == straight.count == 4
    for name, value in straight.weights().items():
        assert torch.equal(resumed.weights()[name], value), name


def test_a_state_does_not_move_with_the_average() -> None:
    model = network()
    average = ExponentialAverage(model, 0.5)
    state = average.state()
    kept = state["mean"]["0.weight"].clone()
    average.update(moved(model, 1.0))
    assert torch.equal(state["mean"]["0.weight"], kept)


def test_swapping_in_and_out_leaves_the_network_as_it_was() -> None:
    model = network()
    average = ExponentialAverage(model, 0.9)
    average.update(moved(model, 1.0))
    own = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(RuntimeError, match="midway"), average.swapped(model):
        assert torch.equal(model[0].weight, average.weights()["0.weight"])
        assert not torch.equal(model[0].weight, own["0.weight"])
        raise RuntimeError("midway")
    for name, value in model.state_dict().items():
        assert torch.equal(value, own[name]), name


def test_the_running_average_is_the_plain_mean() -> None:
    model, taken = network(), []
    average = RunningAverage(model)
    for step in range(5):
        average.update(moved(model, float(step)))
        taken.append(model[0].weight.detach().clone())
    assert average.count == 5
    assert average.weights()["0.weight"] == pytest.approx(torch.stack(taken).mean(0), rel=1e-5)


def test_an_average_of_nothing_is_refused() -> None:
    with pytest.raises(WeightsUnfit, match="No weights"):
        RunningAverage(network()).weights()
    with pytest.raises(RecipeWrong, match=r"1\.5"):
        ExponentialAverage(network(), 1.5)


def test_a_uniform_soup_is_the_mean_and_keeps_counters() -> None:
    candidates = [network(seed).state_dict() for seed in range(3)]
    soup = uniform_soup(candidates)
    assert soup["0.weight"] == pytest.approx(torch.stack([c["0.weight"] for c in candidates]).mean(0), rel=1e-5)
    assert soup["1.num_batches_tracked"].dtype == torch.int64
    assert list(soup) == list(candidates[0])


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(WeightsUnfit, match=r"0\.weight"):
        uniform_soup(
            [network().state_dict(), nn.Sequential(nn.Conv2d(2, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 1)).state_dict()]
        )
    with pytest.raises(WeightsUnfit, match="none"):
        uniform_soup([])


def test_a_greedy_soup_takes_what_helps_and_leaves_what_hurts() -> None:
    # the target is 0; the second and third cancel out, the last would pull away
    candidates = [{"w": torch.tensor([x])} for x in (5.0, 1.0, -1.2, 9.0)]
    asked = []

    def score(weights: dict[str, Tensor]) -> float:
        asked.append(weights)
        return -abs(float(weights["w"]))

    soup = greedy_soup(candidates, score)
    assert soup.members == (1, 2)
    assert soup.score == pytest.approx(-0.1, abs=1e-6)
    assert soup.weights["w"].item() == pytest.approx(-0.1)
    assert len(asked) == 4 + 3
    given = greedy_soup(candidates, score, scores=[-5.0, -1.0, -1.2, -9.0])
    assert given.members == soup.members
    assert len(asked) == 4 + 3 + 3


def test_a_greedy_soup_is_never_worse_than_its_best_member() -> None:
    candidates = [{"w": torch.tensor([x])} for x in (1.0, 3.0)]
    assert greedy_soup(candidates, lambda weights: -abs(float(weights["w"]))).members == (0,)


def test_recomputed_statistics_are_those_of_all_pixels() -> None:
    model, data = network(), images()
    recompute_norm_statistics(model, data)
    with torch.no_grad():
        reached = torch.cat([model[0](batch).transpose(0, 1).flatten(1) for batch in data], 1)
    assert model[1].running_mean == pytest.approx(reached.mean(1), rel=1e-4)
    assert model[1].running_var == pytest.approx(reached.var(1), rel=1e-4)


def test_a_soup_needs_its_own_statistics() -> None:
    data, candidates = images(), []
    for seed in range(3):
        model = network(seed)
        recompute_norm_statistics(model, data)
        candidates.append({name: value.clone() for name, value in model.state_dict().items()})
    soup = network()
    soup.load_state_dict(uniform_soup(candidates))
    with torch.no_grad():
        reached = torch.cat([soup[0](batch).transpose(0, 1).flatten(1) for batch in data], 1)
    assert (soup[1].running_var / reached.var(1) - 1).abs().max().item() > 0.1
    soup.eval()
    stale = soup(data[-1])
    recompute_norm_statistics(soup, data)
    assert soup[1].running_var == pytest.approx(reached.var(1), rel=1e-4)
    assert (soup(data[-1]) - stale).abs().max().item() > 0.01


def test_recomputing_changes_no_weight_and_no_mode() -> None:
    model = network().eval()
    model[3].train()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    recompute_norm_statistics(model, iter(images()))
    assert [module.training for module in model] == [False, False, False, True]
    assert not model.training
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name])
    assert not model[1]._forward_pre_hooks


def test_recomputing_without_a_batch_is_refused_and_without_a_layer_not_needed() -> None:
    with pytest.raises(ChipsUnusable, match="No batch"):
        recompute_norm_statistics(network(), [])
    recompute_norm_statistics(nn.Conv2d(2, 4, 3), [])
