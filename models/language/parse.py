"""The grounding parser: text to the claims that it makes, and what of it nobody can check."""

import re
from dataclasses import dataclass
from typing import Final

from catalog.facts.scene_facts import Place
from models.language.sentences import SEG, Claim, clauses_of, read_clause
from models.language.slots import NUMBERS, SLOTS

_TELLS: Final = re.compile(
    rf"\d|\b(?:{'|'.join(NUMBERS)}|several|many|few|small|medium|large\w*|small\w*|big\w*)\b|{SLOTS['quadrant'].pattern}"
)
"""Words that state a number, a size or a position."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says."""

    claims: tuple[Claim, ...]
    unread: tuple[str, ...]
    """Clauses that no wording fits but that tell a number, a size or a position: nobody can vouch for them."""
    empty: tuple[str, ...]
    """Clauses that no wording fits and that claim nothing of the kind."""
    masks: int
    """Marks of segmentation."""

    @property
    def count(self) -> int | None:
        """Number of lakes that the text states for the whole scene; None when it does not."""
        stated = [int(claim.number("lakes")) for claim in self.claims if claim.kind == "count"]
        return stated[0] if stated else None

    @property
    def places(self) -> tuple[Place, ...]:
        """Places of the lakes that the text describes one by one."""
        return tuple(claim.place() for claim in self.claims if claim.kind in ("lake", "lake_at"))


def read(text: str) -> Reading:
    """Read a text clause by clause."""
    claims, unread, empty = [], [], []
    for clause in clauses_of(text):
        claim = read_clause(clause)
        if claim is not None:
            claims.append(claim)
        elif _TELLS.search(clause):
            unread.append(clause)
        else:
            empty.append(clause)
    return Reading(tuple(claims), tuple(unread), tuple(empty), text.count(SEG))
