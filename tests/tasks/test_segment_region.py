"""The segment stage writes what the model says, and its ledger tells how much of the time the model waited."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.facts.causes import Cause, State
from catalog.facts.records import Job, Outcome
from catalog.facts.schemas import PROBABILITY, SURFACE
from catalog.stores import cubes, ledger
from catalog.stores.jobs import create_job, mapped_tiles, unit_of
from catalog.stores.store import open_store
from tasks.segment_region import STAGE, segment_region

YEAR = 2021


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A lake across tiles of one chip, and a surface record for each; the last tile is under clouds."""
    (tmp_path / "store.json").write_text(json.dumps({"schema_version": 1, "chips_per_tile": 1}))
    job = create_job("76.50,43.12,76.56,43.13", YEAR, str(tmp_path), None)
    store, tiles = open_store(str(tmp_path)), mapped_tiles(job)
    cube = cubes.open_cube(store.cube(job.region, YEAR, tiles[0].epsg), tiles, SURFACE)
    for tile in tiles:
        blind = tile == tiles[-1]
        files = cubes.write_tile(cube, tile, surface(tile.size_px, Cause.CLOUD if blind else Cause.USABLE))
        unit = unit_of(job, tile.id, "surface")
        ledger.put(store, Outcome(unit, State.DONE, f"surface of {tile.id}", outputs=ledger.receipts_for(store, files)))
    return job


def surface(size: int, cause: Cause) -> dict[str, np.ndarray]:
    arrays = {spec.name: np.full(((len(spec.bands),) if spec.bands else ()) + (size, size), spec.fill, spec.dtype) for spec in SURFACE}
    arrays["s2"][:] = 2500
    arrays["s2"][:, 60:160] = np.array([900, 900, 800, 500, 300, 200, 180, 150, 140, 130, 90, 80], np.uint16)[:, None, None]
    arrays["dem"][:] = 4000
    arrays["looks"][:] = 4
    arrays["cause"][:] = cause
    return arrays


def segment_outcomes(job: Job) -> list[Outcome]:
    found = ledger.find_all(open_store(job.store), job.region, YEAR)
    return [outcome for outcome in found if outcome.unit.stage == STAGE]


def test_the_ledger_tells_windows_waiting_and_time_outside_the_network(job: Job) -> None:
    report = segment_region.fn(job, "indices")
    outcomes = segment_outcomes(job)
    assert not report.failures
    assert len(outcomes) == len(mapped_tiles(job)) > 1
    for outcome in outcomes:
        assert {"predicted_share", "windows_predicted", "windows_skipped", "waiting_share", "outside_network_share"} == set(
            outcome.measures
        )
        assert 0 <= outcome.measures["waiting_share"] <= outcome.measures["outside_network_share"] <= 1
    assert sum(outcome.measures["windows_predicted"] for outcome in outcomes) > 0
    assert {outcome.state for outcome in outcomes} == {State.DONE, State.UNOBSERVED}


def test_what_is_stored_is_the_lake_and_a_second_run_writes_nothing(job: Job) -> None:
    segment_region.fn(job, "indices")
    store, tile = open_store(job.store), mapped_tiles(job)[0]
    cube = cubes.read_cube(store.probability(job.target, job.region, YEAR, tile.epsg), PROBABILITY)
    stored = cubes.read_window(cube, "probability", (*tile.origin_yx_px, 224, 224))
    assert (stored[80:140, 40:180] >= 125).all()
    assert (stored[:40] < 125).all()
    before = [replace(outcome) for outcome in segment_outcomes(job)]
    assert segment_region.fn(job, "indices").written == 0
    assert segment_outcomes(job) == before
