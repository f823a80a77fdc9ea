"""Every window once, in one tile, the same whatever the batch and the tiles."""

import numpy as np
import pytest
import shapely

from catalog.facts.causes import Cause
from catalog.facts.errors import UnpredictedPixels
from catalog.facts.grids import PIXEL_M, Tile
from models.detector.contract import WindowInstances
from models.detector.stream import TileInstances, stream, windows_of
from models.detector.tables import detected_of, to_table, windows_in
from models.segmenter.contract import WindowArrays
from models.segmenter.predict import Measures
from tests.oracle import CARD, Oracle

TILES = tuple(Tile(32610, 100 + column, 3000 + row, 1) for row in (1, 0) for column in (0, 1))
LEFT, BOTTOM = TILES[2].bounds_lbrt[:2]
SLUMPS = tuple(shapely.Point(LEFT + x, BOTTOM + y).buffer(40.0) for x, y in ((2240, 2240), (900, 700), (3900, 4300), (300, 2260)))
HOLE = (slice(0, 150), slice(0, 224))
"""Rows and columns of the north-western tile without a usable pixel."""


def read(origin_yx: tuple[int, int], size: int) -> WindowArrays:
    """A cube of two by two tiles, usable but for a hole; nothing outside."""
    top, left = TILES[0].origin_yx_px
    whole = np.full((448, 448), Cause.USABLE, np.uint8)
    whole[HOLE] = Cause.CLOUD
    cause = np.full((size, size), Cause.OUTSIDE_REGION, np.uint8)
    y, x = origin_yx[0] - top, origin_yx[1] - left
    rows, columns = slice(max(y, 0), min(y + size, 448)), slice(max(x, 0), min(x + size, 448))
    if rows.start < rows.stop and columns.start < columns.stop:
        cause[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x] = whole[rows, columns]
    return WindowArrays(cause, np.full((12, size, size), 1000, np.uint16))


def streamed(oracle: Oracle | None = None, tiles=TILES, wanted=None, batch: int = 3) -> list[TileInstances]:
    oracle = oracle or Oracle(SLUMPS)
    return list(stream(oracle, windows_of(tiles, wanted or tiles, oracle.contract), read, batch_size=batch))


def rows(found: list[TileInstances]):
    tables = [to_table(tile) for tile in found]
    return sorted(row for table in tables for row in zip(*(table.column(name).to_pylist() for name in table.column_names), strict=True))


def test_every_window_belongs_to_one_tile_that_holds_its_centre_or_else_meets_it_first():
    contract = Oracle(SLUMPS).contract
    plan = windows_of(TILES, TILES, contract)
    assert len({window.origin_yx for window in plan}) == len(plan)
    for window in plan:
        (tile,) = window.tiles
        top, left = tile.origin_yx_px
        y, x = (start + 56 for start in window.origin_yx)
        inside = top <= y < top + 224 and left <= x < left + 224
        elsewhere = any(
            other.origin_yx_px[0] <= y < other.origin_yx_px[0] + 224 and other.origin_yx_px[1] <= x < other.origin_yx_px[1] + 224
            for other in TILES
        )
        assert inside or not elsewhere
    assert sorted(w.origin_yx for tile in TILES for w in windows_of(TILES, [tile], contract)) == sorted(w.origin_yx for w in plan)


def test_tiles_come_once_and_hold_what_was_found():
    found = streamed()
    assert [tile.tile for tile in found] == list(TILES)
    assert all(len(tile.found) == len(tile.windows_yx) == len(tile.valid_share) for tile in found)
    assert sum(len(window) for tile in found for window in tile.found) > 10


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_the_size_of_batches_changes_nothing(batch):
    assert rows(streamed(batch=batch)) == rows(streamed())


def test_one_large_tile_finds_what_four_small_ones_do():
    assert Tile(32610, 50, 1500, 2).bounds_lbrt == (LEFT, BOTTOM, LEFT + 4480, BOTTOM + 4480)
    assert rows(streamed(tiles=(Tile(32610, 50, 1500, 2),))) == rows(streamed())


def test_a_tile_alone_gives_what_it_gives_among_others():
    together = {tile.tile: rows([tile]) for tile in streamed()}
    for tile in TILES:
        assert rows(streamed(wanted=[tile])) == together[tile]


def test_windows_that_show_too_little_are_not_looked_at_and_not_recorded():
    oracle, measures = Oracle(SLUMPS), Measures()
    plan = windows_of(TILES, TILES, oracle.contract)
    found = list(stream(oracle, plan, read, measures=measures))
    looked = {tuple(corner) for tile in found for corner in tile.windows_yx.tolist()}
    assert looked == set(oracle.shown)
    assert measures.windows_predicted == len(looked)
    assert measures.windows_skipped == len(plan) - len(looked) > 0
    assert min(share for tile in found for share in tile.valid_share.tolist()) >= 0.3


def test_rows_come_back_as_what_was_detected():
    found = streamed()
    detected = detected_of([to_table(tile) for tile in found], CARD.network)
    assert len(detected.windows_yx) == sum(len(tile.windows_yx) for tile in found)
    assert len(detected.scores) == sum(len(window) for tile in found for window in tile.found)
    for place in range(len(detected.scores)):
        y, x = detected.windows_yx[detected.window[place]] * 2
        x0, y0, x1, y1 = detected.boxes[place]
        box = shapely.box((x + x0) * 5, -(y + y1) * 5, (x + x1) * 5, -(y + y0) * 5)
        assert max(shapely.intersection(box, slump).area / box.area for slump in SLUMPS) > 0.7
    assert np.abs(np.rint(detected.masks * 255) / 255 - detected.masks).max() < 1e-6


def test_windows_without_detections_are_kept_as_rows_of_nulls():
    found = streamed(Oracle(()))
    table = to_table(found[0])
    assert len(table) == len(found[0].windows_yx) == table.column("score").null_count == table.column("mask").null_count
    detected = detected_of([to_table(tile) for tile in found], CARD.network)
    assert len(detected.scores) == 0
    assert (detected.windows_yx == windows_in([to_table(tile) for tile in found])).all()


def test_a_tile_of_which_nothing_was_seen_has_no_rows_and_comes_all_the_same():
    tile = Tile(32610, 100, 3000, 1)
    plan = windows_of([tile], [tile], Oracle(SLUMPS).contract)
    clouded = WindowArrays(np.full((132, 132), Cause.CLOUD, np.uint8), np.full((12, 132, 132), 1000, np.uint16))
    (found,) = stream(Oracle(SLUMPS), plan, lambda _, size: clouded.part((slice(0, size), slice(0, size))))
    assert found.tile == tile
    assert len(found.windows_yx) == len(to_table(found)) == 0


def test_nothing_at_all_is_legal():
    detected = detected_of([], CARD.network)
    assert detected.windows_yx.shape == (0, 2)
    assert windows_in([]).shape == (0, 2)


def test_a_detector_that_answers_for_too_few_windows_is_found_out():
    class Forgetful(Oracle):
        def predict(self, batch) -> list[WindowInstances]:
            return super().predict(batch)[1:]

    with pytest.raises(UnpredictedPixels, match="answered for"):
        streamed(Forgetful(SLUMPS))


def test_the_world_of_these_tests_is_what_it_says():
    assert TILES[0].size_px * PIXEL_M == 2240
    assert read(TILES[0].origin_yx_px, 10).cause[0, 0] == Cause.CLOUD
