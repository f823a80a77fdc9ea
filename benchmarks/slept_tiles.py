"""A region-year mapped by the real flow in which only the computing of a tile is replaced, by a sleep: for benchmarks of everything else.

Real are search, choice, ledger, leases, run record and its log, Dask, Prefect, the cubes' documents, retirement, inventory and coverage.
**Replaced are** what a look reads of its scenes, the composition of a surface, the model, the probability that outlines are cut from,
and the bytes of shards: one byte stands in each, at its true place. Nothing outside `benchmarks/` can do that.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from catalog.facts.causes import State
from catalog.facts.grids import Tile
from catalog.facts.records import Outcome, Unit
from catalog.stores import cubes, fences
from catalog.stores.files import write_atomic
from models.segmenter.accumulate import TilePrediction
from tasks import build_surfaces, look_at_scenes, outline_tiles, segment_region

TILE_STAGES = ("look", "scenes", "surface", "segment", "outline")
"""Stages with a unit for every tile; of these `scenes` computes nothing that is replaced."""
MODEL = "indices"
_SEEN = {
    "observed_share": 0.9,
    "radar_observed_share": 0.9,
    "cloud_share": 0.05,
    "snow_ice_share": 0.03,
    "shadow_share": 0.02,
    "looks_median": 9.0,
}


@contextmanager
def computing_replaced(sleep_s: float) -> Iterator[None]:
    """Sleep in place of the computing of every tile, in this process; its threads see it too."""
    stand_ins: Mapping[tuple[Any, str], Callable[..., Any]] = {
        (look_at_scenes, "_outcome"): _look(sleep_s),
        (build_surfaces, "_compose"): _compose(sleep_s),
        (segment_region, "stream"): _stream(sleep_s),
        (segment_region, "_predicted_share"): lambda _: 0.9,
        (outline_tiles, "runs_of"): _no_runs(sleep_s),
        (cubes, "read_window"): lambda *_: np.zeros((1, 1), np.uint8),
        (cubes, "write_tile"): _one_byte_each,
    }
    with ExitStack() as stack:
        for (module, name), stand_in in stand_ins.items():
            stack.enter_context(mock.patch.object(module, name, stand_in))
        yield


def _look(sleep_s: float) -> Callable[..., Outcome]:
    def outcome(unit: Unit, entry: Any) -> Outcome:
        time.sleep(sleep_s)
        measures = {"elevation_max_m": 5400.0, "elevation_median_m": 4900.0}
        for scene in entry.optical:
            measures |= {f"{name}:{scene.id}": value for name, value in (("clear", 0.8), ("cloud", 0.1), ("snow", 0.1), ("suspect", 0.0))}
        return Outcome(unit, State.DONE, "", measures=measures)

    return outcome


def _compose(sleep_s: float) -> Callable[..., Any]:
    def compose(*_: Any) -> tuple[dict[str, Any], dict[str, float], dict[str, str]]:
        time.sleep(sleep_s)
        return {}, dict(_SEEN), {}

    return compose


def _stream(sleep_s: float) -> Callable[..., Iterator[TilePrediction]]:
    def stream(_model: Any, tiles: Sequence[Tile], *_: Any, **__: Any) -> Iterator[TilePrediction]:
        nothing = np.zeros((1, 1), np.uint8)
        for tile in tiles:
            time.sleep(sleep_s)
            yield TilePrediction(tile, nothing, None)

    return stream


def _no_runs(sleep_s: float) -> Callable[..., Any]:
    real = outline_tiles.runs_of

    def runs_of(inside: Any, origin_yx_px: tuple[int, int]) -> Any:
        time.sleep(sleep_s)
        return real(inside, origin_yx_px)

    return runs_of


def _one_byte_each(cube: cubes.Cube, tile: Tile, _arrays: Any) -> tuple[Path, ...]:
    files = cubes.shard_files(cube, tile)
    fences.check_path(cube.path)
    for file in files:
        write_atomic(file, b".")
    return files
