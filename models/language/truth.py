"""What a claim would have to say to be true: every kind of claim against the facts of a scene."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from catalog.facts.scene_facts import CHANGED_AREA, MANY, SAME_AREA, LakeFact, SceneFacts
from models.language import inventory_truth as of_inventory
from models.language.inventory_truth import AREA_OFF_M2, alike, named
from models.language.sentences import Claim, ClaimKind

Judge = Callable[[Claim, SceneFacts], bool]
_POINT_OFF: Final = 0.03
"""A point counts as right within this share of the scene."""


def holds(claim: Claim, facts: SceneFacts) -> bool:
    """Say whether a claim is true of a scene; claims of single lakes are true when any lake fits."""
    return _JUDGES[claim.kind](claim, facts)


def extreme(facts: SceneFacts, word: str) -> LakeFact:
    """The largest or the smallest lake."""
    return (max if word == "largest" else min)(facts.lakes, key=lambda lake: lake.area_m2)


def nearest(facts: SceneFacts) -> LakeFact:
    """The lake whose point is nearest to the center."""
    return min(facts.lakes, key=lambda lake: lake.distance)


def trend(facts: SceneFacts) -> str | None:
    """How the area changed since the earlier year; None when nobody knows."""
    if facts.earlier is None:
        return None
    before, now = facts.earlier.area_m2, facts.area_m2
    if abs(now - before) <= CHANGED_AREA * before:
        return "hardly changed"
    return "grown" if now > before else "shrunk"


def _count(claim: Claim, facts: SceneFacts) -> bool:
    return claim.values["lakes"] == min(len(facts.lakes), MANY)


def _count_in(claim: Claim, facts: SceneFacts) -> bool:
    return claim.values["lakes"] == min(len(facts.within(claim.place("quadrant").quadrant)), MANY)


def _lake(claim: Claim, facts: SceneFacts) -> bool:
    return any(alike(lake.place, claim.place()) and claim.values.get("size", lake.size) == lake.size for lake in facts.lakes)


def _extreme(claim: Claim, facts: SceneFacts) -> bool:
    return any(alike(lake.place, claim.place()) for lake in _as_extreme(claim, facts))


def _point(claim: Claim, facts: SceneFacts) -> bool:
    x, y = claim.number("across"), claim.number("down")
    return any(max(abs(lake.x - x), abs(lake.y - y)) <= _POINT_OFF for lake in _as_extreme(claim, facts))


def _as_extreme(claim: Claim, facts: SceneFacts) -> list[LakeFact]:
    """Lakes that may be called the largest, or the smallest: those whose area cannot be told from it."""
    if not facts.lakes:
        return []
    area = extreme(facts, str(claim.values["extreme"])).area_m2
    return [lake for lake in facts.lakes if abs(lake.area_m2 - area) <= SAME_AREA * area]


def _nearest(claim: Claim, facts: SceneFacts) -> bool:
    return bool(facts.lakes) and any(
        alike(lake.place, claim.place()) and lake.distance <= nearest(facts).distance + _POINT_OFF for lake in facts.lakes
    )


def _presence(claim: Claim, facts: SceneFacts) -> bool:
    return (claim.values["answer"] == "yes") == bool(facts.lakes)


def _presence_in(claim: Claim, facts: SceneFacts) -> bool:
    return (claim.values["answer"] == "yes") == bool(facts.within(claim.place("quadrant").quadrant))


def _larger(claim: Claim, facts: SceneFacts) -> bool:
    first, second = facts.at(claim.place()), facts.at(claim.place("other"))
    if not first or not second:
        return False
    return min(lake.area_m2 for lake in first) > max(lake.area_m2 for lake in second) * (1 + SAME_AREA)


def _equal(claim: Claim, facts: SceneFacts) -> bool:
    areas = [lake.area_m2 for slot in ("place", "other") for lake in facts.at(claim.place(slot))]
    both = bool(facts.at(claim.place())) and bool(facts.at(claim.place("other")))
    return both and max(areas) <= min(areas) * (1 + SAME_AREA)


def _position(claim: Claim, facts: SceneFacts) -> bool:
    where = facts.whereabouts
    if where.latitude is None or where.longitude is None:
        return False
    return all(abs(claim.number(name) - own) < 0.0051 for name, own in (("latitude", where.latitude), ("longitude", where.longitude)))


def _elevation(claim: Claim, facts: SceneFacts) -> bool:
    return facts.whereabouts.elevation_m is not None and abs(claim.number("metres") - facts.whereabouts.elevation_m) <= 0.5


def _region(claim: Claim, facts: SceneFacts) -> bool:
    return bool(facts.whereabouts.region) and str(claim.values["region"]).lower() == facts.whereabouts.region.lower()


def _difference(claim: Claim, facts: SceneFacts) -> int | None:
    if facts.earlier is None or claim.values["year"] != facts.earlier.year:
        return None
    return len(facts.lakes) - facts.earlier.count


def _more(claim: Claim, facts: SceneFacts) -> bool:
    difference = _difference(claim, facts)
    signed = None if difference is None else difference if claim.kind == "more" else -difference
    return signed is not None and signed > 0 and min(signed, MANY) == claim.values["more"]


def _as_many(claim: Claim, facts: SceneFacts) -> bool:
    return _difference(claim, facts) == 0


def _trend(claim: Claim, facts: SceneFacts) -> bool:
    return facts.earlier is not None and claim.values["year"] == facts.earlier.year and claim.values["trend"] == trend(facts)


def _total_area(claim: Claim, facts: SceneFacts) -> bool:
    return abs(claim.number("km2") - facts.area_m2) <= AREA_OFF_M2


def _lake_area(claim: Claim, facts: SceneFacts) -> bool:
    return any(abs(claim.number("km2") - lake.area_m2) <= AREA_OFF_M2 and alike(lake.place, claim.place()) for lake in named(claim, facts))


_JUDGES: Final[Mapping[ClaimKind, Judge]] = MappingProxyType(
    {
        "count": _count,
        "count_in": _count_in,
        "lake": _lake,
        "lake_at": _lake,
        "extreme": _extreme,
        "nearest": _nearest,
        "presence": _presence,
        "presence_in": _presence_in,
        "larger": _larger,
        "equal": _equal,
        "point": _point,
        "position": _position,
        "elevation": _elevation,
        "region": _region,
        "more": _more,
        "fewer": _more,
        "as_many": _as_many,
        "trend": _trend,
        "total_area": _total_area,
        "lake_area": _lake_area,
        "lake_change": of_inventory.lake_change,
        "lake_new": of_inventory.lake_new,
        "season": of_inventory.season,
        "unfinished": of_inventory.unfinished,
        "observed": of_inventory.observed,
        "tally": of_inventory.tally,
        "tally_in": of_inventory.tally,
        "tally_unseen": of_inventory.unseen,
        "unseen": of_inventory.unseen,
        "partly": of_inventory.partly,
        "tally_partly": of_inventory.partly,
        "lake_partly": of_inventory.partly,
        "incomparable": of_inventory.incomparable,
        "lake_measured": of_inventory.lake_measured,
        "lake_changed": of_inventory.lake_changed,
        "lake_incomparable": of_inventory.lake_changed,
        "lake_event": of_inventory.lake_event,
        "lake_unseen": of_inventory.lake_missed,
        "lake_absent": of_inventory.lake_missed,
    }
)
