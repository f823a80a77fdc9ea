"""Pixel frames in projected systems, and where the pixels of one frame lie in another."""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import Transformer
from scipy.ndimage import map_coordinates
from shapely import segmentize, transform
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

Floats = npt.NDArray[np.float32]
Shape = TypeVar("Shape", bound=BaseGeometry)
NODE_PX = 32  # reprojection is exact on this mesh and bilinear between: under 1 mm at 320 m within a UTM zone
CHIP_M = 2240.0
INSET_M = 15.0  # the region polygon keeps clear of the neighbouring chips


@dataclass(frozen=True, slots=True)
class Frame:
    """A north-up grid of square pixels."""

    epsg: int
    left: float
    top: float
    width: int
    height: int
    pixel_m: float = 10.0

    @property
    def transform(self) -> Affine:
        """Affine from pixel corners to metres."""
        return Affine(self.pixel_m, 0.0, self.left, 0.0, -self.pixel_m, self.top)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in metres."""
        return self.left, self.top - self.height * self.pixel_m, self.left + self.width * self.pixel_m, self.top

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    def rescaled(self, factor: float) -> "Frame":
        """Return the same ground with pixels `factor` times as large; the size must divide."""
        return Frame(self.epsg, self.left, self.top, round(self.width / factor), round(self.height / factor), self.pixel_m * factor)

    def centres(self) -> tuple[Floats, Floats]:
        """Eastings (1, width) and northings (height, 1) of pixel centres, relative to left and top in metres."""
        x = (np.arange(self.width, dtype=np.float32) + 0.5) * self.pixel_m
        y = -(np.arange(self.height, dtype=np.float32) + 0.5) * self.pixel_m
        return x[None, :], y[:, None]


@dataclass(frozen=True, slots=True)
class Positions:
    """Fractional row and column in another frame of every pixel centre of a frame."""

    rows: Floats
    columns: Floats

    def sample(self, field: Floats, pixel_m: float = 10.0, base_pixel_m: float = 10.0) -> Floats:
        """Read a field of the base frame bilinearly; give both pixel sizes when the field is coarser than the base."""
        ratio = base_pixel_m / pixel_m
        places = [self.rows, self.columns] if ratio == 1.0 else [(self.rows + 0.5) * ratio - 0.5, (self.columns + 0.5) * ratio - 0.5]
        return np.asarray(map_coordinates(field, places, output=np.float32, order=1, mode="nearest", prefilter=False))


def locate(frame: Frame, base: Frame) -> Positions:
    """Find the pixel centres of `frame` in `base`, by reprojection of a mesh and bilinear interpolation between."""
    node_columns = np.arange(0, frame.width + NODE_PX, NODE_PX)
    node_rows = np.arange(0, frame.height + NODE_PX, NODE_PX)
    x = frame.left + (node_columns + 0.5) * frame.pixel_m
    y = frame.top - (node_rows + 0.5) * frame.pixel_m
    mesh_x, mesh_y = np.meshgrid(x, y)
    east, north = Transformer.from_crs(frame.epsg, base.epsg, always_xy=True).transform(mesh_x, mesh_y)
    columns = (east - base.left) / base.pixel_m - 0.5
    rows = (base.top - north) / base.pixel_m - 0.5
    places = np.meshgrid(np.arange(frame.height) / NODE_PX, np.arange(frame.width) / NODE_PX, indexing="ij")
    return Positions(*(np.asarray(map_coordinates(nodes, places, output=np.float32, order=1)) for nodes in (rows, columns)))


def cover(polygon: Polygon, epsg: int, *, margin_m: float, snap_m: int) -> Frame:
    """Smallest frame of 10 m pixels in `epsg` over a longitude-latitude polygon and a margin, edges at multiples of `snap_m`."""
    left, bottom, right, top = reproject(polygon, 4326, epsg).bounds
    west = math.floor((left - margin_m) / snap_m) * snap_m
    north = math.ceil((top + margin_m) / snap_m) * snap_m
    columns = math.ceil((right + margin_m - west) / 60) * 6
    rows = math.ceil((north - bottom + margin_m) / 60) * 6
    return Frame(epsg, west, north, columns, rows)


def reproject(shape: Shape, source: int, target: int) -> Shape:
    """Move every vertex of a geometry from one system to another (x, y order)."""
    transformer = Transformer.from_crs(source, target, always_xy=True)
    return transform(shape, lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1])))


def rectangle_lonlat(epsg: int, bounds: tuple[float, float, float, float]) -> Polygon:
    """Rectangle of a projected system as a longitude-latitude polygon, inset a little and with vertices every half chip."""
    inner = box(*bounds).buffer(-INSET_M, join_style="mitre")
    return reproject(segmentize(inner, CHIP_M / 2), epsg, 4326)
