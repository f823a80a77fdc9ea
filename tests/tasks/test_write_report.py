"""From a store to a page: the same bytes for the same tables, under its limit, true to the tables."""

import base64
import hashlib
import html
import json
import re

import pytest

from catalog.facts.errors import WrongCall
from catalog.stores.report_tables import read_page_parts, read_report_tables
from catalog.stores.store import Store
from models.report.page import LARGEST_BYTES
from tasks.write_report import written
from tests.browser.made_store import REGION, make_store


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("made"), lakes=30)


def summary_in(path):
    return json.loads(re.search(r'id="summary">(.*?)</script>', path.read_text()).group(1))


def test_a_second_page_is_the_same_and_is_not_written_again(made):
    first = written(REGION, str(made.root))
    path = Store(made.root).report(REGION)
    content, stamp = path.read_bytes(), path.stat().st_mtime_ns
    second = written(REGION, str(made.root))
    assert (first.written, second.written) == (True, False)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, stamp)
    assert second.bytes == len(content) < LARGEST_BYTES


def test_a_page_elsewhere_leaves_the_store_alone(made, tmp_path):
    before = sorted(path for path in made.root.rglob("*"))
    report = written(REGION, str(made.root), str(tmp_path / "deep" / "page.html"))
    assert (tmp_path / "deep" / "page.html").stat().st_size == report.bytes
    assert sorted(path for path in made.root.rglob("*")) == before


def test_counts_of_report_and_page_are_those_of_the_inventories(made):
    report = written(REGION, str(made.root))
    assert report.features == {year: len(areas) for year, areas in made.areas.items()}
    assert {row["year"]: row["features"] for row in summary_in(Store(made.root).report(REGION))["counts"]} == report.features


def test_what_must_be_cited_is_said_once(made, tmp_path):
    written(REGION, str(made.root), str(tmp_path / "page.html"))
    summary = summary_in(tmp_path / "page.html")
    assert summary["attribution"] == ["Contains modified Copernicus Sentinel data 2019, 2020, 2021", "Copernicus DEM"]
    assert "2019 to 2021" in summary["citation"]
    assert "runs run2019, run2020, run2021" in summary["citation"]


def test_hours_and_costs_are_those_of_the_ledger(made, tmp_path):
    written(REGION, str(made.root), str(tmp_path / "page.html"), price_per_hour=2.0)
    work = summary_in(tmp_path / "page.html")["work"]
    units = sum(len(list(Store(made.root).ledger(REGION, year).glob("*.json"))) for year in made.years)
    assert work["hours"] == pytest.approx(9.0 * units / 3600, abs=1e-3)
    assert work["bytes"] == 1_000_000 * units
    assert work["cost"] == pytest.approx(2.0 * 9.0 * units / 3600, abs=0.01)


def test_only_scripts_whose_hash_the_policy_names_may_run(made, tmp_path):
    written(REGION, str(made.root), str(tmp_path / "page.html"))
    text = (tmp_path / "page.html").read_text()
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1))
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert len(scripts) == 2
    assert policy.startswith("default-src 'none'; script-src " + " ".join(f"'sha256-{one}'" for one in hashes) + ";")
    assert "connect-src 'none'" in policy


def test_the_page_parts_are_whole():
    parts = read_page_parts()
    assert set(re.findall(r"\{\{(\w+)\}\}", parts.html)) == {"policy", "title", "style", "summary", "bulk", "pictures", "plotly", "script"}
    assert "</script" not in parts.script + parts.plotly
    assert "\r" not in parts.script + parts.plotly  # a browser would hash other line ends than we do


def test_a_hole_makes_the_page_incomplete(tmp_path):
    make_store(tmp_path, lakes=4, years=(2021,), failed=True)
    assert written(REGION, str(tmp_path)).complete is False


def test_a_region_without_an_inventory_is_refused_with_the_way_out(tmp_path):
    made = make_store(tmp_path, lakes=4, years=(2021,))
    with pytest.raises(WrongCall, match=r"not in .* There: made"):
        read_report_tables(Store(made.root), "elsewhere")
    Store(made.root).inventory("lakes", REGION, 2021).unlink()
    with pytest.raises(WrongCall, match=r"no inventory in .* Map it first"):
        read_report_tables(Store(made.root), REGION)


@pytest.mark.slow
def test_twenty_thousand_lakes_in_six_years_stay_under_the_limit(tmp_path):
    make_store(tmp_path, lakes=20_000, years=tuple(range(2018, 2024)))
    assert written(REGION, str(tmp_path)).bytes < LARGEST_BYTES
