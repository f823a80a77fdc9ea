"""What was observed of a region-year, one row per tile, from the ledger."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from catalog.facts.causes import State
from catalog.facts.records import Job, Outcome
from catalog.facts.schemas import COVERAGE
from catalog.stores import ledger
from catalog.stores.jobs import mapped_tiles
from catalog.stores.store import Store
from catalog.stores.tables import put_table

_SHARES = ("observed_share", "cloud_share", "snow_ice_share", "shadow_share", "no_scene_share", "looks_median")


def write_coverage(job: Job, store: Store) -> None:
    """One row per tile from the ledger; a tile without a record is not hidden, it is missing from `audit` too."""
    outcomes = {(o.unit.tile, o.unit.stage): o for o in ledger.find_all(store, job.region, job.year)}
    seconds: dict[str, float] = {}
    for (tile_id, _), outcome in outcomes.items():
        seconds[tile_id] = seconds.get(tile_id, 0) + outcome.seconds
    rows = [_coverage_row(job, tile.id, outcomes) | {"seconds": seconds.get(tile.id, 0)} for tile in mapped_tiles(job)]
    table = pa.Table.from_pylist(rows, schema=COVERAGE)
    put_table(store.coverage(job.region, job.year), table, COVERAGE, provenance={"region": job.region, "year": job.year})


def _coverage_row(job: Job, tile: str, outcomes: Mapping[tuple[str, str], Outcome]) -> dict[str, Any]:
    scenes, surface = outcomes.get((tile, "scenes")), outcomes.get((tile, "surface"))
    last = surface or scenes
    measures = {**(scenes.measures if scenes else {}), **(surface.measures if surface else {"no_scene_share": 1.0, "observed_share": 0.0})}
    return {
        "tile": tile,
        "region": job.region,
        "year": job.year,
        "state": str(last.state) if last else str(State.FAILED),
        "cause": last.cause if last else "not_reached",
        "message": last.message if last else "no record of this tile",
        **{name: measures.get(name) for name in _SHARES},
        "scenes_used": int(measures.get("scenes_used", 0)),
        "scenes_refused": int(measures.get("scenes_refused", 0)),
        "bytes": surface.read_bytes if surface else 0,
    }
