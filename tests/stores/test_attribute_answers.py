"""Written questions, each with the SQL that a person wrote for it: the program must find exactly the same lakes."""

# ruff: noqa: S608 - what a person wrote by hand
from dataclasses import replace

import duckdb
import pytest

from catalog.facts.attribute_queries import AttributeQuery, Condition, Limits
from catalog.facts.errors import WrongCall
from catalog.stores.attribute_answers import answer_attributes
from models.referrer.attribute_phrases import said_query
from models.referrer.attributes import Known, read_attributes
from tests.asked_store import REGION, TILES, YEARS, asked_store

KNOWN = Known("lakes", YEARS)
LISTED = "NOT coalesce(list_contains(flags, 'below_minimum_area'), false)"
L21 = f"SELECT lake_id FROM lakes WHERE year = 2021 AND {LISTED}"
LAST = f"SELECT lake_id FROM last21 WHERE {LISTED}"
JUDGED = "SELECT feature_id FROM changes WHERE verdict IN ('grown', 'shrunk')"


def judged(first: int, last: int, having: str) -> str:
    """Lakes by the sum of what was judged a change between two years."""
    return f"lake_id IN ({JUDGED} AND year_from >= {first} AND year_to <= {last} GROUP BY 1 HAVING {having})"


def event(kind: str) -> str:
    """Lakes of an event."""
    return f"lake_id IN (SELECT unnest(parents || children) FROM events WHERE {kind})"


DRAINED = event("event = 'drain'")
PERCENT = "(SELECT area_from_m2 FROM changes c WHERE c.feature_id = changes.feature_id AND year_from >= 2018 ORDER BY year_from LIMIT 1)"
QUESTIONS = [
    ("lakes", L21),
    ("all lakes in 2019", f"SELECT lake_id FROM lakes WHERE year = 2019 AND {LISTED}"),
    ("lakes larger than 0.1 km2", f"{L21} AND area_m2 > 100000"),
    ("lakes of at least 0.1 km2", f"{L21} AND area_m2 >= 100000"),
    ("lakes smaller than 2 ha", f"{L21} AND area_m2 < 20000"),
    ("lakes with an area of at most 20,000 m2", f"{L21} AND area_m2 <= 20000"),
    ("Which lakes are between 0.05 and 0.7 km²?", f"{L21} AND area_m2 BETWEEN 50000 AND 700000"),
    ("lakes bigger than one square kilometre", f"{L21} AND area_m2 > 1000000"),
    ("lakes >= 70 hectares", f"{L21} AND area_m2 >= 700000"),
    ("lakes more than 10 ha and less than 1 km2", f"{L21} AND area_m2 > 100000 AND area_m2 < 1000000"),
    ("lakes above 4000 m", f"{L21} AND elevation_m > 4000 AND NOT isnan(elevation_m)"),
    ("lakes below 4 km", f"{L21} AND elevation_m < 4000"),
    ("lakes with an elevation between 3900 and 4500 m", f"{L21} AND elevation_m BETWEEN 3900 AND 4500"),
    ("lakes whose elevation is at least 4500 m", f"{L21} AND elevation_m >= 4500 AND NOT isnan(elevation_m)"),
    ("lakes larger than 0.05 km2 above 3900 m", f"{L21} AND area_m2 > 50000 AND elevation_m > 3900 AND NOT isnan(elevation_m)"),
    ("lakes with a perimeter of more than 2 km", f"{L21} AND perimeter_m > 2000"),
    ("lakes within 500 m of a glacier", f"{L21} AND glacier_distance_m <= 500"),
    ("lakes closer than 500 m to a glacier", f"{L21} AND glacier_distance_m < 500"),
    ("lakes farther than 100 m from the nearest glacier", f"{L21} AND glacier_distance_m > 100"),
    ("ice-contact lakes", f"{L21} AND lake_type = 'ice_contact'"),
    ("supraglacial lakes larger than 1 ha in 2020", f"SELECT lake_id FROM lakes WHERE year = 2020 AND {LISTED} AND lake_type = 'supraglacial' AND area_m2 > 10000"),
    ("glacier-fed lakes with a probability above 90 %", f"{L21} AND lake_type = 'glacier_fed' AND probability > 0.9"),
    ("lakes with an observed share below 80 percent", f"{L21} AND observed_share < 0.7999"),
    ("lakes with the flag lake ice", f"{L21} AND list_contains(flags, 'lake_ice')"),
    ("lakes flagged below_minimum_area", "SELECT lake_id FROM lakes WHERE year = 2021 AND list_contains(flags, 'below_minimum_area')"),
    ("lakes smaller than 1 ha including those below the minimum area", "SELECT lake_id FROM lakes WHERE year = 2021 AND area_m2 < 10000"),
    ("the largest lake", f"{L21} AND area_m2 = (SELECT max(area_m2) FROM lakes WHERE year = 2021)"),
    ("the smallest lake in 2018", f"SELECT lake_id FROM lakes WHERE year = 2018 AND {LISTED} AND area_m2 = (SELECT min(area_m2) FROM lakes WHERE year = 2018 AND {LISTED})"),
    ("the three largest lakes", "SELECT lake_id FROM lakes a WHERE year = 2021 AND (SELECT count(*) FROM lakes b WHERE b.year = 2021 AND b.area_m2 > a.area_m2) < 3"),
    ("the highest lake", f"{L21} AND elevation_m = (SELECT max(elevation_m) FROM lakes WHERE year = 2021 AND NOT isnan(elevation_m) AND {LISTED})"),
    ("top 5 lakes by perimeter", "SELECT lake_id FROM lakes a WHERE year = 2021 AND (SELECT count(*) FROM lakes b WHERE b.year = 2021 AND b.perimeter_m > a.perimeter_m) < 5"),
    ("the largest ice-contact lake", f"{L21} AND lake_type = 'ice_contact' AND area_m2 = (SELECT max(area_m2) FROM lakes WHERE year = 2021 AND lake_type = 'ice_contact')"),
    ("lakes that grew since 2018", f"{LAST} AND {judged(2018, 2021, 'sum(change_m2) > 0')}"),
    ("lakes larger than 0.1 km2 that grew since 2019", f"{LAST} AND area_m2 > 100000 AND {judged(2019, 2021, 'sum(change_m2) > 0')}"),
    ("lakes that shrank between 2018 and 2020", f"SELECT lake_id FROM last20 WHERE {LISTED} AND {judged(2018, 2020, 'sum(change_m2) < 0')}"),
    ("lakes that grew by more than 5,000 m2 since 2018", f"{LAST} AND {judged(2018, 2021, 'sum(change_m2) > 5000')}"),
    ("lakes that lost at least 0.02 km2 since 2018", f"{LAST} AND {judged(2018, 2021, 'sum(change_m2) <= -20000')}"),
    ("lakes that grew by more than 10 % since 2018", f"{LAST} AND {judged(2018, 2021, f'sum(change_m2) / nullif(any_value({PERCENT}), 0) > 0.1')}"),
    ("the two lakes that grew most since 2018", "SELECT lake_id FROM grown a WHERE (SELECT count(*) FROM grown b WHERE b.change > a.change) < 2"),
    ("the lake that shrank most since 2018", "SELECT lake_id FROM grown WHERE change = (SELECT min(change) FROM grown)"),
    ("lakes unchanged since 2019", f"{LAST} AND lake_id IN (SELECT feature_id FROM changes WHERE year_from >= 2019 GROUP BY 1 HAVING bool_and(verdict = 'within_error'))"),
    ("lakes that cannot be compared since 2020", f"{LAST} AND lake_id IN (SELECT feature_id FROM changes WHERE year_from >= 2020 AND verdict = 'not_comparable')"),
    ("lakes that drained", f"{LAST} AND {DRAINED}"),
    ("lakes that vanished since 2020", f"{LAST} AND lake_id = 'GL077004E43000N'"),
    ("lakes that appeared between 2018 and 2020", f"SELECT lake_id FROM last20 WHERE {LISTED} AND lake_id = 'GL077001E43000N'"),
    ("merged lakes", f"{LAST} AND lake_id IN ('GL077007E43000N', 'GL077008E43000N')"),
    ("lakes with an alarm", f"{LAST} AND {event('alarm')}"),
    ("lakes with a growing trend", f"{LAST} AND lake_id IN (SELECT feature_id FROM trends WHERE direction = 'growing')"),
    ("lakes that were not observed in 2020", f"SELECT lake_id FROM last20 WHERE {LISTED} AND lake_id IN (SELECT feature_id FROM tracks WHERE year = 2020 AND state = 'unobserved')"),
    ("partly observed lakes smaller than 1 km2", f"{LAST} AND area_m2 < 1000000 AND lake_id IN (SELECT feature_id FROM tracks WHERE year = 2021 AND state = 'partly_observed')"),
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return asked_store(tmp_path_factory.mktemp("asked") / "store")


@pytest.fixture(scope="module")
def tables(store):
    """The files as a person would open them."""
    db = duckdb.connect()
    db.execute(
        f"CREATE VIEW lakes AS SELECT * FROM read_parquet('{store.root}/inventory/lakes/*/*/part.parquet', hive_partitioning = true)"
    )
    for name in ("changes", "events", "trends", "tracks"):
        db.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{store.root}/{name}/lakes/*/part.parquet')")
    for year in (2020, 2021):
        first = f"SELECT lake_id, coalesce(max(year) FILTER (year <= {year}), min(year)) AS year FROM lakes GROUP BY 1"
        db.execute(f"CREATE VIEW last{year - 2000} AS SELECT lakes.* FROM lakes SEMI JOIN ({first}) USING (lake_id, year)")
    db.execute(
        f"CREATE VIEW grown AS SELECT lake_id, sum(change_m2) AS change FROM last21 JOIN changes ON lake_id = feature_id "
        f"WHERE {LISTED} AND verdict IN ('grown', 'shrunk') GROUP BY 1"
    )
    return db


def asked(words: str) -> AttributeQuery:
    query = read_attributes(words, KNOWN)
    assert isinstance(query, AttributeQuery), query
    return query


def test_there_are_fifty_questions():
    assert len({words for words, _ in QUESTIONS}) == len(QUESTIONS) == 50


@pytest.mark.parametrize(("words", "sql"), QUESTIONS, ids=[words for words, _ in QUESTIONS])
def test_a_question_finds_what_sql_finds(store, tables, words, sql):
    expected = {name for (name,) in tables.execute(sql).fetchall()}
    found = answer_attributes(store, REGION, asked(words))
    assert {row["feature_id"] for row in found.rows} == expected
    assert len(found.rows) == len(expected) == found.number


def test_the_questions_tell_lakes_apart(tables):
    """A test that compares nothing with nothing would prove nothing."""
    sizes = [len(tables.execute(sql).fetchall()) for _, sql in QUESTIONS]
    assert sum(size == 0 for size in sizes) <= 2
    assert len({tuple(sorted(tables.execute(sql).fetchall())) for _, sql in QUESTIONS}) >= 44


def test_counts_and_totals_are_those_of_sql(store, tables):
    (count, total) = tables.execute(
        f"SELECT count(*), sum(area_m2) FROM lakes WHERE year = 2021 AND {LISTED} AND area_m2 > 50000"
    ).fetchone()
    assert answer_attributes(store, REGION, asked("how many lakes are larger than 5 ha?")).number == count
    assert answer_attributes(store, REGION, asked("the total area of lakes larger than 5 ha")).number == pytest.approx(total, rel=1e-12)
    assert answer_attributes(store, REGION, asked("total area of lakes larger than 5000 km2")).number == 0


def test_tiles_share_out_the_lakes_of_a_region(store):
    query = asked("lakes larger than 2 ha")
    whole, *parts = (answer_attributes(store, REGION, query, tile) for tile in (None, *TILES))
    names = [{row["feature_id"] for row in each.rows} for each in (whole, *parts)]
    assert names[0] == names[1] | names[2]
    assert not names[1] & names[2]
    assert all(names)


def test_what_was_left_out_is_counted(store, tables):
    small = "SELECT count(*) FROM lakes WHERE year = 2021 AND area_m2 < 10000 AND list_contains(flags, 'below_minimum_area')"
    assert answer_attributes(store, REGION, asked("lakes smaller than 1 ha")).small == tables.execute(small).fetchone()[0] > 0
    grown = answer_attributes(store, REGION, asked("lakes that grew since 2018"))
    unsure = f"{LAST} AND lake_id IN (SELECT feature_id FROM changes WHERE verdict = 'not_comparable')"
    assert (
        grown.incomparable == len({name for (name,) in tables.execute(unsure).fetchall()} - {row["feature_id"] for row in grown.rows}) > 0
    )


def test_rows_tell_the_year_of_their_outline(store, tables):
    found = answer_attributes(store, REGION, asked("lakes that shrank between 2018 and 2020"))
    years = dict(tables.execute("SELECT lake_id, year FROM last20").fetchall())
    assert {row["year"] for row in found.rows} >= {2019, 2020}
    assert all(row["year"] == years[row["feature_id"]] for row in found.rows)


def test_words_of_users_are_parameters_and_never_sql(store):
    evil = "2018'; DROP TABLE inventory; --"
    query = AttributeQuery("lakes", flag=evil, year=2021)
    found = answer_attributes(store, REGION, query)
    assert found.rows == ()
    assert evil not in found.statement.sql
    assert found.statement.parameters["flag"] == evil


def test_a_table_that_was_never_written_is_no_empty_answer(store, tmp_path):
    bare = asked_store(tmp_path / "store")
    bare.tracks("lakes", REGION, "changes").unlink()
    with pytest.raises(WrongCall, match=r"has no table of changes .*cryoatlas track"):
        answer_attributes(bare, REGION, asked("lakes that grew since 2018"))


def test_lakes_without_a_number_fit_no_limit(store):
    below, above = (Condition("elevation", Limits(word, (0.0,))) for word in ("below", "above"))
    every = answer_attributes(store, REGION, AttributeQuery("lakes", year=2021))
    found = [answer_attributes(store, REGION, AttributeQuery("lakes", conditions=(each,), year=2021)).rows for each in (below, above)]
    assert found[0] == ()
    assert 0 < len(found[1]) < len(every.rows)


def test_what_was_read_is_told_in_words_that_read_the_same(store):
    for words, _ in QUESTIONS:
        query = asked(words)
        assert read_attributes(said_query(query), KNOWN) == query, said_query(query)
        assert replace(query, year=None) != query
