"""The ground of one slump, voted for pixel by pixel by the windows that see it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from models.detector.mask_pixels import UNITY, add_view, paste
from models.detector.scene import Scene, WindowIndex
from models.outlines.contours import ContourOptions, Shape, outline_of

Int64 = NDArray[np.int64]
Mask = NDArray[np.bool_]
BAND = 0.25
"""The band of doubt lies between this far below and above the level; what it joins is one slump in two pieces."""
_BOX = np.ones((3, 3), bool)
_CUT_REACH_PX = 2
_SCORE_UNITY = 1000
"""Weights are whole, as values are, so that sums are exact."""


@dataclass(frozen=True, slots=True)
class VoteOptions:
    """Who votes, and what of the vote becomes a slump."""

    margin_px: int = 2
    """Network pixels along the edge of a window that do not count as seen, unless no other window sees them."""
    min_view: float = 0.25
    """A window without a detection votes against a slump only if it sees this share of it: training ignores smaller pieces."""
    min_votes: float = 0.2
    """Share of the views of its ground that must show a slump; one of four windows is enough, the score tells how sure it is."""
    member_overlap: float = 0.5
    """Shared ground over the smaller from which a detection is a member of a part."""
    contour: ContourOptions = field(default_factory=ContourOptions)


@dataclass(frozen=True, slots=True)
class Part:
    """One slump as the windows voted for it; fields as in `merge.Merged`."""

    polygon: Shape
    score: float
    members: tuple[int, ...]
    votes_share: float
    edge_cut: bool
    mask_probability: float
    mask_probability_sd: float
    boundary_sd_m: float


@dataclass(frozen=True, slots=True)
class _Voter:
    """One window over a frame: what it says, how much that counts (0 where it found nothing), where its corner lies."""

    values: Int64
    weight: int
    offset_yx: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Ballot:
    """Votes over one frame, arrays (y, x)."""

    origin_yx: tuple[int, int]
    probability: NDArray[np.float64]
    views: Int64
    above: Int64

    @property
    def unseen(self) -> Mask:
        return np.asarray(self.views == 0, np.bool_)


def parts_of(members: Sequence[int], scene: Scene, index: WindowIndex, options: VoteOptions) -> list[Part]:
    """Return what the windows vote to be the ground of linked detections: mostly one part, none where too few windows found it.

    The probability of a pixel is the mean, weighted by score, over the windows that found the slump and see the pixel. That some
    window found nothing says how sure the slump is (`votes_share`), not how large: counted as zeros, 5 % of such windows took 5 %
    of the area of simulated slumps. Ground above the level that ground above `level - BAND` does not join is another slump.
    """
    ballot = _ballot(members, scene, index, options)
    level = options.contour.level
    if not (ballot.probability > level).any():
        return []
    labels, count = ndimage.label(ballot.probability > level - BAND, _BOX)
    parts: list[Part] = []
    for number in range(1, count + 1):
        own = labels == number
        if (ballot.probability[own] > level).any():
            joined = tuple(members) if count == 1 else _members_in(own, members, ballot.origin_yx, (scene, options))
            parts.extend(_part(own, labels == 0, ballot, joined, (scene, options)))
    return parts


def _ballot(members: Sequence[int], scene: Scene, index: WindowIndex, options: VoteOptions) -> _Ballot:
    frame = _frame(members, scene)
    finders = {place: (values, weight) for place, values, weight in _pasted(members, scene, frame)}
    inside = np.any([2 * values > UNITY for values, _ in finders.values()], axis=0)
    voters, nothing = [], np.zeros(inside.shape, np.int64)
    for place in index.over(frame):
        values, weight = finders.get(place, (nothing, 0))
        offset = _offset(scene, place, frame)
        if weight or _sees(inside, offset, scene.size_px, options.min_view):
            voters.append(_Voter(values, weight, offset))
    total, weights, views, above = _counted(voters, inside.shape, scene.size_px, options.margin_px)
    return _Ballot((frame[0], frame[1]), total / (np.maximum(weights, 1) * UNITY), views, above)


def _frame(members: Sequence[int], scene: Scene) -> tuple[int, int, int, int]:
    """Frame (y0, x0, y1, x1) on the lattice around all members, with a rim for what lies beside them."""
    rows = np.asarray(members)
    frames = scene.frames[rows] + np.tile(scene.windows[scene.window[rows]], 2)
    (y0, x0), (y1, x1) = frames[:, :2].min(0) - _CUT_REACH_PX, frames[:, 2:].max(0) + _CUT_REACH_PX
    return int(y0), int(x0), int(y1), int(x1)


def _offset(scene: Scene, place: int, frame: tuple[int, int, int, int]) -> tuple[int, int]:
    y, x = scene.windows[place]
    return int(y) - frame[0], int(x) - frame[1]


def _pasted(members: Sequence[int], scene: Scene, frame: tuple[int, int, int, int]) -> Iterator[tuple[int, Int64, int]]:
    """What each window says of the frame: the largest value of its members, which may be pieces of one slump."""
    by_window: dict[int, list[int]] = defaultdict(list)
    for member in members:
        by_window[int(scene.window[member])].append(member)
    for place, rows in sorted(by_window.items()):
        values = np.zeros((frame[2] - frame[0], frame[3] - frame[1]), np.int64)
        for row in rows:
            paste(scene.masks[row], scene.boxes[row], scene.frames[row], _offset(scene, place, frame), values)
        yield place, values, max(1, round(_SCORE_UNITY * float(scene.scores[rows].max())))


def _sees(inside: Mask, offset_yx: tuple[int, int], size: int, min_view: float) -> bool:
    (y, x), (rows, columns) = offset_yx, inside.shape
    seen = inside[max(y, 0) : max(min(y + size, rows), 0), max(x, 0) : max(min(x + size, columns), 0)]
    return bool(seen.sum() >= min_view * inside.sum())


def _counted(voters: Sequence[_Voter], shape: tuple[int, ...], size: int, margin: int) -> tuple[Int64, ...]:
    """Sums of `add_view`; the rims of windows count where no finder sees more than its rim."""
    inner = _summed(voters, shape, (margin, size - margin))
    rim_only = inner[1] == 0
    if not rim_only.any():
        return inner
    rims = _summed(voters, shape, (0, size))
    return tuple(np.where(rim_only, rim, one) for one, rim in zip(inner, rims, strict=True))


def _summed(voters: Sequence[_Voter], shape: tuple[int, ...], bounds: tuple[int, int]) -> tuple[Int64, Int64, Int64, Int64]:
    sums = (np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64))
    for voter in voters:
        add_view(voter.values, voter.weight, voter.offset_yx, bounds, sums)
    return sums


def _part(own: Mask, background: Mask, ballot: _Ballot, members: Sequence[int], how: tuple[Scene, VoteOptions]) -> Iterator[Part]:
    scene, options = how
    field = np.where(own | background, ballot.probability, 0.0)
    level = options.contour.level
    inside = own & (field > level)
    votes_share = float(ballot.above[inside].sum() / max(int(ballot.views[inside].sum()), 1))
    if votes_share < options.min_votes:
        return
    polygon = outline_of(field, ballot.origin_yx, pixel_m=scene.pixel_m, options=options.contour)
    if shapely.is_empty(polygon):
        return
    band_px = int(own.sum()) - int(((field > level + BAND) & own).sum())
    whole = [row for row in members if not scene.cut[row]]
    yield Part(
        polygon=polygon,
        score=float(scene.scores[whole or list(members)].max()),
        members=tuple(members),
        votes_share=votes_share,
        edge_cut=_reaches(inside, ballot.unseen),
        mask_probability=float(field[inside].mean()),
        mask_probability_sd=float(field[inside].std()),
        boundary_sd_m=float(band_px * scene.pixel_m**2 / shapely.length(polygon) / 2),
    )


def _reaches(inside: Mask, unseen: Mask) -> bool:
    return bool(unseen.any() and (ndimage.binary_dilation(inside, _BOX, iterations=_CUT_REACH_PX) & unseen).any())


def _members_in(own: Mask, members: Sequence[int], origin_yx: tuple[int, int], how: tuple[Scene, VoteOptions]) -> tuple[int, ...]:
    scene, options = how
    found = []
    for row in members:
        values = np.zeros(own.shape, np.int64)
        y, x = scene.windows[scene.window[row]] - np.array(origin_yx)
        paste(scene.masks[row], scene.boxes[row], scene.frames[row], (int(y), int(x)), values)
        mine = 2 * values > UNITY
        smaller = min(int(mine.sum()), int(own.sum()))
        if smaller and int((mine & own).sum()) >= options.member_overlap * smaller:
            found.append(row)
    return tuple(found) or tuple(members)
