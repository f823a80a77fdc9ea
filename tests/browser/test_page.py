"""The page as a person uses it, in the system's Chromium, on a small made store."""

import pyarrow.compute as pc
import pytest

from catalog.stores.store import Store
from catalog.stores.tables import read_table
from tasks.write_report import written
from tests.browser.made_store import REGION, make_store

NOTE = "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("made"), note=NOTE)


@pytest.fixture(scope="module")
def path(made):
    written(REGION, str(made.root), price_per_hour=2.0)
    return Store(made.root).report(REGION)


@pytest.fixture(scope="module")
def desktop(opened, path):
    with opened(path) as seen:
        yield seen


def inventory(made, year):
    return read_table(Store(made.root).inventory("lakes", REGION, year))


def to_year(seen, made, year):
    seen.page.locator("#year").fill(str(made.years.index(year)))
    seen.page.wait_for_function("(year) => document.querySelector('#map').dataset.year === String(year)", arg=year)


def words(seen, selector):
    return seen.page.locator(selector).inner_text()


def test_it_opens_without_a_complaint_and_asks_nobody_for_anything(desktop):
    desktop.page.wait_for_timeout(200)
    assert desktop.complaints == []
    assert [url for url in desktop.requests if not url.startswith(("file:", "data:", "blob:"))] == []


def test_the_policy_of_the_page_forbids_every_request(opened, path):
    with opened(path) as seen:
        answer = seen.ask("return fetch('https://example.org/').then(() => 'went out', () => 'refused')")
        assert answer == "refused"
        assert any("Content Security Policy" in complaint for complaint in seen.complaints)


def test_the_slider_draws_as_many_features_as_the_inventory_of_the_year_lists(desktop, made):
    for year in made.years:
        to_year(desktop, made, year)
        count = inventory(made, year).num_rows
        assert desktop.ask("return document.querySelector('#map').dataset.drawn") == str(count)
        assert words(desktop, "#count") == str(count)
        assert f"{count} lakes" in words(desktop, "#table-count")


def test_numbers_in_the_page_are_those_of_the_tables(desktop, made):
    summary = desktop.ask("return app.data.summary")
    totals = {row["year"]: row for row in read_table(Store(made.root).tracks("lakes", REGION, "totals")).to_pylist()}
    assert {row["year"]: row for row in summary["tables"]["totals"]} == totals
    for listed in summary["counts"]:
        table = inventory(made, listed["year"])
        small = [("below_minimum_area" in flags) for flags in table.column("flags").to_pylist()]
        areas = table.column("area_m2").to_pylist()
        assert (listed["features"], listed["features_small"]) == (table.num_rows, sum(small))
        assert listed["area_m2"] == pytest.approx(sum(a for a, s in zip(areas, small, strict=True) if not s), rel=1e-12)
    changes = read_table(Store(made.root).tracks("lakes", REGION, "changes"))
    assert sum(sum(pair["verdicts"].values()) for pair in summary["verdicts"]) == changes.num_rows


def test_every_lake_has_the_area_of_the_inventory_to_the_square_metre(desktop, made):
    script = "const table = app.data.year(argument); return Array.from(table.feature, (f, row) => [app.data.ids[f], table.columns.area_m2.at(row)])"
    for year in made.years:
        shown = dict(desktop.ask(script, year))
        assert shown.keys() == made.areas[year].keys()
        assert max(abs(shown[name] - area) for name, area in made.areas[year].items()) <= 0.5


def test_a_press_on_a_lake_shows_its_series_with_gaps_and_hollow_years(desktop, made):
    to_year(desktop, made, 2021)
    name = made.ids[20]  # unobserved in 2020; another lake is not comparable then
    where = desktop.ask("return app.map.whereIs(app.data.place.get(argument))", name)
    desktop.page.locator("#map").click(position={"x": where[0], "y": where[1]})
    assert words(desktop, "#feature-title") == name
    assert desktop.page.locator("#rows tr.chosen").inner_text().startswith(name)
    traces = {
        trace["name"]: trace
        for trace in desktop.ask("return document.querySelector('#series').data.map(({name, x, y}) => ({name, x: [...x], y: [...y]}))")
    }
    area = traces["area, 95 % interval"]
    assert area["x"] == list(made.years)
    assert area["y"][1] is None
    assert area["y"][2] == pytest.approx(made.areas[2021][name] / 1e4, abs=1e-4)
    assert traces["not observed"]["x"] == [2020]
    assert "unobserved" in words(desktop, "#feature-body")


def test_a_year_that_cannot_be_compared_is_hollow_and_says_why(desktop, made):
    desktop.ask("app.choose(app.data.place.get(argument))", made.ids[25])
    hollow = desktop.ask(
        "return document.querySelector('#series').data.filter(t => t.name === 'not comparable').map(t => [[...t.x], [...t.y].map(y => y !== null), t.text])"
    )
    assert [year for year, there in zip(*hollow[0][:2], strict=True) if there] == [2020]
    assert "fewer looks" in hollow[0][2][1]


def test_the_table_sorts_by_any_column_and_filters(desktop, made):
    to_year(desktop, made, 2021)
    header = desktop.page.locator("th[data-column=elevation_m]")
    for direction, order in (("descending", sorted), ("ascending", sorted)):
        header.get_by_role("button").click()
        assert header.get_attribute("aria-sort") == direction
        shown = desktop.ask("return app.state.visible.map(row => app.state.table.columns.elevation_m.at(row))")
        assert shown == order(shown, reverse=direction == "descending")
    desktop.page.locator("#filter-flag").select_option("cloud_share")
    flags = inventory(made, 2021).column("flags").to_pylist()
    expected = sum("cloud_share" in row for row in flags)
    desktop.page.wait_for_function("(n) => document.querySelector('#map').dataset.drawn === String(n)", arg=expected)
    desktop.page.locator("#filter-clear").click()
    desktop.page.locator("#filter-text").fill(made.ids[3])
    desktop.page.wait_for_function("() => document.querySelector('#map').dataset.drawn === '1'")
    desktop.page.locator("#filter-clear").click()


def test_the_table_is_used_with_the_keyboard_alone(desktop):
    rows = desktop.page.locator("#rows")
    rows.focus()
    for key in ("Home", "ArrowDown", "ArrowDown", "Enter"):
        rows.press(key)
    assert words(desktop, "#feature-title") == desktop.ask("return app.data.ids[app.state.table.feature[app.state.visible[2]]]")


def test_a_class_of_the_legend_counts_its_features_and_hides_them(desktop, made):
    to_year(desktop, made, 2021)
    changes = read_table(Store(made.root).tracks("lakes", REGION, "changes"))
    grown = changes.filter(pc.and_(pc.equal(changes.column("verdict"), "grown"), pc.equal(changes.column("year_to"), 2021))).num_rows
    button = desktop.page.locator("#legend button[data-class=grown]")
    assert button.inner_text() == f"grown {grown}"
    button.click()
    left = inventory(made, 2021).num_rows - grown
    desktop.page.wait_for_function("(n) => document.querySelector('#map').dataset.drawn === String(n)", arg=left)
    button.click()


def test_what_a_store_says_is_text_and_never_runs(desktop, made):
    desktop.ask("app.choose(app.data.place.get(argument))", made.ids[3])
    assert NOTE in words(desktop, "#feature-body")
    assert words(desktop, "#title") == "Made: <b>lakes</b> & more"
    assert desktop.ask("return window.ran ?? null") is None


def test_alarms_come_first_and_say_what_to_do(desktop, made):
    first = desktop.page.locator("#events .event").first.inner_text()
    assert "alarm" in first
    assert made.ids[1] in first
    assert "What to do" in first
    assert words(desktop, "#alarms") == "1"


def test_run_facts_hold_scenes_hours_and_costs(desktop):
    facts = words(desktop, "#facts")
    assert "cloud over the tile" in facts
    assert "at 2 per hour" in facts
    assert "indices" in facts
    assert "How to cite" in words(desktop, "#citation")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_scheme_of_the_system_and_can_be_turned(opened, path, scheme):
    with opened(path, scheme=scheme) as seen:
        ground = "return getComputedStyle(document.body).backgroundColor"
        brightness = [sum(map(int, seen.ask(ground)[4:-1].split(",")))]
        seen.page.locator("#theme").click()
        brightness.append(sum(map(int, seen.ask(ground)[4:-1].split(","))))
        assert (brightness[0] > brightness[1]) == (scheme == "light")
        assert seen.complaints == []


def test_a_phone_never_scrolls_sideways(opened, path, made):
    with opened(path, width=390, height=844) as seen:
        seen.ask("app.choose(app.data.place.get(argument))", made.ids[3])
        assert seen.ask("return document.documentElement.scrollWidth") == 390
        assert seen.page.locator("#map").bounding_box()["width"] > 300
        assert seen.complaints == []


def test_holes_are_named_and_what_was_not_computed_says_how(opened, tmp_path):
    make_store(tmp_path, lakes=9, years=(2020, 2021), failed=True, through=False)
    written(REGION, str(tmp_path))
    with opened(Store(tmp_path).report(REGION)) as seen:
        assert words(seen, "#complete") == "! Not complete: 2 holes"
        assert "<script>window.ran=1</script> could not be read" in words(seen, "#notices")
        assert "run cryoatlas track" in words(seen, "#region").lower()
        assert seen.ask("return window.ran ?? null") is None
        seen.ask("app.choose(app.state.table.feature[app.state.visible[0]])")
        assert seen.complaints == []
