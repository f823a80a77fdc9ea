"""Large surfaces made small without inventing: mean reflectance, most frequent cause."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.causes import Cause

_CAUSES: Final = len(Cause)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """An image on a north-up grid in metres of one CRS."""

    rgb: NDArray[np.uint16]
    """Red, green, blue reflectance x 10 000, (3, y, x); 0 = nodata."""
    cause: NDArray[np.uint8]
    epsg: int
    left_m: float
    top_m: float
    pixel_m: float


def shrink(rgb: NDArray[np.uint16], cause: NDArray[np.uint8], factor: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Reduce blocks of factor x factor pixels: mean of what has an image, most frequent cause; ragged edges are filled with `outside`."""
    if factor == 1:
        return rgb, cause
    height, width = cause.shape
    bottom, right = -height % factor, -width % factor
    rgb = np.pad(rgb, ((0, 0), (0, bottom), (0, right)))
    cause = np.pad(cause, ((0, bottom), (0, right)), constant_values=Cause.OUTSIDE_REGION)
    blocks = (cause.shape[0] // factor, factor, cause.shape[1] // factor, factor)
    colour = rgb.reshape(3, *blocks)
    known = (colour > 0).sum((2, 4), dtype=np.uint32)
    total = colour.sum((2, 4), dtype=np.uint64)
    mean = np.where(known > 0, (total + known // 2) // np.maximum(known, 1), 0).astype(np.uint16)
    votes = np.stack([(cause.reshape(blocks) == code).sum((1, 3), dtype=np.uint32) for code in range(_CAUSES)])
    return mean, votes.argmax(0).astype(np.uint8)


def enlarge(thumbnail: Thumbnail, factor: int) -> Thumbnail:
    """Repeat every pixel factor x factor times: larger, not sharper."""
    if factor == 1:
        return thumbnail
    rgb = thumbnail.rgb.repeat(factor, 1).repeat(factor, 2)
    cause = thumbnail.cause.repeat(factor, 0).repeat(factor, 1)
    return Thumbnail(rgb, cause, thumbnail.epsg, thumbnail.left_m, thumbnail.top_m, thumbnail.pixel_m / factor)


def overlay(base: Thumbnail, other: Thumbnail, x: NDArray[np.float64], y: NDArray[np.float64]) -> Thumbnail:
    """Fill what lies outside the region in `base` from `other`; x, y are the positions of the base's pixels in the other's CRS, metres."""
    columns = np.floor((x - other.left_m) / other.pixel_m).astype(np.int64)
    rows = np.floor((other.top_m - y) / other.pixel_m).astype(np.int64)
    height, width = other.cause.shape
    take = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width) & (base.cause == Cause.OUTSIDE_REGION)
    rgb, cause = base.rgb.copy(), base.cause.copy()
    rgb[:, take] = other.rgb[:, rows[take], columns[take]]
    cause[take] = other.cause[rows[take], columns[take]]
    return Thumbnail(rgb, cause, base.epsg, base.left_m, base.top_m, base.pixel_m)


def cause_shares(cause: NDArray[np.uint8]) -> dict[Cause, float]:
    """Share of the region's pixels per cause, 0 to 1; empty without a region."""
    counts = np.bincount(cause.ravel(), minlength=_CAUSES)
    inside = counts.sum() - counts[Cause.OUTSIDE_REGION]
    if inside == 0:
        return {}
    return {code: float(counts[code] / inside) for code in Cause if code != Cause.OUTSIDE_REGION and counts[code]}
