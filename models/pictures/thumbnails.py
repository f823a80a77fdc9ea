"""Large surfaces made small without inventing: mean reflectance, most frequent cause."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

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


def fit(thumbnail: Thumbnail, smallest: int, longest: int) -> Thumbnail:
    """Shrink to at most `longest` pixels along the longer side, or repeat pixels until it has at least `smallest`."""
    size = max(thumbnail.cause.shape)
    t = thumbnail
    if size > longest:
        factor = math.ceil(size / longest)
        rgb, cause = shrink(t.rgb, t.cause, factor)
        return Thumbnail(rgb, cause, t.epsg, t.left_m, t.top_m, t.pixel_m * factor)
    factor = max(1, math.ceil(smallest / size))
    rgb, cause = t.rgb.repeat(factor, 1).repeat(factor, 2), t.cause.repeat(factor, 0).repeat(factor, 1)
    return Thumbnail(rgb, cause, t.epsg, t.left_m, t.top_m, t.pixel_m / factor)


def merge(thumbnails: Sequence[Thumbnail]) -> Thumbnail:
    """Lay thumbnails of several zones into the CRS of the first, nearest pixel; where two show the same ground the first wins."""
    base = _widened(thumbnails[0], thumbnails[1:])
    for other in thumbnails[1:]:
        base = _filled(base, other)
    return base


def _widened(base: Thumbnail, others: Sequence[Thumbnail]) -> Thumbnail:
    moved = [Transformer.from_crs(other.epsg, base.epsg, always_xy=True).transform_bounds(*_bounds(other)) for other in others]
    boxes = [_bounds(base), *moved]
    left, bottom, right, top = (pick(edges) for pick, edges in zip((min, min, max, max), zip(*boxes, strict=True), strict=True))
    before_x, before_y = math.ceil((base.left_m - left) / base.pixel_m), math.ceil((top - base.top_m) / base.pixel_m)
    after_x = math.ceil((right - _bounds(base)[2]) / base.pixel_m)
    after_y = math.ceil((_bounds(base)[1] - bottom) / base.pixel_m)
    around = ((before_y, after_y), (before_x, after_x))
    return Thumbnail(
        np.pad(base.rgb, ((0, 0), *around)),
        np.pad(base.cause, around, constant_values=Cause.OUTSIDE_REGION),
        base.epsg,
        base.left_m - before_x * base.pixel_m,
        base.top_m + before_y * base.pixel_m,
        base.pixel_m,
    )


def _filled(base: Thumbnail, other: Thumbnail) -> Thumbnail:
    rows, columns = np.nonzero(base.cause == Cause.OUTSIDE_REGION)
    x, y = base.left_m + (columns + 0.5) * base.pixel_m, base.top_m - (rows + 0.5) * base.pixel_m
    other_x, other_y = Transformer.from_crs(base.epsg, other.epsg, always_xy=True).transform(x, y)
    # far beyond a zone the projection has no answer; such pixels are nobody's
    near = np.isfinite(other_x) & np.isfinite(other_y)
    other_columns = np.floor((np.where(near, other_x, -np.inf) - other.left_m) / other.pixel_m)
    other_rows = np.floor((other.top_m - np.where(near, other_y, np.inf)) / other.pixel_m)
    height, width = other.cause.shape
    hit = (other_rows >= 0) & (other_rows < height) & (other_columns >= 0) & (other_columns < width)
    source = other_rows[hit].astype(np.intp), other_columns[hit].astype(np.intp)
    rgb, cause = base.rgb.copy(), base.cause.copy()
    rgb[:, rows[hit], columns[hit]] = other.rgb[:, *source]
    cause[rows[hit], columns[hit]] = other.cause[source]
    return Thumbnail(rgb, cause, base.epsg, base.left_m, base.top_m, base.pixel_m)


def _bounds(thumbnail: Thumbnail) -> tuple[float, float, float, float]:
    height, width = thumbnail.cause.shape
    right, bottom = thumbnail.left_m + width * thumbnail.pixel_m, thumbnail.top_m - height * thumbnail.pixel_m
    return thumbnail.left_m, bottom, right, thumbnail.top_m


def cause_shares(cause: NDArray[np.uint8]) -> dict[Cause, float]:
    """Share of the region's pixels per cause, 0 to 1; empty without a region."""
    counts = np.bincount(cause.ravel(), minlength=_CAUSES)
    inside = counts.sum() - counts[Cause.OUTSIDE_REGION]
    if inside == 0:
        return {}
    return {code: float(counts[code] / inside) for code in Cause if code != Cause.OUTSIDE_REGION and counts[code]}
