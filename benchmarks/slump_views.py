"""Slumps whose outlines are known, and what a detector with honest faults says of them window by window.

Truth is a list of lobed outlines, some of them in clusters as along a thawing shore; a window shows the piece inside it. Detections
are those pieces with shifted and swollen outlines; some are missed. Everything is drawn from the slump and the window, so that the
same window says the same whatever else is asked.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from models.detector.merge import Detected, Merged

CELLS = 28
UP, PIXEL_M = 2, 5.0
"""Network pixels per pixel of 10 m, and their side."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with the detections."""

    jitter_m: float = 10.0
    """Standard deviation of the shift, and twice that of the swelling of an outline."""
    miss: float = 0.05
    """Share of the views of a slump in which nothing is found."""
    overreach: float = 0.0
    """Share of the views of a slump in which the mask covers its nearest neighbour too."""
    fragments: float = 0.0
    """Share of the views in which a piece of the slump is found a second time."""
    least_shown: float = 0.25
    """Pieces that show less of their slump are not found."""


def slumps(
    seed: int, count: int = 160, extent_m: float = 12_000.0, origin_m: tuple[float, float] = (500_000.0, 7_600_000.0)
) -> NDArray[np.object_]:
    """Outlines (metres of a zone) that share no ground: half alone, half in clusters of up to six, median area near 6 000 m2."""
    rng = np.random.default_rng([seed, 1])
    found: list[shapely.Polygon] = []
    centre = rng.uniform(0, extent_m, 2)
    while len(found) < count:
        if rng.random() < 0.6:
            centre = rng.uniform(300, extent_m - 300, 2)
        place = centre + rng.normal(0, 160, 2)
        shape = _lobed(rng, place + np.array(origin_m))
        if (shapely.distance(shape, np.array(found, dtype=object)) > 12).all() and (place > 250).all() and (place < extent_m - 250).all():
            found.append(shape)
    return np.array(found, dtype=object)


def _lobed(rng: np.random.Generator, centre: NDArray[np.float64]) -> shapely.Polygon:
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = np.ones(48) + sum(rng.normal(0, 0.14 / k) * np.cos(k * angle + rng.uniform(0, 6.3)) for k in (2, 3, 4))
    size = np.clip(rng.lognormal(np.log(6000), 0.9), 1200, 60_000)
    stretch = rng.uniform(1, 2) ** 0.5
    x, y = stretch * radius * np.cos(angle), radius * np.sin(angle) / stretch
    turn = rng.uniform(0, np.pi)
    ring = np.column_stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)])
    shape = shapely.Polygon(ring)
    return shapely.Polygon(ring * np.sqrt(size / shape.area) + centre)


def seen(
    truth: NDArray[np.object_], *, window_px: int, stride_px: int, shift_px: int = 0, faults: Faults | None = None, seed: int = 0
) -> Detected:
    """Return what a detector says in all windows over the slumps; `shift_px` moves the lattice of windows."""
    faults = faults or Faults()
    left, bottom, right, top = shapely.total_bounds(truth) / 10
    columns = np.arange((left - window_px - shift_px) // stride_px, (right - shift_px) // stride_px + 1, dtype=np.int64)
    rows = np.arange((-top - window_px - shift_px) // stride_px, (-bottom - shift_px) // stride_px + 1, dtype=np.int64)
    windows = np.array([(y * stride_px + shift_px, x * stride_px + shift_px) for y in rows for x in columns], np.int64)
    frames = shapely.box(*(10.0 * edge for edge in (windows[:, 1], -windows[:, 0] - window_px, windows[:, 1] + window_px, -windows[:, 0])))
    tree = shapely.STRtree(truth)
    found: list[tuple[int, NDArray[np.float32], float, NDArray[np.float32]]] = []
    for window, place in np.column_stack(tree.query(frames, predicate="intersects")).tolist():
        rng = np.random.default_rng([seed, place, *(windows[window] % 1_000_003)])
        for shape, score in _views(rng, truth, place, frames[window], faults):
            box, mask = masked(shape, 10.0 * windows[window][1], -10.0 * windows[window][0])
            found.append((window, box, score, mask))
    return Detected(
        windows, window_px, UP,
        np.array([row[0] for row in found], np.int64).reshape(-1),
        np.array([row[1] for row in found], np.float32).reshape(-1, 4),
        np.array([row[2] for row in found], np.float32),
        np.array([row[3] for row in found], np.float32).reshape(-1, CELLS, CELLS),
    )  # fmt: skip


def _views(rng, truth, place, frame, faults):
    """(outline, score) of what one window shows of one slump."""
    shown = shapely.area(shapely.intersection(truth[place], frame)) / shapely.area(truth[place])
    missed, over, twice = rng.random(3)
    if shown < faults.least_shown or missed < faults.miss:
        return
    shape = truth[place]
    if over < faults.overreach:
        near = np.argsort(shapely.distance(truth, shape))[1]
        if shapely.distance(truth[near], shape) < 150:
            shape = shapely.convex_hull(shapely.union(shape, truth[near]))
    shift = rng.normal(0, faults.jitter_m, 2) / np.sqrt(2)
    swollen = shapely.buffer(shapely.transform(shape, lambda corners: corners + shift), rng.normal(0, faults.jitter_m / 2))
    visible = _largest(shapely.intersection(swollen, frame))
    if shapely.area(visible) < 400:
        return
    score = float(np.clip(rng.beta(8, 2) * (0.6 + 0.4 * shown), 0.02, 0.999))
    yield visible, score
    if twice < faults.fragments:
        left, bottom, right, top = visible.bounds
        piece = _largest(shapely.intersection(visible, shapely.box(left, bottom, (left + right) / 2, top)))
        if shapely.area(piece) >= 400:
            yield piece, score * rng.uniform(0.3, 1.05)


def _largest(shape):
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return max(parts, key=shapely.area) if parts else shapely.Polygon()


def masked(shape: shapely.Polygon, left: float, top: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Box (network pixels) and mask of an outline; a cell holds the share of its ground inside, a little blurred as a network's is."""
    x0, y0, x1, y1 = shape.bounds
    box = np.array([(x0 - left) / PIXEL_M, (top - y1) / PIXEL_M, (x1 - left) / PIXEL_M, (top - y0) / PIXEL_M], np.float32)
    steps = (np.arange(3 * CELLS) + 0.5) / (3 * CELLS)
    x, y = np.meshgrid(x0 + steps * (x1 - x0), y1 - steps * (y1 - y0))
    shapely.prepare(shape)
    share = shapely.contains_xy(shape, x, y).reshape(CELLS, 3, CELLS, 3).mean((1, 3))
    return box, ndimage.gaussian_filter(share, 0.7, mode="nearest").astype(np.float32)


def plain_nms(detected: Detected, overlap: float = 0.5) -> NDArray[np.object_]:
    """What is left when boxes of all windows go through one non-maximum suppression: outlines of the kept masks, metres."""
    origins = detected.windows_yx[detected.window][:, ::-1] * UP
    boxes = detected.boxes + np.tile(origins - origins.min(0, initial=0), 2)
    kept: list[int] = []
    for row in np.lexsort((np.arange(len(boxes)), -np.asarray(detected.scores))):
        low, high = np.maximum(boxes[kept, :2], boxes[row, :2]), np.minimum(boxes[kept, 2:], boxes[row, 2:])
        shared = np.clip(high - low, 0, None).prod(1)
        union = (boxes[kept, 2:] - boxes[kept, :2]).prod(1) + (boxes[row, 2:] - boxes[row, :2]).prod() - shared
        if (shared <= overlap * union).all():
            kept.append(int(row))
    return outlines(detected)[kept]


def outlines(detected: Detected) -> NDArray[np.object_]:
    """Outline of every detection by itself, metres."""
    from models.detector.paste import paste  # noqa: PLC0415
    from models.outlines.contours import ContourOptions, outline_of  # noqa: PLC0415

    size, shapes = detected.window_px * UP, []
    for window, box, mask in zip(detected.window, detected.boxes, detected.masks, strict=True):
        y0, x0 = max(0, int(box[1])), max(0, int(box[0]))
        shape = (min(size, int(box[3]) + 1) - y0, min(size, int(box[2]) + 1) - x0)
        field = paste(mask[None], box[None], (y0, x0), shape)[0]
        y, x = (detected.windows_yx[window] * UP).tolist()
        shapes.append(outline_of(field, (y + y0, x + x0), pixel_m=PIXEL_M, options=ContourOptions()))
    return np.array(shapes, dtype=object)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How outlines compare with the truth."""

    truth: int
    found: int
    matched: int
    duplicates: int
    """Unmatched outlines that lie mostly on ground of a slump that another outline matched."""
    area_bias: float
    """Area of the matched outlines over that of their slumps, less one."""
    total_bias: float

    @property
    def extras(self) -> float:
        """Unmatched outlines per slump."""
        return (self.found - self.matched) / self.truth


def verdict(shapes: NDArray[np.object_], truth: NDArray[np.object_], likeness: float = 0.3) -> Verdict:
    """Match one to one from the best fit down, at an IoU of at least `likeness`."""
    shapes = shapes[~shapely.is_empty(shapes)] if len(shapes) else shapes
    one, other = shapely.STRtree(truth).query(shapes, predicate="intersects") if len(shapes) else (np.empty(0, int), np.empty(0, int))
    shared = shapely.area(shapely.intersection(shapes[one], truth[other]))
    fit = shared / (shapely.area(shapes[one]) + shapely.area(truth[other]) - shared)
    mine: dict[int, int] = {}
    taken: set[int] = set()
    for at in np.argsort(-fit, kind="stable"):
        if fit[at] >= likeness and int(one[at]) not in mine and int(other[at]) not in taken:
            mine[int(one[at])] = int(other[at])
            taken.add(int(other[at]))
    spare = {int(a) for a in one[shared > 0.5 * shapely.area(shapes[one])]} - set(mine)
    covered = {int(a) for a, b in zip(one, other, strict=True) if int(a) in spare and int(b) in taken}
    ours, theirs = shapely.area(shapes[list(mine)]).sum(), shapely.area(truth[list(mine.values())]).sum()
    return Verdict(
        len(truth),
        len(shapes),
        len(mine),
        len(covered),
        float(ours / theirs - 1),
        float(shapely.area(shapes).sum() / shapely.area(truth).sum() - 1),
    )


def polygons(merged: tuple[Merged, ...]) -> NDArray[np.object_]:
    return np.array([slump.polygon for slump in merged], dtype=object)
