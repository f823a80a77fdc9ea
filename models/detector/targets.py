"""Outlines to what a detector learns from a window: boxes, masks, and ground that it is not asked about.

Outlines stay vectors until here, so a window that is turned, mirrored or scaled has targets as exact as any other.
"""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import shapely
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.facts.grids import PIXEL_M
from models.detector.slumps import SlumpOptions, Slumps

Names = NDArray[np.object_]
Mask = NDArray[np.float32]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """When a piece of a slump is one to find."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    least_m2: float = 400.0
    """Smaller pieces in the window are ignored."""
    least_visible: float = 0.25
    """Share of the slump that lies in the window; less is ignored."""
    least_seen: float = 0.5
    """Share of its pixels that optics saw; less is ignored."""
    slumps: SlumpOptions = field(default_factory=SlumpOptions)


@dataclass(frozen=True, slots=True)
class Frame:
    """The square of ground that a window shows, and how it is shown."""

    origin_yx: tuple[float, float]
    """Upper left corner on the zone's lattice, pixels of 10 m (y down)."""
    window_px: int
    up: int
    scale: float = 1.0
    """How much larger the ground looks; the square has `window_px / scale` pixels of 10 m along a side."""
    mirrored: bool = False
    """Left to right, before it is turned."""
    turns: int = 0
    """By 90 degrees, as torch.rot90 turns rows to columns."""

    @property
    def network_px(self) -> int:
        """Side in network pixels."""
        return self.window_px * self.up

    def placed(self, shapes: Names) -> Names:
        """Polygons in metres of the zone as (x, y) in network pixels, y down."""
        side, step = self.network_px, self.scale * self.up

        def move(corners: NDArray[np.float64]) -> NDArray[np.float64]:
            x = (corners[:, 0] / PIXEL_M - self.origin_yx[1]) * step
            y = (-corners[:, 1] / PIXEL_M - self.origin_yx[0]) * step
            x = side - x if self.mirrored else x
            for _ in range(self.turns % 4):
                x, y = y, side - x
            return np.column_stack([x, y])

        return np.asarray(shapely.transform(shapes, move), object)


@dataclass(frozen=True, slots=True)
class Target:
    """What there is to find in one window of S network pixels; no slump at all is legal."""

    boxes: Tensor
    """(n, 4) float32, x0, y0, x1, y1 in network pixels, continuous edges: one past the last pixel."""
    masks: Tensor
    """(n, S, S) float32, 0..1: share of its labelers who count the pixel."""
    weights: Tensor
    """(n,) float32, certainty in (0, 1]."""
    ignore: Tensor
    """(S, S) bool, ground that nobody is asked about."""
    ignore_boxes: Tensor
    """(k, 4) float32, as `boxes`, of what is ignored."""

    def __len__(self) -> int:
        """Count the slumps to find."""
        return len(self.boxes)

    def to(self, device: torch.device) -> "Target":
        """The same on a device."""
        return Target(*(getattr(self, name).to(device) for name in ("boxes", "masks", "weights", "ignore", "ignore_boxes")))


@dataclass(frozen=True, slots=True)
class Piece:
    """What a window shows of a slump."""

    shape: shapely.Geometry
    """In network pixels, y down."""
    place: int
    """Of the slump among `Slumps`."""
    ignored: bool


def pieces_of(slumps: Slumps, frame: Frame, options: TargetOptions) -> list[Piece]:
    """What a window shows of every slump in it; pieces that are too small or show too little of their slump are ignored."""
    if not len(slumps):
        return []
    whole = frame.placed(slumps.shapes)
    shown = shapely.intersection(whole, shapely.box(0, 0, frame.network_px, frame.network_px))
    area = shapely.area(shown)
    small = (area * (PIXEL_M / frame.up) ** 2 < options.least_m2) | (area < options.least_visible * shapely.area(whole))
    return [Piece(shown[place], place, bool(slumps.ignored[place] | small[place])) for place in np.flatnonzero(area > 0).tolist()]


def target_of(slumps: Slumps, frame: Frame, options: TargetOptions, seen: Tensor | None = None) -> Target:
    """Targets of a window; `seen` (window_px, window_px) bool says, in the window as shown, where optics saw the ground.

    Ignored: pieces that are too small or show too little of their slump, slumps that `Slumps` ignores, and those too little of which
    was seen. A pixel belongs to a slump when its centre does; a pixel that an ignored one touches is ignored.
    """
    side = frame.network_px
    looked_at = np.ones((side, side), bool) if seen is None else seen.cpu().numpy().repeat(frame.up, 0).repeat(frame.up, 1)
    masks, boxes, weights, ignored = [], [], [], []
    for piece in pieces_of(slumps, frame, options):
        mask = None if piece.ignored else _agreement(frame, slumps.voices[piece.place], side)
        box = None if mask is None else _box(mask >= 0.5)
        if mask is None or box is None or looked_at[mask >= 0.5].mean() < options.least_seen:
            ignored.append(piece.shape)
            continue
        masks.append(mask)
        boxes.append(box)
        weights.append(float(slumps.certainty[piece.place]))
    return _target(masks, boxes, weights, _ignored(ignored, side))


def without_masks(target: Target) -> Target:
    """The same without masks, for what needs boxes only."""
    return replace(target, masks=target.masks[:, :0, :0])


def burnt(shape: shapely.Geometry, side: int) -> NDArray[np.bool_]:
    """Pixels (side, side) whose centre lies in a polygon given in pixels, x right and y down."""
    result = np.zeros((side, side), bool)
    left, top, right, bottom = shapely.bounds(shape)
    if not left < right:
        return result
    x0, y0 = max(int(np.floor(left)), 0), max(int(np.floor(top)), 0)
    x1, y1 = min(int(np.ceil(right)), side), min(int(np.ceil(bottom)), side)
    if x0 < x1 and y0 < y1:
        shapely.prepare(shape)
        x, y = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
        result[y0:y1, x0:x1] = shapely.contains_xy(shape, x, y)
    return result


def _agreement(frame: Frame, voices: Names, side: int) -> Mask:
    drawn = [burnt(shape, side) for shape in frame.placed(voices)]
    return np.mean(drawn, axis=0, dtype=np.float32) if len(drawn) > 1 else drawn[0].astype(np.float32)


def _box(mask: NDArray[np.bool_]) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _ignored(pieces: list[shapely.Geometry], side: int) -> tuple[NDArray[np.bool_], list[Box]]:
    """Pixels that the pieces touch, and the box of each; half a pixel around, so that thin pieces have some."""
    ignore, boxes = np.zeros((side, side), bool), []
    for piece in pieces:
        touched = burnt(shapely.buffer(piece, 0.5, join_style="mitre"), side)
        box = _box(touched)
        if box is not None:
            ignore |= touched
            boxes.append(box)
    return ignore, boxes


def _target(masks: list[Mask], boxes: list[Box], weights: list[float], ignored: tuple[NDArray[np.bool_], list[Box]]) -> Target:
    ignore, ignore_boxes = ignored
    stacked = np.stack(masks) if masks else np.zeros((0, *ignore.shape), np.float32)
    free = ignore & ~(stacked >= 0.5).any(0)
    return Target(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.from_numpy(stacked),
        torch.tensor(weights, dtype=torch.float32),
        torch.from_numpy(free),
        torch.tensor(ignore_boxes, dtype=torch.float32).reshape(-1, 4),
    )
