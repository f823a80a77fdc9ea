"""Questions about attributes: words to what a table is asked, every word read, or a question back. Nothing is guessed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from catalog.facts.attribute_queries import BY_CHANGE, AttributeQuery, Rank, Unread
from catalog.facts.records import Target
from models.referrer.amounts import plain_words
from models.referrer.attribute_clauses import CLAUSES, said_in
from models.referrer.attribute_limits import Reading
from models.referrer.attribute_words import (
    ATTRIBUTE_WORDS,
    GLUE,
    HAPPENINGS,
    NOUNS,
    OTHER_CLASSES,
    PLACES,
    SUPERLATIVES,
    TRENDS,
    VAGUE,
)

EXAMPLE: Final = "lakes larger than 0.1 km2 that grew since 2018"
_EXAMPLES: Final[dict[Target, str]] = {"lakes": EXAMPLE, "slumps": "thaw slumps larger than 1 ha that grew since 2018"}
_ASIDE: Final = (
    "that",
    "which",
    "what",
    "where",
    "who",
    "have",
    "has",
    "had",
    "is",
    "are",
    "was",
    "were",
    "been",
    "status",
    *ATTRIBUTE_WORDS,
)
_NOT_ASIDE: Final = "".join(rf"(?<!\b{word} )" for word in _ASIDE)
_VERBS: Final = "|".join(["is", "are", "was", "were", "has", "have", "had", *TRENDS, *(word for word in HAPPENINGS if "with" not in word)])
_PREDICATE: Final = re.compile(rf"(?<!^){_NOT_ASIDE}\b(?:{_VERBS})\b(?! (?:{'|'.join(NOUNS)}))")
"""A verb that does not belong to `that ...`: it is told of the features, and does not tell which."""
_OF_RANKED: Final = re.compile(
    rf"\b(?:which|how many|number|count|any|all|one|those) of the (?:\d+ )?(?:{'|'.join([*SUPERLATIVES, *PLACES])})\b"
)
_YES_OR_NO: Final = re.compile(r"(?:is|are|was|were|has|have|had|does|do|did|will)\b(?! (?:there|you|we|i)\b)")
_WORD: Final = re.compile(r"[^\s,;:?!]+")
_BREAK: Final = re.compile(r"[\s,;:?!]+|\.(?=\s)")


@dataclass(frozen=True, slots=True)
class Known:
    """What the words may be about."""

    target: Target
    """Of the region."""
    years: tuple[int, ...]
    """With an inventory, ascending."""
    year: int | None = None
    """That was asked for beside the words."""


def read_attributes(words: str, known: Known) -> AttributeQuery | Unread:
    """Read a question about attributes; asks back where a word is not understood, or may mean several things."""
    text = plain_words(words)
    # what a noun stands for is known before what is said of it
    target = next((NOUNS[noun] for noun in NOUNS if re.search(rf"\b{noun}s?\b", text)), known.target)
    reading: Reading | Unread = Reading(AttributeQuery(target))
    place = 0
    while place < len(text) and isinstance(reading, Reading):
        gap = _BREAK.match(text, place)
        if gap:
            place = gap.end()
            continue
        reading, place = _step(text, place, reading, known)
    return reading if isinstance(reading, Unread) else _misleading(text, reading) or _whole(reading, known)


def _misleading(text: str, reading: Reading) -> Unread | None:
    """What every word of was read, but in an order that may ask for something else."""
    if _YES_OR_NO.match(text):
        return Unread(
            True, f"I tell which, how many and how much, not yes or no. Ask for example: which {reading.noun or 'lake'}s grew since 2018."
        )
    ranked = reading.most is not None and (reading.most[0] != BY_CHANGE or reading.query.happening is not None)
    if _OF_RANKED.search(text) or (ranked and _PREDICATE.search(text)):
        noun = reading.noun or "lake"
        return Unread(
            True,
            f"Those first in order of all that fit, or what became of the first? Say: the largest {noun} that ..., for the former; "
            f"for the latter ask for the largest {noun} alone.",
        )
    return None


def _step(text: str, place: int, reading: Reading, known: Known) -> tuple[Reading | Unread, int]:
    """Read one clause, or one word that changes nothing."""
    for pattern, handle in CLAUSES:
        found = pattern.match(text, place)
        if found and found.end() > place:
            return handle(reading, said_in(found)), found.end()
    found = _WORD.match(text, place)
    word = found.group() if found else text[place:]
    return (reading if word in GLUE else _back(word, known)), place + len(word)


def _back(word: str, known: Known) -> Unread:
    if word in VAGUE:
        return Unread(True, VAGUE[word].format(word=word, years=_listed(known.years), first=known.years[0]))
    if word in OTHER_CLASSES:
        return Unread(
            False, f"The inventory of {known.target} does not know {OTHER_CLASSES[word]}; a referrer may see them: name one with --model."
        )
    return Unread(False, f"I do not understand {word!r} here. Say for example: {_EXAMPLES[known.target]}.")


def _whole(reading: Reading, known: Known) -> AttributeQuery | Unread:
    """Put together what was read; asks back where something is missing."""
    if not reading.noun:
        return Unread(False, f"About what? Say for example: {_EXAMPLES[known.target]}.")
    query = reading.query
    ranked = _rank(reading)
    if isinstance(ranked, Unread):
        return ranked
    query = replace(query, rank=ranked)
    if not reading.plural and query == AttributeQuery(query.target, year=query.year):
        return Unread(True, f"Which {reading.noun}? Say what tells it from the others, for example: the largest {reading.noun}.")
    return _dated(query, known)


def _rank(reading: Reading) -> Rank | Unread | None:
    if reading.most is None:
        return (
            None
            if reading.count is None
            else Unread(True, f"Which {reading.count}? Say for example: the {reading.count} largest {reading.noun}s.")
        )
    by, highest = reading.most
    if reading.place is not None and (reading.plural or reading.count is not None):
        return Unread(True, f"How many from place {reading.place} on? Ask for one, or for the {reading.place + 1} first.")
    if reading.plural and reading.count is None:
        return Unread(True, f"How many? Say for example: the three that come first, as in: the three largest {reading.noun}s.")
    if reading.count == 0:
        return Unread(True, "None of them? Ask for one or more.")
    return Rank(by, highest, reading.count or 1, reading.place or 1)


def _dated(query: AttributeQuery, known: Known) -> AttributeQuery | Unread:
    """Settle the years; asks back for those without an inventory, and where it is not said since when."""
    there = f"There are inventories of {_listed(known.years)}."
    for year in (query.year, query.since, query.until):
        if year is not None and year not in known.years:
            return Unread(True, f"No inventory of {year}. {there}")
    if query.year is not None and known.year not in (None, query.year):
        return Unread(True, f"The words say {query.year}, --year says {known.year}: which of them?")
    dated = replace(query, year=query.year or known.year or query.until or known.years[-1])
    if query.change is None and query.happening is None:
        if query.since is None:
            return dated
        return Unread(
            True, f"What since {query.since}? Say for example: that grew since {query.since}, or: that appeared since {query.since}."
        )
    return _between(replace(dated, until=query.until or dated.year), known, there)


def _between(query: AttributeQuery, known: Known, there: str) -> AttributeQuery | Unread:
    """Settle the years that a change or an event lies between; what happened may have happened since the first of all."""
    assert query.until is not None
    assert query.year is not None
    if query.until > query.year:
        return Unread(True, f"The inventory of {query.year} knows nothing of {query.until}: which year? {there}")
    if query.change is not None and query.since is None:
        earlier = [each for each in known.years if each < query.until]
        if len(earlier) != 1:
            choices = f"Say since when: {_listed(earlier, last='or')}." if earlier else "There is no earlier year to compare with."
            return Unread(True, f"{query.change.trend.capitalize()} since when? {choices}")
        query = replace(query, since=earlier[0])
    if query.since is not None and query.since >= (query.until or 0):
        return Unread(True, f"Nothing lies between {query.since} and {query.until}: say an earlier year. {there}")
    return query


def _listed(years: Sequence[int], last: str = "and") -> str:
    told = [str(year) for year in years]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} {last} {told[-1]}"
