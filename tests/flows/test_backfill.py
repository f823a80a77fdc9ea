"""A backfill does exactly what it said it would do, says why, and leaves nothing to do."""

import json
import os
import random
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from catalog.facts.backfills import BackfillReport, Changes
from catalog.facts.errors import WrongCall
from catalog.facts.options import MapOptions, OutlineOptions
from catalog.facts.records import Unit
from catalog.stores import ledger
from catalog.stores.backfills import read_receipts
from catalog.stores.findings import finding_of
from catalog.stores.leases import held
from catalog.stores.selections import read_choices
from catalog.stores.standings import set_policy
from catalog.stores.store import Store
from flows.backfill import backfill
from tasks.plan_backfill import read_orders
from tests.small_world import World

REGION, YEAR = "demo_hma", 2021
FORM = {"regions": [REGION], "years": [YEAR]}


def stamps(store: Store) -> dict[Unit, int]:
    """When the record of every unit was written."""
    folder = store.ledger(REGION, YEAR)
    return {Unit(REGION, YEAR, *path.stem.split(".")): path.stat().st_mtime_ns for path in folder.glob("*.json")}


def inputs(store: Store) -> dict[Unit, object]:
    return {outcome.unit: outcome.inputs for outcome in ledger.find_all(store, REGION, YEAR)}


def planned(report: BackfillReport) -> dict[Unit, set[str]]:
    return {unit.unit: {reason.why for reason in unit.reasons} for unit in report.units}


def record_of(store: Store, stage: str) -> ledger.Outcome:
    return next(o for o in ledger.find_all(store, REGION, YEAR) if o.unit.stage == stage and o.outputs)


def forget(store: Store, stage: str) -> None:
    unit = record_of(store, stage).unit
    for folder in (store.ledger, store.receipts):
        (folder(REGION, YEAR) / f"{unit.tile}.{unit.stage}.json").unlink()


def delete_a_product(store: Store, world: World) -> dict[str, object]:
    (store.root / min(record_of(store, "segment").outputs)).unlink()
    return {}


def delete_a_record(store: Store, world: World) -> dict[str, object]:
    forget(store, "outline")
    return {}


def corrupt_a_file(store: Store, world: World) -> dict[str, object]:
    path = store.root / min(record_of(store, "outline").outputs)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(bytes(content))
    return {"checksums": True}


def force_a_unit(store: Store, world: World) -> dict[str, object]:
    unit = record_of(store, "surface").unit
    return {"force": [f"{REGION}/{YEAR}/{unit.tile}/surface"]}


def change_an_option(store: Store, world: World) -> dict[str, object]:
    return {"options": MapOptions(outline=OutlineOptions(threshold=0.6))}


def change_the_model(store: Store, world: World) -> dict[str, object]:
    return {"model": "lakes-tiny"}


def take_a_scene_out(store: Store, world: World) -> dict[str, object]:
    used = sorted({c.scene.id for c in read_choices(store.scenes(REGION, YEAR)) if c.used and c.scene.sensor == "s2"})
    return {"refuse": used[:1]}


MUTATIONS: dict[str, Callable[[Store, World], dict[str, object]]] = {
    "damaged": delete_a_product,
    "missing": delete_a_record,
    "changed in place": corrupt_a_file,
    "forced": force_a_unit,
    "new options": change_an_option,
    "refused": take_a_scene_out,
    "new weights": change_the_model,
}


def check(store: Store, form: dict[str, object]) -> tuple[BackfillReport, BackfillReport]:
    """Plan, do, and compare: what was certain and what had other inputs by then was written, and nothing else; then nothing is left."""
    plan = backfill(str(store.root), dry_run=True, **FORM, **form)
    before, made_from = stamps(store), inputs(store)
    again = backfill(str(store.root), dry_run=True, **FORM, **form)
    assert stamps(store) == before
    assert planned(again) == planned(plan)
    report = backfill(str(store.root), **FORM, **form)
    written = {unit for unit, stamp in stamps(store).items() if before.get(unit) != stamp}
    follow = {p.unit for p in plan.units if not p.certain}
    changed = {unit for unit, now in inputs(store).items() if made_from.get(unit) != now}
    assert written == {p.unit for p in plan.units if p.certain} | (follow & changed)
    assert not report.failures
    assert report.receipt.unforeseen == ()
    left = backfill(str(store.root), dry_run=True, **FORM, **{key: value for key, value in form.items() if key != "force"})
    assert planned(left) == {}
    return plan, report


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in MUTATIONS])
def test_what_the_dry_run_says_is_what_the_run_then_writes(name, copied, world, products):
    before = products(copied)
    plan, _ = check(copied, MUTATIONS[name](copied, world))
    assert plan.units
    if name in ("damaged", "missing", "changed in place", "forced"):
        assert products(copied) == before


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_of_it_together_is_foreseen_too(seed, copied, world):
    chosen = random.Random(seed).sample([name for name in MUTATIONS if name != "new weights"], 3)
    form: dict[str, object] = {}
    for name in chosen:
        form |= MUTATIONS[name](copied, world)
    check(copied, form)


def test_a_product_that_is_gone_a_record_that_is_gone_and_a_forced_unit_are_done_and_nothing_else(copied, world, products):
    before = products(copied)
    form = delete_a_product(copied, world) | delete_a_record(copied, world) | force_a_unit(copied, world)
    plan, _ = check(copied, form)
    whys = {p.unit.stage: p.reasons[0].why for p in plan.units if p.certain}
    assert whys == {"segment": "damaged", "outline": "missing", "surface": "forced"}
    assert products(copied) == before
    (receipt,) = read_receipts(copied)
    assert receipt.outcome == "complete"
    assert set(receipt.became.values()) <= {"done", "empty", "not needed"}


def catalog_of(world: World, folder: Path, *, without: str = "", broken: str = "") -> str:
    """The catalog of the world without a scene, or with one whose green band cannot be read."""
    shutil.copytree(world.catalog, folder, copy_function=os.link)
    for path in folder.rglob("collection.json"):
        content = json.loads(path.read_text())
        content["links"] = [link for link in content["links"] if not without or without not in link["href"]]
        path.unlink()
        path.write_text(json.dumps(content))
    for path in folder.rglob("B03.tif"):
        if broken and broken in str(path):
            path.unlink()
            path.write_bytes(b"II*\x00 cut short")
    return str(folder)


def scene_of_one_zone(store: Store) -> str:
    """An optical scene that tiles of one zone use and those of the other do not."""
    used = {(c.scene.id, c.tile[:5]) for c in read_choices(store.scenes(REGION, YEAR)) if c.used and c.scene.sensor == "s2"}
    return min(scene for scene, zone in used if zone == "32644" and (scene, "32643") not in used)


@pytest.mark.slow
def test_late_scenes_are_found_and_used_while_a_tile_that_always_fails_stays_behind(copied, world, products, tmp_path):
    before, broken = products(copied), scene_of_one_zone(copied)
    late = min(c.scene.id for c in read_choices(copied.scenes(REGION, YEAR), tile="32643-0033-0219") if c.used and c.scene.sensor == "s2")
    early = catalog_of(world, tmp_path / "early", without=late, broken=broken)
    failing = backfill(str(copied.root), **FORM, catalog=early, force=[f"{REGION}/{YEAR}/32644-*/surface"])
    assert failing.failures
    assert all("32644" in failure for failure in failing.failures)
    standing = finding_of(copied, REGION, YEAR, datetime.now(UTC))
    assert standing.state == "incomplete"
    assert {(hole.why, hole.tile[:5]) for hole in standing.holes} == {("failed", "32644")}
    assert standing.mend == f"cryoatlas backfill --store {copied.root} --region {REGION} --years {YEAR}"

    later = catalog_of(world, tmp_path / "later", broken=broken)
    report = backfill(str(copied.root), **FORM, catalog=later, reason="late scenes")
    looks = [p for p in report.units if p.unit == Unit(REGION, YEAR, "32643-0033-0219", "look")]
    assert [(reason.why, reason.detail) for reason in looks[0].reasons] == [("new scenes", late)]
    assert all("32644" in failure for failure in report.failures)
    assert ledger.find(copied, Unit(REGION, YEAR, "32643-0033-0219", "surface")).state == "done"

    mended = backfill(str(copied.root), **FORM, catalog=world.catalog)
    assert not mended.failures
    assert products(copied) == before


@pytest.mark.slow
def test_a_region_year_that_another_holds_is_reported_as_busy_and_left_alone(copied, world):
    delete_a_product(copied, world)
    before = stamps(copied)
    with held(copied, REGION, YEAR):
        report = backfill(str(copied.root), **FORM, wait_minutes=0.01)
    assert [f"process {os.getpid()}" in failure for failure in report.failures] == [True]
    assert stamps(copied) == before
    assert "not reached" in report.receipt.became.values()
    assert not backfill(str(copied.root), **FORM).failures


def test_only_what_scenes_may_still_arrive_for_is_searched_again_when_so_asked(copied):
    def orders() -> list[int]:
        return [order.year for order in read_orders.fn(str(copied.root), None, None, Changes(None, None, None, ()), waiting=True)]

    assert orders() == [], "the seasons are long over"
    assert backfill(str(copied.root), waiting=True).plans == ()
    until_today = (datetime.now(UTC).date() - date(2022, 1, 1)).days
    set_policy(copied, None, coverage_target=1.0, grace_days=until_today)
    assert orders() == [2022]
    set_policy(copied, None, coverage_target=0.0, grace_days=None)
    assert orders() == [], "complete"


def test_forcing_what_is_not_there_names_the_nearest(copied):
    with pytest.raises(WrongCall, match=f"{REGION}/{YEAR}/32643-0032-0218/surface"):
        backfill(str(copied.root), **FORM, force=[f"{REGION}/{YEAR}/32643-0032-0218/surfaces"], dry_run=True)
