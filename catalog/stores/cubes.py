"""Zarr v3 cubes of one zone: a chunk is a chip, a shard is a tile, and only whole shards are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from pyproj import CRS
from zarr.codecs import BloscCodec

from catalog.facts.errors import GridMismatch, ProductDamaged
from catalog.facts.grids import CHIP_PX, PIXEL_M, Tile
from catalog.facts.schemas import SCHEMA_VERSION, ArraySpec
from catalog.stores import fences
from catalog.stores.files import storage_errors
from catalog.stores.zarr_stores import zarr_store

Window = tuple[int, int, int, int]
"""y, x of the upper left pixel on the zone's global pixel lattice, height, width."""


@dataclass(frozen=True, slots=True)
class Cube:
    """An open cube: the bounding rectangle of a region's tiles in one zone."""

    path: Path
    group: zarr.Group
    specs: tuple[ArraySpec, ...]
    origin_yx_px: tuple[int, int]
    shape_yx_px: tuple[int, int]
    _opened: dict[str, zarr.Array[Any]] = field(default_factory=dict, compare=False, repr=False)
    """Arrays that were opened before: each has a document to read first, over a network a wait for every window."""

    @property
    def bounds_px(self) -> Window:
        """Global pixel rectangle of the cube."""
        return (*self.origin_yx_px, *self.shape_yx_px)


def open_cube(path: Path, tiles: Sequence[Tile], specs: tuple[ArraySpec, ...]) -> Cube:
    """Open or create the cube of one zone; raises GridMismatch when it was made for other tiles."""
    origin, shape = _rectangle(tiles)
    with storage_errors(path):
        if not (path / "zarr.json").is_file():
            _create(path, tiles[0], specs, origin, shape)
        group = zarr.open_group(zarr_store(path), mode="r+", zarr_format=3)
    stored = _stored_rectangle(group)
    if stored != (origin, shape):
        raise GridMismatch(
            f"{path}: made for pixels {stored}, the region now asks for {(origin, shape)}. Give the changed region a new name."
        )
    return Cube(path, group, specs, origin, shape)


def read_cube(path: Path, specs: tuple[ArraySpec, ...]) -> Cube:
    """Open an existing cube for reading; raises GridMismatch when there is none."""
    if not (path / "zarr.json").is_file():
        raise GridMismatch(f"{path}: no cube here. Make it with `cryoatlas run`.")
    with storage_errors(path):
        group = zarr.open_group(zarr_store(path), mode="r", zarr_format=3)
    return Cube(path, group, specs, *_stored_rectangle(group))


def write_tile(cube: Cube, tile: Tile, arrays: Mapping[str, NDArray[Any]]) -> tuple[Path, ...]:
    """Write the shards of one tile, each whole; return their files (an all-fill shard has none)."""
    rows, columns = _slices(cube, (*tile.origin_yx_px, tile.size_px, tile.size_px))
    files = shard_files(cube, tile)
    fences.check_path(cube.path)
    for spec, file in zip(cube.specs, files, strict=True):
        with storage_errors(cube.path):
            # zarr decodes an existing shard before it replaces it, and would stumble over a damaged one
            file.unlink(missing_ok=True)
            _array(cube, spec)[..., rows, columns] = arrays[spec.name]
    return files


def shard_files(cube: Cube, tile: Tile) -> tuple[Path, ...]:
    """Files of the shards of one tile, whether they exist or not."""
    y, x = tile.origin_yx_px
    row, column = (y - cube.origin_yx_px[0]) // tile.size_px, (x - cube.origin_yx_px[1]) // tile.size_px
    leading = {True: "c/0/", False: "c/"}
    return tuple(cube.path / spec.name / f"{leading[bool(spec.bands)]}{row}/{column}" for spec in cube.specs)


def read_window(cube: Cube, name: str, window: Window) -> NDArray[Any]:
    """Read any window of an array; what lies outside the cube is the array's fill value. Raises ProductDamaged."""
    spec = next(spec for spec in cube.specs if spec.name == name)
    y, x, height, width = window
    leading = (len(spec.bands),) if spec.bands else ()
    inside = _overlap(window, cube.bounds_px)
    if inside == window:
        return _read(cube, spec, window)
    result = np.full((*leading, height, width), spec.fill, spec.dtype)
    if inside is not None:
        top, left = inside[0] - y, inside[1] - x
        result[..., top : top + inside[2], left : left + inside[3]] = _read(cube, spec, inside)
    return result


def _read(cube: Cube, spec: ArraySpec, window: Window) -> NDArray[Any]:
    rows, columns = _slices(cube, window)
    try:
        with storage_errors(cube.path):
            return np.asarray(_array(cube, spec)[..., rows, columns])
    except (ValueError, RuntimeError) as error:
        raise ProductDamaged(
            f"{cube.path}/{spec.name}: a shard is damaged ({error}). Find it with `cryoatlas audit --checksums`."
        ) from error


def lazy_cube(path: Path) -> xr.Dataset:
    """Open a cube as users do: lazily, with coordinates and CRS."""
    cube: xr.Dataset = xr.open_zarr(zarr_store(path), consolidated=False, decode_coords="all", mask_and_scale=False)
    return cube


def _stored_rectangle(group: zarr.Group) -> tuple[tuple[int, int], tuple[int, int]]:
    attributes: dict[str, Any] = group.attrs.asdict()
    (top, left), (height, width) = attributes["origin_yx_px"], attributes["shape_yx_px"]
    return (top, left), (height, width)


def _array(cube: Cube, spec: ArraySpec) -> zarr.Array[Any]:
    if spec.name not in cube._opened:
        array = cube.group[spec.name]
        assert isinstance(array, zarr.Array)
        cube._opened[spec.name] = array
    return cube._opened[spec.name]


def _rectangle(tiles: Sequence[Tile]) -> tuple[tuple[int, int], tuple[int, int]]:
    size = tiles[0].size_px
    ys, xs = zip(*(tile.origin_yx_px for tile in tiles), strict=True)
    return (min(ys), min(xs)), (max(ys) - min(ys) + size, max(xs) - min(xs) + size)


def _overlap(a: Window, b: Window) -> Window | None:
    top, left = max(a[0], b[0]), max(a[1], b[1])
    bottom, right = min(a[0] + a[2], b[0] + b[2]), min(a[1] + a[3], b[1] + b[3])
    return (top, left, bottom - top, right - left) if bottom > top and right > left else None


def _slices(cube: Cube, window: Window) -> tuple[slice, slice]:
    top, left = window[0] - cube.origin_yx_px[0], window[1] - cube.origin_yx_px[1]
    return slice(top, top + window[2]), slice(left, left + window[3])


def _create(path: Path, tile: Tile, specs: Sequence[ArraySpec], origin: tuple[int, int], shape: tuple[int, int]) -> None:
    root = zarr.open_group(zarr_store(path), mode="a", zarr_format=3)
    for spec in specs:
        _create_array(root, spec, shape, tile.size_px)
    _create_coordinates(root, tile.epsg, origin, shape)
    # the group's attributes come last: a cube whose card is missing is created again, identically
    root.attrs.update(
        {"schema_version": SCHEMA_VERSION, "origin_yx_px": list(origin), "shape_yx_px": list(shape), **_geozarr(tile.epsg, origin, shape)}
    )


def _create_array(root: zarr.Group, spec: ArraySpec, shape: tuple[int, int], tile_px: int) -> None:
    leading = (len(spec.bands),) if spec.bands else ()
    attributes: dict[str, Any] = {"units": spec.units, "long_name": spec.meaning, "grid_mapping": "spatial_ref", "stored_scale": spec.scale}
    if spec.bands:
        attributes["band_names"] = list(spec.bands)
    root.create_array(
        spec.name,
        shape=(*leading, *shape),
        dtype=spec.dtype,
        chunks=(*leading, CHIP_PX, CHIP_PX),
        shards=(*leading, tile_px, tile_px),
        compressors=BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle"),
        fill_value=spec.fill,
        dimension_names=[*([spec.band_dim] if spec.bands else []), "y", "x"],
        attributes=attributes,
        overwrite=True,
    )


def _create_coordinates(root: zarr.Group, epsg: int, origin: tuple[int, int], shape: tuple[int, int]) -> None:
    y = -(np.arange(shape[0]) + origin[0] + 0.5) * PIXEL_M
    x = (np.arange(shape[1]) + origin[1] + 0.5) * PIXEL_M
    for name, values in (("y", y), ("x", x)):
        attributes: dict[str, Any] = {"units": "m", "standard_name": f"projection_{name}_coordinate", "axis": name.upper()}
        array = root.create_array(
            name, shape=values.shape, dtype="float64", chunks=values.shape, dimension_names=[name], attributes=attributes, overwrite=True
        )
        array[:] = values
    transform = f"{origin[1] * PIXEL_M} {PIXEL_M} 0 {-origin[0] * PIXEL_M} 0 {-PIXEL_M}"
    attributes = {**CRS.from_epsg(epsg).to_cf(), "GeoTransform": transform}
    root.create_array("spatial_ref", shape=(), dtype="int32", attributes=attributes, overwrite=True)


def _geozarr(epsg: int, origin: tuple[int, int], shape: tuple[int, int]) -> dict[str, Any]:
    return {
        "proj:code": f"EPSG:{epsg}",
        "spatial:dimensions": ["y", "x"],
        "spatial:transform": [PIXEL_M, 0, origin[1] * PIXEL_M, 0, -PIXEL_M, -origin[0] * PIXEL_M],
        "spatial:shape": list(shape),
    }
