"""A model streamed over the tiles of one zone: each window read once, each tile given out when complete."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.errors import GridMismatch, UnpredictedPixels
from catalog.facts.grids import Tile
from catalog.facts.schemas import PROBABILITY_NODATA
from models.segmenter.contract import InputContract, Prediction, Segmenter, WindowArrays, stack, usable
from models.segmenter.windows import UNITY, Window, blend_weights, windows_over

READERS: Final = 2
"""Prefetch threads: one reads while the other decodes (measured in performance.md, stage C)."""
LEVELS: Final = 62_500
"""Probabilities are rounded to 1/62 500 before they are added up: integers add exactly in any order, and 250 divides it."""
_STORED: Final = 250
"""Probability x 250 is what the cube keeps (schemas.PROBABILITY)."""

ReadWindow = Callable[[tuple[int, int], int], WindowArrays]
"""Reads the window at a global pixel (y, x) of a size in pixels; fill values outside the cube."""


@dataclass(slots=True)
class Measures:
    """Counts and seconds of one stream, filled while it runs."""

    windows_predicted: int = 0
    windows_skipped: int = 0
    """Windows without any usable pixel."""
    usable_px: int = 0
    seconds_waiting: float = 0.0
    """For pixels."""
    seconds_computing: float = 0.0
    clock: Callable[[], float] = field(default=time.perf_counter, repr=False)


@dataclass(frozen=True, slots=True)
class TilePrediction:
    """A complete tile."""

    tile: Tile
    probability: NDArray[np.uint8]
    """(y, x), probability x 250; 255 = not usable."""
    spread: NDArray[np.uint8] | None
    """(y, x), spread x 250; 255 = not usable; None when the model gives none."""


def stream(
    model: Segmenter,
    tiles: Iterable[Tile],
    read_window: ReadWindow,
    *,
    batch_size: int | None = None,
    measures: Measures | None = None,
) -> Iterator[TilePrediction]:
    """Yield every tile once, from north to south, as soon as its last window is done.

    The result does not depend on the batch size, on the tiles asked for beside a tile, or on the tile size. Memory grows
    with the windows in one row of tiles, not with the height of the zone. Raises UnpredictedPixels when a usable pixel
    would get no prediction or one outside 0..1.
    """
    contract = model.contract
    record = measures if measures is not None else Measures()
    size = batch_size or contract.batch_size
    plan = windows_over(tiles, window_px=contract.window_px, stride_px=contract.stride_px, margin_px=contract.margin_px)
    pending = _Pending(plan, contract)
    for batch in _batches(_prefetched(plan, read_window, record, ahead=size + READERS), size, contract, record):
        if batch.looked_at:
            _predict(model, batch.looked_at, pending, record)
        for window in batch.done:
            yield from pending.finish(window)


@dataclass(slots=True)
class _Batch:
    done: list[Window] = field(default_factory=list)
    looked_at: list[tuple[Window, WindowArrays, NDArray[np.bool_]]] = field(default_factory=list)


def _prefetched(plan: tuple[Window, ...], read: ReadWindow, record: Measures, *, ahead: int) -> Iterator[tuple[Window, WindowArrays]]:
    """Read windows in order, at most `ahead` of the consumer."""
    todo = iter(plan)
    with ThreadPoolExecutor(READERS, thread_name_prefix="window") as readers:
        queue: deque[tuple[Window, Future[WindowArrays]]] = deque()
        try:
            for window in islice(todo, ahead):
                queue.append((window, readers.submit(read, window.origin_yx, window.size_px)))
            while queue:
                window, future = queue.popleft()
                started = record.clock()
                arrays = future.result()
                record.seconds_waiting += record.clock() - started
                queue.extend((later, readers.submit(read, later.origin_yx, later.size_px)) for later in islice(todo, 1))
                yield window, _of_size(arrays, window)
        finally:
            readers.shutdown(wait=True, cancel_futures=True)


def _of_size(arrays: WindowArrays, window: Window) -> WindowArrays:
    wanted = (window.size_px, window.size_px)
    for name, array in (("cause", arrays.cause), ("s2", arrays.s2), ("s1", arrays.s1), ("dem", arrays.dem), ("looks", arrays.looks)):
        if array is not None and array.shape[-2:] != wanted:
            raise GridMismatch(
                f"{name} of the window at {window.origin_yx} has shape {array.shape}, wanted {wanted}: let the reader fill what lies outside."
            )
    return arrays


def _batches(windows: Iterator[tuple[Window, WindowArrays]], size: int, contract: InputContract, record: Measures) -> Iterator[_Batch]:
    """Group windows so that each group but the last holds `size` windows with usable pixels."""
    batch = _Batch()
    for window, arrays in windows:
        seen = usable(contract, arrays)
        batch.done.append(window)
        if seen.any():
            batch.looked_at.append((window, arrays, seen))
        else:
            record.windows_skipped += 1
        if len(batch.looked_at) == size:
            yield batch
            batch = _Batch()
    if batch.done:
        yield batch


def _predict(
    model: Segmenter, members: list[tuple[Window, WindowArrays, NDArray[np.bool_]]], pending: "_Pending", record: Measures
) -> None:
    started = record.clock()
    prediction = model.predict(stack([(window.origin_yx, arrays) for window, arrays, _ in members]))
    _require_shape(model, prediction, len(members))
    for index, (window, _, seen) in enumerate(members):
        probability = _rounded(prediction.probability[index], seen, f"{model.name}: probability", window)
        spread = None if prediction.spread is None else _rounded(prediction.spread[index], seen, f"{model.name}: spread", window)
        pending.add(window, seen, probability, spread)
        record.usable_px += int(seen.sum())
    record.windows_predicted += len(members)
    record.seconds_computing += record.clock() - started


def _require_shape(model: Segmenter, prediction: Prediction, count: int) -> None:
    wanted = (count, model.contract.window_px, model.contract.window_px)
    if prediction.probability.shape != wanted:
        raise UnpredictedPixels(
            f"{model.name} returned shape {prediction.probability.shape}, wanted {wanted}: its window does not fit its contract."
        )
    if (prediction.spread is not None) != model.contract.gives_spread:
        raise UnpredictedPixels(
            f"{model.name} says gives_spread={model.contract.gives_spread} but returned otherwise: correct its contract."
        )


def _rounded(values: NDArray[np.float32], seen: NDArray[np.bool_], what: str, window: Window) -> NDArray[np.uint32]:
    """Values in 1/LEVELS, 0 where not usable; raises UnpredictedPixels for anything outside 0..1 on a usable pixel."""
    kept = np.where(seen, values, np.float32(0))
    wrong = ~((kept >= 0) & (kept <= 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        where = (window.origin_yx[0] + int(row), window.origin_yx[1] + int(column))
        raise UnpredictedPixels(
            f"{what} is {kept[row, column]} at global pixel {where} and wrong at {int(wrong.sum())} usable pixels of tiles "
            f"{', '.join(tile.id for tile in window.tiles)}: the model or its weights are broken."
        )
    return np.rint(kept.astype(np.float64) * LEVELS).astype(np.uint32)


@dataclass(slots=True)
class _Sums:
    """Sums of one tile; fresh pages of zeros take no memory until they are written."""

    left: int
    """Windows still to come."""
    probability: NDArray[np.uint32]
    weight: NDArray[np.uint16]
    seen: NDArray[np.bool_]
    spread: NDArray[np.uint32] | None


class _Pending:
    """Tiles in flight."""

    def __init__(self, plan: tuple[Window, ...], contract: InputContract) -> None:
        self._contract = contract
        self._weights = blend_weights(contract.window_px, contract.stride_px, contract.margin_px)
        self._left: dict[Tile, int] = {}
        for window in plan:
            for tile in window.tiles:
                self._left[tile] = self._left.get(tile, 0) + 1
        self._sums: dict[Tile, _Sums] = {}

    def _sums_of(self, tile: Tile) -> _Sums:
        if tile not in self._sums:
            shape = (tile.size_px, tile.size_px)
            spread = np.zeros(shape, np.uint32) if self._contract.gives_spread else None
            self._sums[tile] = _Sums(
                self._left[tile], np.zeros(shape, np.uint32), np.zeros(shape, np.uint16), np.zeros(shape, bool), spread
            )
        return self._sums[tile]

    def add(self, window: Window, seen: NDArray[np.bool_], probability: NDArray[np.uint32], spread: NDArray[np.uint32] | None) -> None:
        """Add one window to its tiles."""
        for tile in window.tiles:
            sums, overlap = self._sums_of(tile), window.overlap(tile)
            weight = self._weights[overlap.window]
            sums.probability[overlap.tile] += probability[overlap.window] * weight
            sums.weight[overlap.tile] += weight
            sums.seen[overlap.tile] |= seen[overlap.window]
            if sums.spread is not None and spread is not None:
                sums.spread[overlap.tile] += spread[overlap.window] * weight

    def finish(self, window: Window) -> Iterator[TilePrediction]:
        """Count the window off and give out the tiles that it completes."""
        for tile in window.tiles:
            sums = self._sums_of(tile)
            sums.left -= 1
            if sums.left == 0:
                yield _complete(tile, self._sums.pop(tile))


def _complete(tile: Tile, sums: _Sums) -> TilePrediction:
    short = sums.seen & (sums.weight != UNITY)
    if short.any():
        row, column = (int(index) for index in np.argwhere(short)[0])
        raise UnpredictedPixels(
            f"Tile {tile.id}: {int(short.sum())} usable pixels, the first at row {row}, column {column}, were not predicted by all their windows; "
            "the reader gives other pixels for the same ground in different windows."
        )
    spread = None if sums.spread is None else _as_stored(sums.spread, sums.seen)
    return TilePrediction(tile, _as_stored(sums.probability, sums.seen), spread)


def _as_stored(total: NDArray[np.uint32], seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    step = UNITY * (LEVELS // _STORED)
    return np.where(seen, (total + step // 2) // step, PROBABILITY_NODATA).astype(np.uint8)
