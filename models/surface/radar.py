"""Radar scenes of one tile and season reduced to one backscatter surface in dB."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from catalog.facts.bands import S1_NAMES
from catalog.facts.errors import SourceBroken, SourceUnavailable
from catalog.facts.grids import CHIP_PX, Tile
from catalog.facts.options import SurfaceOptions
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Scene
from models.surface.clouds import grow
from models.surface.looks import ReadBand
from models.surface.median import median_linear
from models.surface.window import wanted_window

Power = npt.NDArray[np.float32]
FLOOR_DB: Final = -50.0
"""Far below the noise of Sentinel-1 (about -25 dB); keeps the logarithm finite."""


@dataclass(frozen=True, slots=True)
class RadarSurface:
    """The radar array of one tile as the cube stores it, and what happened on the way."""

    s1: Power
    """(2, y, x) gamma0 in dB, VV and VH; NaN = nodata."""
    measures: Mapping[str, float]
    failed: Mapping[str, str]
    """Scene ID -> why it was dropped although it was chosen."""


def compose_radar(
    scenes: Sequence[Scene],
    read: ReadBand,
    tile: Tile,
    chips_inside: npt.NDArray[np.bool_],
    options: SurfaceOptions,
    *,
    max_workers: int = 4,
) -> RadarSurface:
    """Reduce terrain-corrected gamma0 (linear power) of one orbit direction to its median over dates, in dB.

    Raises ValueError when the scenes mix ascending and descending orbits: the same slope looks different from both.
    """
    directions = {scene.orbit_state for scene in scenes} - {None}
    if len(directions) > 1:
        raise ValueError(
            f"Tile {tile.id}: one radar composite takes one orbit direction, these scenes have {sorted(map(str, directions))}."
        )
    s1 = np.full((len(S1_NAMES), tile.size_px, tile.size_px), np.nan, dtype=np.float32)
    failed: dict[str, str] = {}
    window = wanted_window(tile, chips_inside)
    if window is not None:
        border = options.radar_border_px
        wanted = np.repeat(np.repeat(chips_inside, CHIP_PX, axis=0), CHIP_PX, axis=1)[window.slices]
        composites = _composites(scenes, _Source(read, window.grid(10, border), border, max_workers), failed)
        for target, values in zip(s1, composites, strict=True):
            np.copyto(target[window.slices], values, where=wanted)
    inside = max(int(chips_inside.sum()) * CHIP_PX**2, 1)
    measures = {"radar_observed_share": float(np.isfinite(s1).all(axis=0).sum() / inside), "radar_scenes": float(len(scenes) - len(failed))}
    return RadarSurface(s1, measures, failed)


def without_border(power: Power, border_px: int) -> Power:
    """Return power with NaN where it is not positive and within `border_px` of such pixels: border noise of a swath, filled corners."""
    return np.where(grow(~(power > 0), border_px), np.float32(np.nan), power)


def to_db(power: Power) -> Power:
    """Return 10 log10 of linear power, NaN kept."""
    return (10.0 * np.log10(np.maximum(power, np.float32(10 ** (FLOOR_DB / 10))))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Source:
    read: ReadBand
    grid: PixelGrid
    border_px: int
    max_workers: int


def _composites(scenes: Sequence[Scene], source: _Source, failed: dict[str, str]) -> list[Power]:
    """One polarization after the other, so that one stack is in memory; starts anew without a scene that fails in the second."""
    ordered = sorted(scenes, key=lambda scene: (scene.acquired, scene.id))
    while True:
        known = set(failed)
        kept = [scene for scene in ordered if scene.id not in known]
        composites = [_composite(kept, polarization, source, failed) for polarization in S1_NAMES]
        if set(failed) == known:
            return composites


def _composite(scenes: Sequence[Scene], polarization: str, source: _Source, failed: dict[str, str]) -> Power:
    offered = [scene for scene in scenes if polarization in scene.assets]
    stack = np.full((len(offered), *source.grid.shape), np.nan, dtype=np.float32)

    def fill(t: int) -> None:
        power = source.read(offered[t], polarization, source.grid).astype(np.float32, copy=False)
        stack[t] = without_border(power, source.border_px)

    with ThreadPoolExecutor(source.max_workers) as pool:
        pending = [pool.submit(fill, t) for t in range(len(offered))]
        for scene, done in zip(offered, pending, strict=True):
            try:
                done.result()
            except (SourceUnavailable, SourceBroken) as error:
                failed[scene.id] = str(error)
    border = source.border_px
    inner = slice(border, -border or None)
    return to_db(median_linear(stack)[inner, inner])
