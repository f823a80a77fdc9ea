"""What differs between two inventories adds up, and the first thing on the road that differs is its cause."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from catalog.facts.causes import State
from catalog.facts.differences import Road
from catalog.facts.records import Outcome, Unit
from models.outlines.geodesy import area_perimeter
from models.review.causes import Explainer, retiled, tiles_under
from models.review.pairs import Side, pairs_of
from models.review.totals import largest, rows_of, totals_of

LON, LAT = 75.0, 44.3
TILE, NEXT = "32643-0022-0219", "32643-0023-0219"


def lake(x, y, size=4.0):
    return shapely.box(LON + x / 1000, LAT + y / 1000, LON + (x + size) / 1000, LAT + (y + size) / 1000)


def side(**lakes):
    outlines = np.array(list(lakes.values()), dtype=object)
    return Side(tuple(lakes), outlines, area_perimeter(outlines)[0])


def kinds(pairs, a, b):
    return {b.ids[p.right] if p.right >= 0 else a.ids[p.left]: p.kind for p in pairs}


def test_every_kind_is_told_apart():
    a = side(same=lake(0, 0), moved=lake(10, 0), old=lake(20, 0), gone=lake(30, 0))
    b = side(same=lake(0, 0), moved=lake(10, 0, 5.0), new=lake(20, 0), more=lake(40, 0))
    pairs = pairs_of(a, b, min_overlap=0.1)
    assert kinds(pairs, a, b) == {"same": "same", "moved": "changed", "new": "renamed", "gone": "lost", "more": "added"}


def test_a_name_goes_before_a_larger_overlap():
    a, b = side(x=lake(0, 0, 4), y=lake(4, 0, 4)), side(x=lake(3.5, 0, 8.0))
    pairs = pairs_of(a, b, min_overlap=0.1)
    assert kinds(pairs, a, b) == {"x": "changed", "y": "lost"}
    assert next(p.overlaps for p in pairs if p.kind == "lost") == ("x",)


def test_an_equal_name_on_other_ground_is_lost_and_added():
    a, b = side(x=lake(0, 0)), side(x=lake(50, 0))
    assert sorted(p.kind for p in pairs_of(a, b, min_overlap=0.1)) == ["added", "lost"]


LAKES = st.dictionaries(
    st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 8), st.integers(0, 3), st.sampled_from([2.0, 4.0, 7.0])), max_size=8
)


@given(LAKES, LAKES)
def test_the_changes_add_up_to_the_difference_of_the_totals(before, after):
    a, b = (side(**{name: lake(5 * x, 5 * y, size) for name, (x, y, size) in lakes.items()}) for lakes in (before, after))
    pairs = pairs_of(a, b, min_overlap=0.1)
    totals = totals_of(pairs, [()] * len(pairs), a, b)
    assert abs(totals.residual_m2) < 1e-6 * (1 + sum(totals.totals_m2))
    assert sorted([p.left for p in pairs if p.left >= 0]) == list(range(len(a.ids)))
    assert sorted([p.right for p in pairs if p.right >= 0]) == list(range(len(b.ids)))


def outcome(stage, tile=TILE, outputs="x", state=State.DONE, version=1, **inputs):
    files = {f"cubes/r/2021/32643.zarr/s2/c/0/0/0_{tile}": f"sha256:{outputs}:1"}
    return Outcome(Unit("r", 2021, tile, stage), state, "", inputs={"stage": f"{stage} {version}", **inputs}, outputs=files)


def scene(name, baseline="02.08", offset=0, etag="t"):
    return [name, "sentinel-2-l2a", baseline, offset, etag]


def offered(*names, refused=()):
    return [[name, "t", name not in refused, "enough clearer scenes" if name in refused else None] for name in names]


def records(tile=TILE, seen="x", surfaces=None, scenes=("s1", "s2"), refused=(), model="m 1", **changed):
    used = [scene(name) for name in scenes if name not in refused]
    made = {
        "scenes": outcome("scenes", tile, scenes=offered(*scenes, refused=refused), skipped=None),
        "surface": outcome("surface", tile, str(used), scenes=used, options={"snow_ndsi": 0.4}, chips="ff"),
        "segment": outcome(
            "segment", tile, f"{used}{model}{seen}", model=model, model_sha256=model, surfaces=surfaces or {tile: {"s2": str(used)}}
        ),
        "outline": outcome("outline", tile, f"{used}{model}{seen}", threshold=0.5),
    } | changed
    return {(stage, tile): record for stage, record in made.items()}


def road(label, *parts, year=2021, **more):
    together = {key: record for part in parts for key, record in part.items()}
    whole = Outcome(
        Unit("r", year, "region", "features"), State.DONE, "", inputs={"stage": "features 4", "options": {"keep_area_m2": 1000.0}}
    )
    return Road(label, year, 10, together | {("features", "region"): whole}, **more)


A, B = side(x=lake(0, 0)), side(x=lake(0, 0, 5.0))
PAIR = pairs_of(A, B, min_overlap=0.1)[0]


def why(a, b, pair=PAIR, left=A, right=B, tiles=(TILE,)):
    return [(one.stage, one.cause) for one in Explainer(a, b).explain(pair, left, right, (tiles, tiles))]


def test_other_scenes_are_data_and_their_number_is_told():
    a, b = road("A", records(scenes=("s1", "s2"))), road("B", records(scenes=("s1", "s3", "s4")))
    found = Explainer(a, b).explain(PAIR, A, B, ((TILE,), (TILE,)))
    assert (found[0].cause, found[0].detail) == ("data", "2 scenes more, 1 scene less in B")


def test_another_choice_among_equal_scenes_is_options():
    b = road("B", records(scenes=("s1", "s2"), refused=("s2",)))
    assert why(road("A", records()), b)[0] == ("scenes", "options")


def test_another_choice_by_another_version_is_code():
    newer = outcome("scenes", scenes=offered("s1", "s2", refused=("s2",)), skipped=None, version=2)
    b = road("B", records(scenes=("s1", "s2"), refused=("s2",)) | {("scenes", TILE): newer})
    assert why(road("A", records()), b)[0] == ("scenes", "code")


@pytest.mark.parametrize(("changed", "word"), [({"baseline": "05.00"}, "baseline"), ({"offset": 1000}, "offset"), ({"etag": "u"}, "item")])
def test_a_scene_processed_anew_is_data(changed, word):
    new = outcome("surface", outputs="y", scenes=[scene("s1", **changed), scene("s2")], options={"snow_ndsi": 0.4}, chips="ff")
    a, b = road("A", records()), road("B", records(seen="y") | {("surface", TILE): new})
    found = Explainer(a, b).explain(PAIR, A, B, ((TILE,), (TILE,)))
    assert found[0].cause == "data"
    assert word in found[0].detail


def test_another_model_is_the_cause_where_the_surface_is_equal():
    assert why(road("A", records()), road("B", records(model="m 2"))) == [("segment", "model")]


def test_the_first_stage_that_differs_is_the_cause_and_the_others_are_told():
    b = road("B", records(scenes=("s1", "s3"), model="m 2"))
    assert why(road("A", records()), b) == [("scenes", "data"), ("segment", "model")]


def test_a_neighbour_is_the_cause_where_the_tile_itself_is_equal():
    own = str([scene("s1"), scene("s2")])
    a = road("A", records(surfaces={TILE: {"s2": own}, NEXT: {"s2": "old"}}))
    b = road("B", records(seen="y", surfaces={TILE: {"s2": own}, NEXT: {"s2": "new"}}))
    assert why(a, b) == [("segment", "neighbourhood")]


def test_other_answers_from_equal_inputs_are_said_to_be_unexplained():
    assert why(road("A", records()), road("B", records(seen="y"))) == [("segment", "unexplained")]


def test_a_threshold_is_options_and_a_version_code():
    b = road("B", records(outline=outcome("outline", outputs="y", threshold=0.4)))
    assert why(road("A", records()), b) == [("outline", "options")]
    c = road("C", records(outline=outcome("outline", outputs="y", threshold=0.5, version=2)))
    assert why(road("A", records()), c) == [("outline", "code")]


def test_tiles_whose_outlines_are_equal_explain_nothing():
    b = road("B", records(surface=outcome("surface", outputs="y", scenes=[scene("s9")], options={}, chips="ff")))
    whole = b.records["features", "region"]
    b = replace(
        b, records={**b.records, ("features", "region"): replace(whole, inputs={**whole.inputs, "options": {"keep_area_m2": 400.0}})}
    )
    assert why(road("A", records()), b) == [("features", "options")]


def test_an_edit_of_the_feature_goes_before_everything():
    b = road("B", records(model="m 2"), edits={"x": frozenset({"redraw"})})
    assert why(road("A", records()), b) == [("inventory", "edits"), ("segment", "model")]


def test_a_pure_renaming_is_history():
    left, right = side(old=lake(0, 0)), side(new=lake(0, 0))
    pair = pairs_of(left, right, min_overlap=0.1)[0]
    a, b = road("A", records(), first_seen={"old": 2018}), road("B", records(), first_seen={"new": 2021})
    found = Explainer(a, b).explain(pair, left, right, ((TILE,), (TILE,)))
    assert (found[0].cause, found[0].detail) == ("history", "named in 2018 in A, in 2021 in B")


def test_two_years_differ_by_the_year_and_a_changed_model_is_told():
    b = road("B", records(scenes=("t1",), model="m 2"), year=2022)
    assert why(road("A", records()), b) == [("surface", "year"), ("segment", "model")]


def test_a_store_without_records_says_what_cannot_be_told():
    a, b = road("A", records(), model="m"), Road("B", 2021, 10, {}, model="m")
    bare = replace(a, records={})
    assert why(bare, b) == [("records", "unknown")]
    assert why(bare, replace(b, model="n")) == [("records", "model")]


def test_a_tile_that_one_store_skipped_says_why():
    skipped = Outcome(Unit("r", 2021, TILE, "scenes"), State.SKIPPED, "", message="below 2500 m", inputs={"stage": "scenes 1"})
    b = road("B", {("scenes", TILE): skipped})
    found = Explainer(road("A", records()), b).explain(PAIR, A, B, ((TILE,), (TILE,)))
    assert (found[0].cause, "below 2500 m" in found[0].detail) == ("options", True)


def test_the_tiles_under_an_outline_are_those_its_box_touches():
    small, wide = lake(0, 100), shapely.box(LON, LAT + 0.1, LON + 0.3, LAT + 0.104)
    under, beside = tiles_under(np.array([small, wide], object), [32643, 32643], 10)
    assert under == ("32643-0022-0219",)
    assert beside == ("32643-0022-0219", "32643-0023-0219")
    assert set(retiled(under, 10, 5)) >= set(tiles_under(np.array([small], object), [32643], 5)[0])


def test_the_rows_of_a_report_are_as_its_totals():
    a, b = side(x=lake(0, 0), y=lake(10, 0)), side(x=lake(0, 0, 5.0), z=lake(30, 0))
    pairs = pairs_of(a, b, min_overlap=0.1)
    columns = rows_of(pairs, [()] * len(pairs), a, b, [()] * len(pairs))
    assert sum(columns["change_m2"]) == pytest.approx(b.area_m2.sum() - a.area_m2.sum())
    assert largest(columns)[0]["feature_id"] in {"x", "y", "z"}
    assert len(largest(columns)) == 3
