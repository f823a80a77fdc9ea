"""One training run as a value: network, optimizer and pretexts, moved on one step at a time, through its stages.

What a step does at random depends on the seed and the number of the step alone, so that a run that is resumed goes on as one that never
stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW

from models.describer.losses import word_loss
from models.language.dialogue import Dialogue
from models.language.reading import Pointing, Reading, before_answers
from models.referrer.batches import MEANINGS, Batch, draw_batch
from models.referrer.losses import Losses, dice, overlap, pixel_entropy
from models.referrer.network import Groups, Referrer, Seen
from models.referrer.phrasings import TASKS
from models.referrer.pretext import pretext_of
from models.referrer.recipe import Recipe
from models.referrer.scenes import Scene
from models.segmenter.optimizer import apply_factor, schedule_factor

_BETAS = (0.9, 0.95)
"""As LISA and PixelLM."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one optimizer step did."""

    step: int
    stage: int
    loss: float
    parts: Mapping[str, float]
    gradient: float
    """Norm before clipping."""
    pairs: int


class Pretexts(nn.Module):
    """What is learned on the side by networks that start from nothing: no part of them, and thrown away at the end."""

    def __init__(self, seen: int, width: int, hidden: int) -> None:
        """Build for patches of `seen` numbers, prompts of `width` and a language model of width `hidden`."""
        super().__init__()
        self.patches = pretext_of(seen)
        self.points, self.asked_for = Pointing(width, seen), Pointing(hidden, seen)
        self.tasks, self.phrases = Reading(hidden, (len(TASKS),)), Reading(hidden, MEANINGS)

    def point_loss(self, batch: Batch, seen: Seen, states: Tensor, groups: Groups) -> Tensor:
        """Which patches hold the point of each referent (T), and of all referents of a question (N) before it is answered."""
        each = self.points.loss(groups.prompts.mean(dim=1), seen.patches.index_select(0, batch.of_scene[groups.of_text]), batch.points)
        every = torch.zeros(len(states), batch.points.shape[1], device=states.device).index_add(0, groups.of_text, batch.points)
        every = every / every.sum(dim=1, keepdim=True).clamp(min=1)
        return each + self.asked_for.loss(before_answers(states, batch.tokens), seen.patches.index_select(0, batch.of_scene), every)

    def reading_loss(self, batch: Batch, states: Tensor, groups: Groups) -> Tensor:
        """What the questions ask for, and what the phrase of each mask says."""
        phrases = self.phrases.loss(groups.states, batch.meanings) if len(batch.meanings) else states.new_zeros(())
        return self.tasks.loss(before_answers(states, batch.tokens), batch.tasks) + phrases


class Training:
    """The state of a run and its steps."""

    def __init__(self, network: Referrer, dialogue: Dialogue, recipe: Recipe, device: torch.device) -> None:
        """Take a network with its first weights; it is moved to the device and changed by every step."""
        self.network, self.dialogue, self.recipe, self.device = network.to(device), dialogue, recipe, device
        self.pretexts = Pretexts(*_widths(recipe)).to(device)
        self.step_number = self.stage = 0
        self._enter(0)

    @property
    def mask_px(self) -> int:
        """Width of the masks."""
        return 4 * self.recipe.network.predictor.side

    def draw(self, scenes: Sequence[Scene]) -> Batch:
        """Draw the scenes and pairs of the next step."""
        rng = np.random.default_rng([self.recipe.seed, self.step_number])
        stage = self.recipe.stages[self.recipe.stage_at(self.step_number)[0]]
        chosen = rng.choice(len(scenes), min(stage.scenes or self.recipe.steps.scenes, len(scenes)), replace=False)
        some = [scenes[int(place)] for place in chosen]
        return draw_batch(some, self.dialogue, stage.pairs, rng, self.mask_px, stage.read if stage.tower else None)

    def step(self, batch: Batch) -> StepReport:
        """Learn from a batch, in the next stage if the last one is over; returns what happened."""
        stage, within = self.recipe.stage_at(self.step_number)
        if stage != self.stage:
            self._enter(stage)
        self.network.train()
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step_number)
        apply_factor(self.optimizer, schedule_factor(within, self.recipe.schedule(stage)))
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.steps.bfloat16):
            losses = self.losses(batch.to(self.device))
        total = losses.total(self.recipe.loss)
        torch.autograd.backward(total)
        gradient = nn.utils.clip_grad_norm_(_learning(self.network), self.recipe.steps.clip)
        self.optimizer.step()
        self.step_number += 1
        return StepReport(self.step_number - 1, stage, float(total.detach()), losses.as_dict(), float(gradient), len(batch.of_scene))

    def losses(self, batch: Batch) -> Losses:
        """Parts of the loss of a batch that is on the device; pretexts of weight 0 are not computed."""
        network, options = self.network, self.recipe.loss
        seen = network.see(batch.images)
        nothing = seen.patches.new_zeros(())
        alone = self.recipe.stages[self.stage].tower
        if alone and not len(batch.of_scene):
            return Losses.of_pretexts(self.pretexts.patches.loss(seen.patches, batch.known), nothing)
        states = network.states(seen, batch.of_scene, batch.tokens)
        groups = network.groups(states, batch.tokens)
        reading = self.pretexts.reading_loss(batch, states, groups) if options.reading else nothing
        if alone:
            return Losses.of_pretexts(self.pretexts.patches.loss(seen.patches, batch.known), reading)
        scenes = batch.of_scene[groups.of_text]
        entropy, areas, classes, agreement = self._of_masks(batch, seen, scenes, groups) if len(scenes) else (nothing,) * 4
        return Losses(
            words=word_loss(network.words(states), batch.tokens.labels),
            entropy=entropy,
            dice=areas,
            classes=classes,
            agreement=agreement,
            patches=self.pretexts.patches.loss(seen.patches, batch.known) if options.patches else nothing,
            points=self.pretexts.point_loss(batch, seen, states, groups) if options.points and len(scenes) else nothing,
            reading=reading,
        )

    def _of_masks(self, batch: Batch, seen: Seen, scenes: Tensor, groups: Groups) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        generic = torch.rand(len(scenes), device=scenes.device) < self.recipe.steps.generic
        rows = batch.classes
        if self.network.memory is not None:
            rows = torch.where(generic, self.network.memory.generic, rows)
        drawn = self.network.draw(seen, scenes, groups.prompts, self.network.query(groups.classes, rows))
        expected = functional.mse_loss(drawn.agreement.float(), overlap(drawn.masks, batch.target))
        areas = dice(drawn.masks, batch.target)
        return pixel_entropy(drawn.masks, batch.target), areas, functional.cross_entropy(groups.classes.float(), batch.classes), expected

    def weights(self) -> dict[str, Tensor]:
        """Weights as they are now."""
        return {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on, as tensors and plain values."""
        return {
            "step": self.step_number,
            "stage": self.stage,
            "network": self.network.state_dict(),
            "pretexts": self.pretexts.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of a run with the same recipe."""
        self.step_number = int(state["step"])
        for stage in range(self.stage + 1, int(state["stage"]) + 1):
            self._enter(stage)
        self.network.load_state_dict(state["network"])
        self.pretexts.load_state_dict(state["pretexts"])
        self.optimizer.load_state_dict(state["optimizer"])

    def _enter(self, number: int) -> None:
        """Begin a stage: fresh adapters if it brings some, and a fresh optimizer."""
        stage = self.recipe.stages[number]
        if stage.adapter is not None and number:
            torch.manual_seed(self.recipe.seed + number)
            self.network.adapted_anew(stage.adapter)
            self.network.to(self.device)
        self.stage = number
        self.optimizer = AdamW(_groups(self.network, self.pretexts, self.recipe, stage.learning_rate), betas=_BETAS)


def _widths(recipe: Recipe) -> tuple[int, int, int]:
    return recipe.network.vision.hidden, recipe.network.predictor.width, recipe.network.language.hidden


def _learning(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _groups(network: Referrer, pretexts: Pretexts, recipe: Recipe, rate: float) -> list[dict[str, Any]]:
    """Parameters that learn, matrices with decay; vectors, and the memory, most rows of which no step reads, without."""
    bank = network.memory.bank if network.memory is not None else None
    loss = recipe.loss
    weighed = (
        (pretexts.patches, loss.patches),
        (pretexts.points, loss.points),
        (pretexts.asked_for, loss.points),
        (pretexts.tasks, loss.reading),
        (pretexts.phrases, loss.reading),
    )
    asked = [part for part, weight in weighed if weight]
    learning = [*_learning(network), *(parameter for part in asked for parameter in part.parameters())]
    decayed = [parameter for parameter in learning if parameter.ndim > 1 and parameter is not bank]
    others = [parameter for parameter in learning if parameter.ndim <= 1 or parameter is bank]
    return [
        {"params": decayed, "lr": rate, "base_lr": rate, "weight_decay": recipe.steps.weight_decay},
        {"params": others, "lr": rate, "base_lr": rate, "weight_decay": 0.0},
    ]
