"""What is missing, damaged or older than what it was made from is a hole; what is complete has none."""

import shutil
from dataclasses import replace

import pytest

from catalog.facts.causes import State
from catalog.facts.records import Outcome
from catalog.stores import ledger
from catalog.stores.completeness import completeness_of
from catalog.stores.jobs import REGION_UNIT, unit_of
from catalog.stores.store import open_store
from tests.made_store import REGION, TILE, job_of, made_store


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_store(tmp_path_factory.mktemp("made") / "store", years=(2021,))


@pytest.fixture
def store(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "store", copy_function=shutil.copy2)
    return open_store(str(tmp_path / "store"))


def whys(store, **how):
    return [(hole.stage, hole.tile, hole.why) for hole in completeness_of(store, REGION, 2021, **how).holes]


def test_a_complete_year_has_no_hole_and_nothing_to_mend(store):
    standing = completeness_of(store, REGION, 2021, checksums=True)
    assert (standing.holes, standing.mend) == ((), "")
    assert standing.stages["surface"] == {"done": 1}


@pytest.mark.parametrize("state", [State.EMPTY, State.SKIPPED, State.UNOBSERVED])
def test_ground_that_needs_no_more_work_is_no_hole(store, state):
    ledger.put(store, Outcome(unit_of(job_of(store, 2021), TILE.id, "surface"), state, "1"))
    assert whys(store) == []


def test_a_failed_unit_is_a_hole_with_its_message(store):
    ledger.put(store, Outcome(unit_of(job_of(store, 2021), TILE.id, "surface"), State.FAILED, "1", message="no space"))
    assert whys(store) == [("surface", TILE.id, "failed")]
    assert completeness_of(store, REGION, 2021).mend == f"cryoatlas backfill --store {store.root} --region {REGION} --years 2021"


def test_a_stage_that_a_run_did_not_reach_is_a_hole(store):
    ledger.retire(store, unit_of(job_of(store, 2021), TILE.id, "outline"))
    ledger.retire(store, unit_of(job_of(store, 2021), REGION_UNIT, "features"))
    assert whys(store) == [("outline", TILE.id, "missing"), ("features", REGION_UNIT, "missing")]


def test_bytes_that_changed_in_place_are_seen_with_checksums_only(store):
    path = store.inventory("lakes", REGION, 2021)
    content = bytearray(path.read_bytes())
    content[100] ^= 255
    path.write_bytes(bytes(content))
    assert whys(store) == []
    assert whys(store, checksums=True) == [("inventory", REGION_UNIT, "damaged")]
    assert completeness_of(store, REGION, 2021, checksums=True).mend.endswith("--years 2021 --checksums")


def test_what_is_older_than_what_it_was_made_from_is_stale(store):
    features = unit_of(job_of(store, 2021), REGION_UNIT, "features")
    product = store.features("lakes", REGION, 2021)
    product.parent.mkdir(parents=True, exist_ok=True)
    inventory = ledger.find(store, unit_of(job_of(store, 2021), REGION_UNIT, "inventory"))
    for content, holes in ((b"first", []), (b"made anew", [("inventory", REGION_UNIT, "stale")])):
        product.write_bytes(content)
        made = ledger.receipts_for(store, [product])
        ledger.put(store, Outcome(features, State.DONE, "1", outputs=made))
        if content == b"first":
            ledger.put(store, replace(inventory, inputs={"features": made}))
        assert whys(store) == holes


def test_what_rests_on_a_file_without_a_record_is_stale_when_the_file_changes(store):
    glaciers = store.glaciers(REGION)
    glaciers.write_bytes(b"outlines")
    inventory = ledger.find(store, unit_of(job_of(store, 2021), REGION_UNIT, "inventory"))
    ledger.put(store, replace(inventory, inputs={"glaciers": ledger.receipts_for(store, [glaciers])}))
    assert whys(store) == []
    glaciers.write_bytes(b"other outlines")
    assert whys(store) == [("inventory", REGION_UNIT, "stale")]
