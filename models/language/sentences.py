"""Statements about a scene as clauses of English, and clauses read back: `read(write(claim)) == claim` for every wording.

A clause is one template with its slots filled. Text is clauses ended by `.`, `:` or `;`. What no template reads is not understood,
and what is not understood cannot be vouched for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

from catalog.facts.scene_facts import Place
from models.language.slots import NUMBERS, SLOTS, Value, pattern_of

ClaimKind = Literal[
    "count", "count_in", "lake", "lake_at", "extreme", "nearest", "presence", "presence_in", "larger", "equal", "point", "position",
    "elevation", "region", "more", "fewer", "as_many", "trend", "total_area", "lake_area", "lake_change", "lake_new",
    "season", "unfinished", "observed", "tally", "tally_in", "unseen", "tally_unseen", "partly", "tally_partly", "lake_partly", "incomparable", "lake_measured", "lake_changed", "lake_incomparable", "lake_event", "lake_unseen",
    "lake_absent",
]  # fmt: skip
SEG: Final = "[SEG]"
"""Ends an answer that a mask belongs to."""
Fixed = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement about a scene that is true or false."""

    kind: ClaimKind
    values: Mapping[str, Value] = field(default_factory=dict)
    """By slot: `lakes`, `place`, `size`, ..."""

    def place(self, slot: str = "place") -> Place:
        """Value of a slot that holds a place."""
        value = self.values[slot]
        assert isinstance(value, Place)
        return value

    def number(self, slot: str) -> float:
        """Value of a slot that holds a number."""
        value = self.values[slot]
        assert isinstance(value, int | float)
        return value


_YES, _NO = "yes", "no"
TEMPLATES: Final[Mapping[ClaimKind, tuple[tuple[str, Fixed], ...]]] = MappingProxyType(
    {
        "count": (
            ("there {is} {lakes}", {}),
            ("the scene holds {lakes}", {}),
            ("{lakes} {is} visible", {}),
            ("in total, there {is} {lakes}", {}),
        ),
        "count_in": (
            ("there {is} {lakes} in the {quadrant}", {}),
            ("the {quadrant} holds {lakes}", {}),
            ("{lakes} {is} in the {quadrant}", {}),
        ),
        "lake": (
            ("a {size} one {place}", {}),
            ("a {size} glacial lake {place}", {}),
            ("one glacial lake lies {place} and is {size}", {}),
        ),
        "lake_at": (("one {place}", {}), ("a glacial lake {place}", {}), ("one glacial lake lies {place}", {})),
        "extreme": (
            ("the {extreme} glacial lake lies {place}", {}),
            ("the {extreme} one is {place}", {}),
            ("{place} lies the {extreme} glacial lake", {}),
        ),
        "nearest": (
            ("the glacial lake nearest to the center lies {place}", {}),
            ("nearest to the center is the one {place}", {}),
            ("closest to the middle of the scene lies the one {place}", {}),
        ),
        "presence": (
            ("yes, glacial lakes can be seen", {"answer": _YES}),
            ("yes, there is at least one glacial lake", {"answer": _YES}),
            ("yes, the scene shows glacial water", {"answer": _YES}),
            ("no, no glacial lake is visible", {"answer": _NO}),
            ("no, there is no glacial lake", {"answer": _NO}),
            ("no, the scene shows no glacial water", {"answer": _NO}),
        ),
        "presence_in": (
            ("yes, there is glacial water in the {quadrant}", {"answer": _YES}),
            ("yes, the {quadrant} shows a glacial lake", {"answer": _YES}),
            ("yes, at least one glacial lake lies in the {quadrant}", {"answer": _YES}),
            ("no, there is no glacial water in the {quadrant}", {"answer": _NO}),
            ("no, the {quadrant} shows no glacial lake", {"answer": _NO}),
            ("no, not one glacial lake lies in the {quadrant}", {"answer": _NO}),
        ),
        "larger": (
            ("the one {place} is larger than the one {other}", {}),
            ("the glacial lake {place} exceeds the one {other}", {}),
            ("of the two, the one {place} is larger than that {other}", {}),
        ),
        "equal": (
            ("the one {place} and the one {other} are about equal", {}),
            ("the glacial lakes {place} and {other} cover about the same area", {}),
            ("both are about as large, the one {place} and the one {other}", {}),
        ),
        "point": (
            ("the {extreme} one is at [{across}, {down}]", {}),
            ("the {extreme} glacial lake is centered on [{across}, {down}]", {}),
            ("[{across}, {down}] is the middle of the {extreme} glacial lake", {}),
        ),
        "position": (
            ("the scene lies at {latitude}, {longitude}", {}),
            ("its center is at {latitude}, {longitude}", {}),
            ("the coordinates are {latitude}, {longitude}", {}),
        ),
        "elevation": (
            ("it lies {metres} m above sea level", {}),
            ("its elevation is {metres} m", {}),
            ("the ground is at {metres} m", {}),
        ),
        "region": (("the region is {region}", {}), ("it belongs to {region}", {}), ("it is part of {region}", {})),
        "more": (
            ("the scene holds {more} more than in {year}", {}),
            ("the count rose by {more} since {year}", {}),
            ("compared with {year}, {more} more can be seen", {}),
        ),
        "fewer": (
            ("the scene holds {more} fewer than in {year}", {}),
            ("the count fell by {more} since {year}", {}),
            ("compared with {year}, {more} fewer can be seen", {}),
        ),
        "as_many": (
            ("there are as many glacial lakes as in {year}", {}),
            ("the count has not changed since {year}", {}),
            ("compared with {year}, the count is the same", {}),
        ),
        "trend": (
            ("the lake area has {trend} since {year}", {}),
            ("since {year}, the water has {trend}", {}),
            ("compared with {year}, the area has {trend}", {}),
        ),
        "total_area": (("together they cover {km2} km2", {}), ("the lake area is {km2} km2", {}), ("{km2} km2 are under water", {})),
        "lake_area": (("{lake_id} covers {km2} km2 {place}", {}), ("{lake_id} {place} has {km2} km2", {})),
        "lake_change": (("{lake_id} went from {before} to {km2} km2 since {year}", {}),),
        "lake_new": (("{lake_id} was not there in {year}", {}),),
        # what follows is said by rule alone: no image shows it
        "season": (("this is the inventory of {year}", {}),),
        "unfinished": (("the inventory of {year} is not complete", {}),),
        "observed": (("{percent} percent of the ground was observed", {}),),
        "tally": (("there are {tally}", {}),),
        "tally_in": (("there are {tally} in the {quadrant}", {}),),
        "tally_unseen": (("{tally} known from other years are hidden from view in {year}", {}),),
        "unseen": (("{lakes} known from other years {is} hidden from view in {year}", {}),),
        "partly": (("{lakes} {is} seen only in part in {year}", {}),),
        "tally_partly": (("{tally} are seen only in part in {year}", {}),),
        "lake_partly": (("{lake_id} was seen only in part in {year}", {}),),
        "incomparable": (("as a whole, the lakes cannot be compared with {year}", {}),),
        "lake_measured": (("{lake_id} covers {km2} km2 (95 percent interval {low} to {high}) {place}", {}),),
        "lake_changed": (("{lake_id} went from {before} to {km2} km2 since {year}, {verdict}", {}),),
        "lake_incomparable": (("{lake_id} cannot be compared with {year}", {}),),
        "lake_event": (
            ("{lake_id} {event} between {since} and {year}", {"alarm": _NO}),
            ("alarm, {lake_id} {event} between {since} and {year}", {"alarm": _YES}),
        ),
        "lake_unseen": (("{lake_id} was hidden from view in {year}", {}),),
        "lake_absent": (("{lake_id} was looked for in {year} and is not there", {}),),
    }
)
"""Wordings of each kind of claim; a value that a wording implies stands beside it."""


def wordings(claim: Claim) -> tuple[str, ...]:
    """Templates that say exactly this claim."""
    return tuple(
        template
        for template, fixed in TEMPLATES[claim.kind]
        if {**{name: claim.values.get(name) for name in _slots(template)}, **fixed} == dict(claim.values)
    )


def write(claim: Claim, frame: int = 0) -> str:
    """Say a claim as a clause, without capital and full stop; `frame` chooses among its wordings, in a circle."""
    templates = wordings(claim)
    template = templates[frame % len(templates)]
    words = {name: SLOTS[name].write(claim.values[name]) for name in _slots(template)}
    return template.replace("{is}", _verb(words)).format(**words)


def joined(clauses: Sequence[str], *, list_after_first: bool = False) -> str:
    """Clauses as sentences; or the first one, a colon, and the others divided by semicolons."""
    if list_after_first and len(clauses) > 1:
        return f"{_capital(clauses[0])}: {'; '.join(clauses[1:])}."
    return " ".join(f"{_capital(clause)}." for clause in clauses)


def clauses_of(text: str) -> tuple[str, ...]:
    """Clauses of a text, lower case, without marks of segmentation; decimals are not torn apart."""
    plain = text.replace(SEG, " ").lower()
    pieces = re.split(r"[.:;](?=\s|$)", plain)
    return tuple(" ".join(piece.split()) for piece in pieces if piece.strip())


def read_clause(clause: str) -> Claim | None:
    """The claim that a lower-case clause makes; None when no wording fits."""
    for kind, pattern, fixed in _patterns():
        match = pattern.fullmatch(clause)
        if match is not None:
            values = {name: SLOTS[name].read(words) for name, words in match.groupdict().items()}
            return Claim(kind, {**values, **fixed})
    return None


def _slots(template: str) -> tuple[str, ...]:
    return tuple(name for name in re.findall(r"\{(\w+)\}", template) if name != "is")


def _verb(words: Mapping[str, str]) -> str:
    # `there is one glacial lake`, `there are no glacial lakes`
    return "is" if words.get("lakes", "").startswith(NUMBERS[1]) else "are"


def _capital(clause: str) -> str:
    return clause[:1].upper() + clause[1:]


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[ClaimKind, "re.Pattern[str]", Fixed], ...]:
    return tuple((kind, pattern_of(template), fixed) for kind, own in TEMPLATES.items() for template, fixed in own)
