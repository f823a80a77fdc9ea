"""One training run as a value: network and optimizer, moved on one step at a time.

What a step does at random depends on the seed and the number of the step alone, so that a run that is resumed goes on as one that never
stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW

from models.embedder.batches import SubBatch, draw_searches, parts, sub_batch_of
from models.embedder.gradcache import cached_backward
from models.embedder.instructions import Task
from models.embedder.losses import FLAT, guess_loss, info_nce, symmetric_info_nce
from models.embedder.network import Embedder
from models.embedder.recipe import Recipe
from models.embedder.scenes import PlacedScene
from models.embedder.stream import Stream, Streamer
from models.segmenter.optimizer import apply_factor, schedule_factor

_BETAS: Final = (0.9, 0.999)


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one optimizer step did."""

    step: int
    loss: float
    """Mean over sub-batches."""
    by_task: Mapping[Task, float]
    guess: float
    """Loss of vectors that are all alike."""
    temperature: float
    gradient: float
    """Norm before clipping."""
    flat_steps: int
    """Steps in a row up to this one in which the loss was that of a guess."""
    collapsed: bool
    """It has been flat for longer than the recipe has patience: start again, slower or warmer."""


class Training:
    """The state of a run and its steps."""

    def __init__(self, network: Embedder, streamer: Streamer, recipe: Recipe, device: torch.device) -> None:
        """Take a network with its first weights; it is moved to the device and changed by every step."""
        self.network, self.streamer, self.recipe, self.device = network.to(device), streamer, recipe, device
        self.optimizer = AdamW(_groups(self.network, recipe), betas=_BETAS)
        self.step_number = self.flat_steps = 0

    def draw(self, scenes: Sequence[PlacedScene]) -> tuple[SubBatch, ...]:
        """Draw tasks, scenes and searches of the next step."""
        rng, steps, options = np.random.default_rng([self.recipe.seed, self.step_number]), self.recipe.steps, self.recipe.searches
        # without replacement as far as there are tasks: a step sees as many as it can
        order = [int(place) for _ in range(-(-steps.sub_batches // len(options.tasks))) for place in rng.permutation(len(options.tasks))]
        tasks = [options.tasks[place] for place in order[: steps.sub_batches]]
        return tuple(sub_batch_of(draw_searches(scenes, task, options, steps.size, rng), steps.hard, rng) for task in tasks)

    def step(self, batches: Sequence[SubBatch]) -> StepReport:
        """Learn from sub-batches, each counting alike; returns what happened."""
        recipe = self.recipe
        self.network.train()
        torch.manual_seed(recipe.seed * 1_000_003 + self.step_number)
        apply_factor(self.optimizer, schedule_factor(self.step_number, recipe.schedule))
        self.optimizer.zero_grad(set_to_none=True)
        losses = [self._backward(batch, 1 / len(batches)) for batch in batches]
        gradient = nn.utils.clip_grad_norm_(_learning(self.network), recipe.steps.clip)
        self.optimizer.step()
        report = self._report(batches, losses, float(gradient))
        self.step_number, self.flat_steps = self.step_number + 1, report.flat_steps
        return report

    def weights(self) -> dict[str, Tensor]:
        """Weights as they are now."""
        return {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on, as tensors and plain values."""
        return {
            "step": self.step_number,
            "flat_steps": self.flat_steps,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of a run with the same recipe."""
        self.step_number, self.flat_steps = int(state["step"]), int(state["flat_steps"])
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])

    def _backward(self, batch: SubBatch, weight: float) -> float:
        """Add the gradients of one sub-batch; returns its loss."""
        temperature = self.recipe.loss.temperature(self.step_number)
        loss = symmetric_info_nce if self.recipe.loss.symmetric else info_nce
        own, excluded, count = batch.own.to(self.device), batch.excluded.to(self.device), len(batch.queries)
        items = (*parts(batch.queries, self.recipe.steps.chunk), *parts(batch.targets, self.recipe.steps.chunk))
        chunks = [self.streamer.of(some).to(self.device) for some in items]

        def weighted(vectors: Tensor) -> Tensor:
            return weight * loss(vectors[:count], vectors[count:], own, excluded, temperature)

        return float(cached_backward(self._encode, chunks, weighted, self.device)) / weight

    def _encode(self, stream: Stream) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.steps.bfloat16):
            vectors: Tensor = self.network(stream)
        return vectors

    def _report(self, batches: Sequence[SubBatch], losses: Sequence[float], gradient: float) -> StepReport:
        options = self.recipe.loss
        guesses = [guess_loss(batch.own, batch.excluded, symmetric=options.symmetric) for batch in batches]
        flat = all(abs(loss - guess) < FLAT for loss, guess in zip(losses, guesses, strict=True))
        flat_steps = self.flat_steps + 1 if flat else 0
        tasks = {batch.task: [loss for each, loss in zip(batches, losses, strict=True) if each.task == batch.task] for batch in batches}
        return StepReport(
            step=self.step_number,
            loss=float(np.mean(losses)),
            by_task={task: float(np.mean(some)) for task, some in tasks.items()},
            guess=float(np.mean(guesses)),
            temperature=options.temperature(self.step_number),
            gradient=gradient,
            flat_steps=flat_steps,
            collapsed=flat_steps >= options.patience,
        )


def _learning(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _groups(network: Embedder, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameters that learn, matrices with decay, vectors without."""
    rate, learning = recipe.steps.learning_rate, _learning(network)
    decayed, others = ([p for p in learning if (p.ndim > 1) == matrix] for matrix in (True, False))
    return [
        {"params": decayed, "lr": rate, "base_lr": rate, "weight_decay": recipe.steps.weight_decay},
        {"params": others, "lr": rate, "base_lr": rate, "weight_decay": 0.0},
    ]
