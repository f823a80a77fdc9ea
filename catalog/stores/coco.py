"""Chips in the folder layout of COCO: pictures, and one file of annotations per split."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from catalog.facts.errors import WrongCall
from catalog.stores.files import write_if_changed


def annotations_path(out: Path, split: str) -> Path:
    """Where the annotations of a split lie."""
    return out / "annotations" / f"instances_{split}.json"


def put_annotations(out: Path, split: str, content: Mapping[str, Any]) -> Path:
    """Write the annotations of a split; an equal file is left untouched."""
    path = annotations_path(out, split)
    write_if_changed(path, json.dumps(content, allow_nan=False).encode())
    return path


def put_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a picture (3, y, x) as PNG."""
    with warnings.catch_warnings():
        # a PNG has no place for where it lies; the annotations have
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        _put(path, picture, {"driver": "PNG"})


def put_geotiff(path: Path, bands: NDArray[np.uint16], transform: tuple[float, ...], epsg: int) -> None:
    """Write bands (b, y, x) as GeoTIFF, 0 = nodata; `transform` is the affine a to f."""
    _put(path, bands, {"driver": "GTiff", "crs": f"EPSG:{epsg}", "transform": Affine(*transform), "nodata": 0, "compress": "deflate"})


def _put(path: Path, array: NDArray[Any], profile: Mapping[str, Any]) -> None:
    if path.suffix not in {".png", ".tif"}:
        raise WrongCall(f"{path}: pictures are written as .png or .tif.")
    count, height, width = array.shape
    with MemoryFile() as memory:
        with memory.open(count=count, height=height, width=width, dtype=array.dtype.name, **profile) as file:
            file.write(array)
        write_if_changed(path, bytes(memory.getbuffer()))
