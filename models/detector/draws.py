"""Which chips a step of training sees, and which window of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import shapely
import torch
from numpy.typing import NDArray

from catalog.facts.chips import CHIP_PX
from catalog.facts.detector_cards import DetectorConfig
from catalog.facts.errors import ChipsUnusable, RecipeWrong
from catalog.facts.footprints import squares
from catalog.facts.grids import PIXEL_M
from models.detector.augment import AugmentOptions
from models.detector.slumps import Slumps, positive
from models.detector.targets import Frame

Origins = NDArray[np.int64]
Draws = NDArray[np.float64]
_TRIES: Final = 8
"""Places that are tried for a window without a slump."""
_INSIDE_PX: Final = 8.0
"""How far from the rim of the window the point of a slump lies that it has to show, at least."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How many windows without a slump there are per window with one, from the start of training on."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    first: float = 1.0
    last: float = 5.0
    reached: float = 0.5
    """Share of training from which the last ratio holds."""
    lures: float = 4.0
    """How much more often chips with a known lure (ground that only looks like a slump) are drawn for windows without one."""

    def __post_init__(self) -> None:
        """Raise RecipeWrong for a value out of its range."""
        if min(self.first, self.last, self.lures) < 0 or not 0 <= self.reached <= 1:
            raise RecipeWrong(
                f"Ratios {self.first:g} to {self.last:g} reached at {self.reached:g}: choose 0 or more, and a share from 0 to 1."
            )

    def negatives(self, progress: float) -> float:
        """Windows without a slump per window with one, at a share of training."""
        done = 1.0 if self.reached == 0 else min(max(progress / self.reached, 0.0), 1.0)
        return self.first + (self.last - self.first) * done


def draw_chips(
    slumps: Sequence[Slumps], count: int, progress: float, schedule: Schedule, generator: torch.Generator
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Draw chips for a step, and which of their windows have to show a slump, by the schedule; raises ChipsUnusable without any chip.

    Windows without a slump come from all chips. Without a slump in any chip all windows are such.
    """
    if not len(slumps):
        raise ChipsUnusable("No chip to draw from: the split is empty; cut chips for it or choose another split.")
    drawn = torch.rand((2, count), generator=generator, device=generator.device, dtype=torch.float64).cpu().numpy()
    having = np.flatnonzero(positive(slumps))
    wanted = (drawn[0] < 1 / (1 + schedule.negatives(progress))) & bool(having.size)
    chances = np.array([schedule.lures if len(own.lures) else 1.0 for own in slumps])
    edges = np.cumsum(chances) / chances.sum()
    anywhere = np.minimum(np.searchsorted(edges, drawn[1], side="right"), len(slumps) - 1)
    with_one = having[(drawn[1] * having.size).astype(np.int64)] if having.size else anywhere
    return np.where(wanted, with_one, anywhere).astype(np.int64), wanted


def frames_drawn(
    slumps: Sequence[Slumps],
    origins_yx: Origins,
    config: DetectorConfig,
    options: AugmentOptions,
    generator: torch.Generator,
    *,
    wanted: NDArray[np.bool_] | None = None,
) -> tuple[Frame, ...]:
    """One window of every chip: around one of its slumps where wanted, else where there is none if such a place is found."""
    having = positive(slumps)
    asked = having if wanted is None else wanted & having
    numbers = torch.rand((len(slumps), 5 + 2 * _TRIES), generator=generator, device=generator.device, dtype=torch.float64).cpu().numpy()
    return tuple(_frame(*one, config, options) for one in zip(slumps, origins_yx, asked.tolist(), numbers, strict=True))


def frames_fixed(origins_yx: Origins, config: DetectorConfig) -> tuple[tuple[Frame, ...], list[int]]:
    """Windows side by side from the upper left corner of every chip, and the chip of each."""
    if config.window_px > CHIP_PX:
        raise ChipsUnusable(f"Windows of {config.window_px} px do not fit into chips of {CHIP_PX} px: choose a smaller window.")
    steps = range(0, CHIP_PX - config.window_px + 1, config.window_px)
    frames, own = [], []
    for chip, (y, x) in enumerate(origins_yx.tolist()):
        for down in steps:
            for along in steps:
                frames.append(Frame((y + down, x + along), config.window_px, config.up))
                own.append(chip)
    return tuple(frames), own


def _frame(slumps: Slumps, origin_yx: Origins, wanted: bool, numbers: Draws, config: DetectorConfig, options: AugmentOptions) -> Frame:
    turned, scaled, how_much, which, *places = numbers.tolist()
    scale = float(options.scale_low * (options.scale_high / options.scale_low) ** how_much) if scaled < options.scale else 1.0
    way = int(turned * 8) if options.dihedral else 0
    side = config.window_px / scale
    room = CHIP_PX - side
    if room < 0:
        corner = (room / 2, room / 2)
    elif wanted:
        corner = _around(slumps, origin_yx, side, (which, places[0], places[1]))
    else:
        corner = _without(slumps, origin_yx, side, places)
    if scale == 1.0:
        corner = (float(round(corner[0])), float(round(corner[1])))
    y, x = (float(origin + step) for origin, step in zip(origin_yx.tolist(), corner, strict=True))
    return Frame((y, x), config.window_px, config.up, scale, way >= 4, way % 4)


def _around(slumps: Slumps, origin_yx: Origins, side: float, drawn: tuple[float, float, float]) -> tuple[float, float]:
    """Corner in the chip of a window that holds a point of one slump."""
    own = slumps.shapes[~slumps.ignored]
    pieces = shapely.intersection(own, squares(origin_yx[None])[0])
    pieces = pieces[shapely.area(pieces) > 0]
    if not len(pieces):
        return drawn[1] * (CHIP_PX - side), drawn[2] * (CHIP_PX - side)
    point = shapely.point_on_surface(pieces[int(drawn[0] * len(pieces))])
    sought = (-point.y / PIXEL_M - float(origin_yx[0]), point.x / PIXEL_M - float(origin_yx[1]))
    corner = []
    for place, share in zip(sought, drawn[1:], strict=True):
        inside = min(_INSIDE_PX, side / 4)
        low, high = (float(np.clip(value, 0, CHIP_PX - side)) for value in (place - side + inside, place - inside))
        corner.append(low + share * (high - low))
    return corner[0], corner[1]


def _without(slumps: Slumps, origin_yx: Origins, side: float, places: list[float]) -> tuple[float, float]:
    """Corner of the first place tried whose window shows the fewest slumps."""
    corners = np.array(places[: 2 * _TRIES]).reshape(-1, 2) * (CHIP_PX - side)
    if not len(slumps):
        return float(corners[0, 0]), float(corners[0, 1])
    y, x = corners[:, 0] + origin_yx[0], corners[:, 1] + origin_yx[1]
    boxes = shapely.box(x * PIXEL_M, -(y + side) * PIXEL_M, (x + side) * PIXEL_M, -y * PIXEL_M)
    met = shapely.intersects(boxes[:, None], slumps.shapes[None]).sum(1)
    best = int(np.argmin(met))
    return float(corners[best, 0]), float(corners[best, 1])
