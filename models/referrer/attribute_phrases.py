"""Questions about attributes in the program's own words, which read back as the same question, and their answers as sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from catalog.facts.attribute_queries import BY_CHANGE, AttributeQuery, Limits, Quantity, Rank, Seen, attribute
from catalog.facts.feature_classes import FeatureClass, words_of
from catalog.facts.records import Target
from models.referrer.amounts import said_amount
from models.referrer.attribute_words import PLACES
from models.referrer.references import Cell
from models.referrer.wording import cell_words

CLASS_OF: Final[Mapping[Target, FeatureClass]] = {"lakes": "lake", "slumps": "thaw slump"}
_COMPARED: Final = {"above": "more than", "at least": "at least", "below": "less than", "at most": "at most"}
_SUPERLATIVES: Final = {
    ("area", True): "largest",
    ("area", False): "smallest",
    ("elevation", True): "highest",
    ("elevation", False): "lowest",
}
_SEEN: Final[Mapping[Seen, str]] = {"observed in part": "observed in part", "unobserved": "not observed", "absent": "absent"}


def said_query(query: AttributeQuery) -> str:
    """Say a question whose years are settled, for example `lakes in 2023 with an area of more than 1 km2 that grew between 2018 and 2023`."""
    asked = {"count": "how many ", "total_area": "the total area of ", "list": ""}[query.asks]
    return f"{asked}{_noun(query)} in {query.year}{''.join(f' {part}' for part in _parts(query))}"


def nouns(query: AttributeQuery, count: int) -> str:
    """`one lake`, `3 lakes`, `no lakes`."""
    words = words_of(CLASS_OF[query.target])
    return f"one {words.one}" if count == 1 else f"{count or 'no'} {words.many}"


def _noun(query: AttributeQuery) -> str:
    words, rank = words_of(CLASS_OF[query.target]), query.rank
    kind = f"{query.kind} " if query.kind is not None and query.target == "lakes" else ""
    if rank is None:
        return f"{kind}{words.many}"
    noun = words.one if rank.count == 1 else words.many
    count = "" if rank.count == 1 else f"{rank.count} "
    superlative = _SUPERLATIVES.get((rank.by, rank.highest))
    if superlative is None:
        return f"the {kind}{count}{noun}"
    return f"the {PLACES[rank.place - 1] + ' ' if rank.place > 1 else ''}{count}{superlative} {kind}{noun}"


def _parts(query: AttributeQuery) -> Iterator[str]:
    if query.rank is not None and (query.rank.by, query.rank.highest) not in _SUPERLATIVES and query.rank.by != BY_CHANGE:
        yield f"with the {'highest' if query.rank.highest else 'lowest'} {query.rank.by}"
    for condition in query.conditions:
        yield f"with {condition.attribute} {_limits(condition.limits, attribute(condition.attribute).quantity)}"
    told = {
        f"with status {query.kind}": query.kind is not None and query.target == "slumps",
        f"with the flag {query.flag}": query.flag is not None,
        f"with a {query.direction} trend": query.direction is not None,
        f"that were {_SEEN.get(query.seen or 'absent')}": query.seen is not None,
        f"that {_changed(query)}": query.change is not None,
        f"that {query.happening}": query.happening is not None,
        f"between {query.since} and {query.until}": query.since is not None,
        "including those below the minimum area": query.small and query.flag != "below_minimum_area",
    }
    yield from (words for words, said in told.items() if said)


def _changed(query: AttributeQuery) -> str:
    change = query.change
    if change is None:
        return ""
    ranked: Rank | None = query.rank if query.rank and query.rank.by == BY_CHANGE else None
    amount = "" if change.limits is None else f" by {_limits(change.limits, None if change.percent else 'area')}"
    return f"{change.trend}{' most' if ranked else ''}{amount}"


def _limits(limits: Limits, quantity: Quantity | None) -> str:
    values = [said_amount(value, quantity) for value in limits.values]
    return f"between {values[0]} and {values[1]}" if limits.comparison == "between" else f"{_COMPARED[limits.comparison]} {values[0]}"


def told_attributes(query: AttributeQuery, where: str, count: int, number: float, more: tuple[int, int], cell: Cell | None = None) -> str:
    """One sentence for what was found, saying that it comes from the tables, and what was left out.

    `more`: how many below the minimum area would fit, and how many whose changes cannot be compared; `cell`: where of the place alone.
    """
    source = f"by the tables of the inventory of {where}"
    small, incomparable = more
    said = f"{said_query(replace(query, asks='list'))}{'' if cell is None else ' ' + cell_words(cell)}"
    fits = f"{'fits' if count == 1 else 'fit'} {said!r}, {source}{'' if cell is None else ' and the place of their outlines'}."
    found = f"{nouns(query, count)} {fits}"
    if query.asks == "total_area":
        found = f"{said_amount(float(round(number)), 'area')} in all: {nouns(query, count)} {fits}"
    told = [found[0].upper() + found[1:]]
    if query.change is not None and query.change.trend in ("grew", "shrank"):
        told.append("A change within its error counts as none.")
        told += [f"Of {incomparable} more a change cannot be compared."] if incomparable else []
    if query.direction is not None:
        told.append("A trend is that of all comparable years.")
    if small:
        told.append(f"{small} more below the minimum area would fit.")
    return " ".join(told)
