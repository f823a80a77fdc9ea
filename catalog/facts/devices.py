"""Where a network runs, and by which rules: how many may share a GPU, and what happens when it fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from catalog.facts.errors import WrongCall


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that this process can see."""

    index: int
    """As this process counts them."""
    key: str
    """The same in every process of the machine, whatever each can see: its UUID."""


@dataclass(frozen=True, slots=True)
class DeviceTerms:
    """What was asked for."""

    asked: str = "cpu"
    """`auto` (a GPU where there is one, else the CPU), `cpu`, `cuda` or `cuda:N`."""
    slots: int = 1
    """Processes that may use one GPU at the same time."""
    cpu_fallback: bool = False
    """Go on with the CPU when the GPU fails in mid-run; never done unasked, as it takes tens of times longer."""
    prefetch: int = 1
    """Batches read ahead while the model is at work; 0: read only when it waits."""


ON_CPU: Final = DeviceTerms()


def candidates(asked: str, visible: Sequence[Gpu]) -> tuple[Gpu, ...]:
    """Return the GPUs that will do, none of them for the CPU; raises WrongCall for a device that is not here."""
    if asked == "cpu" or (asked == "auto" and not visible):
        return ()
    if asked in ("auto", "cuda") and visible:
        return tuple(visible)
    kind, _, number = asked.partition(":")
    named = tuple(gpu for gpu in visible if kind == "cuda" and number == str(gpu.index))
    if not named:
        here = ", ".join(f"cuda:{gpu.index}" for gpu in visible) or "no GPU"
        raise WrongCall(f"Device {asked!r} was asked for and is not here ({here}): give --device auto or cpu, or set CRYOATLAS_DEVICE.")
    return named
