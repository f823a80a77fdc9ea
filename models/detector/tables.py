"""What was found in windows as rows to be stored, and back."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.facts.detector_cards import MASK_PX, DetectorConfig
from catalog.facts.schemas import INSTANCES
from models.detector.merge import Detected
from models.detector.stream import TileInstances

_FULL = 255
"""Stored mask of the probability one."""


def to_table(instances: TileInstances) -> pa.Table:
    """Return the rows of `schemas.INSTANCES`, in order of windows and scores; a window without any detection has one row of nulls."""
    order = np.lexsort(instances.windows_yx.T[::-1])
    counts = np.array([len(instances.found[at]) for at in order], np.int64)
    times = np.maximum(counts, 1)
    windows, shares = np.repeat(instances.windows_yx[order], times, axis=0), np.repeat(instances.valid_share[order], times)
    there = np.repeat(counts > 0, times)
    place = np.cumsum(there) - 1
    scores, boxes, masks = (_joined(instances, order, name) for name in ("scores", "boxes", "masks"))
    taken = pa.array(place, pa.int64(), mask=~there)
    cells = np.rint(masks.reshape(len(masks), MASK_PX**2) * _FULL).astype(np.uint8)
    columns = [
        pa.array(windows[:, 0], pa.int32()),
        pa.array(windows[:, 1], pa.int32()),
        pa.array(shares, pa.float32()),
        pa.array(scores, pa.float32()).take(taken),
        *(pa.array(boxes[:, side], pa.float32()).take(taken) for side in range(4)),
        pa.array([row.tobytes() for row in cells], pa.binary(MASK_PX**2)).take(taken),
    ]
    return pa.Table.from_arrays(columns, schema=INSTANCES)


def detected_of(tables: Sequence[pa.Table], network: DetectorConfig) -> Detected:
    """Return what was detected in one zone from the rows of all its tiles; every window belongs to exactly one tile."""
    table = pa.concat_tables([INSTANCES.empty_table(), *tables])
    corners = np.column_stack([table.column(name).to_numpy() for name in ("window_y", "window_x")]).astype(np.int64)
    windows, window = np.unique(corners, axis=0, return_inverse=True)
    there = table.column("score").is_valid().to_numpy()
    found = table.filter(table.column("score").is_valid())
    boxes = np.column_stack([found.column(name).to_numpy() for name in ("x0", "y0", "x1", "y1")]).astype(np.float32)
    cells = np.frombuffer(b"".join(found.column("mask").to_pylist()), np.uint8).reshape(-1, MASK_PX, MASK_PX)
    return Detected(
        windows_yx=windows.reshape(-1, 2),
        window_px=network.window_px,
        up=network.up,
        window=window.reshape(-1)[there].astype(np.int64),
        boxes=boxes,
        scores=found.column("score").to_numpy().astype(np.float32),
        masks=cells.astype(np.float32) / np.float32(_FULL),
    )


def windows_in(tables: Sequence[pa.Table]) -> NDArray[np.int64]:
    """Return the corners (w, 2) of the windows that were predicted, in order, from rows of a zone."""
    corners = [np.column_stack([table.column(name).to_numpy() for name in ("window_y", "window_x")]) for table in tables]
    return np.unique(np.concatenate([np.empty((0, 2), np.int64), *corners]).astype(np.int64), axis=0)


def _joined(instances: TileInstances, order: NDArray[np.int64], name: str) -> NDArray[np.float32]:
    shape = {"scores": (0,), "boxes": (0, 4), "masks": (0, MASK_PX, MASK_PX)}[name]
    return np.concatenate([np.empty(shape, np.float32), *(getattr(instances.found[at], name) for at in order)])
