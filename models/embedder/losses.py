"""The contrastive loss: each query to its own target among all targets, those left out that would be right, too.

Source: InfoNCE as VLM2GeoVec has it (van den Oord et al. 2018). Answers, classes and captions repeat within a batch, and a repeated one
would be pushed away as wrong: VLM2Vec lets it. Here what is right is no negative, and what is there twice counts once.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import torch
from torch import Tensor
from torch.nn import functional

from catalog.facts.errors import RecipeWrong

_NEVER: Final = -1e4
FLAT: Final = 0.02
"""Distance to the loss of a guess under which a step has told nothing apart."""


@dataclass(frozen=True, slots=True)
class LossOptions:
    """How the loss is counted."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    symmetric: bool = False
    """Targets look for their queries as well; published: queries alone."""
    warm: float = 0.07
    """Temperature until the warm-up is over."""
    final: float = 0.02
    """Temperature that it glides to, the published one; from scratch it is too cold to begin with."""
    warmup: int = 0
    """Steps at the first temperature."""
    glide: int = 0
    """Steps from the first temperature to the final one."""
    patience: int = 200
    """Flat steps in a row after which a run counts as collapsed."""

    def __post_init__(self) -> None:
        """Raise RecipeWrong for temperatures of 0 or less, and for negative steps."""
        if min(self.warm, self.final) <= 0 or min(self.warmup, self.glide) < 0 or self.patience < 1:
            raise RecipeWrong(
                f"Temperatures {self.warm} and {self.final} over {self.warmup} and {self.glide} steps, patience {self.patience}: "
                "temperatures must be above 0, steps 0 or more, patience 1 or more."
            )

    def temperature(self, step: int) -> float:
        """Temperature of a step: warm, then by even ratios to the final one."""
        done = 1.0 if step >= self.warmup + self.glide else max(0, step - self.warmup) / max(self.glide, 1)
        return float(self.warm ** (1 - done) * self.final**done)


def info_nce(queries: Tensor, targets: Tensor, own: Tensor, excluded: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of queries (B, d) over targets (C, d), unit vectors; `own` (B,) is the target of each, `excluded` (B, C) do not count."""
    logits = (queries.float() @ targets.float().T) / temperature  # (B, C)
    return functional.cross_entropy(logits.masked_fill(excluded, _NEVER), own)


def symmetric_info_nce(queries: Tensor, targets: Tensor, own: Tensor, excluded: Tensor, temperature: float) -> Tensor:
    """The mean of both directions; a target looks for its query among those that it is wrong for."""
    there = info_nce(queries, targets, own, excluded, temperature)
    every = torch.arange(len(queries), device=own.device)
    return (there + info_nce(targets[own], queries, every, _back(own, excluded), temperature)) / 2


def exclusions(right: Sequence[Sequence[bool]], own: Sequence[int], names: Sequence[Hashable]) -> Tensor:
    """Which targets do not count for which query (B, C): those that are right for it, save its own, and all but the first of a name.

    `right` (B, C) says which target answers which query, `names` (C,) which targets are the same.
    """
    first = [names.index(name) for name in names]
    rows = []
    for answers, place in zip(right, own, strict=True):
        rows.append([column != place and (answer or first[column] != column) for column, answer in enumerate(answers)])
    return torch.tensor(rows, dtype=torch.bool).reshape(len(own), len(names))


def guess_loss(own: Tensor, excluded: Tensor, *, symmetric: bool = False) -> float:
    """Loss of vectors that are all alike: ln B where nothing is excluded."""
    there = _mean_log_count(excluded)
    return (there + _mean_log_count(_back(own, excluded))) / 2 if symmetric else there


def _back(own: Tensor, excluded: Tensor) -> Tensor:
    """For the target of each query (B, B) the queries that do not count: those that it answers as well, save its own."""
    shared = (own[:, None] == own[None, :]) & ~torch.eye(len(own), dtype=torch.bool, device=own.device)
    return excluded[:, own].T | shared


def _mean_log_count(excluded: Tensor) -> float:
    return float((~excluded).sum(dim=1).float().log().mean())
