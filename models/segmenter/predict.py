"""A model streamed over the tiles of one zone: each window read once, each tile given out when complete."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol, runtime_checkable

from catalog.facts.errors import GridMismatch, UnpredictedPixels
from catalog.facts.grids import Tile
from models.segmenter.accumulate import Accumulator, TilePrediction
from models.segmenter.contract import InputContract, Prediction, Segmenter, Sight, WindowArrays, WindowBatch, sight_of, stack
from models.segmenter.windows import Window, windows_over

READERS: Final = 2
"""Prefetch threads: one reads while the other decodes (measured in performance.md, stage C)."""
IN_FLIGHT: Final = 2
"""Batches handed to the model: one that it works on, and one that lies ready when it is done."""
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
    """The model had nothing to do: pixels were still being read, or the caller did not come back for the next tile."""
    seconds_computing: float = 0.0
    """The model was at work."""
    seconds_in_network: float = 0.0
    """What of the model's work its network took; all of it for a model that is not built around one."""
    clock: Callable[[], float] = field(default=time.perf_counter, repr=False)

    @property
    def waiting_share(self) -> float:
        """Share of the time in which the model had nothing to do."""
        total = self.seconds_waiting + self.seconds_computing
        return self.seconds_waiting / total if total else 0.0

    @property
    def outside_network_share(self) -> float:
        """Share of the time in which no network ran: waiting, and what the model does around it."""
        total = self.seconds_waiting + self.seconds_computing
        return 1 - self.seconds_in_network / total if total else 0.0


def stream(
    model: Segmenter,
    tiles: Iterable[Tile],
    read_window: ReadWindow,
    *,
    batch_size: int | None = None,
    measures: Measures | None = None,
    prefetch: int = 1,
) -> Iterator[TilePrediction]:
    """Yield every tile once, from north to south, as soon as its last window is done.

    Reading, stacking and adding up go on while the model works, in a thread of its own. The result does not depend on the
    batch size, on the tiles asked for beside a tile, or on the tile size. `prefetch` batches are read ahead; with 0 windows are read
    only while the model waits. Memory grows with the windows in one row of tiles,
    not with the height of the zone. Raises UnpredictedPixels when a usable pixel would get no prediction or a wrong one.
    """
    contract = model.contract
    record = measures if measures is not None else Measures()
    size = batch_size or contract.batch_size
    plan = windows_over(tiles, window_px=contract.window_px, stride_px=contract.stride_px, margin_px=contract.margin_px)
    accumulator, worker = Accumulator(plan, contract), Worker(model, record)
    running: deque[_Running] = deque()
    try:
        for batch in _batches(prefetched(plan, read_window, ahead=ahead_of(size, prefetch)), size, contract, record):
            running.append(_begun(batch, worker))
            if len(running) == (IN_FLIGHT if prefetch else 1):
                yield from _settled(running.popleft(), accumulator, record)
        while running:
            yield from _settled(running.popleft(), accumulator, record)
    finally:
        worker.close()


@dataclass(frozen=True, slots=True)
class _Sighted:
    """A window with something to see."""

    window: Window
    arrays: WindowArrays
    sight: Sight


@dataclass(slots=True)
class _Batch:
    done: list[Window] = field(default_factory=list)
    looked_at: list[_Sighted] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Running:
    """A batch without its pixels, which the model has."""

    done: list[Window]
    looked_at: list[tuple[Window, Sight]]
    prediction: Future[Prediction] | None
    """None for a batch in which no window has anything to see."""


@runtime_checkable
class Preparing(Protocol):
    """A model that can take windows in hand while it is at work on others, for example to send them to its device."""

    def prepare(self, batch: WindowBatch) -> WindowBatch:
        """Return the batch as `predict` will be given it."""
        ...


class Worker:
    """The one thread in which a model works."""

    def __init__(self, model: Segmenter, record: Measures) -> None:
        """Start the clock: until the first batch comes, the model waits."""
        self._model, self._record = model, record
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._idle_since = record.clock()

    def begin(self, members: list[_Sighted]) -> Future[Prediction]:
        """Stack windows and prepare them here, and predict them there when those before are done."""
        windows = stack([(member.window.origin_yx, member.arrays) for member in members])
        return self._thread.submit(self._predict, self._model.prepare(windows) if isinstance(self._model, Preparing) else windows)

    def close(self) -> None:
        """Wait for what is being predicted, and drop the rest."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _predict(self, windows: WindowBatch) -> Prediction:
        record, started = self._record, self._record.clock()
        record.seconds_waiting += started - self._idle_since
        prediction = self._model.predict(windows)
        self._idle_since = record.clock()
        seconds = self._idle_since - started
        record.seconds_computing += seconds
        record.seconds_in_network += seconds if prediction.network_seconds is None else prediction.network_seconds
        _require_shape(self._model, prediction, len(windows))
        return prediction


def ahead_of(batch_size: int, prefetch: int) -> int:
    """Windows read ahead for so many batches."""
    return prefetch * batch_size + READERS if prefetch else 0


def prefetched(plan: tuple[Window, ...], read: ReadWindow, *, ahead: int) -> Iterator[tuple[Window, WindowArrays]]:
    """Read windows in order in threads of their own, at most `ahead` of the consumer; raises GridMismatch for arrays of another size."""
    if ahead == 0:
        yield from ((window, _of_size(read(window.origin_yx, window.size_px), window)) for window in plan)
        return
    todo = iter(plan)
    with ThreadPoolExecutor(READERS, thread_name_prefix="window") as readers:
        queue: deque[tuple[Window, Future[WindowArrays]]] = deque()
        try:
            for window in islice(todo, ahead):
                queue.append((window, readers.submit(read, window.origin_yx, window.size_px)))
            while queue:
                window, future = queue.popleft()
                arrays = future.result()
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
            batch.looked_at.append(_Sighted(window, arrays, sight))
        else:
            record.windows_skipped += 1
        if len(batch.looked_at) == size:
            yield batch
            batch = _Batch()
    if batch.done:
        yield batch


def _begun(batch: _Batch, worker: Worker) -> _Running:
    prediction = worker.begin(batch.looked_at) if batch.looked_at else None
    return _Running(batch.done, [(member.window, member.sight) for member in batch.looked_at], prediction)


def _settled(running: _Running, accumulator: Accumulator, record: Measures) -> Iterator[TilePrediction]:
    """Add what was predicted to its tiles, and give out those that are complete."""
    if running.prediction is not None:
        prediction = running.prediction.result()
        for index, (window, sight) in enumerate(running.looked_at):
            spread = None if prediction.spread is None else prediction.spread[index]
            accumulator.add(window, sight, prediction.answer[index], spread)
            record.usable_px += int(sight.usable.sum())
        record.windows_predicted += len(running.looked_at)
    for window in running.done:
        yield from accumulator.finish(window)


def _require_shape(model: Segmenter, prediction: Prediction, count: int) -> None:
    wanted = (count, model.contract.window_px, model.contract.window_px)
    if prediction.answer.shape != wanted:
        raise UnpredictedPixels(
            f"{model.name} returned shape {prediction.answer.shape}, wanted {wanted}: its window does not fit its contract."
        )
    if (prediction.spread is not None) != model.contract.gives_spread:
        raise UnpredictedPixels(
            f"{model.name} says gives_spread={model.contract.gives_spread} but returned otherwise: correct its contract."
        )
