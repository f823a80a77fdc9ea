"""Scenes of one tile and season reduced to one optical surface: read, judged, and the exact median of what is clear."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from catalog.facts.bands import S2_NAMES, native_resolution_m, s2_index
from catalog.facts.causes import Cause
from catalog.facts.grids import CHIP_PX, Tile
from catalog.facts.options import SurfaceOptions
from catalog.facts.records import Scene
from models.surface.clouds import judge_looks
from models.surface.looks import SWIR, TEN_M, LookReader, Looks, ReadBand, SceneLost
from models.surface.median import masked_median
from models.surface.shade import count_failed, shaded_looks
from models.surface.terrain import Terrain
from models.surface.upsample import upsample
from models.surface.verdicts import Verdict, coarsen, once_per_datatake, weigh
from models.surface.window import Window, wanted_window

Counts = npt.NDArray[np.uint16]
Codes = npt.NDArray[np.uint8]
_LATE: Final = tuple(name for name in S2_NAMES if name not in (*TEN_M, SWIR))
"""Bands that no mask needs: read after the masks, and only for the dates that are used."""


@dataclass(frozen=True, slots=True)
class OpticalSurface:
    """The optical arrays of one tile as the cube stores them, and what happened on the way."""

    s2: Counts
    """(12, y, x) reflectance x 10 000; snow and terrain-shadow looks fill in where no look is clear, `cause` tells; 0 = nodata."""
    looks: Codes
    day: Counts
    cause: Codes
    measures: Mapping[str, float]
    """Shares of the wanted pixels by cause, named as in the coverage table, and the median number of looks."""
    failed: Mapping[str, str]
    """Scene ID -> why it was dropped although it was chosen."""


def compose_optical(  # noqa: PLR0913 (a stage's inputs)
    scenes: Sequence[Scene],
    read: ReadBand,
    tile: Tile,
    chips_inside: npt.NDArray[np.bool_],
    terrain: Terrain | None,
    options: SurfaceOptions,
    *,
    max_workers: int = 4,
) -> OpticalSurface:
    """Reduce scenes to the surface of the wanted chips (rows, columns from the north-west) of a tile.

    Every pixel depends only on the ground within 240 m of it, so that tiles of any size give the same values. A scene that
    cannot be read is dropped for the whole tile and named in `failed`. `terrain` lies on `terrain_grid(tile, options)`.
    """
    window = wanted_window(tile, chips_inside)
    if window is None:
        return _on_tile({}, _nothing_seen(tile), tile, chips_inside, {})
    with ThreadPoolExecutor(max_workers) as pool:
        reader = LookReader(read, window, pool)
        looks = reader.read_looks(scenes)
        while True:
            reasons = judge_looks(looks.at_20m, shaded_looks(looks.scenes, terrain, window, options), options)
            once_per_datatake(reasons, looks.scenes)
            verdict = weigh(reasons, [scene.acquired for scene in looks.scenes], count_failed(reader.lost, window))
            try:
                bands = dict(_composites(looks, reader, reasons, verdict))
                break
            except SceneLost as loss:
                looks = looks.without(reader.drop(loss))
    del looks, reasons  # a gigabyte with 20 dates, not needed while the arrays of the tile are laid out
    return _on_tile(bands, _at_10m(verdict), tile, chips_inside, reader.failed)


def _composites(looks: Looks, reader: LookReader, reasons: Codes, verdict: Verdict) -> Iterator[tuple[str, Counts]]:
    """Yield each band at 10 m; raises SceneLost when a scene fails that the masks were already built on."""
    window, pool = reader.window, reader.pool
    coarse = _coarse_use(reasons, window) if looks.scenes else verdict.use
    for band, stack in _late_stacks(looks, reader, verdict.use):
        use = coarse if native_resolution_m(band) == 60 else verdict.use
        yield band, _native_to_10m(stack, use, band, window)
    yield SWIR, _native_to_10m(looks.at_20m.swir, verdict.use, SWIR, window)
    done: list[tuple[str, Future[Counts]]] = [(band, pool.submit(_ten_m, looks.at_10m[band], verdict.use)) for band in TEN_M]
    for band, future in done:
        yield band, future.result()


def _late_stacks(looks: Looks, reader: LookReader, use: Codes) -> Iterator[tuple[str, Counts]]:
    """Yield the stack of each late band, the next one being read meanwhile."""
    needed = [bool(flags.any()) for flags in use]
    start = partial(reader.start_stack, looks.scenes, needed)
    following = start(_LATE[0])
    for band, next_band in zip(_LATE, (*_LATE[1:], None), strict=True):
        current, following = following, start(next_band) if next_band else following
        yield band, current.wait()


def _native_to_10m(stack: Counts, use: Codes, band: str, window: Window) -> Counts:
    resolution = native_resolution_m(band)
    return upsample(masked_median(stack, use), window.native(resolution), window.grid(10))


def _ten_m(stack: Counts, use: Codes) -> Counts:
    halo = Window.HALO_10M_PX
    return masked_median(stack, use, factor=2)[halo:-halo, halo:-halo]


def _coarse_use(reasons: Codes, window: Window) -> Codes:
    fine, coarse = window.native(20), window.native(60)
    rows = (round((fine.top - coarse.top) / 20) + 3 * np.arange(coarse.height)).astype(np.int64)
    columns = (round((coarse.left - fine.left) / 20) + 3 * np.arange(coarse.width)).astype(np.int64)
    return coarsen(reasons, rows, columns)


def _at_10m(verdict: Verdict) -> tuple[Codes, Counts, Codes]:
    halo = Window.HALO_20M_PX
    inner = slice(halo, -halo)
    looks, day, cause = (np.repeat(np.repeat(a[inner, inner], 2, axis=0), 2, axis=1) for a in (verdict.looks, verdict.day, verdict.cause))
    return looks, day.astype(np.uint16), cause


def _nothing_seen(tile: Tile) -> tuple[Codes, Counts, Codes]:
    shape = (tile.size_px, tile.size_px)
    return np.zeros(shape, np.uint8), np.zeros(shape, np.uint16), np.full(shape, Cause.OUTSIDE_REGION, np.uint8)


def _on_tile(
    bands: dict[str, Counts],
    seen: tuple[Codes, Counts, Codes],
    tile: Tile,
    chips_inside: npt.NDArray[np.bool_],
    failed: Mapping[str, str],
) -> OpticalSurface:
    """Lay the window into arrays of the whole tile; chips that nobody asked for stay at their fill values."""
    looks, day, cause = _nothing_seen(tile)
    s2 = np.zeros((len(S2_NAMES), *looks.shape), dtype=np.uint16)
    window = wanted_window(tile, chips_inside)
    if window is not None:
        wanted = np.repeat(np.repeat(chips_inside, CHIP_PX, axis=0), CHIP_PX, axis=1)[window.slices]
        np.copyto(looks[window.slices], seen[0], where=wanted)
        np.copyto(day[window.slices], seen[1], where=wanted)
        np.copyto(cause[window.slices], seen[2], where=wanted)
        while bands:
            name, values = bands.popitem()
            np.copyto(s2[(s2_index(name), *window.slices)], values, where=wanted)
        _take_back(s2, looks, day, cause)
    return OpticalSurface(s2, looks, day, cause, _measures(looks, cause), failed)


def _take_back(s2: Counts, looks: Codes, day: Counts, cause: Codes) -> None:
    """At the swath's edge bands end at different pixels: a pixel that lacks a band which others have is not usable."""
    offered = [band for band in s2 if band.any()]
    for band in offered:
        lacking = (band == 0) & (cause == Cause.USABLE)
        looks[lacking], day[lacking], cause[lacking] = 0, 0, Cause.NO_SCENE


def _measures(looks: Codes, cause: Codes) -> dict[str, float]:
    counted = np.bincount(cause.ravel(), minlength=len(Cause))
    inside = max(int(counted.sum() - counted[Cause.OUTSIDE_REGION]), 1)
    names = {
        "observed_share": (Cause.USABLE,),
        "cloud_share": (Cause.CLOUD, Cause.CLOUD_SHADOW),
        "shadow_share": (Cause.TERRAIN_SHADOW,),
        "snow_ice_share": (Cause.SNOW_OR_ICE,),
        "no_scene_share": (Cause.NO_SCENE,),
        "read_failed_share": (Cause.READ_FAILED,),
    }
    shares = {name: float(sum(counted[cause] for cause in causes) / inside) for name, causes in names.items()}
    clear = np.bincount(looks[cause != Cause.OUTSIDE_REGION], minlength=1)
    half = clear.cumsum() >= clear.sum() / 2
    return {**shares, "looks_median": float(half.argmax()) if clear.sum() else 0.0}
