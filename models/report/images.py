"""Surfaces and unusable pixels of a year as images that fit into a budget of bytes."""

import io
import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.facts.report_records import YearPicture
from models.pictures.thumbnails import Thumbnail, fit
from models.pictures.tones import true_colour

LONGEST_PX: Final = 2000
"""Longer side of a picture where the budget allows it."""
_SHORTEST_PX: Final = 240
_QUALITY: Final = 78
_SMALLER: Final = 0.8


def pictures_of(thumbnails: Mapping[int, Thumbnail], budget_bytes: int) -> tuple[YearPicture, ...]:
    """Encode the thumbnail of every year, all with equally many pixels, so that together they fit into a budget of base64 text.

    Without room for even the smallest pictures there are none.
    """
    longest = min(LONGEST_PX, max((max(t.cause.shape) for t in thumbnails.values()), default=0))
    while longest >= min(_SHORTEST_PX, LONGEST_PX):
        pictures = tuple(_picture(year, fit(thumbnail, 1, longest)) for year, thumbnail in sorted(thumbnails.items()))
        size = sum(len(picture.surface) + len(picture.causes) for picture in pictures) * 4 / 3
        if size <= budget_bytes:
            return pictures
        # whole factors: one step smaller at least, or as much as the bytes ask for
        longest = min(int(longest * _SMALLER), int(longest * math.sqrt(budget_bytes / size)))
    return ()


def _picture(year: int, thumbnail: Thumbnail) -> YearPicture:
    height, width = thumbnail.cause.shape
    scale = thumbnail.pixel_m
    return YearPicture(
        year, _surface(thumbnail), _causes(thumbnail.cause), thumbnail.left_m, thumbnail.top_m, width * scale, height * scale
    )


def _surface(thumbnail: Thumbnail) -> bytes:
    alpha = np.where((thumbnail.rgb > 0).any(0), 255, 0).astype(np.uint8)
    buffer = io.BytesIO()
    image = Image.fromarray(np.dstack([true_colour(thumbnail.rgb), alpha]), "RGBA")
    image.save(buffer, "WEBP", quality=_QUALITY, alpha_quality=20, method=4)
    return buffer.getvalue()


def _causes(cause: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(cause, "L").save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
