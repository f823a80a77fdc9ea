"""The bulletin that is always there: all that the facts of a scene support, said by rule.

It says what a describer may not invent, because no image shows it to the metre: names, areas with their intervals, what was hidden from
view, change since the year before, events, the place on Earth. It is the floor: a describer is worth its words only where it says more
that is true.
"""

from dataclasses import dataclass
from typing import Final, Literal

from catalog.facts.scene_facts import MANY, LakeFact, MissedLake, SceneFacts
from models.describer.answers import LISTED, asks, description
from models.language.inventory_truth import year_before
from models.language.sentences import Claim, joined, write
from models.language.slots import Value
from models.language.verify import verified

Claims = tuple[Claim, ...]
_FAMILIES: Final = ("position", "extreme", "change")


@dataclass(frozen=True, slots=True)
class Additions:
    """What a describer adds to the rule: sentences that are true and new, and what became of all that it said."""

    sentences: tuple[str, ...]
    printed: tuple[str, ...]
    """By answer, what of it is true."""
    kept: int = 0
    corrected: int = 0
    dropped: int = 0
    """Claims that were true, that were mended, and that were left out."""


def written(facts: SceneFacts, focus: str = "") -> str:
    """Say by rule how well was looked, how many lakes there are, where, how large, what changed and happened, and where on Earth that is.

    `focus` names a lake that is told of first, whatever else is larger.
    """
    paragraphs = (
        (*_looked(facts), *_happened(facts, alarm=True)),
        (*_counted(facts), *_measured(facts)),
        *_named(facts, focus),
        _happened(facts, alarm=False),
        _asked(facts),
    )
    return "\n".join(joined([write(claim) for claim in claims]) for claims in paragraphs if claims)


def additions(facts: SceneFacts, answers: tuple[str, ...], floor: str) -> Additions:
    """Of what a describer answered keep what is true, and of that what `floor` does not say."""
    checked = [verified(answer, facts) for answer in answers]
    printed = tuple(each.text.partition(" [SEG]")[0] for each in checked)
    new = dict.fromkeys(sentence for text in printed for sentence in _sentences(text) if sentence not in floor)
    counts = (sum(getattr(each, name) for each in checked) for name in ("kept", "corrected", "dropped"))
    return Additions(tuple(new), printed, *counts)


def _sentences(text: str) -> list[str]:
    return [f"{sentence.rstrip('.')}." for sentence in text.split(". ") if sentence]


def _looked(facts: SceneFacts) -> Claims:
    """Which year, and what it could not see: a count is a count of what was observed."""
    year, claims = facts.whereabouts.year, []
    if year is not None and facts.observed_share is not None:
        claims = [Claim("season", {"year": year}), *([] if facts.complete else [Claim("unfinished", {"year": year})])]
        claims.append(Claim("observed", {"percent": facts.observed_share}))
        claims += [_of_many("unseen", facts.unseen, year)] if facts.unseen else []
        claims += [_of_many("partly", facts.seen_in_part, year)] if facts.seen_in_part else []
    return tuple(claims)


def _of_many(kind: Literal["unseen", "partly"], count: int, year: int) -> Claim:
    """A count that is told exactly, however large."""
    if count < MANY:
        return Claim(kind, {"lakes": count, "year": year})
    return Claim("tally_unseen" if kind == "unseen" else "tally_partly", {"tally": count, "year": year})


def _counted(facts: SceneFacts) -> Claims:
    """The description, with exact numbers where a describer says `more than nine`."""
    return tuple(_exact(claim, facts) for claim in description(facts))


def _exact(claim: Claim, facts: SceneFacts) -> Claim:
    if claim.values.get("lakes") != MANY:
        return claim
    if claim.kind == "count":
        return Claim("tally", {"tally": len(facts.lakes)})
    place = claim.place("quadrant")
    return Claim("tally_in", {"tally": len(facts.within(place.quadrant)), "quadrant": place})


def _measured(facts: SceneFacts) -> Claims:
    return (Claim("total_area", {"km2": facts.area_m2}),) if len(facts.lakes) > 1 else ()


def _named(facts: SceneFacts, focus: str) -> tuple[Claims, ...]:
    """A paragraph for every named lake: area, interval, change; of many lakes only the one in focus and the largest ones."""
    named = [lake for lake in facts.lakes if lake.lake_id]
    first = [lake for lake in named if lake.lake_id == focus]
    largest = sorted(named, key=lambda lake: -lake.area_m2)[:LISTED]
    told = [*first, *(lake for lake in named if lake in largest and lake not in first)]
    missed = tuple(_missed(lake, facts) for lake in facts.missed if lake.lake_id == focus)
    return (missed, *((_area(lake), *_partly(lake, facts), *_change(lake, facts)) for lake in told))


def _missed(lake: MissedLake, facts: SceneFacts) -> Claim:
    return Claim("lake_absent" if lake.looked_for else "lake_unseen", {"lake_id": lake.lake_id, "year": facts.whereabouts.year or 0})


def _area(lake: LakeFact) -> Claim:
    values: dict[str, Value] = {"lake_id": lake.lake_id, "km2": lake.area_m2, "place": lake.place}
    if lake.low_m2 is None or lake.high_m2 is None:
        return Claim("lake_area", values)
    return Claim("lake_measured", {**values, "low": lake.low_m2, "high": lake.high_m2})


def _partly(lake: LakeFact, facts: SceneFacts) -> Claims:
    year = facts.whereabouts.year
    return (Claim("lake_partly", {"lake_id": lake.lake_id, "year": year}),) if lake.seen_in_part and year is not None else ()


def _change(lake: LakeFact, facts: SceneFacts) -> Claims:
    year = year_before(lake, facts)
    if year is not None and lake.verdict == "not_comparable":
        return (Claim("lake_incomparable", {"lake_id": lake.lake_id, "year": year}),)
    if year is None or lake.area_before_m2 is None:
        return ()
    if not lake.area_before_m2:
        return (Claim("lake_new", {"lake_id": lake.lake_id, "year": year}),)
    values: dict[str, Value] = {"lake_id": lake.lake_id, "before": lake.area_before_m2, "km2": lake.area_m2, "year": year}
    return (Claim("lake_change", values) if lake.verdict is None else Claim("lake_changed", {**values, "verdict": lake.verdict}),)


def _happened(facts: SceneFacts, *, alarm: bool) -> Claims:
    """Events: every alarm, and of the others the first ones where there are many."""
    told = [event for event in facts.events if event.alarm == alarm][: None if alarm else LISTED]
    word = "yes" if alarm else "no"
    return tuple(
        Claim("lake_event", {"lake_id": e.lake_id, "event": e.event, "since": e.year_from, "year": e.year_to, "alarm": word}) for e in told
    )


def _asked(facts: SceneFacts) -> Claims:
    claims = tuple(claim for ask in asks(facts) if ask.family in _FAMILIES for claim in ask.claims)
    return (*claims, *((Claim("incomparable", {"year": facts.incomparable_with}),) if facts.incomparable_with is not None else ()))
