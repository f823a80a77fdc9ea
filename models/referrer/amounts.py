"""Numbers and units in questions: read to m2, m, m3 and percent, and said again."""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from catalog.facts.attribute_queries import Quantity

UNITS: Final[Mapping[str, tuple[Quantity | None, Decimal]]] = MappingProxyType(
    {
        "km2": ("area", Decimal(1_000_000)),
        "ha": ("area", Decimal(10_000)),
        "m2": ("area", Decimal(1)),
        "km": ("length", Decimal(1000)),
        "m": ("length", Decimal(1)),
        "m3": ("volume", Decimal(1)),
        "percent": (None, Decimal(1)),
    }
)
"""What a unit measures, and how many of our own it is; percent may be of a share or of a change."""
NUMBER: Final = r"(?<![-\d.,])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![\d.,]*\d)"
"""`1200`, `1,200.5`; not `1,5`, which is one and a half to some and a slip to others."""
UNIT: Final = r"(?:km2|ha|m2|m3|km|m|percent)\b"
_SPELLED: Final = (
    (r"(?<![a-z])(?:square|sq\.?) ?(?:kilomet(?:er|re)s?|kms?)\b|(?<![a-z])km(?: ?\^ ?2|2\b)|(?<![a-z])km²", "km2"),
    (r"(?<![a-z])(?:square|sq\.?) ?(?:met(?:er|re)s?|ms?)\b|(?<![a-z])m(?: ?\^ ?2|2\b)|(?<![a-z])m²", "m2"),
    (r"(?<![a-z])(?:cubic) ?(?:met(?:er|re)s?|m)\b|(?<![a-z])m(?: ?\^ ?3|3\b)|(?<![a-z])m³", "m3"),
    (r"(?<![a-z])hectares?\b", "ha"),
    (r"(?<![a-z])kilomet(?:er|re)s?\b", "km"),
    (r"(?<![a-z])met(?:er|re)s?\b", "m"),
    (r" ?%|\bper cent\b", " percent"),
    (r"(?<=\d)(?=(?:km2|ha|m2|m3|km|m)\b)", " "),
)
_SMALL: Final = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_VALUES: Final[Mapping[str, int]] = MappingProxyType(
    {word: value for value, word in enumerate(_SMALL, 1)}
    | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
)
_POWERS: Final[Mapping[str, int]] = MappingProxyType({"hundred": 100, "thousand": 1000, "million": 1_000_000})
_NUMBER_WORD: Final = "|".join([*_VALUES, *_POWERS])
_NUMBER_WORDS: Final = re.compile(rf"\b(?:(?:{_NUMBER_WORD})(?:[ -](?:and )?(?={_NUMBER_WORD})|\b))+")


def plain_words(words: str) -> str:
    """Lower case, units in one spelling, numbers in figures, one space between words.

    `More than Two Hundred square metres` -> `more than 200 m2`.
    """
    text = " ".join(words.lower().replace("’", "'").split()).strip(" .?!")
    for pattern, ours in _SPELLED:
        text = re.sub(pattern, ours, text)
    text = re.sub(r"\bhalf an? (?=km2|ha|m2|km|m\b)", "0.5 ", text)
    return " ".join(_NUMBER_WORDS.sub(lambda found: str(_spelled(found.group())), text).split())


def amount(number: str, unit: str) -> float:
    """A number with its unit in m2, m, m3 or percent."""
    # in decimals, so that 0.1 km2 is 100000 m2 and not a hair more
    return float(Decimal(number.replace(",", "")) * UNITS[unit][1])


def said_amount(value: float, quantity: Quantity | None) -> str:
    """An amount with a unit that suits it; reading it gives the same number. Shares are said in percent."""
    if quantity == "share":
        return f"{_figures(Decimal(repr(value)) * 100)} percent"
    unit = {None: "percent", "length": "m", "volume": "m3", "area": "m2" if value < 1000 else "km2"}[quantity]
    return f"{_figures(Decimal(repr(value)) / UNITS[unit][1])} {unit}"


def _figures(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _spelled(words: str) -> int:
    total, part = 0, 0
    for word in re.split(r"[ -]+", words.replace(" and ", " ").strip()):
        if word in _VALUES:
            part += _VALUES[word]
        elif word == "hundred":
            part = max(part, 1) * 100
        else:
            total, part = total + max(part, 1) * _POWERS[word], 0
    return total + part
