"""Things with an outline that changes from year to year: lakes, ponds and slumps."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from shapely import affinity
from shapely.geometry import Polygon
from shapely.ops import unary_union

from simulator.noise import generator
from simulator.shapes import Blob, largest, strip

SCRIPT_YEAR = 2018
EARLIEST, LATEST = -8, 22  # years around SCRIPT_YEAR in which features change; they rest before and after
SLOWING_YEARS = 12.0
DRAIN_RATIO = 0.3


@dataclass(frozen=True, slots=True)
class Life:
    """How a feature changes."""

    yearly: float = 0.004
    """Relative change of area in the first year; it slows down."""
    lengthens_m: float = 0.0
    """Metres per year by which the long axis grows backward (against `angle_deg`); replaces `yearly`."""
    born: int | None = None
    gone: int | None = None
    drained: int | None = None
    rests: int | None = None
    """Year from which nothing changes: a slump that stabilises."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A lake or slump over all years."""

    name: str
    kind: str
    blob: Blob
    life: Life = field(default_factory=Life)
    mix: tuple[float, float, float] = (0.6, 0.4, 0.0)
    """Shares of clear, milky and grey water."""
    steep: float = 1.2
    """Rise of the slope that is cut above the shore."""
    freezes: bool = False
    tint: tuple[float, ...] = ()
    """Factors of its water's fourteen layers; empty: those of its mix."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A neck that makes one feature of two while the level is high."""

    parts: tuple[str, str]
    width_m: float
    first: int | None = None
    last: int | None = None

    def stands(self, year: int) -> bool:
        """Say whether the neck is under water in a year."""
        return (self.first is None or year >= self.first) and (self.last is None or year <= self.last)


@dataclass(frozen=True, slots=True)
class State:
    """One feature in one year."""

    name: str
    kind: str
    shape: Polygon
    feature: Feature
    frozen: bool = False
    resting: int = 0
    """Years since it stopped changing; 0 while it changes."""


@dataclass(frozen=True, slots=True)
class Event:
    """One edge of the lineage between two consecutive simulated years."""

    event: str
    year_from: int
    year: int
    parents: tuple[str, ...]
    children: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """All features of a kind and the necks between them."""

    features: tuple[Feature, ...]
    bridges: tuple[Bridge, ...] = ()
    seed: int = 0

    def states(self, year: int) -> list[State]:
        """Every feature that exists in a year, with its outline."""
        alive = {feature.name: state for feature in self.features if (state := self._state(feature, year)) is not None}
        for bridge in self.bridges:
            if bridge.stands(year) and all(part in alive for part in bridge.parts):
                first, second = (alive.pop(part) for part in bridge.parts)
                neck = strip([(item.feature.blob.x, item.feature.blob.y) for item in (first, second)], bridge.width_m)
                joined = largest(unary_union([first.shape, second.shape, neck]).buffer(8).buffer(-8))
                name = "+".join(bridge.parts)
                alive[name] = State(name, first.kind, joined, first.feature, first.frozen)
        return sorted(alive.values(), key=lambda state: state.name)

    def _state(self, feature: Feature, year: int) -> State | None:
        life = feature.life
        if (life.born is not None and year < life.born) or (life.gone is not None and year >= life.gone):
            return None
        frozen = feature.freezes and bool(generator(self.seed, feature.name, "ice", year).random() < 0.5)
        resting = 0 if life.rests is None else max(year - life.rests, 0)
        return State(feature.name, feature.kind, outline(feature, year, self.seed), feature, frozen, resting)

    def envelopes(self) -> list[tuple[Feature, Polygon]]:
        """Largest ground each feature ever takes; features joined by a neck share one."""
        extents = {
            feature.name: unary_union([outline(feature, year, self.seed) for year in _extremes(feature)]) for feature in self.features
        }
        by_name = {feature.name: feature for feature in self.features}
        joined = []
        for bridge in self.bridges:
            first, second = (by_name[part] for part in bridge.parts)
            neck = strip([(item.blob.x, item.blob.y) for item in (first, second)], bridge.width_m + 16)
            joined.append((first, unary_union([extents.pop(first.name), extents.pop(second.name), neck]).buffer(8)))
        return [(by_name[name], shape.buffer(2)) for name, shape in extents.items()] + joined

    def within(self, inside: Callable[[Polygon], bool]) -> "Cast":
        """Keep the features whose largest extent satisfies a test; necks need both ends."""
        kept = {feature.name for feature, shape in self.envelopes() if inside(shape)}
        for bridge in self.bridges:
            kept |= set(bridge.parts) if kept & set(bridge.parts) else set()
        bridges = tuple(bridge for bridge in self.bridges if set(bridge.parts) <= kept)
        return Cast(tuple(feature for feature in self.features if feature.name in kept), bridges, self.seed)

    def events(self, years: Sequence[int]) -> list[Event]:
        """What happened between consecutive years of a list."""
        ordered = sorted(set(years))
        return [event for before, after in pairwise(ordered) for event in _between(self.states(before), self.states(after), before, after)]


def outline(feature: Feature, year: int, seed: int) -> Polygon:
    """Outline of a feature in a year, whether or not it exists then."""
    life = feature.life
    until = year if life.rests is None else min(year, life.rests)
    elapsed = float(np.clip(until - SCRIPT_YEAR, EARLIEST, LATEST))
    if life.lengthens_m:
        return _lengthened(feature, elapsed)
    factor = 1 + life.yearly * SLOWING_YEARS * (1 - np.exp(-elapsed / SLOWING_YEARS))
    factor *= 1 + 0.008 * generator(seed, feature.name, "level", int(elapsed)).standard_normal()
    whole = feature.blob.polygon()
    if life.drained is not None and year >= life.drained:
        low = feature.blob.end(1)
        return affinity.scale(whole, np.sqrt(0.10), np.sqrt(0.10), origin=(*low, 0.0))
    return affinity.scale(whole, np.sqrt(factor), np.sqrt(factor), origin=(feature.blob.x, feature.blob.y, 0.0))


def _lengthened(feature: Feature, elapsed: float) -> Polygon:
    blob = feature.blob
    ahead, behind = blob.end(1), blob.end(-1)
    length = float(np.hypot(ahead[0] - behind[0], ahead[1] - behind[1]))
    factor = max((length + feature.life.lengthens_m * elapsed) / length, 0.35)
    straight = affinity.rotate(blob.polygon(), -blob.angle_deg, origin=(*ahead, 0.0))
    return affinity.rotate(affinity.scale(straight, factor, 1.0, origin=(*ahead, 0.0)), blob.angle_deg, origin=(*ahead, 0.0))


def _extremes(feature: Feature) -> Iterable[int]:
    drained = feature.life.drained
    return (SCRIPT_YEAR + EARLIEST, *range(SCRIPT_YEAR, SCRIPT_YEAR + 9), SCRIPT_YEAR + LATEST, *([] if drained is None else [drained - 1]))


def _between(before: list[State], after: list[State], year_from: int, year: int) -> list[Event]:
    old, new = ({state.name: state for state in states} for states in (before, after))
    events, told = [], set[str]()
    for name in sorted(set(new) - set(old)):
        parts = tuple(name.split("+"))
        if len(parts) == 2 and set(parts) <= set(old):
            events.append(Event("merge", year_from, year, parts, (name,)))
            told |= {name, *parts}
    for name in sorted(set(old) - set(new)):
        parts = tuple(name.split("+"))
        if len(parts) == 2 and set(parts) <= set(new):
            events.append(Event("split", year_from, year, (name,), parts))
            told |= {name, *parts}
    events += [Event("appear", year_from, year, (), (name,)) for name in sorted(set(new) - set(old) - told)]
    events += [Event("vanish", year_from, year, (name,), ()) for name in sorted(set(old) - set(new) - told)]
    shared = sorted(set(old) & set(new))
    return events + [
        Event("drain", year_from, year, (name,), (name,)) for name in shared if new[name].shape.area < DRAIN_RATIO * old[name].shape.area
    ]
