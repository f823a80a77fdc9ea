import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from models.pictures.series import EventMark, TrackYear, pieces, prepare
from models.pictures.series_picture import series_picture


def seen(name, year, area, *, half=1000.0, share=1.0, comparable=True):
    return TrackYear(name, year, "present", area, area - half, area + half, share, comparable)


def unseen(name, year, state="unobserved"):
    return TrackYear(name, year, state, None, None, None, 0.0 if state == "unobserved" else 1.0)


def test_a_year_without_rows_is_a_gap_and_not_a_zero():
    series = prepare([seen("a", 2018, 5e5), seen("a", 2020, 6e5)], [])
    assert series.years.tolist() == [2018, 2019, 2020]
    assert np.isnan(series.total.middle).tolist() == [False, True, False]
    assert np.isnan(series.counts).tolist() == [False, True, False]
    assert np.isnan(series.largest[0].middle[1])


def test_a_year_in_which_nothing_was_looked_at_is_a_gap():
    series = prepare([seen("a", 2018, 5e5), unseen("a", 2019), seen("a", 2020, 6e5)], [])
    assert np.isnan(series.total.middle[1])
    assert series.observed_share[1] == 0


def test_a_vanished_lake_is_counted_as_none_and_not_as_unseen():
    series = prepare([seen("a", 2018, 5e5), unseen("a", 2019, "absent"), unseen("a", 2020)], [])
    assert series.counts[1] == 0
    assert series.total.middle[1] == 0
    assert series.unseen_counts.tolist() == [0, 0, 0]


def test_what_was_not_seen_is_carried_at_its_last_known_area_beside_the_total():
    rows = [seen("a", 2018, 5e5), seen("b", 2018, 2e5), seen("a", 2019, 5e5), unseen("b", 2019)]
    series = prepare(rows, [])
    assert series.total.middle.tolist() == pytest.approx([0.7, 0.5])
    assert series.unseen_km2.tolist() == pytest.approx([0.0, 0.2])
    assert series.total.comparable.tolist() == [True, False]
    assert series.observed_share[1] == pytest.approx(5 / 7)


def test_a_lake_seen_in_part_lacks_what_it_had_when_it_was_well_seen():
    rows = [seen("a", 2018, 5e5), seen("a", 2019, 2e5, comparable=False), seen("a", 2020, 5e5)]
    series = prepare(rows, [])
    assert series.unseen_km2.tolist() == pytest.approx([0.0, 0.3, 0.0])
    assert series.total.comparable.tolist() == [True, False, True]


def test_a_pond_that_was_not_seen_does_not_make_a_year_incomplete():
    rows = [seen("a", 2018, 5e5), seen("pond", 2018, 5e3), seen("a", 2019, 5e5), unseen("pond", 2019)]
    series = prepare(rows, [])
    assert series.total.comparable.tolist() == [True, True]
    assert series.unseen_counts.tolist() == [0, 1]
    assert series.unseen_km2[1] == pytest.approx(0.005)


def test_a_lake_is_not_missed_before_it_was_ever_seen():
    series = prepare([seen("a", 2018, 5e5), unseen("b", 2018), seen("b", 2019, 1e5), seen("a", 2019, 5e5)], [])
    assert series.unseen_counts.tolist() == [0, 0]


def test_independent_errors_add_in_quadrature():
    series = prepare([seen("a", 2018, 5e5, half=3e4), seen("b", 2018, 2e5, half=4e4)], [])
    assert series.total.high[0] - series.total.middle[0] == pytest.approx(0.05)
    assert series.total.middle[0] - series.total.low[0] == pytest.approx(0.05)


def test_lines_are_broken_where_a_year_is_missing_or_not_usable():
    series = prepare([seen("a", year, 5e5) for year in (2015, 2016, 2018, 2019, 2021)], [])
    line = series.largest[0]
    assert [line.years[piece].tolist() for piece in pieces(line)] == [[2015, 2016], [2018, 2019], [2021]]
    usable = line.years != 2016
    assert [line.years[piece].tolist() for piece in pieces(line, usable)] == [[2015], [2018, 2019], [2021]]


def test_the_largest_come_first_whatever_the_order_of_rows():
    rows = [seen(name, 2018, area) for name, area in (("small", 1e4), ("large", 9e5), ("middle", 3e5))]
    assert [line.name for line in prepare(rows[::-1], []).largest] == ["large", "middle", "small"]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(2000, 2006), st.sampled_from(["present", "absent", "unobserved"])),
        min_size=1,
        unique_by=lambda row: row[:2],
    )
)
def test_the_total_is_known_exactly_where_something_was_looked_at(cells):
    rows = [seen(name, year, 1e5) if state == "present" else unseen(name, year, state) for name, year, state in cells]
    series = prepare(rows, [])
    looked_at = {year for _, year, state in cells if state != "unobserved"}
    known = series.years[np.isfinite(series.total.middle)].tolist()
    assert known == sorted(looked_at)
    present = {year: sum(1 for _, y, state in cells if y == year and state == "present") for year in looked_at}
    assert series.counts[np.isfinite(series.counts)].tolist() == [present[year] for year in known]


def test_the_plot_is_a_png_with_the_same_bytes_every_time():
    rows = [seen("a", 2018, 5e5), seen("b", 2018, 2e4), seen("a", 2019, 5e5), unseen("b", 2019)]
    series = prepare(rows, [EventMark("drain", 2018, 2019, ("b",))])
    first, second = (series_picture(series, title="Small world", target="lakes", source="Model none") for _ in range(2))
    assert first == second
    assert imread(io.BytesIO(first), format="png").shape[1] == 1200


def test_one_single_year_can_be_drawn():
    series = prepare([seen("a", 2018, 5e5)], [])
    assert series_picture(series, title="Small world", target="lakes", source="Model none").startswith(b"\x89PNG")


def test_a_region_that_was_never_looked_at_can_be_drawn():
    series = prepare([unseen("a", 2018), unseen("a", 2019)], [])
    assert series_picture(series, title="Small world", target="slumps", source="Model none").startswith(b"\x89PNG")


def test_a_region_that_was_seen_wholly_was_not_seen_more_than_wholly():
    for seed in range(12):
        areas = np.random.default_rng(seed).uniform(1e3, 1e6, 93).tolist()
        rows = [seen(str(number), year, area) for number, area in enumerate(areas) for year in range(2013, 2019)]
        share = prepare(rows, []).observed_share
        assert share == pytest.approx(1)
        assert (share <= 1).all()


def test_outlines_that_do_not_come_from_sentinel_data_are_not_said_to():
    series = prepare([seen("a", year, 5e5) for year in (2018, 2019)], [])
    told, silent = (
        series_picture(series, title="Drawn", target="slumps", source="By hand", copernicus=copernicus) for copernicus in (True, False)
    )
    told_rows, silent_rows = (imread(io.BytesIO(png)) for png in (told, silent))
    changed = np.flatnonzero((told_rows != silent_rows).any(axis=(1, 2)))
    assert changed.size
    assert changed.min() > len(told_rows) - 48
