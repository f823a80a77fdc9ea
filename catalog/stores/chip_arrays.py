"""Pixels of chips in Zarr v3: a chunk is a chip, a shard is 64 chips, and only whole shards are written."""

from collections.abc import Mapping
from io import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO, Final

import google_crc32c
import numpy as np
import zarr
from numcodecs import Blosc  # type: ignore[import-untyped]
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
_BLOSC: Final = Blosc()
_NOT_STORED: Final = 2**64 - 1


def empty(name: str, count: int) -> NDArray[Any]:
    """Room for chips of one array."""
    return np.empty((count, *LEADING[name], CHIP_PX, CHIP_PX), _DTYPES[name])


def read_places(arrays: Path, name: str, places: NDArray[np.int64]) -> NDArray[Any]:
    """Read chips of one array by their places, in the order asked for; raises ProductDamaged.

    Reads the shards itself (Zarr v3, sharding_indexed, index at the end): zarr spends five times the CPU of decoding on its way there.
    """
    result = empty(name, len(places))
    shards = places // SHARD_CHIPS
    for shard in np.unique(shards).tolist():
        here = np.flatnonzero(shards == shard)
        path = arrays / name / "c" / str(shard) / "/".join("0" * (result.ndim - 1))
        try:
            _read_shard(path, result, here, places[here] % SHARD_CHIPS, _FILLS[name])
        except (ValueError, RuntimeError) as error:
            raise ProductDamaged(f"{path}: a shard is damaged ({error}). Delete the set and cut it again.") from error
    return result


def _read_shard(path: Path, result: NDArray[Any], rows: NDArray[np.int64], inner: NDArray[np.int64], fill: float) -> None:
    """Decode chips `inner` of one shard into `rows` of the result; what is not stored is fill."""
    if not path.is_file():
        result[rows] = fill
        return
    with path.open("rb") as file:
        index, size = _index_of(file)
        for row, (offset, length) in zip(rows.tolist(), index[inner].tolist(), strict=True):
            if offset == _NOT_STORED:
                result[row] = fill
                continue
            if offset + length > size:
                raise ValueError(f"a chip ends at byte {offset + length} of {size}")
            file.seek(offset)
            _BLOSC.decode(file.read(length), out=result[row])


def _index_of(file: BinaryIO) -> tuple[NDArray[np.uint64], int]:
    """Offset and length of every chip of a shard, and the size of the file."""
    size = file.seek(0, SEEK_END)
    length = SHARD_CHIPS * 16
    if size < length + 4:
        raise ValueError(f"{size} bytes are no shard")
    file.seek(size - length - 4)
    content = file.read(length)
    if google_crc32c.value(content) != int.from_bytes(file.read(4), "little"):
        raise ValueError("the checksum of its index is wrong")
    return np.frombuffer(content, "<u8").reshape(SHARD_CHIPS, 2), size


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
