import geopandas as gpd
import pytest

from catalog.facts.options import TrackOptions
from models.changes.tables import change_tables
from models.outlines.track import tracks_from_polygons

BAD_YEARS = (1991, 1992, 2000, 2007, 2011)


def test_the_bad_years_of_jokulsarlon_enter_neither_its_trend_nor_any_comparison(shared_data):
    """29 inventories of the lakes at the foot of Breidamerkurjokull (GeoKauko/glacial_lakes_vdc, BSD-3)."""
    files = sorted((shared_data / "glacial_lake_timeseries" / "jokulsarlon_iceland").glob("glacial_lakes_*.gpkg"))
    if not files:
        pytest.skip("the outlines of Jokulsarlon are not among the real data")
    outlines = {int(file.stem[-4:]): gpd.read_file(file).to_crs(4326).geometry.to_numpy() for file in files}
    tracks, _ = tracks_from_polygons(outlines, (1985, 2025), TrackOptions(), pixel_m=30.0)
    tables = change_tables(tracks, [], "jokulsarlon", TrackOptions())
    trends = tables.trends.to_pandas().set_index("feature_id")
    largest = trends.area_last_m2.idxmax()
    trend = trends.loc[largest]
    assert trend.years_observed == len(outlines) - len(BAD_YEARS)
    assert (trend.first_year, trend.last_year, trend.direction) == (1985, 2025, "growing")
    # it grew from 9.4 to 28.3 km2 in 40 years, less in the last ten
    assert 0.47e6 < trend.slope_low < trend.slope_high < 0.65e6
    assert trend.slope_m2_per_year == pytest.approx(0.556e6, rel=0.02)
    assert trend.p_value < 1e-6
    pairs = tables.changes.to_pandas().query("feature_id == @largest")
    touching = pairs.year_from.isin(BAD_YEARS) | pairs.year_to.isin(BAD_YEARS)
    assert (pairs[touching].verdict == "not_comparable").all()
    assert all(list(because) == ["area_dip"] for because in pairs[touching].because)
    assert pairs[~touching].comparable.all()
