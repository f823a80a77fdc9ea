"""The state of a region-year at one look, from its ledger, its lease and the last run."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from catalog.facts.leases import Holder
from catalog.facts.overview import STATES, overview_of
from catalog.facts.run_records import Asked, RegionYearRun, RunRecord
from catalog.facts.standings import Finding, Hole, LeaseSeen
from models.status.page import SIGNS, status_page

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DONE = Finding("khumbu", 2021, "lakes", "complete", "", 0.9, 0.7, date(2022, 1, 1), {}, (), "", "", ())
FAILED = replace(DONE, state="incomplete", because="2 units", holes=(Hole("t", "surface", "failed", "x"),), mend="cryoatlas backfill")
MISSING = replace(FAILED, holes=(Hole("t", "surface", "missing", "x"),))
LEASE = LeaseSeen("khumbu", 2021, "khumbu 2021", "process 1", NOW, NOW, "live")


def run(state: str = "running", region: str = "khumbu", year: int = 2021) -> RunRecord:
    began = (NOW - timedelta(days=3)).isoformat()
    entry = RegionYearRun(region, year, state, began)
    return RunRecord("20261029T120000Z-1", Asked("", {}, "0"), Holder("h", 1, "m", ""), began, began, region_years=(entry,))


@pytest.mark.parametrize(
    ("finding", "runs", "state"),
    [
        (DONE, [], "complete"),
        (replace(DONE, state="waiting"), [], "waiting"),
        (replace(DONE, state="short"), [], "short"),
        (FAILED, [], "failed"),
        (MISSING, [], "partly"),
        (replace(FAILED, leases=(LEASE,)), [], "running"),
        (replace(FAILED, leases=(replace(LEASE, standing="expired"),)), [], "failed"),
        (MISSING, [(run(), "running")], "running"),
        (MISSING, [(run(), "interrupted")], "interrupted"),
        (DONE, [(run(), "interrupted")], "complete"),
        (MISSING, [(run("complete"), "running")], "partly"),
    ],
)
def test_the_state_of_a_region_year(finding, runs, state):
    (cell,) = overview_of([finding], runs, NOW)
    assert cell.state == state


def test_years_that_a_region_lacks_are_not_begun_and_the_last_run_counts():
    other = replace(DONE, region="taimyr", year=2023)
    cells = overview_of([DONE, other], [(run("complete"), "complete"), (run("failed"), "failed")], NOW)
    assert [(cell.region, cell.year, cell.state) for cell in cells if cell.state != "not begun"] == [
        ("khumbu", 2021, "complete"),
        ("taimyr", 2023, "complete"),
    ]
    assert len(cells) == 6
    assert cells[0].age_days == 3.0


def test_a_run_that_was_killed_before_it_recorded_anything_is_seen():
    assert overview_of([], [(run(), "interrupted")], NOW)[0].state == "interrupted"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_the_page_has_a_box_per_region_year_links_that_lead_somewhere_and_no_script():
    names = [f"region_{n}" for n in range(19)] + ["<script>alert(1)</script>"]
    findings = [replace(FAILED, region=name, year=year) for name in names for year in range(2016, 2026)]
    tags = Tags()
    page = status_page(overview_of(findings, [], NOW), "s3://bucket/a&b", "now")
    tags.feed(page)
    boxes = [attrs for tag, attrs in tags.seen if tag == "a"]
    assert len(boxes) == 200
    assert {attrs["href"][1:] for attrs in boxes} == {attrs["id"] for tag, attrs in tags.seen if tag == "tr" and "id" in attrs}
    assert not any(tag in ("script", "link", "img") for tag, _ in tags.seen)
    assert "default-src 'none'" in page


def test_every_state_has_a_sign_of_its_own_and_words():
    assert len(set(SIGNS.values())) == len(SIGNS) == len(STATES)
