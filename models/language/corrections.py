"""A false claim to the true one of the same kind about the same thing, where the scene has such a thing."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from catalog.facts.scene_facts import MANY, SceneFacts
from models.language.inventory_truth import named
from models.language.sentences import Claim, ClaimKind
from models.language.slots import Value
from models.language.truth import holds, trend

Values = list[Mapping[str, Value]]
Candidates = Callable[[Claim, SceneFacts], Values]


def corrected(claim: Claim, facts: SceneFacts) -> Claim | None:
    """Return the claim itself where it is true, else a true one of its kind; None when the scene has nothing that it could mean."""
    if holds(claim, facts):
        return claim
    make = _CANDIDATES.get(claim.kind)
    tried = [Claim(claim.kind, {**claim.values, **values}) for values in (make(claim, facts) if make else [])]
    return next((other for other in tried if holds(other, facts)), None)


def _counts(_: Claim, _facts: SceneFacts) -> Values:
    return [{"lakes": count} for count in range(MANY + 1)]


def _answers(_: Claim, _facts: SceneFacts) -> Values:
    return [{"answer": answer} for answer in ("yes", "no")]


def _places(_: Claim, facts: SceneFacts) -> Values:
    return [{"place": lake.place} for lake in facts.lakes]


def _points(_: Claim, facts: SceneFacts) -> Values:
    return [{"across": round(lake.x, 2), "down": round(lake.y, 2)} for lake in facts.lakes]


def _swapped(claim: Claim, _facts: SceneFacts) -> Values:
    return [{"place": claim.place("other"), "other": claim.place()}]


def _trends(_: Claim, facts: SceneFacts) -> Values:
    how = trend(facts)
    return [] if how is None else [{"trend": how}]


def _differences(_: Claim, _facts: SceneFacts) -> Values:
    return [{"more": count} for count in range(1, MANY + 1)]


def _total(_: Claim, facts: SceneFacts) -> Values:
    return [{"km2": facts.area_m2}]


def _position(_: Claim, facts: SceneFacts) -> Values:
    where = facts.whereabouts
    if where.latitude is None or where.longitude is None:
        return []
    return [{"latitude": where.latitude, "longitude": where.longitude}]


def _elevation(_: Claim, facts: SceneFacts) -> Values:
    metres = facts.whereabouts.elevation_m
    return [] if metres is None else [{"metres": metres}]


def _region(_: Claim, facts: SceneFacts) -> Values:
    return [{"region": facts.whereabouts.region.lower()}] if facts.whereabouts.region else []


def _areas(claim: Claim, facts: SceneFacts) -> Values:
    return [{"km2": lake.area_m2, "place": lake.place} for lake in named(claim, facts)]


def _changes(claim: Claim, facts: SceneFacts) -> Values:
    return [{"before": lake.area_before_m2 or 0.0, "km2": lake.area_m2} for lake in named(claim, facts)]


_CANDIDATES: Final[Mapping[ClaimKind, Candidates]] = MappingProxyType(
    {
        "count": _counts,
        "count_in": _counts,
        "presence": _answers,
        "presence_in": _answers,
        "extreme": _places,
        "nearest": _places,
        "point": _points,
        "larger": _swapped,
        "trend": _trends,
        "more": _differences,
        "fewer": _differences,
        "total_area": _total,
        "position": _position,
        "elevation": _elevation,
        "region": _region,
        "lake_area": _areas,
        "lake_change": _changes,
    }
)
