"""Detections of overlapping windows to slumps: each once, whole, and the same in whatever order the windows came."""

from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.errors import GridMismatch
from catalog.facts.grids import PIXEL_M
from models.detector.doubles import doubles, with_doubles, without_doubles
from models.detector.links import Groups, Links, Views, grouped
from models.detector.mask_pixels import frames_of, shared_pixels
from models.detector.scene import Scene, WindowIndex
from models.detector.votes import Part, VoteOptions, parts_of
from models.outlines.contours import Shape

Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
_ROUNDS = 4
"""Of looking for slumps that share ground after merging; one is the rule."""


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """When detections of two windows are one slump."""

    link_share: float = 0.5
    """Shared ground over the smaller mask (IoS)."""
    link_likeness: float = 0.35
    """Or IoU inside the ground that both windows see."""
    erosion_m: float = 20.0
    """Taken off that ground, and how near to the edge of its window a detection counts as cut."""
    min_common_m2: float = 400.0
    """Less ground of the two masks in common view says nothing about their likeness."""
    strong_score: float = 0.5
    """Two detections of one window above it that share no ground are two slumps."""
    touching_share: float = 0.1
    """Masks of one window that share less of the smaller share no ground: neighbours meet in a pixel or two."""
    double_share: float = 0.3
    """Merged slumps that share this much of the smaller are one seen twice."""
    votes: VoteOptions = field(default_factory=VoteOptions)


@dataclass(frozen=True, slots=True)
class Detected:
    """Everything that was detected in one zone and year."""

    windows_yx: Int64
    """(w, 2) global 10 m pixel (y = -northing / 10, x = easting / 10) of the upper left corner of EVERY window that was predicted."""
    window_px: int
    """Side of a window, pixels of 10 m."""
    up: int
    """Network pixels per pixel of 10 m along a side."""
    window: Int64
    """(n,) position in `windows_yx` of the window of each detection."""
    boxes: Float32
    """(n, 4) x0 y0 x1 y1, network pixels from the corner of the window."""
    scores: NDArray[np.floating]
    """(n,) 0..1."""
    masks: Float32
    """(n, 28, 28) probability inside the frame of the box."""

    def __post_init__(self) -> None:
        """Raise GridMismatch when the arrays do not fit each other."""
        count = len(self.scores)
        fits = self.windows_yx.ndim == 2 and self.windows_yx.shape[1] == 2 and self.window.shape == (count,)
        fits = fits and self.boxes.shape == (count, 4) and self.masks.ndim == 3 and len(self.masks) == count
        fits = fits and bool(((self.window >= 0) & (self.window < len(self.windows_yx))).all())
        if not fits:
            shapes = {name: getattr(self, name).shape for name in ("windows_yx", "window", "boxes", "scores", "masks")}
            raise GridMismatch(f"Detections of {count} slumps have arrays of {shapes}: hand in one row each, of windows that are listed.")


@dataclass(frozen=True, slots=True)
class Merged:
    """One slump."""

    polygon: Shape
    """Polygon or MultiPolygon in metres of the zone."""
    score: float
    """Of the surest detection that no edge of a window cuts; of the surest where all are cut."""
    members: int
    """Detections merged."""
    votes_share: float
    """Share of the views of its ground in which it was detected, 0..1."""
    edge_cut: bool
    """It reaches the end of the ground that was looked at."""
    conflict: bool
    """Some detection covers it and a neighbour that another window tells apart."""
    mask_probability: float
    """Mean over its ground of the probability that the windows which found it give to their pixels."""
    mask_probability_sd: float
    boundary_sd_m: float
    """Half the mean width of the band between the probabilities 0.25 and 0.75."""


def merge(detected: Detected, options: MergeOptions | None = None) -> tuple[Merged, ...]:
    """Unite the detections of all windows into slumps, from north to south.

    Linked by shared ground across windows (`MergeOptions`), never within one; drawn by the vote of the windows that see a pixel
    (`votes.parts_of`). Slumps that still share ground are one: their detections are pooled and vote again. Equal detections give
    equal bytes in any order.
    """
    options = options or MergeOptions()
    scene = _scene(detected, options)
    links, views = _links(scene, options)
    booth = _Booth(scene, options.votes)
    for _ in range(_ROUNDS):
        groups = grouped(links, views)
        parts = booth.parts(groups)
        pairs = doubles(parts, options.double_share)
        if not len(pairs):
            break
        links = with_doubles(links, parts, pairs)
    merged = [_merged(part, groups) for part in without_doubles(parts, options.double_share)]
    return tuple(sorted(merged, key=_reading_order))


def _scene(detected: Detected, options: MergeOptions) -> Scene:
    """Detections in an order of their own; those without ground are left out."""
    windows, place = np.unique(detected.windows_yx.astype(np.int64) * detected.up, axis=0, return_inverse=True)
    window, size, pixel_m = place.reshape(-1)[detected.window], detected.window_px * detected.up, PIXEL_M / detected.up
    order = _order(detected, window)
    boxes, masks = np.ascontiguousarray(detected.boxes[order], np.float32), np.ascontiguousarray(detected.masks[order], np.float32)
    frames, inside = frames_of(masks, boxes, size)
    edge = options.erosion_m / pixel_m
    cut = np.asarray(((boxes[:, :2] <= edge) | (boxes[:, 2:] >= size - edge)).any(1), np.bool_)
    scores = np.asarray(detected.scores, np.float64)[order]
    # masks are most of the memory: no copy where all have ground
    full: Int64 | slice = slice(None) if inside.all() else np.flatnonzero(inside)
    return Scene(
        size_px=size,
        pixel_m=pixel_m,
        windows=windows,
        window=np.asarray(window[order][full], np.int64),
        boxes=boxes[full],
        scores=scores[full],
        masks=masks[full],
        frames=frames[full],
        inside=inside[full],
        cut=cut[full],
    )


def _order(detected: Detected, window: Int64) -> Int64:
    """Positions of detections with ground, by window, box and score; equal ones by the bytes of their masks."""
    boxes = detected.boxes
    rows = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(1))
    keys = np.column_stack([window, boxes, detected.scores])[rows]
    order = np.lexsort(keys.T[::-1])
    rows, keys = rows[order], keys[order]
    same = np.flatnonzero((keys[1:] == keys[:-1]).all(1))
    tied = np.unique([same, same + 1])
    # runs of equal keys stand together, so that sorting all tied rows at once leaves every run in its place
    by_mask = sorted(tied.tolist(), key=lambda at: (tuple(keys[at].tolist()), detected.masks[rows[at]].tobytes()))
    rows[tied] = rows[by_mask]
    return rows


def _links(scene: Scene, options: MergeOptions) -> tuple[Links, Views]:
    pairs = _near(scene)
    erosion = round(options.erosion_m / scene.pixel_m)
    shared = shared_pixels(scene.masks, scene.boxes, (scene.frames, scene.origins), pairs, scene.size_px, erosion)
    share = shared[:, 0] / np.minimum(scene.inside[pairs[:, 0]], scene.inside[pairs[:, 1]])
    common = shared[:, 2] + shared[:, 3] - shared[:, 1]
    enough = common * scene.pixel_m**2 >= options.min_common_m2
    likeness = np.where(enough, shared[:, 1] / np.maximum(common, 1), 0.0)
    one_view = scene.window[pairs[:, 0]] == scene.window[pairs[:, 1]]
    linked = ~one_view & ((share >= options.link_share) | (likeness >= options.link_likeness))
    touching = pairs[one_view & (share >= options.touching_share)]
    views = Views(scene.window, scene.scores > options.strong_score, {(a, b) for a, b in touching.tolist()})
    # likeness tells a good fit from a mask that covers several; the share decides between fits without common ground
    strength = likeness + share * 1e-3
    return Links(pairs[linked, 0], pairs[linked, 1], strength[linked]), views


def _near(scene: Scene) -> Int64:
    """Pairs (k, 2) of detections whose frames share ground, the smaller position first, in order."""
    low, high = scene.frames[:, :2] + scene.origins, scene.frames[:, 2:] + scene.origins
    boxes = shapely.box(low[:, 1] + 0.5, low[:, 0] + 0.5, high[:, 1] - 0.5, high[:, 0] - 0.5)
    one, other = shapely.STRtree(boxes).query(boxes)
    return _in_order(one, other)


def _in_order(one: Int64, other: Int64) -> Int64:
    pairs = np.column_stack([one, other])[one < other].astype(np.int64)
    return np.asarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))], np.int64)


class _Booth:
    """Counts the votes of each group once, though groups are asked for again after pooling."""

    def __init__(self, scene: Scene, options: VoteOptions) -> None:
        self._scene, self._options = scene, options
        self._index = WindowIndex(scene.windows, scene.size_px)
        self._known: dict[tuple[int, ...], list[Part]] = {}

    def parts(self, groups: Groups) -> list[Part]:
        """All slumps that the groups' votes make, in the order of the groups."""
        order = np.argsort(groups.label, kind="stable")
        ends = np.flatnonzero(np.diff(groups.label[order])) + 1
        found = [self._of(tuple(members.tolist())) for members in np.split(order, ends) if members.size]
        return [part for parts in found for part in parts]

    def _of(self, members: tuple[int, ...]) -> list[Part]:
        if members not in self._known:
            self._known[members] = parts_of(members, self._scene, self._index, self._options)
        return self._known[members]


def _merged(part: Part, groups: Groups) -> Merged:
    return Merged(
        polygon=part.polygon,
        score=part.score,
        members=len(part.members),
        votes_share=part.votes_share,
        edge_cut=part.edge_cut,
        conflict=bool(groups.conflict[list(part.members)].any()),
        mask_probability=part.mask_probability,
        mask_probability_sd=part.mask_probability_sd,
        boundary_sd_m=part.boundary_sd_m,
    )


def _reading_order(slump: Merged) -> tuple[float, float, float, bytes]:
    left, _, _, top = slump.polygon.bounds
    return -top, left, slump.score, shapely.to_wkb(slump.polygon)
