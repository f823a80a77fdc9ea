"""Whether optics and radar, each alone, see the same water in a lake."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.causes import Cause
from models.segmenter.backscatter import despeckled, radar_evidence, smoothed
from models.segmenter.contract import WindowArrays, has_optics
from models.segmenter.evidence import optical_evidence
from models.segmenter.index_options import IndexOptions
from models.segmenter.relief import relief_of

Mask = NDArray[np.bool_]
Window = tuple[int, int, int, int]
"""(y0, x0, y1, x1) in global pixels, ends exclusive."""

SEEN_SHARE: Final = 0.5
"""Share of the lake and its rim that both sensors must have seen."""
_OPTICAL_BANDS: Final = ("B03", "B08")
_OPTIONS: Final = IndexOptions()
_CORE_PX: Final = 8 * _OPTIONS.block_px
"""Side of the largest part, 9 km: a lake of fifty kilometres is not read at once."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a lake for which the sensors are compared."""

    core: Window
    """The pixels that count here; the cores of a lake share none and hold all of it."""
    window: Window
    """What must be read to judge them."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What two sensors saw of one part of a lake, pixels."""

    both_saw: int
    both_wet: int
    either_wet: int


def parts_of(bounds: Window) -> tuple[Part, ...]:
    """Return the parts of a lake whose body lies in these pixel bounds: one, or several where it crosses the lattice of `_CORE_PX`.

    Thresholds are judged on blocks of the lattice and their neighbours, so a window reaches one block around the blocks that the part
    meets. Parts depend on the lake alone, never on tiles.
    """
    rows, columns = (_spans(start, end) for start, end in ((bounds[0], bounds[2]), (bounds[1], bounds[3])))
    cores = [(top, left, bottom, right) for top, bottom in rows for left, right in columns]
    return tuple(Part(core, _around(core)) for core in cores)


def _spans(start: int, end: int) -> list[tuple[int, int]]:
    cuts = [start, *range((start // _CORE_PX + 1) * _CORE_PX, end, _CORE_PX), end]
    return list(pairwise(cuts))


def _around(core: Window) -> Window:
    block = _OPTIONS.block_px
    top, left = ((start // block - 1) * block for start in core[:2])
    bottom, right = ((-(-end // block) + 1) * block for end in core[2:])
    return top, left, bottom, right


def shared_water(body: Mask, window: WindowArrays) -> Shared:
    """Compare optics and radar on `body` (y, x), the pixels of a lake and its rim that count in this window.

    Water is where the log-odds of the model `indices` exceed 0: NDWI, MNDWI and AWEI against local thresholds on one side, VV and VH on
    the other, each alone.
    """
    if window.s2 is None or window.s1 is None:
        return Shared(0, 0, 0)
    clear = has_optics(window, _OPTICAL_BANDS) & (window.cause == Cause.USABLE)
    backscatter = despeckled(window.s1)
    both = body & clear & backscatter.known
    if not both.any():
        return Shared(0, 0, 0)
    optical, _ = optical_evidence(window.s2, clear, relief_of(window.dem, window.cause.shape), _OPTIONS)
    radar = smoothed(radar_evidence(backscatter, _OPTIONS))
    by_optics, by_radar = optical[both] > 0, radar[both] > 0
    return Shared(int(both.sum()), int((by_optics & by_radar).sum()), int((by_optics | by_radar).sum()))


def agreement(parts: Iterable[Shared], body_px: int) -> float:
    """Return the IoU of optical-only and radar-only water over all parts of a lake and its rim of `body_px` pixels.

    Measured by indices, it is independent of the network that mapped the lake, and cannot confirm or refute its outline; it says whether
    two physical signals tell the same story. NaN where less than `SEEN_SHARE` of the body was seen by both, or where neither sees water.
    Wind on a lake, wet snow, ice and radar shadow lower it.
    """
    found = list(parts)
    either = sum(part.either_wet for part in found)
    if sum(part.both_saw for part in found) < SEEN_SHARE * body_px or not either:
        return float("nan")
    return sum(part.both_wet for part in found) / either
