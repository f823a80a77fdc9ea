"""What was read of a question so far, and the limits of an attribute in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from catalog.facts.attribute_queries import AttributeQuery, Comparison, Condition, Limits, Quantity, Unread, attribute
from models.referrer.amounts import UNITS, amount
from models.referrer.attribute_words import COMPARISONS


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a question so far."""

    query: AttributeQuery
    noun: str = ""
    plural: bool = False
    most: tuple[str, bool] | None = None
    """Attribute that the features are ranked by, and whether the highest comes first."""
    count: int | None = None
    """How many of them."""
    place: int | None = None

    def with_query(self, **more: Any) -> "Reading | Unread":
        """Add what the question asks; what it asks already is asked back."""
        told = [name for name in more if getattr(self.query, name) not in (None, (), False, "list")]
        if told:
            return Unread(True, f"The question says two things about {_ABOUT[told[0]]}: ask for one at a time.")
        return replace(self, query=replace(self.query, **more))


Said = Mapping[str, str | None]
"""Parts of a clause by name."""
Handle = Callable[[Reading, Said], Reading | Unread]
_ABOUT: Final[Mapping[str, str]] = {
    "asks": "what is to be told",
    "kind": "the type",
    "flag": "the flags",
    "change": "how areas changed",
    "happening": "what happened",
    "direction": "the trend",
    "seen": "what was observed",
    "since": "the years to compare",
    "until": "the years to compare",
    "year": "the year of the inventory",
}


def limits_of(said: Said, quantity: Quantity | None) -> Limits | Unread:
    """Limits in our units; asks back for numbers without a unit, or with one that does not measure that."""
    unit = said["unit"]
    numbers = [number for number in (said.get("low"), said["number"]) if number is not None]
    if unit is None:
        return Unread(True, f"{numbers[-1]} of what? Say it with its unit: {_choices(numbers[-1], quantity)}.")
    measured = UNITS[unit][0]
    if quantity is not None and measured != (None if quantity == "share" else quantity):
        return Unread(True, f"{numbers[-1]} {unit} is no {quantity}: say {_choices(numbers[-1], quantity)}.")
    values = [amount(numbers[-1], unit)]
    if len(numbers) == 2:
        values.insert(0, amount(numbers[0], said.get("low_unit") or unit))
        if values[0] > values[1]:
            return Unread(True, f"Nothing is between {numbers[0]} and {numbers[1]}: say the lower number first.")
    values = [value / 100 for value in values] if quantity == "share" else values
    comparison: Comparison = "between" if len(values) == 2 else COMPARISONS[said["comparison"] or ""][0]
    return Limits(comparison, tuple(values))


def _choices(number: str, quantity: Quantity | None) -> str:
    units = {
        "area": ("km2", "ha", "m2"),
        "length": ("m", "km"),
        "volume": ("m3",),
        "share": ("percent",),
        None: ("km2", "ha", "m2", "m", "percent"),
    }[quantity]
    told = [f"{number} {unit}" for unit in units]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} or {told[-1]}"


def with_condition(reading: Reading, name: str, limits: Limits | Unread) -> Reading | Unread:
    """Add a limit of an attribute to a question, unless the inventory does not tell it."""
    if isinstance(limits, Unread):
        return limits
    if reading.query.target not in attribute(name).targets:
        return Unread(False, f"The inventory of {reading.query.target} does not tell their {name}.")
    return replace(reading, query=replace(reading.query, conditions=(*reading.query.conditions, Condition(name, limits))))
