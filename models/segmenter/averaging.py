"""Averages of weights: exponential and running ones while training, soups of validated weights after it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from catalog.facts.errors import ChipsUnusable, RecipeWrong, WeightsUnfit

Weights = Mapping[str, Tensor]


class _Average:
    """What both averages share: float32 copies of every floating value of a network, statistics of normalization among them."""

    def __init__(self) -> None:
        self.count = 0
        """Updates so far."""
        self._mean: dict[str, Tensor] = {}

    def weights(self) -> dict[str, Tensor]:
        """Copies of the averaged values by name, float32; raises WeightsUnfit before there is one."""
        if not self._mean:
            raise WeightsUnfit("No weights were averaged yet: average at least once before the average is asked for.")
        return {name: value.clone() for name, value in self._mean.items()}

    def state(self) -> dict[str, Any]:
        """Everything that the next update depends on."""
        return {"count": self.count, "mean": {name: value.clone() for name, value in self._mean.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, on the device where the average is."""
        devices = {name: value.device for name, value in self._mean.items()}
        self.count = int(state["count"])
        self._mean = {name: value.to(devices.get(name, value.device), copy=True) for name, value in state["mean"].items()}

    @contextmanager
    def swapped(self, network: nn.Module) -> Iterator[None]:
        """Put the average into a network, and its own weights back afterwards, whatever happens."""
        own = {name: value.clone() for name, value in network.state_dict().items()}
        try:
            network.load_state_dict({**own, **self.weights()})
            yield
        finally:
            network.load_state_dict(own)

    @torch.no_grad()
    def _move(self, network: nn.Module, share: float) -> None:
        for name, value in network.state_dict().items():
            if not value.is_floating_point():
                continue
            if name in self._mean:
                self._mean[name].lerp_(value.float(), share)
            else:
                self._mean[name] = value.to(torch.float32, copy=True)


class ExponentialAverage(_Average):
    """mean = decay x mean + (1 - decay) x weights after every step."""

    def __init__(self, network: nn.Module, decay: float, *, warm_up: bool = True) -> None:
        """Start from the weights of a network; with `warm_up`, the first weights are forgotten as fast as few updates allow."""
        super().__init__()
        if not 0 <= decay < 1:
            raise RecipeWrong(f"Decay of the average of weights is {decay:g}: choose 0 to below 1, for example 0.999.")
        self._decay, self._warm_up = decay, warm_up
        self._move(network, 1.0)

    def update(self, network: nn.Module) -> None:
        """Take in the weights after a step."""
        self.count += 1
        decay = min(self._decay, (1 + self.count) / (10 + self.count)) if self._warm_up else self._decay
        self._move(network, 1.0 - decay)


class RunningAverage(_Average):
    """Plain mean of the weights of all updates (SWA); the schedule holds every group at a share of its own rate meanwhile."""

    def __init__(self, network: nn.Module) -> None:
        """Start empty, on the device of a network."""
        super().__init__()
        self._device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))

    def update(self, network: nn.Module) -> None:
        """Take in the weights after a step."""
        self.count += 1
        self._move(network, 1.0 / self.count)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, on the device of the network."""
        super().restore(state)
        self._mean = {name: value.to(self._device) for name, value in self._mean.items()}


@dataclass(frozen=True, slots=True)
class Soup:
    """Mean of some candidates."""

    weights: dict[str, Tensor]
    members: tuple[int, ...]
    """Places of the candidates in it, in the order in which they came in."""
    score: float


def uniform_soup(candidates: Sequence[Weights]) -> dict[str, Tensor]:
    """Mean of weights; counters are those of the first. Raises WeightsUnfit for no candidate, or for some of another network."""
    if not candidates:
        raise WeightsUnfit("A soup needs weights of at least one candidate, and there is none: validate before averaging.")
    first = candidates[0]
    for index, other in enumerate(candidates[1:], start=1):
        odd = [name for name in {*first, *other} if name not in first or name not in other or first[name].shape != other[name].shape]
        if odd:
            raise WeightsUnfit(f"Weights {index} of a soup differ from the first in {min(odd)}: average weights of one network only.")
    return {name: _mean([weights[name] for weights in candidates]) for name in first}


def greedy_soup(candidates: Sequence[Weights], score: Callable[[dict[str, Tensor]], float], scores: Sequence[float] | None = None) -> Soup:
    """Begin with the best candidate and take each further one, best first, only if the mean does not score worse with it.

    `scores` of the candidates are computed when they are not given. From https://arxiv.org/abs/2203.05482.
    """
    alone = [score(dict(weights)) for weights in candidates] if scores is None else list(scores)
    ranked = sorted(range(len(candidates)), key=lambda index: (-alone[index], index))
    if not ranked:
        raise WeightsUnfit("A soup needs weights of at least one candidate, and there is none: validate before averaging.")
    members, best = [ranked[0]], alone[ranked[0]]
    for index in ranked[1:]:
        reached = score(uniform_soup([candidates[member] for member in [*members, index]]))
        if reached >= best:
            members, best = [*members, index], reached
    return Soup(uniform_soup([candidates[member] for member in members]), tuple(members), best)


@torch.no_grad()
def recompute_norm_statistics(network: nn.Module, batches: Iterable[Any]) -> None:
    """Estimate the statistics of all BatchNorm layers anew from what reaches them, because means of statistics are not those of means.

    Every pixel of every batch counts alike: mean and variance are pooled, not averaged over batches. The network is changed in place
    and its modes are left as they were. Raises ChipsUnusable without a batch.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    if not norms:
        return
    modes = {module: module.training for module in network.modules()}
    moments = {norm: _Moments() for norm in norms}
    handles = [norm.register_forward_pre_hook(moments[norm].see) for norm in norms]
    try:
        network.eval()
        for norm in norms:
            norm.train()  # each layer normalizes by its batch, as in training; what follows sees the right range at once
        for batch in batches:
            network(batch)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    for norm, seen in moments.items():
        seen.put(norm)


class _Moments:
    """Count, sum and sum of squares per band of everything that reached a layer, in float64."""

    def __init__(self) -> None:
        self._count = 0
        self._sum: Tensor | None = None
        self._squares: Tensor | None = None

    def see(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].double().transpose(0, 1).flatten(1)  # (bands, everything else)
        total, squares = values.sum(1), (values**2).sum(1)
        self._count += values.shape[1]
        self._sum = total if self._sum is None else self._sum + total
        self._squares = squares if self._squares is None else self._squares + squares

    def put(self, norm: _BatchNorm) -> None:
        if self._sum is None or self._squares is None or norm.running_mean is None or norm.running_var is None:
            raise ChipsUnusable("No batch reached the normalization layers whose statistics are recomputed: give at least one.")
        mean = self._sum / self._count
        variance = (self._squares - self._count * mean**2) / max(self._count - 1, 1)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance.clamp_min(0.0))


def _mean(values: Sequence[Tensor]) -> Tensor:
    if not values[0].is_floating_point():
        return values[0].clone()
    total = values[0].double()
    for value in values[1:]:
        total = total + value.to(total)
    return (total / len(values)).to(values[0].dtype)
