"""One stage of a detector's training as a value: network, optimizer and average, moved on one step at a time.

What a step does at random depends on the seed, the stage and the number of the step alone, so that a run which is resumed goes on
exactly as one that never stopped.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from models.detector.network import SlumpNetwork
from models.detector.recipe import DetectorRecipe, Stage
from models.detector.samples import DetectorBatch
from models.segmenter.averaging import ExponentialAverage

State = dict[str, Any]
DROPS: Final = (7 / 9, 25 / 27)
"""Shares of the steps after which the rate falls to a tenth and to a hundredth (detectron2's schedule of Cascade MViTv2)."""
_PLAIN: Final = ("rel_pos", "bias", "pos_embed")
"""Parameters that weight decay would only draw to a place that means something else."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one optimizer step did."""

    stage: str
    step: int
    loss: float
    parts: Mapping[str, float]
    gradient: float
    """Norm before clipping."""


class DetectorTraining:
    """The state of one stage and its steps."""

    def __init__(self, network: SlumpNetwork, recipe: DetectorRecipe, stage: Stage, device: torch.device) -> None:
        """Take a network with its first weights; it is moved to the device and changed by every step."""
        self.network, self.recipe, self.stage, self.device = network.to(device), recipe, stage, device
        if stage.frozen:
            self.network.freeze_backbones()
        self.optimizer = AdamW(parameter_groups(self.network, recipe.weight_decay), lr=stage.options.learning_rate)
        self.average = ExponentialAverage(self.network, recipe.ema) if recipe.ema else None
        self.step_number = 0

    @property
    def done(self) -> bool:
        """Whether the stage has made all its steps."""
        return self.step_number >= self.stage.options.steps

    def seed(self, step: int) -> int:
        """What a step draws from: other stages of a recipe see other windows."""
        return (self.recipe.seed * 1_000_003 + step) * 1_009 + zlib.crc32(self.stage.name.encode()) % 1_009

    def step(self, batch: DetectorBatch) -> StepReport:
        """Learn from a batch and return what happened."""
        self.network.train()
        torch.manual_seed(self.seed(self.step_number))
        for group in self.optimizer.param_groups:
            group["lr"] = self.stage.options.learning_rate * rate_factor(self.step_number, self.stage)
        self.optimizer.zero_grad(set_to_none=True)
        parts = self._losses(batch)
        loss = torch.stack(list(parts.values())).sum()
        torch.autograd.backward(loss)
        gradient = nn.utils.clip_grad_norm_(learning(self.network), self.recipe.clip)
        self.optimizer.step()
        self.step_number += 1
        if self.average is not None:
            self.average.update(self.network)
        told = {name: float(value.detach()) for name, value in parts.items()}
        return StepReport(self.stage.name, self.step_number - 1, float(loss.detach()), told, float(gradient))

    def _losses(self, batch: DetectorBatch) -> dict[str, Tensor]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            return self.network.losses(batch.images, batch.targets, batch.present)

    def weights(self) -> dict[str, Tensor]:
        """Weights to be judged and kept: the average where there is one, the last ones otherwise."""
        current = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        if self.average is None:
            return current
        return current | {name: value.to(current[name].dtype) for name, value in self.average.weights().items()}

    def state(self) -> State:
        """Everything that the next step depends on, as tensors and plain values."""
        average = None if self.average is None else self.average.state()
        return {
            "step": self.step_number,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": average,
        }

    def restore(self, state: State) -> None:
        """Go on from a state of the same stage of the same recipe."""
        self.step_number = state["step"]
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.average is not None and state["average"] is not None:
            self.average.restore(state["average"])


def learning(network: nn.Module) -> list[nn.Parameter]:
    """Parameters that are not frozen."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters that learn, those of norms, biases and relative positions without decay; frozen ones are in no group."""
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            spared = parameter.ndim < 2 or any(part in name for part in _PLAIN)
            (plain if spared else decayed).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def rate_factor(step: int, stage: Stage) -> float:
    """What the rate of a stage is multiplied by at a step that counts from 0: linear warm-up, then two drops to a tenth."""
    options = stage.options
    if step < options.warmup:
        return (step + 1) / options.warmup
    return 0.1 ** sum(step >= share * options.steps for share in DROPS)
