"""What a phrase means among features that an inventory vouches for; without a network, and without waiting for one to load."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from models.referrer.features import Feature
from models.referrer.marks import negative
from models.referrer.references import Reference, resolve
from models.referrer.wording import phrase_of, reference_of

Understood = Literal["found", "none", "ambiguous", "unreadable"]
EXAMPLE: Final = "the largest lake in the upper left"
SAME: Final = 0.5
"""IoU from which what was drawn is a feature of an inventory."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one phrase means."""

    outcome: Understood
    text: str
    reference: Reference | None
    numbers: tuple[int, ...] = ()
    """Of the features that it may mean, ascending."""


def meant(phrase: str, features: Sequence[Feature]) -> Meaning:
    """Find what a phrase means among features; several that it does not tell apart are told, none is chosen."""
    reference = reference_of(phrase)
    if reference is None:
        return Meaning("unreadable", f"I cannot read {phrase!r}. Say for example: {EXAMPLE}.", None)
    numbers = tuple(sorted(resolve(reference, features)))
    if not numbers:
        return Meaning("none", negative(phrase_of(reference)), reference)
    if len(numbers) > 1 and reference.relation != "all":
        return Meaning("ambiguous", f"{len(numbers)} features fit {phrase!r}: say which, or ask for all.", reference, numbers)
    return Meaning("found", f"Found {phrase_of(reference)}.", reference, numbers)


def grouped(reference: Reference) -> bool:
    """Say whether a phrase is about rows, pairs or clusters, which takes the distances of all shores to each other."""
    return reference.relation in ("ordinal", "end")
