"""`cryoatlas report` as a user runs it."""

import json

from tests.browser.made_store import REGION, make_store


def test_the_page_is_written_and_told(cryoatlas, tmp_path, prefect_server):
    made = make_store(tmp_path / "store", lakes=12, years=(2020, 2021))
    said = cryoatlas("report", "--store", made.root, "--region", REGION, "--out", tmp_path / "page.html", "--json")
    told = json.loads(said.out)
    assert said.code == 0
    assert told["features"] == {"2020": len(made.areas[2020]), "2021": len(made.areas[2021])}
    assert told["bytes"] == (tmp_path / "page.html").stat().st_size
    again = cryoatlas("report", "--store", made.root, "--region", REGION, "--out", tmp_path / "page.html")
    assert "Equal, left as it is" in again.err


def test_an_unknown_region_is_one_sentence(cryoatlas, tmp_path):
    made = make_store(tmp_path, lakes=4, years=(2021,))
    said = cryoatlas("report", "--store", made.root, "--region", "khumbo")
    assert said.code == 2
    assert "Region 'khumbo' is not in" in said.err
    assert "made" in said.err


def test_a_price_below_nothing_is_refused(cryoatlas, tmp_path):
    made = make_store(tmp_path, lakes=4, years=(2021,))
    said = cryoatlas("report", "--store", made.root, "--region", REGION, "--price-per-hour", "-1")
    assert said.code == 2
    assert "a price is a number from 0 up" in said.err
