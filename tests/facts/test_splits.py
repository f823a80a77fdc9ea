"""The split of CryoSentinel where it is right, and what it gets wrong."""

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from catalog.facts.lattice import zones_of
from catalog.facts.splits import (
    BLOCKS,
    PUBLISHED_BLOCKS,
    REACH_M,
    BlockGrid,
    block_splits_of,
    bucket_of,
    buffer_longitude_deg,
    cell_of,
    split_of,
    splits_of,
)

QUARTER = BlockGrid(size_deg=0.25, every_edge=True)
VECTORS = (
    (27.861, 86.476, PUBLISHED_BLOCKS, (185, 576), 36, "train"),
    (43.08, 77.15, PUBLISHED_BLOCKS, (287, 514), 49, "train"),
    (42.9998, 76.7119, PUBLISHED_BLOCKS, (286, 511), 97, "test"),
    (42.075, 78.075, PUBLISHED_BLOCKS, (280, 520), 12, "train"),
    (43.054, 76.985, PUBLISHED_BLOCKS, (287, 513), 81, "buffer"),
    (43.05, 77.07, QUARTER, (172, 308), 23, "train"),
    (44.71, 80.295, QUARTER, (178, 321), 89, "val"),
    (44.71, 80.295, PUBLISHED_BLOCKS, (298, 535), 58, "buffer"),
)
CHIP_HALF_M = 1120.0


@pytest.mark.parametrize(("latitude", "longitude", "grid", "cell", "bucket", "split"), VECTORS)
def test_the_published_vectors_hold(latitude, longitude, grid, cell, bucket, split):
    assert cell_of(latitude, longitude, grid) == cell
    assert bucket_of(*cell) == bucket
    assert split_of(latitude, longitude, grid) == split


def scattered(count: int, south: float, north: float, seed: int = 3):
    rng = np.random.default_rng(seed)
    return rng.uniform(south, north, count), rng.uniform(60.0, 110.0, count)


def test_points_fall_80_10_10():
    splits = block_splits_of(*scattered(60_000, 27, 45))
    shares = [np.mean(splits == name) for name in ("train", "val", "test")]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.03)


def test_the_published_buffer_drops_almost_half_and_ours_much_less():
    points = scattered(60_000, 28, 43)
    published = np.mean(splits_of(*points, PUBLISHED_BLOCKS) == "buffer")
    ours = np.mean(splits_of(*points) == "buffer")
    assert published == pytest.approx(1 - (1 - 2 * 0.02 / 0.15) ** 2, abs=0.01)
    assert 0.14 < ours < 0.22


def test_one_point_has_the_split_that_many_have():
    latitude, longitude = scattered(200, -60, 80)
    for grid in (BLOCKS, PUBLISHED_BLOCKS):
        assert [split_of(y, x, grid) for y, x in zip(latitude, longitude, strict=True)] == list(splits_of(latitude, longitude, grid))


def test_what_is_kept_is_what_its_block_is():
    points = scattered(5_000, 27, 72)
    kept = splits_of(*points)
    assert set(kept) == {"train", "val", "test", "buffer"}
    assert (kept == block_splits_of(*points))[kept != "buffer"].all()


def test_another_salt_is_another_split():
    points = scattered(5_000, 27, 45)
    assert np.mean(block_splits_of(*points) != block_splits_of(*points, BlockGrid(salt="other"))) > 0.18


def test_the_buffer_widens_where_degrees_shrink():
    wide = buffer_longitude_deg(np.array([30.0, 43.0, 60.0, 72.0, 80.0]))
    metres = wide * 111_320.0 * np.cos(np.radians([30.0, 43.0, 60.0, 72.0, 80.0]))
    assert wide[:2].tolist() == [0.02, 0.02]
    assert (metres >= REACH_M - 1e-6).all()


def test_blocks_meet_across_the_antimeridian():
    # the neighbour of the last column is the first: what lies west of +180 sees what lies east of -180
    latitude = np.arange(-60, 80, 0.15) + 0.075
    west, east = np.full_like(latitude, 179.999), np.full_like(latitude, -179.999)
    foreign = block_splits_of(latitude, west) != block_splits_of(latitude, east)
    assert foreign.any()
    assert (splits_of(latitude, west)[foreign] == "buffer").all()
    assert (splits_of(latitude, east)[foreign] == "buffer").all()


def footprints(latitude, longitude, epsg):
    """Chips drawn in a zone around centres, as polygons in degrees with points along their edges."""
    to_zone, back = (Transformer.from_crs(*pair, always_xy=True) for pair in ((4326, epsg), (epsg, 4326)))
    x, y = to_zone.transform(longitude, latitude)
    edge = np.linspace(-1, 1, 5)
    ring = np.concatenate([[(s, -1) for s in edge], [(1, s) for s in edge], [(-s, 1) for s in edge], [(-1, -s) for s in edge]])
    corners = np.stack([x, y], -1)[:, None] + CHIP_HALF_M * ring
    return shapely.polygons(np.stack(back.transform(corners[..., 0], corners[..., 1]), -1))


def overlapping(latitude, splits, shapes):
    """Pairs of chips of different splits whose footprints share ground."""
    used = np.flatnonzero(splits != "buffer")
    left, right = shapely.STRtree(shapes[used]).query(shapes[used], predicate="intersects")
    left, right = used[left], used[right]
    foreign = (left < right) & (splits[left] != splits[right])
    return left[foreign], right[foreign]


@pytest.mark.parametrize("south", [0.0, 28.0, 43.0, 56.0, 65.0, 71.0, 78.0])
def test_no_footprint_of_one_split_meets_another_on_any_latitude_or_zone(south):
    rng = np.random.default_rng(int(south))
    count, width = 6_000, 1.0 / np.cos(np.radians(south))
    # around the edge between zones 43 and 44 (78 E), every chip drawn in its own zone or in the neighbour's
    latitude, longitude = rng.uniform(south, south + 1.0, count), 78.0 + rng.uniform(-width / 2, width / 2, count)
    shapes = np.empty(count, object)
    zone = np.where(rng.random(count) < 0.5, zones_of(longitude, latitude), rng.choice([32643, 32644], count))
    for epsg in np.unique(zone):
        mine = zone == epsg
        shapes[mine] = footprints(latitude[mine], longitude[mine], int(epsg))
    splits = splits_of(latitude, longitude)
    assert len(set(splits) - {"buffer"}) == 3
    left, _ = overlapping(latitude, splits, shapes)
    assert left.size == 0
    without_buffer = block_splits_of(latitude, longitude)
    assert overlapping(latitude, without_buffer, shapes)[0].size > 20, "the test would see a leak"


def test_the_published_buffer_leaks_in_the_arctic():
    rng = np.random.default_rng(0)
    latitude, longitude = rng.uniform(71.0, 72.0, 8_000), rng.uniform(76.5, 79.5, 8_000)
    shapes = footprints(latitude, longitude, 32644)
    assert overlapping(latitude, splits_of(latitude, longitude, PUBLISHED_BLOCKS), shapes)[0].size > 0
