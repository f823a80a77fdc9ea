"""The group of tokens that stands for one mask in an answer, and what an answer with groups says."""

import re
from collections.abc import Sequence
from typing import Final

from models.referrer.phrasings import listed

SCALES: Final = 2
"""Levels at which a mask is predicted."""
TOKENS: Final = 3
"""Tokens of a group for each of them."""
MARKS: Final = tuple(f"[SEG{number}]" for number in range(SCALES * TOKENS))
GROUP: Final = "".join(MARKS)
"""One mask in an answer."""
NONE: Final = "There is no"


def positive(count: int) -> str:
    """Answer with that many masks: `Sure, they are [SEG0]...[SEG5] and [SEG0]...[SEG5].`."""
    return f"Sure, it is {GROUP}." if count == 1 else f"Sure, they are {listed([GROUP] * count)}."


def negative(phrase: str) -> str:
    """Answer for a phrase that fits nothing."""
    return f"{NONE} {phrase.removeprefix('the ')}."


def whole_groups(ids: Sequence[int], marks: Sequence[int]) -> tuple[list[tuple[int, ...]], bool]:
    """Places of the whole groups of marks among ids, in order, and whether there are marks that belong to none."""
    places = [place for place, number in enumerate(ids) if number in marks]
    found, taken = [], 0
    for place in places:
        if place < taken:
            continue
        if list(ids[place : place + len(marks)]) == list(marks):
            found.append(tuple(range(place, place + len(marks))))
            taken = place + len(marks)
    return found, len(places) != len(found) * len(marks)


def plain(text: str) -> str:
    """An answer with `<mask>` in place of each group, spaces and case evened, for comparing words."""
    return with_masks(text).lower()


def with_masks(text: str) -> str:
    """An answer with `<mask>` in place of each group, spaces evened, for people."""
    joined = re.sub(r"\s*\[SEG(\d)\]\s*", r"[SEG\1]", text)
    return " ".join(joined.replace(GROUP, " <mask> ").replace(" .", ".").replace(" ,", ",").split())
