"""Progress as a person and a machine see it."""

import io
import json
import logging
from datetime import datetime

import pytest
from rich.console import Console

from catalog.facts.progress import Pace
from catalog.facts.run_events import RegionYearBegan, RegionYearEnded, RunPlanned, StageBegan, StageEnded, UnitEnded
from catalog.stores.news import COURSE, PROGRESS, tell
from commands import bars, console
from commands.console import progress_shown


def go() -> None:
    tell(RunPlanned(2))
    for year in (2021, 2022):
        tell(RegionYearBegan("khumbu", year, 2240))
        tell(StageBegan("khumbu", year, "surface", 3))
        for done, (tile, state, worked) in enumerate((("a", "done", True), ("b", "failed", True), ("c", "done", False)), start=1):
            tell(UnitEnded("khumbu", year, "surface", tile, state, "", "100% broken" if state == "failed" else "", worked, 1.0, 8, done, 3))
        tell(StageEnded("khumbu", year, "surface", True))
        tell(RegionYearEnded("khumbu", year, "failed"))


def test_a_log_gets_a_line_per_unit_stage_and_region_year(capsys):
    with progress_shown():
        go()
    lines = [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()]
    assert lines[0].startswith("khumbu 2021 surface a: done [1/3, ends ")
    assert lines[1].startswith("khumbu 2021 surface b: failed 100% broken [2/3")
    assert lines[2] == "khumbu 2021 surface c: done [3/3]"
    assert lines[3].startswith("khumbu 2021 surface: 3 of 3 units in 0 s")
    assert lines[4].startswith("khumbu 2021 failed; region-year 1 of 2, ends ")
    assert lines[-1] == "khumbu 2022 failed; region-year 2 of 2"


def test_machines_get_json_and_warnings_of_our_modules_too(capsys):
    with progress_shown(log_json=True):
        go()
        logging.getLogger("catalog.stores.search").warning("asking again")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines[:4]] == ["planned", "region-year begins", "stage begins", "unit"]
    assert [line["tile"] for line in lines if line["event"] == "unit"] == ["a", "b", "a", "b"]
    assert lines[-1]["message"] == "asking again"


def test_quiet_is_quiet(capsys):
    with progress_shown(quiet=True):
        go()
    assert capsys.readouterr().err == ""


def test_a_terminal_keeps_the_bars_of_what_runs_only(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(console, "ERR", Console(file=out, force_terminal=True, width=160, highlight=False))
    shown: list[int] = []
    with progress_shown():
        (handler,) = (h for h in PROGRESS.handlers if isinstance(h, bars.Bars))
        tell(RunPlanned(3))
        for year in (2021, 2022):
            tell(RegionYearBegan("khumbu", year, 2240))
            tell(StageBegan("khumbu", year, "surface", 3))
            tell(UnitEnded("khumbu", year, "surface", "a", "done", "", "", True, 1.0, 8, 1, 3))
            shown.append(len(handler._progress.tasks))
            tell(StageEnded("khumbu", year, "surface", True))
            tell(RegionYearEnded("khumbu", year, "complete"))
        tasks = [(task.description, task.completed, task.total) for task in handler._progress.tasks]
    assert shown == [2, 2]
    assert tasks == [("[bold]region-years", 2, 3)]
    assert "khumbu 2021 complete" in out.getvalue()
    assert not any(isinstance(h, bars.Bars) for logger in (PROGRESS, COURSE) for h in logger.handlers)


def test_rates_are_said_as_far_as_they_are_known():
    pace = Pace(0.0, 10, 2240, done=3, worked=3, read_bytes=36_000_000, marks_s=(0.0, 6.0, 12.0, 18.0))
    assert bars.rates_of(pace) == "10 tiles/min  0.836 Mpx/s  2 MB/s"
    assert bars.rates_of(Pace(0.0, 10)) == ""
    assert bars.rates_of(Pace(0.0, 1, 2240, done=1, worked=1, marks_s=(0.0, 6.0))) == ""


@pytest.mark.parametrize(("left_s", "words"), [(None, ""), (1800.0, "ends 14:30"), (86_400.0, "ends 2026-07-02 14:00")])
def test_an_expected_end_is_a_time_of_day_or_a_date(left_s, words):
    assert bars.end_in(left_s, datetime(2026, 7, 1, 14, 0).astimezone()) == words
