"""A detector streamed over the tiles of one zone: each window read and predicted once, each tile given out when complete."""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from catalog.facts.errors import UnpredictedPixels
from catalog.facts.grids import Tile
from models.detector.contract import Detector, DetectorContract, WindowInstances, valid_share
from models.segmenter.contract import WindowArrays, stack
from models.segmenter.predict import IN_FLIGHT, Measures, ReadWindow, ahead_of, prefetched
from models.segmenter.windows import Window, windows_over


@dataclass(frozen=True, slots=True)
class TileInstances:
    """What was found in the windows of one tile; a window that shows too little usable ground is not among them."""

    tile: Tile
    windows_yx: NDArray[np.int64]
    """(w, 2), global pixel of the upper left corner of every window that was predicted, without halo."""
    valid_share: NDArray[np.float32]
    """(w,), share of usable pixels."""
    found: tuple[WindowInstances, ...]
    """One per window."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A window that is worth predicting; its arrays have the halo."""

    window: Window
    share: float
    arrays: WindowArrays


@dataclass(slots=True)
class _Batch:
    done: list[Window] = field(default_factory=list)
    seen: list[_Seen] = field(default_factory=list)


@dataclass(slots=True)
class _Gathered:
    """What is known so far of one tile."""

    tile: Tile
    left: int
    """Windows still to come."""
    windows: list[tuple[int, int]] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    found: list[WindowInstances] = field(default_factory=list)

    def complete(self) -> TileInstances:
        windows = np.array(self.windows, np.int64).reshape(-1, 2)
        return TileInstances(self.tile, windows, np.array(self.shares, np.float32), tuple(self.found))


def windows_of(mapped: Iterable[Tile], wanted: Collection[Tile], contract: DetectorContract) -> tuple[Window, ...]:
    """Plan the windows of the wanted tiles: every window over mapped ground belongs to exactly one mapped tile.

    That is the tile that holds its centre or, where that one is not mapped, the first in reading order that it meets. Raises
    GridMismatch when the tiles are of several zones or sizes.
    """
    plan = windows_over(mapped, window_px=contract.window_px, stride_px=contract.stride_px)
    owned = [Window(window.origin_yx, window.size_px, (_owner(window),)) for window in plan]
    order = {tile: place for place, tile in enumerate(sorted(set(wanted), key=lambda tile: (-tile.row, tile.column)))}
    return tuple(sorted((w for w in owned if w.tiles[0] in order), key=lambda w: (order[w.tiles[0]], *w.origin_yx)))


def _owner(window: Window) -> Tile:
    y, x = (start + window.size_px // 2 for start in window.origin_yx)
    for tile in window.tiles:
        top, left = tile.origin_yx_px
        if top <= y < top + tile.size_px and left <= x < left + tile.size_px:
            return tile
    return window.tiles[0]


def stream(
    detector: Detector,
    plan: Iterable[Window],
    read_window: ReadWindow,
    *,
    batch_size: int | None = None,
    measures: Measures | None = None,
    prefetch: int = 1,
) -> Iterator[TileInstances]:
    """Yield every tile of a plan of `windows_of` once, from north to south, as soon as its last window is done.

    `read_window` is asked for windows with their halo. Reading goes on while the detector works in a thread of its own. What is found
    does not depend on the batch size, nor on `prefetch`, the batches read ahead. Raises UnpredictedPixels when a window gets no answer.
    """
    record, windows = measures if measures is not None else Measures(), tuple(plan)
    gathered = {tile: _Gathered(tile, count) for tile, count in Counter(window.tiles[0] for window in windows).items()}
    running: deque[tuple[_Batch, Future[list[WindowInstances]] | None]] = deque()
    size, idle = batch_size or detector.contract.batch_size, _Idle(record.clock())
    with ThreadPoolExecutor(1, thread_name_prefix="detector") as worker:
        for batch in _batches(detector.contract, windows, read_window, size, ahead_of(size, prefetch)):
            record.windows_skipped += len(batch.done) - len(batch.seen)
            running.append((batch, worker.submit(_predicted, detector, batch.seen, record, idle) if batch.seen else None))
            if len(running) == (IN_FLIGHT if prefetch else 1):
                yield from _settled(*running.popleft(), gathered)
        while running:
            yield from _settled(*running.popleft(), gathered)


def _batches(contract: DetectorContract, plan: tuple[Window, ...], read: ReadWindow, size: int, ahead: int) -> Iterator[_Batch]:
    """Group windows so that each group but the last holds `size` windows that show enough."""
    batch = _Batch()
    haloed = tuple(replace(w, origin_yx=_outward(w.origin_yx, contract.halo_px), size_px=contract.read_px) for w in plan)
    for window, (_, arrays) in zip(plan, prefetched(haloed, read, ahead=ahead), strict=True):
        batch.done.append(window)
        share = valid_share(contract, arrays)
        if share >= contract.min_valid_share:
            batch.seen.append(_Seen(window, share, arrays))
        if len(batch.seen) == size:
            yield batch
            batch = _Batch()
    if batch.done:
        yield batch


def _outward(origin_yx: tuple[int, int], halo_px: int) -> tuple[int, int]:
    return origin_yx[0] - halo_px, origin_yx[1] - halo_px


@dataclass(slots=True)
class _Idle:
    """Since when the detector has had nothing to do; only its own thread writes it."""

    since: float


def _predicted(detector: Detector, seen: list[_Seen], record: Measures, idle: _Idle) -> list[WindowInstances]:
    halo, started = detector.contract.halo_px, record.clock()
    record.seconds_waiting += started - idle.since
    found = detector.predict(stack([(_outward(member.window.origin_yx, halo), member.arrays) for member in seen]))
    idle.since = record.clock()
    record.seconds_computing += idle.since - started
    # its answers lie on the host when it returns, so the device has come to rest
    record.seconds_in_network += idle.since - started
    record.windows_predicted += len(seen)
    if len(found) != len(seen):
        raise UnpredictedPixels(f"{detector.name} answered for {len(found)} of {len(seen)} windows: it does not keep its contract.")
    return found


def _settled(batch: _Batch, prediction: Future[list[WindowInstances]] | None, gathered: dict[Tile, _Gathered]) -> Iterator[TileInstances]:
    """Add what was found to its tiles, and give out those that are complete."""
    for member, found in zip(batch.seen, prediction.result() if prediction else [], strict=True):
        tile = gathered[member.window.tiles[0]]
        tile.windows.append(member.window.origin_yx)
        tile.shares.append(member.share)
        tile.found.append(found)
    for window in batch.done:
        tile = gathered[window.tiles[0]]
        tile.left -= 1
        if tile.left == 0:
            yield gathered.pop(tile.tile).complete()
