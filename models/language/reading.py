"""What a language model that starts from nothing learns on the side: what is asked, whatever the words.

It stands in for a checkpoint that has read a library, and is thrown away at the end. Without it a network tells questions apart by the
few phrasings that it has seen, and takes a new one for something else.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.language.dialogue import IGNORED, Tokens


class Reading(nn.Module):
    """Linear maps from a state of the language model to what the words before it mean, one for each thing to be known."""

    def __init__(self, hidden: int, choices: tuple[int, ...]) -> None:
        """Build with fresh weights for states of width `hidden`; `choices` are the numbers of meanings that each thing can have."""
        super().__init__()
        self.choices = choices
        self.heads = nn.Linear(hidden, sum(choices))

    def loss(self, states: Tensor, known: Tensor) -> Tensor:
        """Cross-entropy of states (N, hidden), the mean over those that are known (N, things), `IGNORED` elsewhere; 0 where none is."""
        losses = []
        for logits, wanted in zip(self.heads(states).split(self.choices, dim=-1), known.T, strict=True):
            of_each = functional.cross_entropy(logits.float(), wanted, ignore_index=IGNORED, reduction="sum")
            losses.append(of_each / (wanted != IGNORED).sum().clamp(min=1))
        return torch.stack(losses).sum()


class Pointing(nn.Module):
    """A linear map from a state of the language model to a question that patches of the image answer: are you meant?"""

    def __init__(self, hidden: int, seen: int) -> None:
        """Build with fresh weights for states of width `hidden` and patches of width `seen`."""
        super().__init__()
        self.asked = nn.Linear(hidden, seen)

    def loss(self, states: Tensor, patches: Tensor, meant: Tensor) -> Tensor:
        """Cross-entropy of states (N, hidden) over their patches (N, T, seen) with those that are meant (N, T), shares that add up to 1.

        Rows of zeros mean none and do not count.
        """
        logits = torch.einsum("nw,ntw->nt", self.asked(states), patches).float() / patches.shape[-1] ** 0.5
        some = meant.sum(dim=1) > 0
        entropy = -(meant * logits.log_softmax(dim=1)).sum(dim=1)
        loss: Tensor = (entropy * some).sum() / some.sum().clamp(min=1)
        return loss


def before_answers(states: Tensor, tokens: Tokens) -> Tensor:
    """States (N, hidden) at the last token before each answer, of states (N, length, hidden)."""
    first = (tokens.labels != IGNORED).int().argmax(dim=1)
    return states[torch.arange(len(states), device=states.device), first - 1]


def worn(phrasing: str, rng: np.random.Generator, share: float) -> str:
    """Leave out words of a phrasing, each with that probability, never what it asks about (`{quadrant}`) and never all.

    Who learned from phrasings with holes reads those that are new by the words that are known.
    """
    words = phrasing.split()
    kept = [word for word in words if "{" in word or rng.random() >= share]
    return " ".join(kept) if len(kept) > 1 else phrasing
