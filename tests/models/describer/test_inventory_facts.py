import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from rasterio.features import rasterize
from shapely import Polygon
from shapely.geometry import box

from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.scene_facts import Earlier, Whereabouts
from models.describer.inventory_facts import facts_of_inventory
from models.describer.writer import written
from models.language.check import check
from models.language.facts_of import facts_of
from models.language.instances import instances_of_labels

GRID = PixelGrid(32645, 480_000.0, 3_090_000.0, 10.0, 224, 224)
WHERE = Whereabouts(86.8, 27.9, 5000.0, "hma-everest", 2023)


def inventory(*shapes: Polygon, areas=None) -> gpd.GeoDataFrame:
    """An inventory of shapes in metres from the upper left corner of the grid, y downwards."""
    placed = [Polygon([(GRID.left + x, GRID.top - y) for x, y in shape.exterior.coords]) for shape in shapes]
    points = gpd.GeoSeries([shape.representative_point() for shape in placed], crs=GRID.epsg).to_crs(4326)
    return gpd.GeoDataFrame(
        {
            "lake_id": [f"GL{number}E1N" for number in range(len(placed))],
            "area_m2": areas or [shape.area for shape in placed],
            "longitude": points.x,
            "latitude": points.y,
            "elevation_m": np.full(len(placed), 5012.0, np.float32),
        },
        geometry=gpd.GeoSeries(placed, crs=GRID.epsg).to_crs(4326),
    )


SHAPES = (box(100, 200, 300, 450), box(1500, 1700, 2000, 2100), box(1100, 1080, 1180, 1150))
HORSESHOE = Polygon([(1400, 100), (1900, 100), (1900, 160), (1460, 160), (1460, 500), (1900, 500), (1900, 560), (1400, 560)])


def test_an_inventory_and_its_mask_tell_the_same():
    lakes = inventory(*SHAPES, HORSESHOE)
    told = facts_of_inventory(lakes, GRID, scene_id="t", whereabouts=WHERE)
    metres = lakes.to_crs(GRID.epsg).geometry
    transform = Affine(10, 0, GRID.left, 0, -10, GRID.top)
    labels = rasterize([(shape, row + 1) for row, shape in enumerate(metres)], GRID.shape, transform=transform, dtype="int32")
    seen = facts_of(instances_of_labels(labels, list(lakes["area_m2"]), list(lakes["lake_id"])), 10.0)
    assert [lake.lake_id for lake in told.lakes] == [lake.lake_id for lake in seen.lakes]
    for own, other in zip(told.lakes, seen.lakes, strict=True):
        assert own.place.quadrant == other.place.quadrant
        assert own.area_m2 == other.area_m2
        if own.lake_id != "GL3E1N":  # each has its own way to choose a point of the horseshoe
            assert (own.x, own.y) == pytest.approx((other.x, other.y), abs=1 / 224)


def test_the_point_of_a_horseshoe_lies_in_it():
    lake = facts_of_inventory(inventory(HORSESHOE), GRID, scene_id="t", whereabouts=WHERE).lakes[0]
    assert HORSESHOE.buffer(0.5).contains(gpd.points_from_xy([2240 * lake.x], [2240 * lake.y])[0])


def test_lakes_beyond_the_rectangle_are_not_told():
    outside = box(2300, 100, 2400, 200)
    assert len(facts_of_inventory(inventory(*SHAPES, outside), GRID, scene_id="t", whereabouts=WHERE).lakes) == 3


def test_growth_is_told_by_name_and_every_claim_is_true():
    before = {"GL0E1N": 40_000.0, "GL1E1N": None, "GL2E1N": 0.0}
    facts = facts_of_inventory(
        inventory(*SHAPES), GRID, scene_id="t", whereabouts=WHERE, earlier=Earlier(2022, 2, 240_000.0), areas_before=before
    )
    assert {lake.lake_id: lake.area_before_m2 for lake in facts.lakes} == before
    text = written(facts)
    assert "GL0E1N went from 0.040 to 0.050 km2 since 2022." in text
    assert "GL2E1N was not there in 2022." in text
    found = check(text, facts)
    assert found.true == found.total


def test_a_lake_that_nobody_saw_the_year_before_is_not_new():
    facts = facts_of_inventory(inventory(*SHAPES), GRID, scene_id="t", whereabouts=WHERE, earlier=Earlier(2022, 3, 1.0), areas_before={})
    assert "was not there" not in written(facts)


def test_without_the_year_before_nobody_tells_growth():
    facts = facts_of_inventory(inventory(*SHAPES), GRID, scene_id="t", whereabouts=WHERE, areas_before={"GL0E1N": 1.0})
    assert {lake.area_before_m2 for lake in facts.lakes} == {None}
    assert "since" not in written(facts)
