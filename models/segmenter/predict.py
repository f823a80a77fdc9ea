"""A model streamed over the tiles of one zone: each window read once, each tile given out when complete."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from catalog.facts.errors import GridMismatch, UnpredictedPixels
from catalog.facts.grids import Tile
from models.segmenter.accumulate import Accumulator, TilePrediction
from models.segmenter.contract import InputContract, Prediction, Segmenter, Sight, WindowArrays, sight_of, stack
from models.segmenter.windows import Window, windows_over

READERS: Final = 2
"""Prefetch threads: one reads while the other decodes (measured in performance.md, stage C)."""
ReadWindow = Callable[[tuple[int, int], int], WindowArrays]
"""Reads the window at a global pixel (y, x) of a size in pixels; fill values outside the cube."""


@dataclass(slots=True)
class Measures:
    """Counts and seconds of one stream, filled while it runs."""

    windows_predicted: int = 0
    windows_skipped: int = 0
    """Windows without any usable pixel."""
    usable_px: int = 0
    """Summed over windows, so more than the tiles hold where windows overlap."""
    seconds_waiting: float = 0.0
    """For pixels."""
    seconds_computing: float = 0.0
    clock: Callable[[], float] = field(default=time.perf_counter, repr=False)


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
    accumulator = Accumulator(plan, contract)
    for batch in _batches(_prefetched(plan, read_window, record, ahead=size + READERS), size, contract, record):
        if batch.looked_at:
            _predict(model, batch.looked_at, accumulator, record)
        for window in batch.done:
            yield from accumulator.finish(window)


@dataclass(frozen=True, slots=True)
class Sighted:
    """A window with something to see."""

    window: Window
    arrays: WindowArrays
    sight: Sight


@dataclass(slots=True)
class _Batch:
    done: list[Window] = field(default_factory=list)
    looked_at: list[Sighted] = field(default_factory=list)


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
        sight = sight_of(contract, arrays)
        batch.done.append(window)
        if sight.usable.any():
            batch.looked_at.append(Sighted(window, arrays, sight))
        else:
            record.windows_skipped += 1
        if len(batch.looked_at) == size:
            yield batch
            batch = _Batch()
    if batch.done:
        yield batch


def _predict(model: Segmenter, members: list[Sighted], accumulator: Accumulator, record: Measures) -> None:
    started = record.clock()
    prediction = model.predict(stack([(member.window.origin_yx, member.arrays) for member in members]))
    _require_shape(model, prediction, len(members))
    for index, member in enumerate(members):
        spread = None if prediction.spread is None else prediction.spread[index]
        accumulator.add(member.window, member.sight, prediction.probability[index], spread)
        record.usable_px += int(member.sight.usable.sum())
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
