"""What a truthful answer says: a question of a family to its claims and to the lakes that its mask shows."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from catalog.facts.scene_facts import MANY, QUADRANTS, SAME_AREA, LakeFact, Place, SceneFacts
from models.describer.phrasings import Family
from models.language.sentences import Claim
from models.language.slots import EXTREMES, Value
from models.language.truth import extreme, nearest, trend

LISTED: Final = 5
"""Scenes with more lakes are told by quadrant, not lake by lake."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that a scene can answer, and its answer as claims."""

    family: Family
    values: Mapping[str, Value]
    """Slots of the phrasing."""
    claims: tuple[Claim, ...]
    lakes: tuple[int, ...] = ()
    """Numbers of the lakes that the mask shows; none for an empty mask."""
    context: str = ""
    """What is told to whoever answers, because no image shows it."""


def asks(facts: SceneFacts) -> tuple[Ask, ...]:
    """All that can be asked of a scene and has one answer, absence included."""
    found: list[Ask] = []
    for make in _MAKERS:
        found += make(facts)
    return tuple(found)


def description(facts: SceneFacts) -> tuple[Claim, ...]:
    """Claims of a full description: the count, then every lake, or every quadrant where they are too many."""
    return (_count(facts), *_parts(facts, "lake"))


def _count(facts: SceneFacts) -> Claim:
    return Claim("count", {"lakes": min(len(facts.lakes), MANY)})


def _parts(facts: SceneFacts, kind: str) -> list[Claim]:
    if len(facts.lakes) > LISTED:
        return [_count_in(facts, Place(quadrant)) for quadrant in QUADRANTS if facts.within(quadrant)]
    lakes = sorted(facts.lakes, key=_mention)
    if kind == "lake":
        return [Claim("lake", {"size": lake.size, "place": lake.place}) for lake in lakes]
    return [Claim("lake_at", {"place": lake.place}) for lake in lakes]


def _mention(lake: LakeFact) -> tuple[int, bool, float]:
    """Order of mention: by place, the larger first at the same one, so that an answer is told place by place."""
    return QUADRANTS.index(lake.place.quadrant), lake.place.near is False, -lake.area_m2


def _count_in(facts: SceneFacts, place: Place) -> Claim:
    return Claim("count_in", {"lakes": min(len(facts.within(place.quadrant)), MANY), "quadrant": place})


def _all(facts: SceneFacts) -> tuple[int, ...]:
    return _numbers(facts.lakes)


def _numbers(lakes: Sequence[LakeFact]) -> tuple[int, ...]:
    return tuple(lake.number for lake in lakes)


def _whole(facts: SceneFacts) -> list[Ask]:
    answer = "yes" if facts.lakes else "no"
    told = tuple(_parts(facts, "lake_at")) or (_count(facts),)
    return [
        Ask("count", {}, (_count(facts),), _all(facts)),
        Ask("list", {}, told, _all(facts)),
        Ask("presence", {}, (Claim("presence", {"answer": answer}),), _all(facts)),
        Ask("describe", {}, description(facts), _all(facts)),
    ]


def _quadrants(facts: SceneFacts) -> list[Ask]:
    found = []
    for place in map(Place, QUADRANTS):
        lakes, slots = facts.within(place.quadrant), {"quadrant": place}
        count, answer = _count_in(facts, place), "yes" if lakes else "no"
        found += [
            Ask("quadrant", slots, (count,), _numbers(lakes)),
            Ask("refer_quadrant", slots, (count,), _numbers(lakes)),
            Ask("presence_in", slots, (Claim("presence_in", {"answer": answer, "quadrant": place}),), _numbers(lakes)),
        ]
    return found


def _extremes(facts: SceneFacts) -> list[Ask]:
    """Superlatives of scenes in which one lake stands out, so that the answer is not a matter of taste."""
    found = []
    for word in EXTREMES if len(facts.lakes) > 1 else ():
        lake = extreme(facts, word)
        rivals = [other for other in facts.lakes if abs(other.area_m2 - lake.area_m2) <= SAME_AREA * lake.area_m2]
        if len(rivals) > 1:
            continue
        claim = Claim("extreme", {"extreme": word, "place": lake.place})
        point = Claim("point", {"extreme": word, "across": round(lake.x, 2), "down": round(lake.y, 2)})
        slots = {"extreme": word}
        found += [
            Ask("extreme", slots, (claim,), (lake.number,)),
            Ask("refer_extreme", slots, (claim,), (lake.number,)),
            Ask("point", slots, (point,), (lake.number,)),
        ]
    return found


def _nearest(facts: SceneFacts) -> list[Ask]:
    ranked = sorted(facts.lakes, key=lambda lake: lake.distance)
    if len(ranked) < 2 or ranked[1].distance - ranked[0].distance < 0.03:
        return []
    lake = nearest(facts)
    return [Ask("refer_nearest", {}, (Claim("nearest", {"place": lake.place}),), (lake.number,))]


def _comparisons(facts: SceneFacts) -> list[Ask]:
    """Pairs of lakes that are alone at their places."""
    there = Counter(lake.place for lake in facts.lakes)
    alone = [lake for lake in facts.lakes if there[lake.place] == 1]
    found = []
    for first, second in combinations(alone, 2):
        slots = {"place": first.place, "other": second.place}
        large, small = (first, second) if first.area_m2 >= second.area_m2 else (second, first)
        if large.area_m2 > small.area_m2 * (1 + SAME_AREA):
            claim = Claim("larger", {"place": large.place, "other": small.place})
        else:
            claim = Claim("equal", slots)
        found.append(Ask("compare", slots, (claim,), (first.number, second.number)))
    return found


def _position(facts: SceneFacts) -> list[Ask]:
    where = facts.whereabouts
    if where.latitude is None or where.longitude is None:
        return []
    claims = [Claim("position", {"latitude": round(where.latitude, 2), "longitude": round(where.longitude, 2)})]
    if where.elevation_m is not None:
        claims.append(Claim("elevation", {"metres": float(round(where.elevation_m))}))
    if where.region:
        claims.append(Claim("region", {"region": where.region.lower()}))
    return [Ask("position", {}, tuple(claims), (), context_of(facts))]


def _change(facts: SceneFacts) -> list[Ask]:
    if facts.earlier is None:
        return []
    year, difference, how = facts.earlier.year, len(facts.lakes) - facts.earlier.count, trend(facts)
    count = Claim("as_many", {"year": year})
    if difference:
        count = Claim("more" if difference > 0 else "fewer", {"more": min(abs(difference), MANY), "year": year})
    claims = (count,) if how is None else (count, Claim("trend", {"trend": how, "year": year}))
    return [Ask("change", {"year": year}, claims, _all(facts), context_of(facts))]


def context_of(facts: SceneFacts) -> str:
    """What no image shows, in the words in which it is put before a question; empty where nothing is known."""
    where, told = facts.whereabouts, []
    if where.latitude is not None and where.longitude is not None:
        north, east = "NS"[where.latitude < 0], "EW"[where.longitude < 0]
        told.append(f"{abs(where.latitude):.2f} {north}, {abs(where.longitude):.2f} {east}")
        told += [f"{where.elevation_m:.0f} m"] if where.elevation_m is not None else []
        told += [where.region] if where.region else []
    if facts.earlier is not None:
        told.append(f"{facts.earlier.year}: {facts.earlier.count} lakes, {facts.earlier.area_m2 / 1e6:.3f} km2")
    return f"({'; '.join(told)})" if told else ""


_MAKERS: Final[tuple[Callable[[SceneFacts], list[Ask]], ...]] = (
    _whole, _quadrants, _extremes, _nearest, _comparisons, _position, _change,
)  # fmt: skip
