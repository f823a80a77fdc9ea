"""The benchmark's composite is the one that everybody writes with NaN and `median`, rounded down."""

from datetime import UTC, datetime, timedelta

import numpy as np

from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Asset, Scene
from models.surface.scl_median import scl_median

BANDS = ("B02", "B08", "B11")
GRID = PixelGrid(32643, 500_000, 3_900_000, 20, 40, 50)


def scene(day: int, offset: int = 0) -> Scene:
    assets = {band: Asset(band) for band in ("SCL", *BANDS)}
    return Scene(str(day), "s2", "f", "c", datetime(2023, 7, 1, tzinfo=UTC) + timedelta(days=day), assets, "", offset_counts=offset)


def read(one, band, grid):
    rng = np.random.default_rng([int(one.id), sum(map(ord, band))])
    if band == "SCL":
        return rng.integers(0, 12, grid.shape).astype(np.uint8)
    return (rng.integers(0, 5000, grid.shape) + one.offset_counts).astype(np.uint16)


def test_the_plain_composite_is_the_masked_median():
    scenes = [scene(day) for day in range(6)]
    out = scl_median(scenes, read, GRID, BANDS)
    classes = np.stack([read(one, "SCL", GRID) for one in scenes])
    for index, band in enumerate(BANDS):
        counts = np.stack([read(one, band, GRID) for one in scenes])
        masked = np.ma.array(counts, mask=np.isin(classes, (0, 1, 3, 8, 9, 10)) | (counts == 0))
        np.testing.assert_array_equal(out[index], np.floor(np.ma.median(masked, axis=0)).filled(0))


def test_dates_without_a_clear_pixel_are_not_read():
    asked = []

    def cloudy(one, band, grid):
        asked.append((one.id, band))
        return np.full(grid.shape, 9, np.uint8) if band == "SCL" and one.id == "1" else read(one, band, grid)

    scl_median([scene(0), scene(1)], cloudy, GRID, BANDS, max_workers=1)
    assert [band for name, band in asked if name == "1"] == ["SCL"]
    assert len(asked) == 2 + len(BANDS)
