"""Boxes as words: four whole numbers on a grid from the upper left corner, rounded outward, so that what was boxed stays inside."""

import re
from math import ceil, floor, isfinite
from typing import Final

from catalog.facts.errors import WrongCall

Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top; shares of the image from its upper left corner, so that bottom is the larger of the two."""
_SLACK: Final = 1e-6
"""Of a step: 0.07 of 100 is a hair more than 7, and should not be 8."""
_WORDS: Final = re.compile(r"\[(\d+), (\d+), (\d+), (\d+)\]")


def box_words(bounds_lbrt: Bounds, side: int) -> str:
    """`[x1, y1, x2, y2]`: left, top, right and bottom, each side 1 or more; raises WrongCall for a box that shares nothing with the image."""
    left, bottom, right, top = bounds_lbrt
    if not (all(isfinite(share) for share in bounds_lbrt) and left <= right and top <= bottom):
        raise WrongCall(f"Box {bounds_lbrt} is none: give left, bottom, right, top as shares of the image, from its upper left corner.")
    if right < 0 or bottom < 0 or left > 1 or top > 1:
        raise WrongCall(f"Box {bounds_lbrt} lies beside the image: give shares from 0 to 1, from its upper left corner.")
    x1, x2 = _outward(left, right, side)
    y1, y2 = _outward(top, bottom, side)
    return f"[{x1}, {y1}, {x2}, {y2}]"


def box_of(words: str, side: int) -> Bounds | None:
    """Read a box back; None for other words, and for boxes that are none on that grid."""
    found = _WORDS.fullmatch(words.strip())
    if found is None:
        return None
    x1, y1, x2, y2 = (int(number) for number in found.groups())
    return (x1 / side, y2 / side, x2 / side, y1 / side) if x1 < x2 <= side and y1 < y2 <= side else None


def overlap(first: Bounds, second: Bounds) -> float:
    """IoU of two boxes."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[1], second[1]) - max(first[3], second[3])
    both = max(0.0, width) * max(0.0, height)
    either = sum((box[2] - box[0]) * (box[1] - box[3]) for box in (first, second)) - both
    return both / either if either > 0 else 0.0


def _outward(low: float, high: float, side: int) -> tuple[int, int]:
    first = min(max(floor(low * side + _SLACK), 0), side - 1)
    return first, max(min(ceil(high * side - _SLACK), side), first + 1)
