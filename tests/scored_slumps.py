"""Squares on flat ground in zone 8, some of them slumps, for tests of scores."""

import geopandas as gpd
import numpy as np
import shapely

from models.detector.slumps import SlumpOptions
from models.outlines.geodesy import to_degrees
from models.scores.disagreements import Ground
from models.scores.slump_scenes import Blocks, SlumpScene, found_slumps, true_slumps

EPSG = 32608
EAST, NORTH = 500_000.0, 7_500_000.0
SHOWS = Ground("world", "arctic", 2023, EPSG)
CHIP_M = 2_240.0
BLOCKS = Blocks(np.array([[EAST + CHIP_M * (place + 0.5), NORTH + CHIP_M / 2] for place in range(4)]), np.arange(4))
GROUND = shapely.box(EAST, NORTH, EAST + 4 * CHIP_M, NORTH + CHIP_M)
KM2 = np.full(4, CHIP_M**2 / 1e6)


def square(x: float, y: float, side: float) -> shapely.Polygon:
    """A square of `side` metres with its lower left corner x, y metres from the corner of the ground."""
    return shapely.box(EAST + x, NORTH + y, EAST + x + side, NORTH + y + side)


def labels(*shapes: shapely.Polygon, reasons: list[str] | None = None, observable: list[bool] | None = None) -> gpd.GeoDataFrame:
    """Rows as a set of chips keeps them."""
    count = len(shapes)
    table = {
        "lake_id": [f"slump-{place}" for place in range(count)],
        "ground": ["world"] * count,
        "region": ["arctic"] * count,
        "year": [2023] * count,
        "label_year": [2023] * count,
        "class": ["thaw_slump"] * count,
        "hard_because": reasons or [""] * count,
        "observable": observable or [True] * count,
    }
    return gpd.GeoDataFrame(table, geometry=to_degrees(np.array(shapes, object), EPSG) if count else [], crs=4326)


def scene(truth: gpd.GeoDataFrame, found: list[tuple[shapely.Polygon, float]], ground: shapely.Geometry = GROUND) -> SlumpScene:
    """A scene of labels and of detections with their scores."""
    outlines = np.array([shape for shape, _ in found], object)
    scores = np.array([score for _, score in found], np.float64)
    return SlumpScene(SHOWS, true_slumps(truth, SHOWS, ground, BLOCKS, SlumpOptions()), found_slumps(outlines, scores, SHOWS, BLOCKS))
