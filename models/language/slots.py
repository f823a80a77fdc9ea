"""Words of one slot of a sentence, both ways: a value to its words, the words back to the value.

One module owns the vocabulary, so that what is written can always be read again.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from catalog.facts.scene_facts import MANY, QUADRANTS, SIZES, Place, Quadrant

NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "more than nine")
"""Words for counts; the last one for all from ten on."""
NEAR, FAR = "near the center", "far from the center"
EXTREMES: Final = ("largest", "smallest")
TRENDS: Final = ("grown", "shrunk", "hardly changed")
VERDICTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "grown": "a growth beyond its error",
        "shrunk": "a loss beyond its error",
        "within_error": "a change within its error",
    }
)
EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {"appear": "appeared", "vanish": "vanished", "merge": "merged with a neighbor", "split": "fell into parts", "reappear": "came back",
     "drain": "drained", "surge": "grew suddenly"}
)  # fmt: skip
Value = int | float | str | Place


@dataclass(frozen=True, slots=True)
class Slot:
    """One kind of word that a sentence leaves open."""

    pattern: str
    """Regular expression of lower-case words, without groups."""
    write: Callable[..., str]
    read: Callable[[str], Value]


def place_words(place: Place) -> str:
    """`in the top left, near the center`."""
    near = {None: "", True: f", {NEAR}", False: f", {FAR}"}[place.near]
    return f"in the {place.quadrant}{near}"


def count_words(count: int) -> str:
    """`no`, `one` ... `nine`, `more than nine`."""
    return NUMBERS[min(count, MANY)]


def lakes_words(count: int) -> str:
    """`one glacial lake`, `two glacial lakes`."""
    return f"{count_words(count)} glacial lake{'' if count == 1 else 's'}"


def _quadrant(words: str) -> Quadrant:
    return next(quadrant for quadrant in QUADRANTS if quadrant in words)


def _place(words: str) -> Place:
    near = True if NEAR in words else False if FAR in words else None
    return Place(_quadrant(words.split(",", maxsplit=1)[0]), near)


def _lakes(words: str) -> int:
    return NUMBERS.index(words.partition(" glacial")[0])


def _chosen(words: tuple[str, ...]) -> Slot:
    return Slot("|".join(words), str, str)


def _coded(words: Mapping[str, str]) -> Slot:
    codes = {said: code for code, said in words.items()}
    return Slot("|".join(words.values()), words.__getitem__, codes.__getitem__)


def _area(words: str) -> float:
    return float(words) * 1e6


def _km2(area_m2: float) -> str:
    return f"{area_m2 / 1e6:.3f}"


_QUADRANT: Final = "|".join(QUADRANTS)
_NUMBER: Final = "|".join(sorted(NUMBERS, key=len, reverse=True))
_PLACE: Final = f"in the (?:{_QUADRANT})(?:, (?:{NEAR}|{FAR}))?"
SLOTS: Final[Mapping[str, Slot]] = MappingProxyType(
    {
        "lakes": Slot(rf"(?:{_NUMBER}) glacial lakes?", lakes_words, _lakes),
        "tally": Slot(r"\d+ glacial lakes", lambda count: f"{count} glacial lakes", lambda words: int(words.split()[0])),
        "more": Slot(_NUMBER, count_words, NUMBERS.index),
        "place": Slot(_PLACE, place_words, _place),
        "other": Slot(_PLACE, place_words, _place),
        "quadrant": Slot(_QUADRANT, lambda place: place.quadrant, lambda words: Place(_quadrant(words))),
        "size": _chosen(SIZES),
        "extreme": _chosen(EXTREMES),
        "trend": _chosen(TRENDS),
        "year": Slot(r"\d{4}", str, int),
        "since": Slot(r"\d{4}", str, int),
        "verdict": _coded(VERDICTS),
        "event": _coded(EVENTS),
        "percent": Slot(r"\d{1,3}", lambda share: f"{math.floor(100 * share + 1e-9)}", lambda words: int(words) / 100),
        **{name: Slot(r"\d+\.\d{3}", _km2, _area) for name in ("km2", "before", "low", "high")},
        "metres": Slot(r"-?\d+", lambda metres: f"{metres:.0f}", float),
        "across": Slot(r"\d{1,3}", lambda share: f"{100 * share:.0f}", lambda words: int(words) / 100),
        "down": Slot(r"\d{1,3}", lambda share: f"{100 * share:.0f}", lambda words: int(words) / 100),
        "latitude": Slot(r"\d+\.\d{2} [ns]", lambda degrees: _degrees(degrees, "NS"), lambda words: _signed(words, "s")),
        "longitude": Slot(r"\d+\.\d{2} [ew]", lambda degrees: _degrees(degrees, "EW"), lambda words: _signed(words, "w")),
        "region": Slot(r"[a-z0-9 _-]+?", str, str),
        "lake_id": Slot(r"[a-z0-9_-]+", str, str),
    }
)


def _degrees(value: float, letters: str) -> str:
    return f"{abs(value):.2f} {letters[value < 0]}"


def _signed(words: str, negative: str) -> float:
    number, _, letter = words.partition(" ")
    return -float(number) if letter == negative else float(number)


def pattern_of(template: str) -> "re.Pattern[str]":
    """Regular expression with one named group per slot of a template, over lower-case text; `{is}` is a verb, not a slot."""
    parts = re.split(r"\{(\w+)\}", template.lower())
    pieces = []
    for index, part in enumerate(parts):
        if index % 2 == 0:
            pieces.append(re.escape(part))
        elif part == "is":
            pieces.append("(?:is|are)")
        else:
            pieces.append(f"(?P<{part}>{SLOTS[part].pattern})")
    return re.compile("".join(pieces))
