"""The ground of a year as scenes see it in one zone: reflectance and backscatter per pixel, mixed pixels included."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from rasterio.features import rasterize
from scipy.ndimage import distance_transform_edt
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from simulator.features import Cast, Feature
from simulator.frames import Frame, Positions, locate, reproject
from simulator.look import PLAIN, Look
from simulator.noise import fractal, generator
from simulator.terrain import slope_of
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
SUPERSAMPLE = 4
BANK_M = 0.5
REACH_M = 420.0


@dataclass(frozen=True, slots=True)
class Patch:
    """Ground of one kind inside an outline (base system)."""

    shape: Polygon
    layers: Floats
    """Reflectance of the twelve bands, then VV and VH power."""
    wet: bool = True
    """Open water: no snow stays on it, and wind changes its backscatter."""


class Scenery(Protocol):
    """A world's ground in its base frame."""

    @property
    def world(self) -> World:
        """What is simulated."""
        ...

    @property
    def seed(self) -> int:
        """Seed of every draw."""
        ...

    @property
    def elevation(self) -> Floats:
        """Metres on the base frame, flat on lakes."""
        ...

    @property
    def lakes(self) -> Cast:
        """All lakes."""
        ...

    @property
    def slumps(self) -> Cast:
        """All slumps."""
        ...

    def cover(self, year: int) -> Floats:
        """Fourteen layers (reflectance, VV, VH) on the base frame, without patches."""
        ...

    def glaciers(self, year: int) -> list[tuple[str, BaseGeometry]]:
        """Names and outlines of glaciers in a year, metres of the base frame."""
        ...

    def patches(self, year: int) -> list[list[Patch]]:
        """Groups of patches, painted one group over the other."""
        ...

    def confusers(self, year: int) -> list[tuple[str, Polygon]]:
        """Kind and outline of what must not be mapped."""
        ...


@dataclass(frozen=True, slots=True)
class Ground:
    """One zone and year."""

    frame: Frame
    positions: Positions
    layers: Floats
    water: Floats
    """Share of open water per pixel."""
    elevation: Floats
    rise_east: Floats
    rise_north: Floats
    look: Look = PLAIN


def stand_on(scenery: Scenery, cover: Floats, frame: Frame, year: int) -> Ground:
    """Carry the ground of a year into a zone's frame and paint its patches with sub-pixel shores."""
    base = scenery.world.base
    positions = locate(frame, base)
    layers = np.stack([positions.sample(layer) for layer in cover])
    water = np.zeros(frame.shape, dtype=np.float32)
    for group in scenery.patches(year):
        shares, index = _paint(group, frame, base.epsg)
        colours = np.stack([np.zeros(len(cover), dtype=np.float32), *(patch.layers for patch in group)])
        wet = np.array([0.0, *(float(patch.wet) for patch in group)], dtype=np.float32)
        for number in range(len(cover)):
            layers[number] += shares * (colours[index, number] - layers[number])
        water += shares * (wet[index] - water)
    elevation = positions.sample(scenery.elevation)
    east, north = slope_of(scenery.elevation)
    return Ground(frame, positions, layers, water, elevation, positions.sample(east), positions.sample(north), scenery.world.look)


def _paint(group: Sequence[Patch], frame: Frame, epsg: int) -> tuple[Floats, npt.NDArray[np.int16]]:
    """Share of each pixel inside the group (from a four times finer raster), and which patch it belongs to."""
    if not group:
        return np.zeros(frame.shape, dtype=np.float32), np.zeros(frame.shape, dtype=np.int16)
    shapes = [reproject(patch.shape, epsg, frame.epsg) for patch in group]
    fine = frame.rescaled(1 / SUPERSAMPLE)
    inside = rasterize(shapes, out_shape=fine.shape, transform=fine.transform, dtype="uint8")
    blocks = inside.reshape(frame.height, SUPERSAMPLE, frame.width, SUPERSAMPLE)
    shares = blocks.sum(axis=(1, 3), dtype=np.uint8).astype(np.float32) / SUPERSAMPLE**2
    numbered = [(shape.buffer(15), number + 1) for number, shape in enumerate(shapes)]
    index = rasterize(numbered, out_shape=frame.shape, transform=frame.transform, dtype="int16")
    return shares, index


def inside(shapes: Sequence[Polygon], frame: Frame, epsg: int) -> npt.NDArray[np.int16]:
    """Number (from 1) of the shape that holds each pixel centre, 0 outside all."""
    if not shapes:
        return np.zeros(frame.shape, dtype=np.int16)
    numbered = [(reproject(shape, epsg, frame.epsg), number + 1) for number, shape in enumerate(shapes)]
    return np.asarray(rasterize(numbered, out_shape=frame.shape, transform=frame.transform, dtype="int16"))


def mixed(shares: dict[str, Floats], look: Look) -> Floats:
    """Fourteen layers of materials mixed by their shares, which are normalised to one."""
    total = np.sum(list(shares.values()), axis=0)
    layers = np.zeros((14, *total.shape), dtype=np.float32)
    for name, share in shares.items():
        part = share / total
        for number, value in enumerate(look.layers(name)):
            layers[number] += value * part
    return layers


def cut_lakes(elevation: Floats, base: Frame, envelopes: Sequence[tuple[Feature, Polygon]]) -> Floats:
    """Level the ground inside each envelope at its lowest point and cut the slopes above it."""
    ground = elevation.copy()
    flats = []
    for feature, shape in envelopes:
        window, mask = _window(shape, base)
        ring = np.asarray(distance_transform_edt(~mask)) * base.pixel_m
        level = float(ground[window][ring < 25].min())
        crags = 1 + 0.3 * fractal(mask.shape, generator(0, feature.name, "cut"), exponent=4.6, longest_px=26)
        cut = np.minimum(ground[window], level + BANK_M + 0.6 + feature.steep * ring * np.clip(crags, 0.45, 2.2))
        ground[window] = np.where(ring < 30, np.maximum(cut, level + BANK_M), cut)
        flats.append((window, mask, level))
    for window, mask, level in flats:
        ground[window] = np.where(mask, level, ground[window])
    return ground


def _window(shape: Polygon, base: Frame) -> tuple[tuple[slice, slice], npt.NDArray[np.bool_]]:
    left, bottom, right, top = shape.buffer(REACH_M).bounds
    first_column, last_column = (int(np.clip((x - base.left) // base.pixel_m, 0, base.width)) for x in (left, right))
    first_row, last_row = (int(np.clip((base.top - y) // base.pixel_m, 0, base.height)) for y in (top, bottom))
    window = (slice(first_row, last_row), slice(first_column, last_column))
    part = Frame(base.epsg, base.left + first_column * 10, base.top - first_row * 10, last_column - first_column, last_row - first_row)
    mask = rasterize([shape], out_shape=part.shape, transform=part.transform, all_touched=True, dtype="uint8").astype(bool)
    return window, mask
