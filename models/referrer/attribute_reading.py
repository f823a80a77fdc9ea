"""What clauses of a question about attributes add to it, and what is asked back of those that say too little."""

from dataclasses import replace
from typing import Any, cast

from catalog.facts.attribute_queries import (
    BY_CHANGE,
    STATUS_OF_SLUMPS,
    Change,
    Seen,
    Unread,
    attribute,
)
from catalog.facts.records import Target
from models.referrer.amounts import UNITS
from models.referrer.attribute_limits import Handle, Reading, Said, limits_of, with_condition
from models.referrer.attribute_words import (
    ATTRIBUTE_WORDS,
    COMPARISONS,
    HAPPENINGS,
    HEIGHTS,
    KINDS,
    MOST,
    NOUNS,
    PLACES,
    SUPERLATIVES,
    TRENDS,
)


def named(reading: Reading, said: Said) -> Reading | Unread:
    """Read a limit of an attribute that is named: `with a perimeter of more than 2 km`."""
    name = ATTRIBUTE_WORDS[said["attribute"] or ""]
    return with_condition(reading, name, limits_of(said, attribute(name).quantity))


def compared(reading: Reading, said: Said) -> Reading | Unread:
    """Read `larger than 1 km2`, `above 4500 m`, `more than 10 %`: the word or the unit tells which attribute."""
    word, unit = said.get("comparison"), said["unit"]
    named = COMPARISONS[word][1] if word else None
    if unit == "percent":
        return changed_by(reading, said)
    if named is None and unit is not None:
        measured, change = UNITS[unit][0], reading.query.change
        if measured == "area" and change is not None and change.limits is None and change.trend in ("grew", "shrank"):
            size = f"{said['number']} {unit}"
            return Unread(
                True,
                f"{size} in all, or {change.trend} by it? Say for example: larger than {size}, or: {change.trend} by more than {size}.",
            )
        named = "area" if measured == "area" else "volume" if measured == "volume" else "elevation" if word in HEIGHTS else None
        if named is None:
            return Unread(
                True,
                f"Which length is {said['number']} {unit}? Say for example: elevation above {said['number']} {unit}, or perimeter more than it.",
            )
    return with_condition(reading, named, limits_of(said, attribute(named).quantity)) if named else _unitless(said)


def _unitless(said: Said) -> Unread:
    found = limits_of(said, None)
    assert isinstance(found, Unread)
    return found


def changed_by(reading: Reading, said: Said) -> Reading | Unread:
    """Read `by more than 10 %`, behind what it is about."""
    change = reading.query.change
    if change is None or change.limits is not None or change.trend not in ("grew", "shrank"):
        return Unread(
            True,
            f"{said['number']} {said['unit'] or ''} of what? Say for example: that grew by more than 10 percent since 2018.".replace(
                "  ", " "
            ),
        )
    limits = limits_of(said, None if said["unit"] == "percent" else "area")
    if isinstance(limits, Unread):
        return limits
    return replace(reading, query=replace(reading.query, change=replace(change, limits=limits, percent=said["unit"] == "percent")))


def from_glacier(reading: Reading, said: Said) -> Reading | Unread:
    """Read a distance: `within 500 m of a glacier`."""
    comparison = "less than" if said["near"] else "at most" if said["within"] else "more than"
    return with_condition(reading, "distance to a glacier", limits_of({**said, "comparison": comparison}, "length"))


def trend(reading: Reading, said: Said) -> Reading | Unread:
    """Read what became of areas: `grew`, `shrank by more than 10 %`."""
    if said.get("year"):
        return _between_years(f"{said['trend']} in {said['year']}")
    begun = reading.with_query(change=Change(TRENDS[said["trend"] or ""]))
    if isinstance(begun, Unread) or said.get("number") is None:
        return begun
    return changed_by(begun, said)


def _between_years(what: str) -> Unread:
    return Unread(True, f"{what.capitalize()}: changes lie between years. Say since which year, or between which two.")


def grew_most(reading: Reading, said: Said) -> Reading | Unread:
    """Read a ranking by change: `grew most`."""
    begun = trend(reading, said)
    if isinstance(begun, Unread):
        return begun
    return replace(begun, most=(BY_CHANGE, TRENDS[said["trend"] or ""] == "grew"))


def happened(reading: Reading, said: Said) -> Reading | Unread:
    """Read an event: `drained`."""
    if said.get("year"):
        return _between_years(f"{said['happening']} in {said['year']}")
    happening = HAPPENINGS[said["happening"] or ""]
    if said.get("before") is not None and reading.query.target == "slumps" and happening in STATUS_OF_SLUMPS:
        return Unread(True, f"{happening.capitalize()} by which measure? Say: with status {happening}, or: that {happening} since a year.")
    return reading.with_query(happening=happening)


def period(reading: Reading, said: Said) -> Reading | Unread:
    """Read the years between which something changed or happened: `since 2018`, `between 2018 and 2020`."""
    first, last = int(said["first"] or 0), said.get("last")
    return reading.with_query(since=first, **({"until": int(last)} if last else {}))


def status(reading: Reading, said: Said) -> Reading | Unread:
    """Read the status of slumps; of lakes it may mean several things."""
    word = {"stabilised": "stabilized"}.get(said["status"] or "", said["status"] or "")
    if reading.query.target == "slumps":
        return reading.with_query(kind=word)
    if word == "new":
        return Unread(True, "New since which year? Say for example: lakes that appeared since 2020.")
    if word == "growing":
        return Unread(True, "Growing by which measure? Say: with a growing trend, or: that grew since a year.")
    return Unread(False, f"The inventory of lakes has no status {word!r}: it is told of slumps alone.")


def kind(reading: Reading, said: Said) -> Reading | Unread:
    """Read the type of lakes."""
    if reading.query.target != "lakes":
        return Unread(False, f"{said['kind']} is told of lakes alone, and this is an inventory of {reading.query.target}.")
    return reading.with_query(kind=KINDS[said["kind"] or ""])


def seen(reading: Reading, said: Said) -> Reading | Unread:
    """Read what was observed of features in the year."""
    state: Seen = "observed in part" if said["part"] else "unobserved" if said["none"] else "absent"
    return reading.with_query(seen=state)


def ranked(reading: Reading, said: Said) -> Reading | Unread:
    """Read a ranking: `3 largest`, `second highest`, `with the longest perimeter`, `top 5`, `by growth`."""
    if reading.most is not None:
        return Unread(True, "The question ranks by two things: ask for one at a time.")
    if said.get("superlative"):
        most = SUPERLATIVES[said["superlative"] or ""]
    elif said.get("top"):
        return replace(reading, count=int(said["top"] or 0))
    elif said.get("by"):
        most = (BY_CHANGE, True) if said["by"] == "growth" else (ATTRIBUTE_WORDS[said["by"] or ""], True)
    else:
        most = (ATTRIBUTE_WORDS[said["attribute"] or ""], MOST[said["most"] or ""])
    if most[0] != BY_CHANGE and reading.query.target not in attribute(most[0]).targets:
        return Unread(False, f"The inventory of {reading.query.target} does not tell their {most[0]}.")
    count = int(said["count"] or 0) if said.get("count") else reading.count
    place = PLACES.index(said["place"] or "") + 1 if said.get("place") else None
    ranked = replace(reading, most=most, count=count, place=place)
    return ranked.with_query(change=Change("grew")) if most[0] == BY_CHANGE and reading.query.change is None else ranked


def noun(reading: Reading, said: Said) -> Reading | Unread:
    """Read what the question is about: `5 lakes`, `slump`."""
    target: Target = NOUNS[said["noun"] or ""]
    if reading.noun and NOUNS[reading.noun] != target:
        return Unread(True, "The question is about lakes and slumps: ask about one of them at a time.")
    count = int(said["number_of"] or 0) if said.get("number_of") else reading.count
    return replace(reading, noun=said["noun"] or "", plural=reading.plural or bool(said["plural"]), count=count)


def asked(asks: str) -> Handle:
    """Return what reads a request for a number instead of a list."""
    return lambda reading, _: reading.with_query(asks=asks)


def year(reading: Reading, said: Said) -> Reading | Unread:
    """Read the year of the inventory."""
    return reading.with_query(year=int(said["year"] or 0))


def flag(reading: Reading, said: Said) -> Reading | Unread:
    """Read a flag of the inventory."""
    flag = (said["flag"] or "").replace(" ", "_")
    found = reading.with_query(flag=flag)
    return found if isinstance(found, Unread) or flag != "below_minimum_area" else replace(found, query=replace(found.query, small=True))


def direction(reading: Reading, said: Said) -> Reading | Unread:
    """Read the direction of the trend through all years."""
    return reading.with_query(direction=cast("Any", said["direction"]))
