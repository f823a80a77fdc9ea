"""Reflectance to colours that mean the same in every year, and unusable pixels that cannot be mistaken for ground."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.causes import Cause

Rgb8 = NDArray[np.uint8]
TONE: Final = 30.0
"""Curvature of the tone curve log(1 + TONE r) / log(1 + TONE): dark water at 0.02 and fresh snow at 0.9 both keep detail."""
_STEPS: Final = 10_000

_TINTS: Final = {
    Cause.NO_SCENE: ((189, 189, 189), (120, 120, 120), 0.85),
    Cause.CLOUD: ((250, 250, 250), (150, 150, 150), 0.80),
    Cause.CLOUD_SHADOW: ((96, 96, 104), (220, 220, 220), 0.70),
    Cause.TERRAIN_SHADOW: ((94, 60, 153), (205, 190, 235), 0.45),
    Cause.SNOW_OR_ICE: ((150, 205, 240), (0, 114, 178), 0.35),
    Cause.READ_FAILED: ((213, 94, 0), (255, 230, 205), 0.85),
    Cause.OUTSIDE_REGION: ((244, 242, 238), (244, 242, 238), 1.0),
}
"""Cause -> colour of the tint, colour of the pattern, opacity of the tint where there is an image below."""

CAUSE_NAMES: Final = {
    Cause.NO_SCENE: "no scene",
    Cause.CLOUD: "cloud",
    Cause.CLOUD_SHADOW: "cloud shadow",
    Cause.TERRAIN_SHADOW: "terrain shadow",
    Cause.SNOW_OR_ICE: "snow or lake ice",
    Cause.READ_FAILED: "read failed",
}


def true_colour(rgb: NDArray[np.uint16]) -> Rgb8:
    """Colours (y, x, 3) of reflectance x 10 000 (red, green, blue; 0 nodata) on one fixed tone curve, whatever the scene."""
    reflectance = np.arange(_STEPS + 1) / _STEPS
    curve = np.round(255 * np.log1p(TONE * reflectance) / np.log1p(TONE)).astype(np.uint8)
    return np.moveaxis(curve[np.minimum(rgb, _STEPS)], 0, -1)


def shade(colours: Rgb8, has_image: NDArray[np.bool_], cause: NDArray[np.uint8]) -> Rgb8:
    """Tint and pattern every unusable pixel by its cause; pixels here are pixels of the picture."""
    result = colours.copy()
    for code, (tint, line, opacity) in _TINTS.items():
        here = cause == code
        if not here.any():
            continue
        strength = np.where(has_image[here], opacity, 1.0)[:, None]
        result[here] = np.round((1 - strength) * colours[here] + strength * np.array(tint)).astype(np.uint8)
        result[here & _pattern(code, cause.shape)] = line
    return result


def swatch(code: Cause, height: int, width: int) -> Rgb8:
    """A sample of how a cause looks, for the legend."""
    blank = np.zeros((height, width), bool)
    return shade(np.zeros((height, width, 3), np.uint8), blank, np.full((height, width), code, np.uint8))


def _pattern(code: Cause, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Stripes and dots, so that causes are told apart without colour, too."""
    rows, columns = np.indices(shape, sparse=True, dtype=np.int32)
    up, down = (rows + columns) % 9 == 0, (rows - columns) % 9 == 0
    patterns = {
        Cause.NO_SCENE: up,
        Cause.CLOUD: (rows % 7 < 2) & ((columns + 4 * (rows // 7 % 2)) % 8 < 2),
        Cause.CLOUD_SHADOW: down,
        Cause.TERRAIN_SHADOW: (rows % 6 == 0) & (columns >= 0),
        Cause.SNOW_OR_ICE: (rows % 9 == 0) & (columns % 9 == 0),
        Cause.READ_FAILED: up | down,
    }
    return np.asarray(patterns.get(code, np.zeros(shape, bool)), bool)
