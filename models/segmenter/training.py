"""One training run as a value: network, optimizer and averages, moved on one step at a time.

What a step does at random depends on the seed and the number of the step alone, so that a run which is resumed goes on
exactly as one that never stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from catalog.facts.chips import ChipBatch
from models.segmenter.augment import augment, modalities_for_step
from models.segmenter.averaging import ExponentialAverage, RunningAverage
from models.segmenter.losses import LossParts, composite
from models.segmenter.network import LakeNetwork
from models.segmenter.normalise import Statistics, standardise
from models.segmenter.optimizer import apply_factor, build_optimizer, schedule_factor
from models.segmenter.recipe import Recipe
from models.segmenter.samples import Samples, samples_of

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one optimizer step did."""

    step: int
    loss: float
    parts: Mapping[str, float]
    rate_factor: float
    gradient: float
    """Norm before clipping."""
    modalities: tuple[str, ...]


class Training:
    """The state of a run and its steps."""

    def __init__(self, network: LakeNetwork, recipe: Recipe, statistics: Statistics, device: torch.device) -> None:
        """Take a network with its first weights; it is moved to the device and changed by every step."""
        self.network, self.recipe, self.statistics, self.device = network.to(device), recipe, statistics, device
        self.optimizer = build_optimizer(self.network, recipe.optimizer)
        self.step_number = 0
        kind = recipe.averaging.kind
        self.average: ExponentialAverage | RunningAverage | None = None
        if kind == "ema":
            self.average = ExponentialAverage(self.network, recipe.averaging.decay)
        elif kind == "swa":
            self.average = RunningAverage(self.network)

    def step(self, batches: Sequence[ChipBatch]) -> StepReport:
        """Learn from batches whose gradients are added up; returns what happened."""
        number, recipe = self.step_number, self.recipe
        self.network.train()
        factor = schedule_factor(number, recipe.schedule)
        apply_factor(self.optimizer, factor)
        self.optimizer.zero_grad(set_to_none=True)
        shown = modalities_for_step(self._randomness(number, 0), recipe.augment, recipe.network.modalities)
        reports = [self._learn(batch, shown, self._randomness(number, 1 + index)) for index, batch in enumerate(batches)]
        gradient = nn.utils.clip_grad_norm_(self.network.parameters(), recipe.steps.clip)
        self.optimizer.step()
        self.step_number += 1
        self._average()
        parts = {name: sum(float(report.parts[name].detach()) for report in reports) / len(reports) for name in reports[0].parts}
        loss = sum(float(report.total.detach()) for report in reports) / len(reports)
        return StepReport(number, loss, parts, factor, float(gradient), tuple(sorted(shown)))

    def _learn(self, batch: ChipBatch, shown: frozenset[str], generator: torch.Generator) -> LossParts:
        samples = _cropped(samples_of(batch, self.device), self.recipe.steps.crop_px, generator)
        samples = augment(samples, self.recipe.augment, generator)
        given = standardise(samples, self.statistics, shown)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.steps.precision == "bf16"):
            logits = self.network(given)
        parts = composite(logits.float(), samples.label, samples.judged, samples.weight, self.recipe.loss)
        torch.autograd.backward(parts.total / self.recipe.steps.accumulate)
        return parts

    def _randomness(self, step: int, part: int) -> torch.Generator:
        return torch.Generator(self.device).manual_seed((self.recipe.seed * 1_000_003 + step) * 101 + part)

    def _average(self) -> None:
        start = self.recipe.schedule.average_from
        if isinstance(self.average, ExponentialAverage) or (self.average is not None and start is not None and self.step_number > start):
            self.average.update(self.network)

    def weights(self) -> dict[str, Tensor]:
        """Weights to be judged and kept: the average where there is one, the last ones otherwise."""
        current = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        if self.average is None or (isinstance(self.average, RunningAverage) and not self.average.count):
            return current
        return current | {name: value.to(current[name].dtype) for name, value in self.average.weights().items()}

    def state(self) -> State:
        """Everything that the next step depends on, as tensors and plain values."""
        return {
            "step": self.step_number,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.state(),
        }

    def restore(self, state: State) -> None:
        """Go on from a state of a run with the same recipe."""
        self.step_number = state["step"]
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None and state["average"] is not None:
            self.average.restore(state["average"])


def _cropped(samples: Samples, side: int, generator: torch.Generator) -> Samples:
    """The same random square of every chip of a batch."""
    height, width = samples.label.shape[-2:]
    if not side or side >= min(height, width):
        return samples
    top, left = (int(torch.randint(size - side + 1, (), generator=generator, device=generator.device)) for size in (height, width))
    return samples.each(lambda values: values[..., top : top + side, left : left + side])
