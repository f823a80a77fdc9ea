"""CPU seconds of reading training chips: our Zarr sets beside CryoSentinel's Parquet shards read as Python lists.

Makes an archive in CryoSentinel's layout (raw bytes per modality, snappy), converts it with the importer, checks that both give the
same pixels, and reads both in order and at random places. The Parquet reader keeps two whole shards in memory, as the published one
does by default. CPU seconds are user plus system after one warm-up; they hold on a busy machine, wall seconds do not.

    python -m benchmarks.bench_chips [--chips 256] [--per-shard 64] [--draws 64] [--json FILE]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bench_composite import smooth_noise
from catalog.stores.chips import ChipSet, open_chips
from tasks.import_shards import convert

BATCH = 8
SIZE = 224
DTYPES = {"s2": "<u2", "s1": "<f4", "dem": "<i2", "mask": "u1"}


def chip(rng: np.random.Generator, number: int, noise: np.ndarray) -> dict[str, object]:
    """One chip: bands that follow one ground with noise of their own, radar with speckle, a smooth height."""
    y, x = rng.integers(0, noise.shape[0] - SIZE, 2)
    ground = noise[y : y + SIZE, x : x + SIZE]
    bands = [2000 + 600 * ground + 40 * band + rng.normal(0, 25, ground.shape) for band in range(12)]
    arrays = {
        "s2": np.clip(bands, 1, 15_000).astype(np.uint16),
        "s1": (-12 + 3 * ground + rng.normal(0, 1, (2, SIZE, SIZE))).astype(np.float32),
        "dem": (4000 + 200 * ground).astype(np.int16),
        "mask": (ground < -1).astype(np.uint8),
    }
    facts: dict[str, object] = {"chip_id": str(number), "split": "UNKNOWN", "lake_id": "", "lat": 40 + number * 1e-3, "lon": 77.0}
    for name, array in arrays.items():
        facts |= {f"{name}_bytes": array.tobytes(), f"{name}_shape": list(array.shape)}
    return facts


def make_archive(folder: Path, chips: int, per_shard: int) -> list[Path]:
    rng = np.random.default_rng(11)
    noise = smooth_noise(rng, 2048)
    place = folder / "ile_alatau" / "2021"
    place.mkdir(parents=True)
    paths = []
    for start in range(0, chips, per_shard):
        paths.append(place / f"shard_{start // per_shard:04d}.parquet")
        pq.write_table(pa.Table.from_pylist([chip(rng, start + i, noise) for i in range(min(per_shard, chips - start))]), paths[-1])
    return paths


class ParquetReader:
    """Whole shards as Python lists, the two last ones kept."""

    def __init__(self, paths: list[Path], per_shard: int) -> None:
        self._paths, self._per_shard = paths, per_shard
        self._rows = lru_cache(maxsize=2)(lambda number: pq.read_table(self._paths[number]).to_pylist())

    def read(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        rows = [self._rows(int(index) // self._per_shard)[int(index) % self._per_shard] for index in indices]
        return {
            name: np.stack([np.frombuffer(row[f"{name}_bytes"], dtype).reshape(row[f"{name}_shape"]) for row in rows])
            for name, dtype in DTYPES.items()
        }


def check_equal(ours: ChipSet, theirs: ParquetReader, indices: np.ndarray) -> None:
    mine, other = ours.read(indices), theirs.read(indices)
    assert np.array_equal(mine.s2, other["s2"]), "optics differ"
    assert np.array_equal(mine.s1, other["s1"]), "radar differs"
    assert np.array_equal(mine.dem, other["dem"]), "heights differ"
    assert np.array_equal(mine.label, other["mask"] * 250), "labels differ"


def chips_per_cpu_second(read: Callable[[np.ndarray], object], batches: list[np.ndarray]) -> float:
    start = time.process_time()
    for indices in batches:
        read(indices)
    return sum(map(len, batches)) / (time.process_time() - start)


def measure(folder: Path, chips: int, per_shard: int, draws: int) -> dict[str, float]:
    paths = make_archive(folder, chips, per_shard)
    convert(str(folder), str(folder / "set"))
    ours, theirs = open_chips(folder / "set"), ParquetReader(paths, per_shard)
    order, rng = np.arange(chips), np.random.default_rng(5)
    check_equal(ours, theirs, rng.choice(order, BATCH, replace=False))
    drawn = rng.integers(0, chips, draws)
    access = {"in order": order, "at random": drawn}
    figures: dict[str, float] = {}
    for name, indices in access.items():
        batches = [indices[start : start + BATCH] for start in range(0, len(indices), BATCH)]
        figures[f"zarr {name}"] = chips_per_cpu_second(ours.read, batches)
        # nothing of the order before may help: a fresh reader holds no shard
        figures[f"parquet {name}"] = chips_per_cpu_second(ParquetReader(paths, per_shard).read, batches)
        figures[f"ratio {name}"] = figures[f"zarr {name}"] / figures[f"parquet {name}"]
    stored = {"zarr": (folder / "set").rglob("*"), "parquet": iter(paths)}
    for name, files in stored.items():
        figures[f"{name} MB per chip"] = sum(path.stat().st_size for path in files if path.is_file()) / 1e6 / chips
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=256)
    parser.add_argument("--per-shard", type=int, default=64, help="chips per Parquet file; the published archive has about 370")
    parser.add_argument("--draws", type=int, default=64, help="chips read at random places")
    parser.add_argument("--json", type=Path)
    call = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), call.chips, call.per_shard, call.draws)
    print("chips per CPU second; a batch is 8 chips")
    for name, value in figures.items():
        print(f"{name:<24} {value:10.2f}")
    if call.json:
        call.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
