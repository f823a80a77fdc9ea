"""Stored chips to what the two paths of a describer see.

Source: GLACIA feeds blue, green, red, near infrared, slope and elevation to the encoder, min-max scaled per chip, and stretched RGB to
the language path. Scaling per chip forgets how bright water is; here bands keep their reflectance, by the statistics of Prithvi, slope
its degrees, and elevation is relief above the lowest ground of the scene.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torchvision.transforms import functional as looks

from catalog.facts.bands import S2_NODATA, s2_index
from catalog.facts.describer_cards import RGB, SIX, ChannelScaling, DescriberConfig
from models.describer.network import Views
from models.segmenter.contract import WindowBatch
from models.segmenter.indices import IndexModel
from models.surface.terrain import slope_deg

CLIP_MEAN: Final = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD: Final = (0.26862954, 0.26130258, 0.27577711)
"""OpenAI's, which every CLIP was trained with."""
_WATER: Final = 0.5
_BRIGHT_GREEN: Final = 5_000.0
"""Reflectance x 10 000 of fresh snow in haze."""
_SLOPED_DEG: Final = 10.0
"""From here on ground is no longer level; the noise of elevation models tilts water by 1 to 3 degrees."""
_STRETCH: Final = (2.0, 98.0)
"""Percentiles of a scene that become black and white."""


@dataclass(frozen=True, slots=True)
class InputOptions:
    """How scenes are shown."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    enhance: bool = False
    """Raise brightness, contrast, sharpness and color of RGB as the released code does."""


def views_of(
    s2: NDArray[np.uint16],
    dem: NDArray[np.float32],
    pixel_m: float,
    config: DescriberConfig,
    scaling: ChannelScaling | None = None,
    options: InputOptions | None = None,
) -> Views:
    """Show chips: s2 (B, 12, y, x) counts with 0 = nodata, dem (B, y, x) metres with NaN = unknown."""
    channels = torch.from_numpy(six_channels(s2, dem, pixel_m, scaling or ChannelScaling()))
    shows = config.vision.shows
    rgb = torch.from_numpy(level_seen(s2, dem, pixel_m) if shows == "level" else _SHOWN[shows](s2, dem))
    if (options or InputOptions()).enhance:
        rgb = _enhanced(rgb)
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (CLIP_MEAN, CLIP_STD))
    size = config.encoder.image_px
    return Views(resized(channels, size), resized((rgb - mean) / std, config.vision.image_px))


def six_channels(s2: NDArray[np.uint16], dem: NDArray[np.float32], pixel_m: float, scaling: ChannelScaling) -> NDArray[np.float32]:
    """Standardised channels (B, 6, y, x); what is not known is 0, the mean."""
    bands = s2[:, [s2_index(name) for name in SIX[:4]]].astype(np.float32)
    bands[bands == S2_NODATA] = np.nan
    slopes = np.stack([slope_deg(heights, pixel_m) for heights in dem])
    filled = np.where(np.isfinite(dem), dem, np.inf).min(axis=(1, 2), keepdims=True)
    relief = dem - np.where(np.isfinite(filled), filled, 0)
    every = np.concatenate([bands, slopes[:, None], relief[:, None]], axis=1)
    mean, std = (np.array(numbers, np.float32)[:, None, None] for numbers in (scaling.mean, scaling.std))
    return np.asarray(np.nan_to_num((every - mean) / std, nan=0.0), np.float32)


def stretched(s2: NDArray[np.uint16], _dem: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Red, green and blue (B, 3, y, x) in 0..1, stretched over each scene, the three bands alike, so that water keeps its color."""
    bands = s2[:, [s2_index(name) for name in RGB]].astype(np.float32)
    result = np.zeros_like(bands)
    for scene, own in enumerate(bands):
        known = own[own != S2_NODATA]
        if known.size:
            low, high = np.percentile(known, _STRETCH)
            result[scene] = np.clip((own - low) / max(float(high - low), 1.0), 0, 1)
    return result


def water_seen(s2: NDArray[np.uint16], _dem: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """MNDWI, NDWI (B, y, x), -1..1 to 0..1, and green by a fixed stretch: what tells water apart, as one image (B, 3, y, x)."""
    green, near, short = (s2[:, s2_index(name)].astype(np.float32) for name in ("B03", "B08", "B11"))
    mndwi, ndwi = ((green - other) / np.maximum(green + other, 1.0) for other in (short, near))
    image = np.stack([(mndwi + 1) / 2, (ndwi + 1) / 2, np.clip(green / _BRIGHT_GREEN, 0, 1)], axis=1)
    known = (s2[:, [s2_index(name) for name in ("B03", "B08", "B11")]] != S2_NODATA).all(axis=1, keepdims=True)
    return np.asarray(np.where(known, image, 0.0), np.float32)


def index_seen(s2: NDArray[np.uint16], dem: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where the model `indices` sees water, 0 or 1, and MNDWI and NDWI (B, 3, y, x): lakes are blobs that can be counted."""
    batch = WindowBatch(np.zeros((len(s2), 2), np.int64), np.zeros((len(s2), *s2.shape[-2:]), np.uint8), s2, None, dem)
    water = np.nan_to_num(IndexModel().predict(batch).answer) >= _WATER
    return np.concatenate([water[:, None].astype(np.float32), water_seen(s2)[:, :2]], axis=1)


def level_seen(s2: NDArray[np.uint16], dem: NDArray[np.float32], pixel_m: float) -> NDArray[np.float32]:
    """Where the model `indices` sees water, MNDWI, and how level the ground is (B, 3, y, x), all 0..1.

    The index passes over frozen lakes and thin ones; water is level under ice, too, and snow on a slope is not.
    """
    level = np.stack([_level(heights, pixel_m) for heights in dem])
    return np.concatenate([index_seen(s2, dem)[:, :2], level[:, None]], axis=1)


def _level(heights: NDArray[np.float32], pixel_m: float) -> NDArray[np.float32]:
    """How level the ground is (y, x), 1 where it is flat, 0 from `_SLOPED_DEG` on and where heights are not known."""
    known = np.isfinite(heights)
    if not known.any():
        return np.zeros_like(heights)
    # not smoothed: the shores of small lakes would tilt them
    filled = np.where(known, heights, np.median(heights[known]))
    slopes = slope_deg(np.pad(filled, 1, mode="reflect", reflect_type="odd"), pixel_m)[1:-1, 1:-1]
    return np.asarray(np.where(known, np.clip(1 - slopes / _SLOPED_DEG, 0, 1), 0.0), np.float32)


def resized(images: Tensor, size: int) -> Tensor:
    """Images (B, c, y, x) at size x size; averaged where they shrink, so that small lakes leave a trace."""
    if tuple(images.shape[-2:]) == (size, size):
        return images
    return functional.interpolate(images, size=(size, size), mode="bilinear", antialias=images.shape[-1] > size, align_corners=False)


def _enhanced(rgb: Tensor) -> Tensor:
    """Brightness x 2, contrast x 1.3, sharpness x 1.5, color x 2 (released)."""
    brighter = looks.adjust_contrast(looks.adjust_brightness(rgb, 2.0), 1.3)
    enhanced: Tensor = looks.adjust_saturation(looks.adjust_sharpness(brighter, 1.5), 2.0)
    return enhanced


_SHOWN: Final[Mapping[str, Callable[[NDArray[np.uint16], NDArray[np.float32]], NDArray[np.float32]]]] = MappingProxyType(
    {"rgb": stretched, "water": water_seen, "index": index_seen}
)
