"""Clauses of questions about attributes: a pattern each, and what reads it."""

import re
from collections.abc import Iterable
from typing import Final

from catalog.facts.attribute_queries import STATUS_OF_SLUMPS, Unread
from models.referrer import attribute_reading as reading
from models.referrer.amounts import NUMBER, UNIT
from models.referrer.attribute_limits import Handle, Reading, Said
from models.referrer.attribute_words import (
    ATTRIBUTE_WORDS,
    COMPARISONS,
    FLAGS,
    HAPPENINGS,
    KINDS,
    MOST,
    NOUNS,
    PLACES,
    SUPERLATIVES,
    TRENDS,
)


def _either(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_CMP: Final = rf"(?P<comparison>{_either(COMPARISONS)})"
_AMOUNT: Final = rf"(?P<number>{NUMBER})(?: (?P<unit>{UNIT}))?"
_RANGE: Final = rf"(?P<low>{NUMBER})(?: (?P<low_unit>{UNIT}))? (?:and|to) (?P<high>{NUMBER})(?: (?P<high_unit>{UNIT}))?"
_YEAR: Final = r"(?:19|20)\d\d\b"
_YEARS: Final = rf"{_YEAR} (?:and|to) {_YEAR}(?! (?:{UNIT}))"
_LIMITS: Final = rf"(?:{_CMP} ?{_AMOUNT}|(?:between|from) (?!{_YEARS}){_RANGE})"
_NAMED: Final = rf"(?P<attribute>{_either(ATTRIBUTE_WORDS)})"
_TREND: Final = rf"(?:whose (?:area|size) (?:has )?)?(?P<trend>{_either(TRENDS)})(?: area| in area| in size)?"
_NOUN: Final = rf"(?P<noun>{_either(NOUNS)})(?P<plural>s?)\b"
_SUPERLATIVE: Final = _either(SUPERLATIVES)


def _with_small(so_far: Reading, _: Said) -> Reading | Unread:
    return so_far.with_query(small=True)


def _unchanged(so_far: Reading, _: Said) -> Reading | Unread:
    return so_far


CLAUSES: Final[tuple[tuple[re.Pattern[str], Handle], ...]] = tuple(
    (re.compile(rf"(?:{pattern})(?![\w-])"), handle)
    for pattern, handle in (
        (r"how many|(?:the )?(?:count|number) of|count", reading.asked("count")),
        (r"(?:the )?(?:total|combined)(?: surface)? area of", reading.asked("total_area")),
        (r"(?:with |and )?(?:a |an |the )?(?P<direction>growing|shrinking) trend", reading.direction),
        (
            r"(?:including|and) (?:those |lakes |slumps |ones )?(?:below|under) the minimum area",
            _with_small,
        ),
        (
            rf"(?:with (?:the )?flag|flagged)(?: as)? (?P<flag>{_either([*FLAGS, *(flag.replace('_', ' ') for flag in FLAGS)])})",
            reading.flag,
        ),
        (rf"(?:with (?:the )?)?status (?P<status>{_either([*STATUS_OF_SLUMPS, 'stabilised'])})", reading.status),
        (
            rf"(?:(?P<near>(?:closer|nearer) than)|(?P<within>within)|(?:farther|further|more) than) {_AMOUNT} (?:to|from|of|away from) "
            r"(?:a |an |the |any )?(?:nearest )?glaciers?",
            reading.from_glacier,
        ),
        (rf"{_TREND} (?:the )?most", reading.grew_most),
        (rf"{_TREND}(?: by)? {_LIMITS}(?: of (?:its|their)(?: surface)? area| in area)?", reading.trend),
        (rf"{_TREND} (?:in|during) (?P<year>{_YEAR})", reading.trend),
        (_TREND, reading.trend),
        (rf"(?P<happening>{_either(HAPPENINGS)}) (?:in|during) (?P<year>{_YEAR})", reading.happened),
        (rf"(?P<happening>{_either(HAPPENINGS)})(?P<before>(?= (?:{_either(NOUNS)})))?", reading.happened),
        (rf"by {_LIMITS}(?: of (?:its|their)(?: surface)? area)?", reading.changed_by),
        (rf"(?:with |whose |at )?(?:a |an |the )?{_NAMED} (?:of |is |are |that is )?{_LIMITS}", reading.named),
        (rf"{_LIMITS} (?:in |of )?{_NAMED}", reading.named),
        (rf"since (?P<first>{_YEAR})", reading.period),
        (rf"(?:between|from) (?P<first>{_YEAR}) (?:and|to) (?P<last>{_YEAR})(?! (?:{UNIT}))", reading.period),
        (_LIMITS, reading.compared),
        (rf"(?:with )?(?:the )?(?P<most>{_either(MOST)}) {_NAMED}", reading.ranked),
        (rf"(?P<count>\d+) (?P<superlative>{_SUPERLATIVE})", reading.ranked),
        (rf"(?P<place>{_either(PLACES)})[ -](?P<superlative>{_SUPERLATIVE})", reading.ranked),
        (rf"(?P<superlative>{_SUPERLATIVE})", reading.ranked),
        (r"top (?P<top>\d+)", reading.ranked),
        (rf"(?:ranked |ordered |sorted )?by (?P<by>growth|{_either(ATTRIBUTE_WORDS)})", reading.ranked),
        (rf"(?P<kind>{_either(KINDS)})", reading.kind),
        (
            r"(?P<part>(?:observed|seen) (?:only )?in part|partly (?:observed|seen))|(?P<none>not (?:observed|seen)|unobserved)|absent",
            reading.seen,
        ),
        (r"(?P<status>new|growing|stable|stabili[sz]ed)", reading.status),
        (rf"(?:in|of|for|as of)(?: the year)? (?P<year>{_YEAR})", reading.year),
        (r"(?:in|of) (?:the|this|that) (?:region|tile|inventory|area)", _unchanged),
        (rf"(?P<number_of>\d+) {_NOUN}", reading.noun),
        (_NOUN, reading.noun),
    )
)
"""In the order in which they are tried at each place of a question."""


def said_in(found: re.Match[str]) -> dict[str, str | None]:
    """What a clause says by name; the upper end of a range is its number."""
    said = found.groupdict()
    return said | {"number": said["high"], "unit": said["high_unit"]} if said.get("high") else said
