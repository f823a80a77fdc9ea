"""The script of the worlds: what grows, drains, merges, splits and appears, and where."""

import pytest
from shapely.geometry import LineString, Point
from shapely.ops import unary_union

from simulator.features import Event, Feature, Life, outline
from simulator.frames import reproject
from simulator.lakes import mountain_lakes
from simulator.shapes import Blob
from simulator.tundra import tundra_features
from simulator.worlds import ARCTIC, HMA

SEED = 7
LAKES = mountain_lakes(HMA, SEED)


def shapes_of(year: int) -> dict:
    return {state.name: state.shape for state in LAKES.states(year)}


def test_every_scripted_event_happens_once_in_its_year() -> None:
    told = {(event.event, event.year, event.parents, event.children) for event in LAKES.events(range(2018, 2024))}
    for wanted in (
        ("split", 2019, ("split-a+split-b",), ("split-a", "split-b")),
        ("drain", 2021, ("drain",), ("drain",)),
        ("merge", 2022, ("merge-a", "merge-b"), ("merge-a+merge-b",)),
        ("appear", 2022, (), ("birth",)),
    ):
        assert wanted in told


def test_events_bridge_years_that_were_not_simulated() -> None:
    assert Event("drain", 2019, 2023, ("drain",), ("drain",)) in LAKES.events([2019, 2023])


def test_the_outburst_leaves_under_a_fifth_of_the_lake() -> None:
    assert shapes_of(2021)["drain"].area < 0.2 * shapes_of(2020)["drain"].area


def test_the_ice_contact_lake_grows_up_the_valley_by_its_rate() -> None:
    before, after = shapes_of(2018)["ice-main"], shapes_of(2023)["ice-main"]
    assert after.area > 1.35 * before.area
    assert before.bounds[1] - after.bounds[1] == pytest.approx(5 * 55, rel=0.15)
    assert abs(before.bounds[3] - after.bounds[3]) < 15


def test_merged_and_split_lakes_are_one_polygon_then_two_far_enough_apart_to_be_told_apart() -> None:
    for joined, year, apart in (("merge-a+merge-b", 2022, 2021), ("split-a+split-b", 2018, 2019)):
        assert shapes_of(year)[joined].geom_type == "Polygon"
        first, second = joined.split("+")
        parts = shapes_of(apart)
        assert parts[first].distance(parts[second]) > 35


def test_lakes_never_overlap_in_any_year() -> None:
    for year in (2015, 2018, 2021, 2023, 2035):
        shapes = list(shapes_of(year).values())
        assert unary_union(shapes).area == pytest.approx(sum(shape.area for shape in shapes), rel=1e-9)


def test_lakes_lie_across_the_tile_corner_a_tile_edge_and_the_zone_seam() -> None:
    x, y = HMA.corner
    shapes = shapes_of(2018)
    assert shapes["corner"].contains(Point(x, y))
    edge = LineString([(x - 4000, y), (x - 1000, y)])
    assert shapes["edge-west"].crosses(edge) or edge.crosses(shapes["edge-west"])
    for name in ("seam-large", "seam-small"):
        longitude = reproject(shapes[name], HMA.epsgs[0], 4326).bounds
        assert longitude[0] < 78.0 < longitude[2]
        assert not shapes[name].contains(Point(x, y))


def test_the_mountain_world_has_enough_lakes_of_every_kind() -> None:
    states = LAKES.states(2022)
    assert 45 <= len(states) <= 60
    assert sum(state.shape.area >= 5000 for state in states) > 0.6 * len(states)
    assert {"cirque", "shadowed", "supraglacial", "kettle", "ice_contact", "turbid", "seam", "corner"} <= {state.kind for state in states}
    assert any(state.frozen for year in range(2018, 2024) for state in LAKES.states(year))


def test_slumps_retreat_rest_merge_and_appear() -> None:
    _, slumps = tundra_features(ARCTIC, SEED)
    kinds = {(event.event, event.year) for event in slumps.events(range(2019, 2023))}
    assert {("merge", 2021), ("appear", 2021)} <= kinds
    early, late = ({state.name: state.shape.area for state in slumps.states(year)} for year in (2020, 2022))
    assert late["slump-fast"] > 1.1 * early["slump-fast"]
    assert late["slump-rest-b"] == early["slump-rest-b"]
    assert 20 <= len(slumps.states(2022)) <= 32


def test_features_come_to_rest_far_beyond_the_script() -> None:
    feature = Feature("one", "valley", Blob(0, 0, 1e4), Life(0.01))
    assert outline(feature, 2060, SEED).equals(outline(feature, 2090, SEED))
    assert outline(feature, 2030, SEED).area > outline(feature, 2018, SEED).area


def test_the_area_of_a_blob_is_exact() -> None:
    blob = Blob(10.0, 20.0, 12_345.0, 1.7, 33.0, ((3, 0.1, 0.2),))
    assert blob.polygon().area == pytest.approx(12_345.0, rel=1e-9)
