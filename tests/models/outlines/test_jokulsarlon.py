import geopandas as gpd
import pytest
import shapely

from catalog.facts.options import TrackOptions
from models.outlines.identity import name_features
from models.outlines.track import tracks_from_polygons

OPTIONS = TrackOptions()


@pytest.fixture(scope="module")
def jokulsarlon(shared_data):
    """29 inventories of the lakes at the foot of Breidamerkurjokull (GeoKauko/glacial_lakes_vdc, BSD-3)."""
    files = sorted((shared_data / "glacial_lake_timeseries" / "jokulsarlon_iceland").glob("glacial_lakes_*.gpkg"))
    if not files:
        pytest.skip("the outlines of Jokulsarlon are not among the real data")
    outlines = {int(file.stem[-4:]): gpd.read_file(file).to_crs(4326).geometry.to_numpy() for file in files}
    tracks, registry = tracks_from_polygons(outlines, (1985, 2025), OPTIONS, pixel_m=30.0)
    return outlines, tracks.rows.to_pandas(), tracks.events.to_pandas(), registry


def test_jokulsarlon_is_one_lake_that_trebled(jokulsarlon):
    outlines, rows, _, _ = jokulsarlon
    largest = rows.loc[rows.area_m2.idxmax(), "feature_id"]
    lake = rows[rows.feature_id == largest].set_index("year")
    assert lake.area_m2[1985] / 1e6 == pytest.approx(9.4, abs=0.1)
    assert lake.area_m2[2025] / 1e6 == pytest.approx(28.3, abs=0.1)
    good = lake[lake.state == "present"]
    # Only 1991 has no outline at all on the lake.
    assert sorted(set(outlines) - set(good.index)) == [1991]
    assert lake.state[1991] == "absent"
    assert set(lake.index[lake.state == "unobserved"]) == set(range(1985, 2026)) - set(outlines)


def test_the_lakes_of_the_glacier_grow_from_17_to_40_square_kilometres(jokulsarlon):
    _, rows, _, _ = jokulsarlon
    total = rows.groupby("year").area_m2.sum() / 1e6
    assert total[1985] == pytest.approx(16.6, abs=0.2)
    assert total[2025] == pytest.approx(40.1, abs=0.2)


def test_exactly_the_visibly_bad_years_of_jokulsarlon_are_not_comparable(jokulsarlon):
    _, rows, events, _ = jokulsarlon
    largest = rows.loc[rows.area_m2.idxmax(), "feature_id"]
    lake = rows[(rows.feature_id == largest) & (rows.state != "unobserved")].set_index("year")
    assert lake.index[~lake.comparable].tolist() == [1991, 1992, 2000, 2007, 2011]
    whole = rows[rows.state != "unobserved"].groupby("year").comparable.any()
    assert whole.index[~whole].tolist() == [1991, 1992, 2000, 2007, 2011]
    touching = events[[largest in [*parents, *children] for parents, children in zip(events.parents, events.children, strict=True)]]
    assert not touching.alarm.any()


def test_names_of_jokulsarlon_survive_a_rerun_of_any_year(jokulsarlon):
    outlines, rows, _, registry = jokulsarlon
    for year in (1985, 1991, 2007, 2025):
        valid = shapely.make_valid(outlines[year])
        points = shapely.get_coordinates(shapely.point_on_surface(valid))
        ids, _ = name_features(year, valid, points, registry, min_overlap=OPTIONS.min_overlap)
        assert set(ids) == set(rows[(rows.year == year) & (rows.state == "present")].feature_id)
