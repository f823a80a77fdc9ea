"""Pixels of chips in Zarr v3: a chunk is a chip, a shard is 64 chips, and only whole shards are written."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from catalog.facts.bands import S1_NAMES, S2_NAMES
from catalog.facts.causes import Cause
from catalog.facts.chips import CHIP_PX, LABEL_IGNORE, ChipBatch
from catalog.facts.errors import ProductDamaged
from catalog.stores.files import storage_errors

ARRAYS: Final = "chips.zarr"
SHARD_CHIPS: Final = 64
LEADING: Final[Mapping[str, tuple[int, ...]]] = {"s2": (len(S2_NAMES),), "s1": (len(S1_NAMES),), "dem": (), "cause": (), "label": ()}
"""Arrays, and their bands between chip and y."""
_DTYPES: Final = {"s2": "uint16", "s1": "float32", "dem": "float32", "cause": "uint8", "label": "uint8"}
_FILLS: Final[Mapping[str, float]] = {
    "s2": 0,
    "s1": float("nan"),
    "dem": float("nan"),
    "cause": int(Cause.OUTSIDE_REGION),
    "label": LABEL_IGNORE,
}


def empty(name: str, count: int) -> NDArray[Any]:
    """Room for chips of one array."""
    return np.empty((count, *LEADING[name], CHIP_PX, CHIP_PX), _DTYPES[name])


def read_places(group: zarr.Group, name: str, places: NDArray[np.int64]) -> NDArray[Any]:
    """Read chips of one array by their places, in the order asked for; raises ProductDamaged."""
    array = group[name]
    assert isinstance(array, zarr.Array)
    result = empty(name, len(places))
    order = np.argsort(places, kind="stable")
    try:
        for start, stop in _stretches(places[order]):
            block = np.asarray(array[places[order[start]] : places[order[stop - 1]] + 1])
            result[order[start:stop]] = block[places[order[start:stop]] - places[order[start]]]
    except (ValueError, RuntimeError) as error:
        raise ProductDamaged(f"{group.store}/{name}: a shard is damaged ({error}). Delete the set and cut it again.") from error
    return result


def _stretches(places: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Start and stop, within sorted places, of runs without a gap: a run is one read."""
    breaks = [0, *(np.flatnonzero(np.diff(places) > 1) + 1).tolist(), len(places)]
    yield from ((start, stop) for start, stop in itertools.pairwise(breaks) if stop > start)


class ChipWriter:
    """Gathers chips until a shard is full."""

    def __init__(self, out: Path) -> None:
        """Begin a set of no chips; what lay there is gone."""
        self._out, self._written = out, 0
        self._waiting: dict[str, list[NDArray[Any]]] = {name: [] for name in LEADING}
        with storage_errors(out):
            out.mkdir(parents=True, exist_ok=True)
            group = zarr.open_group(out / ARRAYS, mode="w", zarr_format=3)
            self._arrays = {name: _create(group, name) for name in LEADING}

    def add(self, batch: ChipBatch) -> None:
        """Take chips, and write every shard that is full."""
        for name, chips in self._waiting.items():
            chips += list(getattr(batch, name))
        while len(self._waiting["label"]) >= SHARD_CHIPS:
            self._write(SHARD_CHIPS)

    def flush(self) -> None:
        """Write the last, shorter shard."""
        if self._waiting["label"]:
            self._write(len(self._waiting["label"]))

    def _write(self, count: int) -> None:
        for name, array in self._arrays.items():
            with storage_errors(self._out):
                array.resize((self._written + count, *array.shape[1:]))
                array[self._written :] = np.stack(self._waiting[name][:count])
            del self._waiting[name][:count]
        self._written += count


def _create(group: zarr.Group, name: str) -> zarr.Array[Any]:
    leading = LEADING[name]
    # lz4 with bitshuffle reads fastest per CPU second, and chips are read again every epoch
    return group.create_array(
        name,
        shape=(0, *leading, CHIP_PX, CHIP_PX),
        dtype=_DTYPES[name],
        chunks=(1, *leading, CHIP_PX, CHIP_PX),
        shards=(SHARD_CHIPS, *leading, CHIP_PX, CHIP_PX),
        compressors=BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle"),
        fill_value=_FILLS[name],
        dimension_names=["chip", *(["band"] if leading else []), "y", "x"],
    )
