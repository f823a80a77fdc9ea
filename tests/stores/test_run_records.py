"""The record of an invocation: what it counts, and what is left of it after a `kill -9`."""

import json
import logging
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from catalog.facts.run_events import (
    DeviceUsed,
    RegionYearBegan,
    RegionYearEnded,
    RunPlanned,
    ScenesChosen,
    StageBegan,
    StageEnded,
    UnitEnded,
)
from catalog.facts.run_records import Prices, RunRecord
from catalog.stores.leases import this_process
from catalog.stores.meters import Metered, Workers, count_retry, reading
from catalog.stores.news import tell
from catalog.stores.run_logs import RunLog
from catalog.stores.run_recorder import open_invocation, recording, without_secrets
from catalog.stores.run_records import find_records, read_record, standing
from catalog.stores.store import Store, open_store


@pytest.fixture
def store(tmp_path) -> Store:
    return open_store(str(tmp_path / "store"), create=True)


def unit(tile: str, state: str = "done", *, worked: bool = True, done: int = 1) -> UnitEnded:
    return UnitEnded(
        "khumbu", 2021, "surface", tile, state, "read_failed" if state == "failed" else "", "broken", worked, 3.0, 1000, done, 4
    )


def map_one(end: str = "complete") -> None:
    tell(RegionYearBegan("khumbu", 2021, 2240))
    tell(ScenesChosen("khumbu", 2021, 12, 30))
    tell(StageBegan("khumbu", 2021, "surface", 4))
    for done, event in enumerate((unit("a"), unit("b", "failed"), unit("c", worked=False), unit("d", "empty")), start=1):
        if done == 2:
            count_retry()
        tell(replace(event, done=done))
    tell(DeviceUsed("khumbu", 2021, "surface", "GPU-1", 10.0, 6.0, 1.0, 8.0))
    tell(StageEnded("khumbu", 2021, "surface", True))
    tell(RegionYearEnded("khumbu", 2021, end))


def lines_of(store: Store, record: RunRecord) -> list[dict]:
    return [json.loads(line) for line in (store.runs() / record.log).read_bytes().splitlines()]


def test_a_record_counts_units_work_bytes_retries_and_shares(store):
    with recording(str(store.root), {"years": [2021]}, Prices(), flow_run="f-1"):
        tell(RunPlanned(1))
        map_one("failed")
    (record,) = find_records(store)
    (year,) = record.region_years
    (stage,) = year.stages
    assert (record.end, record.planned, record.asked.flow_run, record.asked.parameters) == ("failed", 1, "f-1", {"years": [2021]})
    assert (year.state, year.scenes_used, year.scenes_refused, year.tile_px) == ("failed", 12, 30, 2240)
    assert (stage.phase, stage.states, stage.worked, stage.current) == ("ended", {"done": 2, "empty": 1, "failed": 1}, 3, 1)
    assert (stage.work_s, stage.read_bytes, stage.retries, stage.failures) == (9.0, 3000, 1, ("b: broken",))
    assert (stage.devices[0].busy_share, stage.devices[0].waiting_share) == (0.75, 0.125)
    assert (record.usage.work_s, record.usage.gpu_s, record.usage.read_bytes, record.usage.retries) == (9.0, 10.0, 3000, 1)
    assert record.usage.peak_bytes > 10_000_000
    assert stage.cpu_s >= 0
    assert record.usage.cost is None
    assert RunRecord.from_json(record.to_json()) == record


def test_a_price_gives_the_cost_of_slots_and_gpus(store):
    with recording(str(store.root), {}, Prices(cpu_hour=0.36, gpu_hour=3.6)):
        map_one()
    (record,) = find_records(store)
    assert record.usage.cost == pytest.approx(9 * 0.36 / 3600 + 10 * 3.6 / 3600, abs=1e-4)


def test_a_gpu_without_a_price_has_no_cost_at_all(store):
    with recording(str(store.root), {}, Prices(cpu_hour=0.36)):
        map_one()
    assert find_records(store)[0].usage.cost is None


def test_the_log_has_a_line_per_unit_of_work_and_none_for_current_ones_or_chips(store):
    with recording(str(store.root), {}, Prices()):
        map_one()
        logging.getLogger("cryoatlas.progress").info("calibrate: 1 of 9 windows", extra={"done": 1, "total": 9})
        logging.getLogger("catalog.stores.raster_files").warning("attempt %d of %d: slow", 1, 5)
    lines = lines_of(store, find_records(store)[0])
    assert [line["tile"] for line in lines if line["event"] == "unit"] == ["a", "b", "d"]
    (failed,) = (line for line in lines if line.get("state") == "failed" and line["event"] == "unit")
    assert (failed["region"], failed["year"], failed["stage"], failed["cause"], failed["seconds"], failed["bytes"]) == (
        "khumbu",
        2021,
        "surface",
        "read_failed",
        3.0,
        1000,
    )
    assert failed["level"] == "error"
    assert datetime.fromisoformat(failed["time"]).utcoffset() == timedelta(0)
    assert [line["message"] for line in lines if line["event"] == "message"] == ["attempt 1 of 5: slow"]


def test_a_log_never_grows_beyond_its_bound(tmp_path):
    log = RunLog(largest_bytes=2000)
    log.place(tmp_path / "log.jsonl")
    for _ in range(100):
        log.add(b"x" * 99 + b"\n", unit=True)
    log.add(b"stage\n", unit=False)
    content = (tmp_path / "log.jsonl").read_bytes()
    assert 1900 <= len(content) <= 2200
    assert content.endswith(b"stage\n")
    assert content.count(b"log full") == 1


def test_an_error_before_the_first_region_year_leaves_no_record(store):
    with pytest.raises(ValueError, match="wrong"), recording(str(store.root), {}, Prices()):
        raise ValueError("wrong")
    assert not store.runs().exists()


def test_an_error_that_ends_the_run_is_its_message(store):
    with pytest.raises(ValueError, match="gone"), recording(str(store.root), {}, Prices()):
        tell(RegionYearBegan("khumbu", 2021, 2240))
        tell(StageBegan("khumbu", 2021, "surface", 4))
        raise ValueError("the catalog is gone")
    (record,) = find_records(store)
    assert (record.end, record.message, standing(record)) == ("failed", "the catalog is gone", "failed")
    assert (record.region_years[0].state, record.region_years[0].stages[0].phase) == ("stopped", "stopped")


def test_an_interrupt_from_the_keyboard_is_killed(store):
    with pytest.raises(KeyboardInterrupt), recording(str(store.root), {}, Prices()):
        tell(RegionYearBegan("khumbu", 2021, 2240))
        raise KeyboardInterrupt
    assert find_records(store)[0].end == "killed"


def test_a_flow_inside_a_flow_joins_the_record(store):
    with recording(str(store.root), {}, Prices()) as first:
        name = open_invocation()
        with recording(str(store.root), {"inner": 1}, Prices()) as second:
            map_one()
            assert open_invocation() == name
    assert (first, second) == (True, False)
    assert [record.invocation for record in find_records(store)] == [name]


def test_after_kill_9_the_record_is_there_and_reads_interrupted(store):
    script = (
        "import os, signal, sys\n"
        "from catalog.facts.run_events import *\n"
        "from catalog.facts.run_records import Prices\n"
        "from catalog.stores.news import tell\n"
        "from catalog.stores.run_recorder import recording\n"
        "with recording(sys.argv[1], {}, Prices()):\n"
        "    tell(RegionYearBegan('khumbu', 2021, 2240))\n"
        "    tell(StageBegan('khumbu', 2021, 'surface', 4))\n"
        "    tell(UnitEnded('khumbu', 2021, 'surface', 'a', 'done', '', '', True, 3.0, 1000, 1, 4))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(store.root)], check=False)
    assert ended.returncode == -signal.SIGKILL
    (record,) = find_records(store)
    assert (record.end, standing(record)) == ("running", "interrupted")
    assert record.region_years[0].stages[0].phase == "running"
    assert [line["tile"] for line in lines_of(store, record) if line["event"] == "unit"] == ["a"]


def test_a_record_of_another_machine_is_interrupted_after_ten_minutes_of_silence(store):
    with recording(str(store.root), {}, Prices()):
        map_one()
    elsewhere = replace(this_process(), machine="another")
    record = replace(find_records(store)[0], end="running", ended=None, holder=elsewhere)
    now = datetime.fromisoformat(record.updated)
    assert standing(record, now + timedelta(minutes=9)) == "running"
    assert standing(record, now + timedelta(minutes=11)) == "interrupted"


def test_a_store_that_refuses_the_record_does_not_end_the_run(store):
    with recording(str(store.root), {}, Prices()):
        store.runs().write_bytes(b"a file where the folder should be")
        map_one()
    assert find_records(store) == ()


def test_a_record_that_cannot_be_read_is_left_out(store):
    store.runs().mkdir()
    store.run_record("20200101T000000Z-0").write_bytes(b"{")
    assert find_records(store) == ()
    assert read_record(store, "20200101T000000Z-0") is None


def test_records_come_latest_first_and_only_as_many_as_wanted(store):
    with recording(str(store.root), {}, Prices()):
        map_one()
    (record,) = find_records(store)
    for name in ("20190101T000000Z-0", "20180101T000000Z-0"):
        store.run_record(name).write_bytes(replace(record, invocation=name).to_json())
    assert [entry.invocation for entry in find_records(store, latest=2)] == [record.invocation, "20190101T000000Z-0"]


def test_a_field_of_a_later_program_is_left_out(store):
    with recording(str(store.root), {}, Prices()):
        map_one()
    (record,) = find_records(store)
    known = json.loads(record.to_json())
    known["later"] = 1
    known["region_years"][0]["stages"][0]["later"] = 1
    assert RunRecord.from_json(json.dumps(known).encode()) == record


def test_what_workers_elsewhere_used_is_added_once():
    here, workers = reading(), Workers()
    there = replace(here, worker="node7:12", cpu_s=100.0, retries=5, peak_bytes=10**15)
    workers.note(there, replace(there, cpu_s=103.0, retries=6))
    workers.note(replace(there, cpu_s=101.0), replace(there, cpu_s=110.0, retries=9))
    workers.note(*Metered(len)("abc")[1:])
    used = workers.used(here)
    assert 10.0 <= used.cpu_s < 20.0
    assert (used.retries, used.peak_bytes) == (4, 10**15)


def test_secrets_in_addresses_are_not_written_down():
    said = without_secrets("run --catalog https://me:pass@host/stac?token=abc&x=1 --store s3://bucket/a")
    assert said == "run --catalog https://***@host/stac?token=***&x=1 --store s3://bucket/a"


def test_times_are_utc(store):
    with recording(str(store.root), {}, Prices()):
        map_one()
    record = find_records(store)[0]
    assert datetime.fromisoformat(record.began).tzinfo == UTC
    assert record.invocation.startswith(record.began[:4])
