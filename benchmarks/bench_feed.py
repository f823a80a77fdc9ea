"""How busy a device is kept by how many batches read ahead: real stored cubes, and a device that only sleeps.

    python -m benchmarks.bench_feed STORE REGION YEAR [MILLISECONDS PER WINDOW]

The sleep stands in for a GPU, which leaves the processor to the readers as a GPU does; everything else is the road's own.
"""

import sys
import time
from functools import partial

import numpy as np

from catalog.facts.records import Job
from catalog.facts.schemas import SURFACE
from catalog.stores import cubes
from catalog.stores.blocks import BlockReader
from catalog.stores.jobs import mapped_tiles, stored_region
from catalog.stores.store import open_store
from models.segmenter.contract import InputContract, Prediction, WindowBatch
from models.segmenter.indices import IndexModel
from models.segmenter.predict import Measures, stream
from tasks.segment_region import _read


class Sleeping:
    """A model whose network is a pause."""

    name, version, sha256, licence = "sleep", "1", "0", "none"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @property
    def contract(self) -> InputContract:
        return InputContract(IndexModel().contract.needs, 224, 112, 16, batch_size=16)

    def predict(self, batch: WindowBatch) -> Prediction:
        time.sleep(self._seconds * len(batch))
        return Prediction(np.full((len(batch), 224, 224), 0.5, np.float32))


def main(location: str, region: str, year: str, milliseconds: str = "5") -> None:
    store = open_store(location)
    job = Job(region, int(year), stored_region(store, region).target, str(store.root))
    tiles = mapped_tiles(job)
    tiles = tuple(tile for tile in tiles if tile.epsg == tiles[0].epsg)
    print("batches ahead  windows  seconds  device busy")
    for ahead in (0, 1, 2, 4):
        model, measures, started = Sleeping(float(milliseconds) / 1000), Measures(), time.monotonic()
        reader = BlockReader(cubes.read_cube(store.cube(region, int(year), tiles[0].epsg), SURFACE), 224)
        for _ in stream(model, tiles, partial(_read, reader), measures=measures, prefetch=ahead):
            pass
        seconds = time.monotonic() - started
        print(f"{ahead:13d} {measures.windows_predicted:8d} {seconds:8.2f} {measures.seconds_in_network / seconds:11.1%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
