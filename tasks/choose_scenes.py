"""Which scenes make the surface of each tile, and which tiles can hold the target at all; every reason is kept."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.candidates import Candidates
from catalog.facts.causes import Refusal, State
from catalog.facts.forecasts import Forecast
from catalog.facts.options import SearchOptions
from catalog.facts.records import Choice, Job, Outcome, Scene, StageReport, Unit
from catalog.facts.run_events import ScenesChosen
from catalog.facts.scenes import Rejected
from catalog.facts.seasons import season_of
from catalog.facts.selection import ClearShares, choose, orbit_direction
from catalog.facts.staleness import open_promise
from catalog.facts.territory import skip_reason
from catalog.facts.tile_ground import part_of
from catalog.stores import ledger
from catalog.stores.jobs import REGION_UNIT, outlines_of, refusals, refused_for, region_of, territory, unit_of
from catalog.stores.news import tell
from catalog.stores.rounds import report_of, told
from catalog.stores.selections import write_choices
from catalog.stores.store import Store, open_store

Scenes = tuple[Scene | Rejected, ...]
STAGE = "scenes"
VERSION = 2


@dataclass(frozen=True, slots=True)
class _Chosen:
    unit: Unit
    choices: tuple[Choice, ...]
    skipped: str | None


@task(cache_policy=NO_CACHE, task_run_name="choose-{job.region}-{job.year}")
def choose_scenes(job: Job, candidates: Candidates, options: SearchOptions) -> StageReport:
    """Choose scenes for every tile, write the record of all that were considered, then the ledger."""
    store, started = open_store(job.store), time.monotonic()
    looks = {o.unit.tile: o.measures for o in ledger.find_all(store, job.region, job.year, "look")}
    chosen = tuple(_choose_all(job, candidates, options, looks, refusals(job, options.refuse)))
    before = {entry.unit: ledger.find(store, entry.unit) for entry in chosen}
    write_choices(store.scenes(job.region, job.year), [choice for entry in chosen for choice in entry.choices], candidates.items)
    tell(_summed(job, chosen))
    outcomes = told(STAGE, (_recorded(store, entry) for entry in chosen), before.get, of=job, total=len(chosen))
    return report_of(STAGE, outcomes, before.get, since=started)


def _summed(job: Job, chosen: Sequence[_Chosen]) -> ScenesChosen:
    everywhere = {choice.scene.id for entry in chosen for choice in entry.choices}
    used = {choice.scene.id for entry in chosen for choice in entry.choices if choice.used}
    return ScenesChosen(job.region, job.year, len(used), len(everywhere - used))


def expect_choices(job: Job, candidates: Candidates, options: SearchOptions, forecast: Forecast) -> dict[str, tuple[Choice, ...]]:
    """Tell a forecast what would be chosen, and return it per tile; a tile that would be looked at again first is open."""
    looks, refused = {o.unit.tile: o.measures for o in forecast.outcomes("look")}, refused_for(job, options.refuse)
    chosen = {entry.unit: entry for entry in _choose_all(job, candidates, options, looks, refused)}
    for unit, entry in chosen.items():
        look = unit_of(job, unit.tile, "look")
        inputs, state = _inputs(entry), _outcome(entry).state
        if forecast.is_open(look):
            verdict = open_promise(look)
            known = {"scenes": [[*row[:2], verdict, verdict] for row in inputs["scenes"]], "skipped": verdict}
            forecast.expect(unit, inputs | known)
        else:
            forecast.expect(unit, inputs, becomes=state)
    path = open_store(job.store).scenes(job.region, job.year)
    if not path.is_file():
        forecast.gone(unit_of(job, REGION_UNIT, STAGE), open_store(job.store).relative(path))
    return {unit.tile: entry.choices for unit, entry in chosen.items()}


def _choose_all(
    job: Job, candidates: Candidates, options: SearchOptions, looks: Mapping[str, Mapping[str, float]], refused: frozenset[str]
) -> Iterator[_Chosen]:
    region, outlines = region_of(job), outlines_of(job)
    for zone in territory(job).zones:
        tiles = sorted(zone.tiles)
        # one direction for the whole zone: layover and shadow fall on opposite slopes in the two
        orbit = orbit_direction({scene.id: scene for tile in tiles for scene in candidates.over(tile) if isinstance(scene, Scene)}.values())
        for tile in tiles:
            measures = looks.get(tile.id, {})
            skipped = skip_reason(region, tile, measures.get("elevation_max_m"), outlines)
            season = season_of(region, tile, job.year, measures.get("elevation_median_m"))
            scenes = _vetted(candidates.over(tile), measures, refused)
            choices = choose(
                scenes, part_of(tile, zone.chip_mask(tile)), season, options, _clear_shares(measures), orbit=_direction_over(scenes, orbit)
            )
            heights = tuple(Choice(scene, tile.id, used=True) for scene in candidates.heights_around(tile))
            yield _Chosen(unit_of(job, tile.id, STAGE), (*choices, *heights), skipped)


def _direction_over(scenes: Scenes, orbit: str | None) -> str | None:
    # where the zone's direction never passed, the other is better than nothing
    passed = {scene.orbit_state for scene in scenes if isinstance(scene, Scene) and scene.sensor == "s1"}
    return orbit if orbit in passed else None


def _clear_shares(measures: Mapping[str, float]) -> dict[str, ClearShares]:
    ids = [name.removeprefix("clear:") for name in measures if name.startswith("clear:")]
    return {i: ClearShares(measures[f"clear:{i}"], measures[f"cloud:{i}"], measures[f"snow:{i}"]) for i in ids}


def _vetted(scenes: Scenes, measures: Mapping[str, float], refused: frozenset[str]) -> Scenes:
    """Refuse before choosing, so that another product of the same acquisition can step in."""

    def vet(entry: Scene | Rejected) -> Scene | Rejected:
        if isinstance(entry, Rejected):
            return entry
        if entry.id in refused:
            return Rejected(entry, Refusal.BY_OPERATOR)
        return Rejected(entry, Refusal.SUSPECT_OFFSET) if measures.get(f"suspect:{entry.id}") else entry

    return tuple(vet(entry) for entry in scenes)


def _recorded(store: Store, entry: _Chosen) -> Outcome:
    return ledger.once(store, entry.unit, _inputs(entry), lambda: _outcome(entry))


def _inputs(entry: _Chosen) -> dict[str, Any]:
    return {
        "stage": f"{STAGE} {VERSION}",
        "scenes": [[c.scene.id, c.scene.etag, c.used, c.refused_because] for c in entry.choices],
        "skipped": entry.skipped,
    }


def _outcome(entry: _Chosen) -> Outcome:
    used = [choice for choice in entry.choices if choice.used and choice.scene.sensor != "dem"]
    refused = [choice for choice in entry.choices if not choice.used]
    measures = {"scenes_used": float(len(used)), "scenes_refused": float(len(refused))}
    if entry.skipped:
        return Outcome(entry.unit, State.SKIPPED, "", cause="cannot_hold_target", message=entry.skipped, measures=measures)
    if not used:
        reasons = ", ".join(sorted({choice.refused_because or "" for choice in refused})) or "the catalog has none"
        return Outcome(entry.unit, State.UNOBSERVED, "", cause="no_scene", message=f"no scene to use: {reasons}", measures=measures)
    return Outcome(entry.unit, State.DONE, "", measures=measures)
