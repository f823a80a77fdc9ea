"""Inventories of others as they come: a file per year, or one with a column of years or dates."""

import geopandas as gpd
import pytest
import shapely

from catalog.facts.errors import WrongCall
from catalog.stores.inventories import read_others


def _write(path, columns, crs=32608, count=3):
    shapes = [shapely.box(500_000 + 200 * n, 7_500_000, 500_100 + 200 * n, 7_500_100) for n in range(count)]
    gpd.GeoDataFrame(columns, geometry=shapes, crs=crs).to_file(path)
    return path


def test_one_file_with_dates_holds_all_its_years(tmp_path):
    dates = ["2013-07-26", "2014-09-07", "2013-08-02"]
    _write(tmp_path / "runge2022_by_date.gpkg", {"image_date": dates, "tile": ["a", "a", "b"]})
    years = read_others(str(tmp_path / "*.gpkg"))
    assert {year: len(found.outlines) for year, found in years.items()} == {2013: 2, 2014: 1}
    assert years[2013].tiles == ("a", "b")
    assert -136 < years[2014].outlines[0].bounds[0] < -134


def test_a_column_of_years_counts_before_the_name_of_the_file(tmp_path):
    _write(tmp_path / "barth2023.gpkg", {"year": [2011, 2016, 2016]})
    assert sorted(read_others(str(tmp_path / "barth2023.gpkg"))) == [2011, 2016]


def test_files_are_named_for_their_years(tmp_path):
    for year in (2019, 2020):
        _write(tmp_path / f"lakes_{year}0815.gpkg", {"name": ["a", "b", "c"]})
    years = read_others(str(tmp_path / "lakes_*.gpkg"))
    assert {year: len(found.outlines) for year, found in years.items()} == {2019: 3, 2020: 3}
    assert set(years[2019].tiles) == {""}


@pytest.mark.parametrize(
    ("names", "words"),
    [((), "no file fits"), (("lakes.gpkg",), "no year in its name"), (("a_2020.gpkg", "b_2020.gpkg"), "2020 is also in")],
)
def test_what_cannot_be_told_is_asked_for(tmp_path, names, words):
    for name in names:
        _write(tmp_path / name, {"name": ["a", "b", "c"]})
    with pytest.raises(WrongCall, match=words):
        read_others(str(tmp_path / "*.gpkg"))


def test_an_outline_without_a_year_is_refused(tmp_path):
    _write(tmp_path / "rts.gpkg", {"date": ["2013-07-26", "soon", "2014-01-01"]})
    with pytest.raises(WrongCall, match=r"'soon' in column 'date' is no year"):
        read_others(str(tmp_path / "rts.gpkg"))


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "lakes_2020.gpkg").write_text("no")
    with pytest.raises(WrongCall, match="not a readable vector file"):
        read_others(str(tmp_path / "*.gpkg"))


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_file_without_a_place_on_earth_is_refused(tmp_path):
    _write(tmp_path / "lakes_2020.gpkg", {"name": ["a", "b", "c"]}, crs=None)
    with pytest.raises(WrongCall, match="names no CRS"):
        read_others(str(tmp_path / "*.gpkg"))
