import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.facts.errors import GridMismatch
from catalog.facts.options import TrackOptions
from catalog.facts.schemas import EVENTS, TRACKS, require
from models.outlines.timeline import Circumstances, YearFeatures
from models.outlines.track import tracks_of

OPTIONS = TrackOptions()
LON, LAT = 86.9, 27.9
UNIT_M2 = 1e4


def rectangle(x, y, width, height=10):
    return shapely.box(LON + x / 1000, LAT + y / 1000, LON + (x + width) / 1000, LAT + (y + height) / 1000)


def features(year, lakes, share=1.0, looks=5.0, **circumstances):
    """Features of a year from {id: outline} or {id: (outline, observed share)}; area is that of the drawing, errors are 5 %."""
    given = {name: lake if isinstance(lake, tuple) else (lake, share) for name, lake in lakes.items()}
    outlines = np.empty(len(given), dtype=object)
    outlines[:] = [outline for outline, _ in given.values()]
    area = shapely.area(outlines) * 1e6 * UNIT_M2
    shares = np.array([share for _, share in given.values()], float)
    return YearFeatures(
        year, tuple(given), outlines, area, area * 0.95, area * 1.05, shares, np.full(len(given), looks), Circumstances(**circumstances)
    )


def tracked(*years, span=None, hidden=()):
    """Rows by (id, year), and events. Years without features are unobserved, and so are those in `hidden`."""
    listed = {each.year for each in years} - set(hidden)

    def observed(year, outlines):
        return np.full(len(outlines), 1.0 if year in listed else 0.0)

    span = span or (min(each.year for each in years), max(each.year for each in years))
    tracks = tracks_of(years, span, observed, OPTIONS)
    rows = {(row["feature_id"], row["year"]): row for row in require(tracks.rows, TRACKS, where="test").to_pylist()}
    return rows, require(tracks.events, EVENTS, where="test").to_pylist()


def told(events):
    return [(event["event"], event["year_from"], event["year_to"], event["parents"], event["children"]) for event in events]


A, B = rectangle(0, 0, 20), rectangle(30, 0, 10)


def test_every_feature_has_a_row_for_every_year_of_the_span():
    rows, events = tracked(features(2018, {"A": A, "B": B}), features(2020, {"A": A, "B": B}), span=(2016, 2021))
    assert len(rows) == 2 * 6
    assert [rows["A", year]["state"] for year in range(2016, 2022)] == [
        "unobserved",
        "unobserved",
        "present",
        "unobserved",
        "present",
        "unobserved",
    ]
    assert rows["A", 2019]["area_m2"] is None
    assert events == []


def test_a_cloudy_year_makes_no_lake_vanish():
    rows, events = tracked(features(2018, {"A": A}), features(2019, {}), features(2020, {"A": A}), hidden=(2019,))
    assert rows["A", 2019]["state"] == "unobserved"
    assert events == []


def test_a_year_without_an_inventory_is_unobserved_whatever_its_scenes_show():
    years = [features(2018, {"A": A}), features(2020, {"A": A})]
    rows = tracks_of(years, (2018, 2020), lambda year, outlines: np.ones(len(outlines)), OPTIONS).rows.to_pylist()
    assert [row["state"] for row in rows] == ["present", "unobserved", "present"]


def test_a_partly_observed_year_makes_no_lake_vanish_or_drain():
    part = rectangle(0, 0, 3)
    rows, events = tracked(features(2018, {"A": A}), features(2019, {"A": (part, 0.3)}), features(2020, {"A": A}))
    assert rows["A", 2019]["state"] == "partly_observed"
    assert rows["A", 2019]["area_m2"] == pytest.approx(part.area * 1e6 * UNIT_M2)
    assert not rows["A", 2019]["comparable"]
    assert events == []


def test_a_lake_that_is_looked_for_and_gone_has_vanished():
    both = {"A": A, "B": B}
    rows, events = tracked(features(2017, both), features(2018, both), features(2019, {"B": B}), features(2020, {"B": B}))
    assert rows["A", 2019]["state"] == "absent"
    assert rows["A", 2019]["area_m2"] == 0
    assert told(events) == [("vanish", 2018, 2019, ["A"], [])]
    assert events[0]["alarm"]
    assert events[0]["change_m2"] == pytest.approx(-2e6)


def test_a_lake_that_one_year_alone_shows_raises_no_alarm_when_it_is_gone():
    _, events = tracked(features(2017, {"B": B}), features(2018, {"A": A, "B": B}), features(2019, {"B": B}), features(2020, {"B": B}))
    assert [(event["event"], event["alarm"]) for event in events] == [("appear", False), ("vanish", False)]


def test_a_speck_that_one_year_shows_larger_raises_no_alarm_when_it_is_gone():
    speck = {"A": rectangle(0, 0, 5), "B": B}
    _, events = tracked(features(2017, speck), features(2018, {"A": A, "B": B}), features(2019, {"B": B}), features(2020, {"B": B}))
    assert ("vanish", False) in [(event["event"], event["alarm"]) for event in events]


def test_a_lake_appears_only_where_an_earlier_look_found_none():
    _, events = tracked(features(2018, {"B": B}), features(2019, {"A": A, "B": B}))
    assert told(events) == [("appear", 2018, 2019, [], ["A"])]
    _, events = tracked(features(2018, {"B": B}), features(2019, {"A": A, "B": B}), hidden=(2018,))
    assert told(events) == []


def test_a_lake_that_comes_back_reappears():
    _, events = tracked(
        features(2017, {"A": A, "B": B}), features(2018, {"B": B}), features(2019, {"B": B}), features(2020, {"A": A, "B": B})
    )
    assert told(events) == [("vanish", 2017, 2018, ["A"], []), ("reappear", 2019, 2020, [], ["A"])]


def test_lakes_that_grow_together_merge_and_nothing_vanishes_or_surges():
    rows, events = tracked(features(2018, {"A": A, "B": rectangle(21, 0, 19)}), features(2019, {"A": rectangle(0, 0, 40)}))
    assert told(events) == [("merge", 2018, 2019, ["A", "B"], ["A"])]
    assert events[0]["area_before_m2"] == pytest.approx(3.9e6)
    assert events[0]["change_m2"] == pytest.approx(1e5)
    assert not events[0]["significant"]
    assert rows["B", 2019]["state"] == "absent"


def test_a_lake_that_falls_apart_splits_and_nothing_appears_or_drains():
    _, events = tracked(features(2018, {"A": rectangle(0, 0, 40)}), features(2019, {"A": rectangle(0, 0, 18), "C": rectangle(22, 0, 17)}))
    assert told(events) == [("split", 2018, 2019, ["A"], ["A", "C"])]


def test_a_lake_that_vanishes_beside_one_that_grows_a_little_over_its_ground_did_not_merge():
    apart = {"A": A, "B": rectangle(21, 0, 19)}
    _, events = tracked(features(2018, apart), features(2019, {"A": rectangle(0, 0, 22)}))
    assert told(events) == [("vanish", 2018, 2019, ["B"], [])]


def test_a_merged_lake_may_split_again_into_the_same_names():
    apart = {"A": A, "B": rectangle(21, 0, 19)}
    _, events = tracked(features(2018, apart), features(2019, {"A": rectangle(0, 0, 40)}), features(2020, apart))
    assert told(events) == [("merge", 2018, 2019, ["A", "B"], ["A"]), ("split", 2019, 2020, ["A"], ["A", "B"])]


def test_a_sudden_loss_of_more_than_half_is_a_drainage_with_alarm():
    _, events = tracked(features(2018, {"A": A}), features(2019, {"A": rectangle(0, 0, 6)}))
    assert told(events) == [("drain", 2018, 2019, ["A"], ["A"])]
    assert events[0]["alarm"]
    assert events[0]["significant"]
    assert events[0]["change_low_m2"] < events[0]["change_m2"] < events[0]["change_high_m2"] < 0
    half_width = np.hypot(0.05 * 2e6, 0.05 * 6e5)
    assert events[0]["change_m2"] - events[0]["change_low_m2"] == pytest.approx(half_width)


def test_a_loss_over_many_unobserved_years_is_not_sudden():
    _, events = tracked(features(2010, {"A": A}), features(2019, {"A": rectangle(0, 0, 6)}))
    assert [event["alarm"] for event in events] == [False]


def test_a_drainage_seen_across_a_cloudy_year_is_still_found():
    _, events = tracked(
        features(2018, {"A": A}), features(2019, {"A": (rectangle(0, 0, 1), 0.1)}), features(2020, {"A": rectangle(0, 0, 6)})
    )
    assert told(events) == [("drain", 2018, 2020, ["A"], ["A"])]


def test_doubling_within_the_errors_of_one_step_is_a_surge():
    _, events = tracked(features(2018, {"A": A}), features(2019, {"A": rectangle(0, 0, 44)}))
    assert told(events) == [("surge", 2018, 2019, ["A"], ["A"])]


def series(widths, **changes):
    return [features(2010 + step, {"A": rectangle(0, 0, width)}, **changes) for step, width in enumerate(widths) if width]


def flagged(rows):
    return sorted(year for (name, year), row in rows.items() if name == "A" and "area_dip" in (row["not_comparable_because"] or ""))


@pytest.mark.parametrize(
    ("widths", "years"),
    [
        ((20, 21, 10, 22, 23), [2012]),
        ((20, 21, 9, 10, 23, 24), [2012, 2013]),
        ((20, 18, 16, 14, 12, 10), []),
        ((10, 12, 14, 16, 18, 40), []),
        ((20, 10, 10, 10, 20), []),
        ((20, 16, 12, 10, 12, 16, 20), []),
        ((5, 20, 21), []),
        ((20, 21, 5), []),
        ((20, 16, 20), []),
    ],
)
def test_only_years_far_below_both_sides_dip(widths, years):
    rows, _ = tracked(*series(widths))
    assert flagged(rows) == years


def test_a_dip_is_reported_as_a_drainage_without_alarm_and_with_its_reason():
    _, events = tracked(*series((20, 21, 6, 22, 23)))
    assert [(event["event"], event["alarm"], event["reason"]) for event in events] == [
        ("drain", False, "area_dip"),
        ("surge", False, "area_dip"),
    ]


def test_a_year_that_misses_lakes_of_a_region_dips_for_all_its_tracks():
    lakes = {"A": A, "B": B, "C": rectangle(60, 0, 15), "D": rectangle(90, 0, 15)}
    rows, _ = tracked(features(2018, lakes), features(2019, {"A": A}), features(2020, lakes))
    assert rows["A", 2019]["not_comparable_because"] == "area_dip"
    assert rows["A", 2018]["comparable"]


def test_a_lake_that_one_year_shows_in_pieces_keeps_its_ground():
    pieces = {"A": rectangle(0, 0, 9), "P": rectangle(10, 0, 5), "Q": rectangle(16, 0, 4)}
    rows, events = tracked(features(2018, {"A": A}), features(2019, pieces), features(2020, {"A": A}))
    assert rows["A", 2019]["comparable"]
    assert [event["event"] for event in events] == ["split", "merge"]


def test_years_with_fewer_looks_or_another_model_or_season_are_not_comparable_and_a_harmonised_baseline_is():
    years = [
        features(2017, {"A": A}, model="m1", season="JAS", baseline="05"),
        features(2018, {"A": A}, looks=2.0, model="m1", season="JAS", baseline="05"),
        features(2019, {"A": A}, model="m2", season="JAS", baseline="05"),
        features(2020, {"A": A}, model="m1", season="SON", baseline="02"),
        features(2021, {"A": A}, model="m1", season="JAS", baseline="05"),
    ]
    rows, _ = tracked(*years)
    assert [rows["A", year]["not_comparable_because"] for year in range(2017, 2022)] == [
        None, "fewer_looks", "other_model", "other_season", None,
    ]  # fmt: skip


def test_years_given_twice_or_outside_the_span_and_ids_given_twice_are_refused():
    with pytest.raises(GridMismatch, match="distinct"):
        tracked(features(2018, {"A": A}), features(2018, {"A": A}))
    with pytest.raises(GridMismatch, match="2019-2020"):
        tracked(features(2018, {"A": A}), span=(2019, 2020))


def test_no_years_give_empty_tables():
    tracks = tracks_of([], (2018, 2020), lambda year, outlines: np.zeros(len(outlines)), OPTIONS)
    assert require(tracks.rows, TRACKS, where="test").num_rows == require(tracks.events, EVENTS, where="test").num_rows == 0


worlds = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 9), st.sampled_from([0.0, 0.5, 1.0])), max_size=5), min_size=1, max_size=6
)


@settings(max_examples=50)
@given(worlds, st.randoms(use_true_random=False))
def test_absence_is_only_claimed_where_it_was_looked_for_and_order_does_not_matter(world, random):
    years = []
    for step, lakes in enumerate(world):
        drawn = {f"L{x}": (rectangle(10 * x, 0, width), share) for x, width, share in lakes}
        years.append(features(2015 + step, drawn))
    rows, events = tracked(*years)
    for row in rows.values():
        assert (row["state"] in {"absent", "present"}) == (row["observed_share"] >= 0.8)
        assert row["state"] == "absent" or row["area_m2"] != 0
        assert not (row["comparable"] and row["state"] in {"unobserved", "partly_observed"})
    for event in events:
        assert event["year_from"] < event["year_to"]
        assert event["change_low_m2"] <= event["change_m2"] <= event["change_high_m2"]
    random.shuffle(years)
    assert tracked(*years) == (rows, events)
