"""What of a region-year is made, what is not, and the command that mends it."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from catalog.facts.causes import State
from catalog.facts.records import Outcome, Target, Unit
from catalog.stores import ledger
from catalog.stores.edits import pending
from catalog.stores.files import checksum, looks_like
from catalog.stores.jobs import REGION_UNIT, stored_region, years_begun
from catalog.stores.store import Store

_FOLLOWS: Final[Mapping[Target, Mapping[str, str]]] = MappingProxyType(
    {
        "lakes": {"surface": "scenes", "segment": "surface", "outline": "segment"},
        "slumps": {"surface": "scenes", "detect": "surface"},
    }
)
"""Stage of a tile -> the stage it needs."""
_LAST: Final[Mapping[Target, tuple[str, ...]]] = MappingProxyType(
    {"lakes": ("features", "inventory"), "slumps": ("merge", "inventory", "counts")}
)
"""Stages of a whole region-year."""
STAGES: Final[Mapping[Target, tuple[str, ...]]] = MappingProxyType({t: ("scenes", *_FOLLOWS[t], *_LAST[t]) for t in _FOLLOWS})
"""All stages of a target, in order."""
Why = Literal["failed", "damaged", "missing", "stale"]


@dataclass(frozen=True, slots=True)
class Hole:
    """A unit that is not what it should be."""

    tile: str
    """Tile ID, or `region` for a stage that works on the whole region-year."""
    stage: str
    why: Why
    message: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """How a region-year stands."""

    region: str
    year: int
    target: Target
    stages: Mapping[str, Mapping[str, int]]
    """Stage -> units per state."""
    holes: tuple[Hole, ...]
    mend: str
    """The command that fills the holes; empty when there are none."""


def completeness_of(store: Store, region: str, year: int, *, checksums: bool = False) -> Completeness:
    """Say how a region-year stands by its ledger; with `checksums` every product is read and compared with its record."""
    outcomes, target = ledger.find_all(store, region, year), stored_region(store, region).target
    check = ledger.verified if checksums else ledger.present
    damaged = [outcome for outcome in outcomes if not check(store, outcome)]
    states = {stage: Counter(str(o.state) for o in outcomes if o.unit.stage == stage) for stage in STAGES[target]}
    holes = [_hole(o, "failed", o.message) for o in outcomes if o.state == State.FAILED]
    holes += [_hole(o, "damaged", "a product is gone or has another size or checksum than its record says") for o in damaged]
    for stage, source in _FOLLOWS[target].items():
        holes += [_missing(tile, stage) for tile in _not_reached(outcomes, stage, source)]
    holes += [_missing(REGION_UNIT, stage) for stage in _LAST[target] if not states[stage]]
    holes += _stale(store, region, target, outcomes)
    if states["inventory"] and pending(store, target, region, year):
        holes.append(Hole(REGION_UNIT, "inventory", "stale", "edits were made, changed or taken back after it"))
    mend = _mend(store, region, year, damaged) if holes else ""
    return Completeness(region, year, target, {stage: dict(counts) for stage, counts in states.items()}, tuple(holes), mend)


def _mend(store: Store, region: str, year: int, damaged: Sequence[Outcome]) -> str:
    command = f"cryoatlas run --store {shlex.quote(str(store.root))} --region {region} --years {year} --catalog stored"
    promised = [(store.root / path, promise) for outcome in damaged for path, promise in outcome.outputs.items()]
    # a rerun compares sizes, which is cheap; bytes that changed in place must go first
    changed = [path for path, promise in promised if _same_size_other_bytes(path, promise)]
    return f"rm {' '.join(shlex.quote(str(path)) for path in changed)} && {command}" if changed else command


def _not_reached(outcomes: Sequence[Outcome], stage: str, source: str) -> list[str]:
    """Tiles whose `source` is done and whose next stage has no record: a run ended between them."""
    reached = {outcome.unit.tile for outcome in outcomes if outcome.unit.stage == stage}
    return [o.unit.tile for o in outcomes if o.unit.stage == source and o.state == State.DONE and o.unit.tile not in reached]


def _stale(store: Store, region: str, target: Target, outcomes: Sequence[Outcome]) -> list[Hole]:
    """Units that were made from products which have been made anew since: a run ended before it came to them."""
    # of other years only what is made of a whole region-year can go into this one; tiles would be thousands of records to read
    units = [Unit(region, year, REGION_UNIT, stage) for year in years_begun(store, region) for stage in _LAST[target]]
    whole = [outcome for unit in units if (outcome := ledger.find(store, unit))]
    current = {path: promise for outcome in (*whole, *outcomes) for path, promise in outcome.outputs.items()}
    holes = []
    for outcome in outcomes:
        old = [path for path, promise in _promises(outcome.inputs) if _now(store, path, promise, current) != promise]
        if old and outcome.state != State.FAILED:
            holes.append(_hole(outcome, "stale", f"{old[0]} was made anew after it{f', and {len(old) - 1} more' if old[1:] else ''}"))
    return holes


def _now(store: Store, path: str, promise: str, current: Mapping[str, str]) -> str:
    """Checksum that a product has now: its record's, else its own where it has no record (glacier outlines of a user), else the promised one."""
    file = store.root / path
    return current.get(path) or (checksum(file) if file.is_file() else promise)


def _promises(inputs: Any) -> Iterator[tuple[str, str]]:
    """Every product with its checksum that is named anywhere in the inputs of a unit."""
    if isinstance(inputs, Mapping):
        for key, value in inputs.items():
            if isinstance(value, str) and value.startswith("sha256:"):
                yield key, value
            else:
                yield from _promises(value)


def _missing(tile: str, stage: str) -> Hole:
    return Hole(tile, stage, "missing", "not made yet")


def _hole(outcome: Outcome, why: Why, message: str) -> Hole:
    return Hole(outcome.unit.tile, outcome.unit.stage, why, message)


def _same_size_other_bytes(path: Path, promise: str) -> bool:
    return looks_like(path, promise) and checksum(path) != promise
