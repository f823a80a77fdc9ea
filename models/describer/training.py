"""One training run as a value: network, optimizer and pretext, moved on one step at a time.

What a step does at random depends on the seed and the number of the step alone, so that a run that is resumed goes on as one that never
stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW

from models.describer.batches import Batch, draw_batch
from models.describer.losses import JointLoss, LossOptions, joint, mask_loss, word_loss
from models.describer.network import Describer
from models.describer.phrasings import PHRASINGS
from models.describer.pretext import pretext_of
from models.describer.recipe import Recipe
from models.describer.scenes import Scene
from models.language.dialogue import Dialogue
from models.language.reading import Pointing, Reading, before_answers
from models.segmenter.optimizer import apply_factor, schedule_factor


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one optimizer step did."""

    step: int
    loss: float
    parts: Mapping[str, float]
    gradient: float
    """Norm before clipping."""
    pairs: int


class Training:
    """The state of a run and its steps."""

    def __init__(self, network: Describer, dialogue: Dialogue, recipe: Recipe, device: torch.device) -> None:
        """Take a network with its first weights; it is moved to the device and changed by every step."""
        self.network, self.dialogue, self.recipe, self.device = network.to(device), dialogue, recipe, device
        # of the pretexts alone: no parts of the network, and thrown away at the end
        self.pretext = pretext_of(recipe.network.vision.hidden).to(device)
        self.reading = Reading(recipe.network.language.hidden, (len(PHRASINGS),)).to(device)
        self.pointing = Pointing(recipe.network.language.hidden, recipe.network.vision.hidden).to(device)
        self.optimizer = AdamW(_groups(self.network, _asked(self, recipe), recipe), betas=(0.9, 0.999), eps=1e-6)
        self.step_number = 0

    def draw(self, scenes: Sequence[Scene]) -> Batch:
        """Draw the scenes and pairs of the next step."""
        rng = np.random.default_rng([self.recipe.seed, self.step_number])
        steps = self.recipe.steps
        alone = self.step_number < steps.pretext
        chosen = rng.choice(len(scenes), min(steps.pretext_scenes if alone else steps.scenes, len(scenes)), replace=False)
        # while the tower learns alone, two questions about each scene are read and not answered
        count = 1 if self.recipe.loss.reading else 0
        read = replace(self.recipe.pairs, referring=count, others=count, weights={})
        pairs = read if alone else self.recipe.pairs
        return draw_batch([scenes[int(place)] for place in chosen], self.dialogue, pairs, rng, self.recipe.lakes, seen=not alone)

    def weights_now(self) -> LossOptions:
        """Weights of the parts of the loss at this step: the pretext first, then words, then all."""
        loss, steps = self.recipe.loss, self.recipe.steps
        if self.step_number < steps.pretext:
            return replace(loss, masks=0.0, words=0.0, points=0.0)
        later = replace(loss, patches=0.0) if steps.pretext and steps.tower_rests else loss
        return replace(later, masks=0.0) if self.step_number < steps.pretext + steps.words else later

    def step(self, batch: Batch) -> StepReport:
        """Learn from a batch; returns what happened."""
        self.network.train()
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step_number)
        schedule, within = self.recipe.schedule_at(self.step_number)
        apply_factor(self.optimizer, schedule_factor(within, schedule))
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.steps.bfloat16):
            loss = self.loss(batch.to(self.device))
        torch.autograd.backward(loss.total)
        gradient = nn.utils.clip_grad_norm_(_learning(self.network), self.recipe.steps.clip)
        self.optimizer.step()
        self.step_number += 1
        return StepReport(self.step_number - 1, float(loss.total.detach()), loss.parts, float(gradient), len(batch.of_scene))

    def loss(self, batch: Batch) -> JointLoss:
        """The joint loss of a batch that is on the device; parts of weight 0 are not computed."""
        options = self.weights_now()
        # a scene is seen once, however much is said of it; selecting adds gradients up in order, indexing in any
        with torch.set_grad_enabled(bool(options.patches) or not self.recipe.steps.pretext or not self.recipe.steps.tower_rests):
            seen = self.network.seen(batch.views.rgb)
        parts = {"patches": self.pretext.loss(seen, batch.known)} if options.patches else {}
        if options.masks or options.words or options.reading:
            states = self._states(seen, batch, options)
            parts |= {"masks": self._mask_loss(batch, states)} if options.masks else {}
            parts |= {"words": self._word_loss(batch, states)} if options.words else {}
            parts |= {"reading": self._reading_loss(batch, states)} if options.reading else {}
            parts |= {"points": self._point_loss(batch, states, seen)} if options.points else {}
        return joint(parts, options)

    def _states(self, seen: Tensor, batch: Batch, options: LossOptions) -> Tensor:
        if self.recipe.network.decoder.prompt == "constant" and not options.words and not options.reading:
            # nobody listens
            return seen.new_zeros((len(batch.of_scene), 1, self.recipe.network.language.hidden))
        return self.network.states(seen.index_select(0, batch.of_scene), batch.tokens)

    def _mask_loss(self, batch: Batch, states: Tensor) -> Tensor:
        of_text, prompts = self.network.marks(states, batch.tokens)
        if not len(of_text):
            return states.new_zeros(())
        logits = self.network.draw(batch.views.channels, batch.of_scene[of_text], prompts)
        return mask_loss(logits, batch.target[of_text], self.recipe.loss)

    def _word_loss(self, batch: Batch, states: Tensor) -> Tensor:
        tokens = batch.tokens
        return word_loss(self.network.llava.lm_head(states), tokens.labels, tokens.telling, self.recipe.loss.telling)

    def _reading_loss(self, batch: Batch, states: Tensor) -> Tensor:
        return self.reading.loss(before_answers(states, batch.tokens), batch.asked[:, None])

    def _point_loss(self, batch: Batch, states: Tensor, seen: Tensor) -> Tensor:
        of_text, place = torch.nonzero(batch.tokens.ids == self.network.ids.seg, as_tuple=True)
        about = torch.cat([torch.arange(len(states), device=states.device), of_text])
        own = torch.cat([before_answers(states, batch.tokens), states[of_text, place]])
        return self.pointing.loss(own, seen.index_select(0, batch.of_scene[about]), batch.points[about])

    def weights(self) -> dict[str, Tensor]:
        """Weights as they are now."""
        return {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on, as tensors and plain values."""
        return {
            "step": self.step_number,
            "network": self.network.state_dict(),
            "pretext": self.pretext.state_dict(),
            "reading": self.reading.state_dict(),
            "pointing": self.pointing.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of a run with the same recipe."""
        self.step_number = int(state["step"])
        self.network.load_state_dict(state["network"])
        self.pretext.load_state_dict(state["pretext"])
        self.reading.load_state_dict(state["reading"])
        self.pointing.load_state_dict(state["pointing"])
        self.optimizer.load_state_dict(state["optimizer"])


def _learning(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _asked(training: Training, recipe: Recipe) -> list[nn.Parameter]:
    """Parameters of the pretexts that count."""
    loss = recipe.loss
    parts = ((training.pretext, loss.patches), (training.reading, loss.reading), (training.pointing, loss.points))
    return [parameter for part, weight in parts if weight for parameter in part.parameters()]


def _groups(network: nn.Module, pretexts: list[nn.Parameter], recipe: Recipe) -> list[dict[str, Any]]:
    """Parameters that learn, matrices with decay and vectors without; frozen ones never reach the optimizer."""
    rate, decay = recipe.steps.learning_rate, recipe.steps.weight_decay
    learning = [*_learning(network), *pretexts]
    matrices = [parameter for parameter in learning if parameter.ndim > 1]
    vectors = [parameter for parameter in learning if parameter.ndim <= 1]
    return [
        {"params": matrices, "lr": rate, "base_lr": rate, "weight_decay": decay},
        {"params": vectors, "lr": rate, "base_lr": rate, "weight_decay": 0.0},
    ]
