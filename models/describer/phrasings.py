"""How people ask: several phrasings of every question, some of which are kept for testing alone.

Text scores on phrasings that training has seen would be scores of memory; the last fifth of each list is never trained on.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

from models.describer.phrasings_of_lakes import OF_LAKES
from models.describer.phrasings_of_masks import OF_MASKS
from models.describer.phrasings_of_scenes import OF_SCENES

Family = Literal["count", "list", "quadrant", "presence", "presence_in", "extreme", "refer_quadrant", "refer_extreme", "refer_nearest",
                 "describe", "compare", "point", "position", "change"]  # fmt: skip
REFERRING: Final[tuple[Family, ...]] = ("refer_quadrant", "refer_extreme", "refer_nearest")
"""Questions whose mask is a part of the lakes, which only the question tells."""
HELD_OUT_SHARE: Final = 0.2

PHRASINGS: Final[Mapping[Family, tuple[str, ...]]] = MappingProxyType(
    {family: {**OF_LAKES, **OF_MASKS, **OF_SCENES}[family] for family in get_args(Family)}
)
"""Twenty each. Words of held-out phrasings occur in others, so that who has learned words can read them: a network from nothing knows no
synonyms."""


def known_phrasings(family: Family) -> int:
    """Phrasings that training may see; those after them are for testing."""
    return round(len(PHRASINGS[family]) * (1 - HELD_OUT_SHARE))
