"""What of a region-year is made, what is not, and the command that mends it."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from catalog.facts.causes import State
from catalog.facts.records import Job, Outcome, Target, Unit
from catalog.facts.standings import Hole as Hole  # noqa: PLC0414 - found by all where it is made
from catalog.facts.standings import Why
from catalog.stores import ledger
from catalog.stores.edits import pending
from catalog.stores.files import checksum, checksum_if_there, looks_like, of_each
from catalog.stores.jobs import REGION_UNIT, mapped_tiles, stored_region, years_begun, years_with
from catalog.stores.requests import read_request
from catalog.stores.store import Store
from catalog.stores.through_years import tracks_trouble

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
    job, stages = Job(region, year, target, str(store.root)), _asked_for(store, region, year, target)
    damaged = [o for o in outcomes if not ledger.verified(store, o)] if checksums else ledger.absent_among(store, outcomes)
    states = {stage: Counter(str(o.state) for o in outcomes if o.unit.stage == stage) for stage in STAGES[target]}
    holes = [_hole(o, "failed", o.message) for o in outcomes if o.state == State.FAILED]
    holes += [_hole(o, "damaged", "a product is gone or has another size or checksum than its record says") for o in damaged]
    holes += [_hole(o, "stale", "it is to be done again") for o in outcomes if not o.fingerprint and o.state != State.FAILED]
    holes += [_missing(tile, stage) for tile, stage in _not_made(job, outcomes, stages)]
    holes += _stale(store, region, target, outcomes)
    if "inventory" in stages:
        holes += _beside(store, job, states["inventory"])
    mend = _mend(store, region, year, damaged) if holes else ""
    return Completeness(region, year, target, {stage: dict(counts) for stage, counts in states.items()}, tuple(holes), mend)


def _asked_for(store: Store, region: str, year: int, target: Target) -> tuple[str, ...]:
    request = read_request(store, region, year)
    return STAGES[target][:2] if request is not None and request.options.until == "surface" else STAGES[target]


def _not_made(job: Job, outcomes: Sequence[Outcome], stages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Tile and stage of everything that a run did not come to."""
    chosen = {outcome.unit.tile for outcome in outcomes if outcome.unit.stage == "scenes"}
    yield from ((tile.id, "scenes") for tile in mapped_tiles(job) if tile.id not in chosen)
    for stage, source in _FOLLOWS[job.target].items():
        if stage in stages:
            yield from ((tile, stage) for tile in _not_reached(outcomes, stage, source))
    made = {outcome.unit.stage for outcome in outcomes}
    yield from ((REGION_UNIT, stage) for stage in _LAST[job.target] if stage in stages and stage not in made)


def _beside(store: Store, job: Job, inventories: Mapping[str, int]) -> Iterator[Hole]:
    """What has no record of its own: edits that wait, the search, the coverage, and the tables through the years."""
    if not inventories:
        return
    if pending(store, job.target, job.region, job.year):
        yield Hole(REGION_UNIT, "inventory", "stale", "edits were made, changed or taken back after it")
    for stage, path in (("scenes", store.scenes(job.region, job.year)), ("coverage", store.coverage(job.region, job.year))):
        if not path.is_file():
            yield Hole(REGION_UNIT, stage, "missing", f"{store.relative(path)} is gone")
    if job.year == max(years_with(store, job.target, job.region), default=None) and (why := tracks_trouble(store, job.target, job.region)):
        yield Hole(REGION_UNIT, "tracks", "stale", why)


def _mend(store: Store, region: str, year: int, damaged: Sequence[Outcome]) -> str:
    command = f"cryoatlas backfill --store {shlex.quote(str(store.root))} --region {region} --years {year}"
    promised = [(store.root / path, promise) for outcome in damaged for path, promise in outcome.outputs.items()]
    # a backfill compares sizes, which is cheap; bytes that changed in place it finds only when it reads them
    return f"{command} --checksums" if any(_same_size_other_bytes(path, promise) for path, promise in promised) else command


def _not_reached(outcomes: Sequence[Outcome], stage: str, source: str) -> list[str]:
    """Tiles whose `source` is done and whose next stage has no record: a run ended between them."""
    reached = {outcome.unit.tile for outcome in outcomes if outcome.unit.stage == stage}
    return [o.unit.tile for o in outcomes if o.unit.stage == source and o.state == State.DONE and o.unit.tile not in reached]


def _stale(store: Store, region: str, target: Target, outcomes: Sequence[Outcome]) -> list[Hole]:
    """Units that were made from products which have been made anew since: a run ended before it came to them."""
    # of other years only what is made of a whole region-year can go into this one; tiles would be thousands of records to read
    units = [Unit(region, year, REGION_UNIT, stage) for year in years_begun(store, region) for stage in _LAST[target]]
    whole = [outcome for outcome in ledger.find_each(store, units) if outcome]
    current = {path: promise for outcome in (*whole, *outcomes) for path, promise in outcome.outputs.items()}
    # what has no record: glacier outlines of a user
    others = sorted({path for outcome in outcomes for path, _ in _promises(outcome.inputs)} - current.keys())
    sums = of_each(checksum_if_there, [store.root / path for path in others])
    current |= {path: sum_ for path, sum_ in zip(others, sums, strict=True) if sum_ is not None}
    holes = []
    for outcome in outcomes:
        old = [path for path, promise in _promises(outcome.inputs) if current.get(path, promise) != promise]
        if old and outcome.state != State.FAILED:
            holes.append(_hole(outcome, "stale", f"{old[0]} was made anew after it{f', and {len(old) - 1} more' if old[1:] else ''}"))
    return holes


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
