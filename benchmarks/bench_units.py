"""Unit costs of the main road on a simulated world: what `cryoatlas plan` multiplies its counts with (catalog/facts/unit_costs.py).

Makes a world of `--chips` x `--chips` chips in one tile, builds its surface and segments it through the public functions that
the tasks call, cubes on disk included, and prints CPU seconds (user and system, all threads) per decoded gigabyte and per
megapixel of ground. Compilation is done before the clock starts. CPU seconds hold on a busy machine, wall seconds do not.

    python benchmarks/bench_units.py [--chips 4] [--copies 1] [--repeats 2] [--world DIR] [--json FILE]

A year of the simulated world has few dates; `--copies 4` takes every scene four times, from linked files, so that no cache helps.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from catalog.facts.grids import CHIP_PX, Tile
from catalog.facts.options import MapOptions
from catalog.facts.pixel_grids import native_grid
from catalog.facts.records import Scene
from catalog.facts.schemas import PROBABILITY, PROBABILITY_NODATA, SURFACE
from catalog.facts.seasons import season_of
from catalog.facts.selection import choose
from catalog.facts.territory import territory_of
from catalog.facts.tile_ground import part_of
from catalog.stores import cubes
from catalog.stores.candidates import find_candidates
from catalog.stores.elevation import read_dem
from catalog.stores.pixels import ByteMeter, read_grid
from catalog.stores.raster_files import close_files
from catalog.stores.regions import family_of, find_region
from models.outlines.join import join
from models.outlines.polygonize import polygons_of
from models.outlines.runs import runs_of
from models.segmenter.contract import WindowArrays
from models.segmenter.predict import stream
from models.segmenter.registry import model_named
from models.surface.composite import compose_optical
from models.surface.radar import compose_radar
from models.surface.terrain import Terrain, terrain_grid
from simulator.make import make
from simulator.worlds import HMA

YEAR = 2023
OPTIONS = MapOptions()
HALF = 125
"""Probability 0.5 as the cube keeps it."""


@dataclass(frozen=True)
class Work:
    """One tile, the chips of it that are mapped, and the scenes chosen for it."""

    tile: Tile
    chips_inside: np.ndarray
    scenes: tuple[Scene, ...]

    @property
    def ground_mpx(self) -> float:
        return float(self.chips_inside.sum()) * CHIP_PX**2 / 1e6

    def of(self, sensor: str) -> tuple[Scene, ...]:
        return tuple(scene for scene in self.scenes if scene.sensor == sensor)


def largest_tile(world: Path) -> Work:
    """The tile that holds most of the world, with the scenes that a run without a look at them would choose."""
    region = find_region(str(world / "region.geojson"))
    candidates = find_candidates(str(world / "catalog"), region, YEAR, OPTIONS.search)
    zones = territory_of(region, family_of(region)).zones
    zone, tile = max(((zone, tile) for zone in zones for tile in zone.tiles), key=lambda pair: int(pair[0].chip_mask(pair[1]).sum()))
    inside = zone.chip_mask(tile)
    chosen = choose(candidates.over(tile), part_of(tile, inside), season_of(region, tile, YEAR), OPTIONS.search, {})
    used = tuple(choice.scene for choice in chosen if choice.used)
    return Work(tile, inside, (*used, *candidates.heights_around(tile)))


def copied(work: Work, copies: int, folder: Path) -> Work:
    """The same work with every optical and radar scene several times, days apart, each from files of its own name."""
    others = [_copy(scene, number, folder) for number in range(1, copies) for scene in (*work.of("s2"), *work.of("s1"))]
    return replace(work, scenes=(*work.scenes, *others))


def _copy(scene: Scene, number: int, folder: Path) -> Scene:
    assets = {}
    for band, asset in scene.assets.items():
        link = folder / f"{number}-{scene.id}-{band}{Path(asset.href).suffix}"
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(asset.href.removeprefix("file://"), link)
        assets[band] = replace(asset, href=str(link))
    return replace(scene, id=f"{scene.id}-{number}", acquired=scene.acquired + timedelta(days=number), assets=assets, acquisition_key="")


def surface(work: Work, folder: Path, meter: ByteMeter) -> None:
    """What the surface stage does with a tile: read, judge, reduce, write."""

    def read(scene: Scene, band: str, grid: Any) -> np.ndarray:
        return read_grid(scene, band, grid, meter=meter)

    elevation, grid = work.of("dem"), terrain_grid(work.tile, OPTIONS.surface)
    terrain = Terrain(read_dem(elevation, grid, gap_px=OPTIONS.surface.dem_gap_px), grid)
    optical = compose_optical(work.of("s2"), read, work.tile, work.chips_inside, terrain, OPTIONS.surface, max_workers=2)
    radar = compose_radar(work.of("s1"), read, work.tile, work.chips_inside, OPTIONS.surface, max_workers=2)
    dem = read_dem(elevation, native_grid(work.tile, 10), gap_px=OPTIONS.surface.dem_gap_px, meter=meter)
    arrays = {"s2": optical.s2, "s1": radar.s1, "dem": dem, "looks": optical.looks, "day": optical.day, "cause": optical.cause}
    cubes.write_tile(cubes.open_cube(folder / "surface.zarr", [work.tile], SURFACE), work.tile, arrays)


def segment(work: Work, folder: Path) -> None:
    """What the segment stage does with a tile: read windows, predict, write."""
    source = cubes.read_cube(folder / "surface.zarr", SURFACE)
    target = cubes.open_cube(folder / "probability.zarr", [work.tile], PROBABILITY)

    def read(origin_yx: tuple[int, int], size: int) -> WindowArrays:
        window = (*origin_yx, size, size)
        return WindowArrays(*(cubes.read_window(source, name, window) for name in ("cause", "s2", "s1", "dem", "looks")))

    for prediction in stream(model_named("indices"), [work.tile], read):
        spread = prediction.spread if prediction.spread is not None else np.full_like(prediction.probability, PROBABILITY_NODATA)
        cubes.write_tile(target, prediction.tile, {"probability": prediction.probability, "spread": spread})


def outline(work: Work, folder: Path) -> None:
    """Pixel runs and polygons of a tile."""
    stored = cubes.read_window(
        cubes.read_cube(folder / "probability.zarr", PROBABILITY),
        "probability",
        (*work.tile.origin_yx_px, work.tile.size_px, work.tile.size_px),
    )
    polygons_of(join([runs_of((stored != PROBABILITY_NODATA) & (stored >= HALF), work.tile.origin_yx_px)]))


def cpu_seconds(action: Callable[[], object]) -> float:
    close_files()
    start = time.process_time()
    action()
    return time.process_time() - start


def work_in(world: Path, chips: int, copies: int) -> Work:
    """The work on a world of that size, which is made when it is not there yet."""
    if not (world / "region.geojson").is_file():
        # the corner of the lattice lies south-east of the ground, so that all of it is one tile
        make(replace(HMA, chips=(chips, 0, 0, chips)), [YEAR], world)
    return copied(largest_tile(world), copies, world / "copies")


def measure(work: Work, repeats: int) -> Mapping[str, float]:
    """Median CPU seconds of each stage on one tile, and what they are divided by."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = on_one_chip(work)
        for stage in (lambda: surface(first, folder / "warm", ByteMeter()), lambda: segment(first, folder / "warm")):
            stage()
        runs: dict[str, list[float]] = {"surface": [], "segment": [], "outline": []}
        for number in range(repeats):
            place, meter = folder / str(number), ByteMeter()
            runs["surface"].append(cpu_seconds(lambda place=place, meter=meter: surface(work, place, meter)))
            runs["segment"].append(cpu_seconds(lambda place=place: segment(work, place)))
            runs["outline"].append(cpu_seconds(lambda place=place: outline(work, place)))
        stored = sum(path.stat().st_size for path in (folder / "0").rglob("*") if path.is_file())
    cpu = {stage: statistics.median(values) for stage, values in runs.items()}
    return {
        "ground_mpx": work.ground_mpx,
        "optical_scenes": len(work.of("s2")),
        "radar_scenes": len(work.of("s1")),
        "decoded_gb": meter.total / 1e9,
        "surface_cpu_s": cpu["surface"],
        "surface_cpu_s_per_gb": cpu["surface"] / (meter.total / 1e9),
        "segment_cpu_s": cpu["segment"],
        "segment_cpu_s_per_mpx": cpu["segment"] / work.ground_mpx,
        "outline_cpu_s_per_mpx": cpu["outline"] / work.ground_mpx,
        "stored_bytes_per_px": stored / (work.ground_mpx * 1e6),
    }


def on_one_chip(work: Work) -> Work:
    """The same work on one chip: enough to compile and to load every library."""
    single = np.zeros_like(work.chips_inside)
    row, column = np.argwhere(work.chips_inside)[0]
    single[row, column] = True
    return replace(work, chips_inside=single)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=4, help="chips along one side of the simulated tile, 1 to 10")
    parser.add_argument("--copies", type=int, default=1, help="how often every scene is taken")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--world", type=Path, help="folder that keeps the simulated world; made when absent")
    parser.add_argument("--json", type=Path)
    call = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(work_in(call.world or Path(folder), call.chips, call.copies), call.repeats)
    for name, value in figures.items():
        print(f"{name:<24} {value:10.3f}")
    if call.json:
        call.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
