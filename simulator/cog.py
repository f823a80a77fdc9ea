"""Cloud-optimised GeoTIFFs as the archives write them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine

BLOCK_PX = 512


def write(path: Path, pixels: npt.NDArray[np.generic], *, epsg: int, transform: Affine, nodata: float, labels: bool = False) -> None:
    """Write one band as a COG: DEFLATE with horizontal differencing, 512 px blocks, overviews (nearest for `labels`)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = pixels.shape
    with rasterio.open(
        path,
        "w",
        driver="COG",
        height=height,
        width=width,
        count=1,
        dtype=pixels.dtype,
        crs=f"EPSG:{epsg}",
        transform=transform,
        nodata=nodata,
        compress="DEFLATE",
        predictor="STANDARD",
        level=1,
        blocksize=BLOCK_PX,
        overview_resampling="nearest" if labels else "average",
        num_threads=1,
    ) as file:
        file.write(pixels, 1)
