"""Questions read back: which family a question belongs to, and what it names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from models.describer.phrasings import PHRASINGS, Family
from models.language.slots import SLOTS, Value, pattern_of

_CONTEXT: Final = re.compile(r"^\([^)]*\)\s*")
"""What is told before a question because no image shows it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know."""

    family: Family
    values: Mapping[str, Value] = field(default_factory=dict)
    """By slot of the phrasing: `quadrant`, `extreme`, `place`, ..."""


def read_question(question: str) -> Asked | None:
    """Read a question; None when it is none of the phrasings."""
    plain = " ".join(_CONTEXT.sub("", question).lower().split())
    for family, pattern in _patterns():
        match = pattern.fullmatch(plain)
        if match is not None:
            return Asked(family, {name: SLOTS[name].read(words) for name, words in match.groupdict().items()})
    return None


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[Family, "re.Pattern[str]"], ...]:
    return tuple((family, pattern_of(phrasing)) for family, phrasings in PHRASINGS.items() for phrasing in phrasings)
