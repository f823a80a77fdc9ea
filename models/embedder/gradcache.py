"""Gradients of a loss over a batch that does not fit: vectors first, then their gradients, then one chunk after another again.

Source: GradCache (Gao et al. 2021, arXiv:2101.06983). Each chunk is read twice with the same draws, or dropout would give the second
reading other vectors than those that the gradients are of.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

Chunk = TypeVar("Chunk")


@dataclass(frozen=True, slots=True)
class Draws:
    """Where the generators stand."""

    cpu: Tensor
    device: Tensor | None

    @classmethod
    def now(cls, device: torch.device) -> "Draws":
        """Of the CPU, and of the device if it has one of its own."""
        return cls(torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None)

    def back(self, device: torch.device) -> None:
        """Go back there."""
        torch.set_rng_state(self.cpu)
        if self.device is not None:
            torch.cuda.set_rng_state(self.device, device)


def cached_backward(
    encode: Callable[[Chunk], Tensor], chunks: Sequence[Chunk], loss_of: Callable[[Tensor], Tensor], device: torch.device
) -> Tensor:
    """Add the gradients of `loss_of(vectors of all chunks)` to the parameters; memory is that of one chunk. Returns the loss.

    Generators end where one reading of all chunks leaves them.
    """
    draws, parts = [], []
    for chunk in chunks:
        draws.append(Draws.now(device))
        with torch.no_grad():
            parts.append(encode(chunk))
    vectors = torch.cat(parts).requires_grad_()
    loss = loss_of(vectors)
    (slopes,) = torch.autograd.grad(loss, vectors)
    after = Draws.now(device)
    for chunk, before, slope in zip(chunks, draws, torch.split(slopes, [len(part) for part in parts]), strict=True):
        before.back(device)
        torch.autograd.backward((encode(chunk) * slope).sum())
    after.back(device)
    return loss.detach()
