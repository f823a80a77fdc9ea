"""A detector asked about all windows of the chips of one zone and year, as the pipeline asks it about a cube."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
import torch
from numpy.typing import NDArray

from catalog.facts.grids import PIXEL_M
from models.detector.chip_windows import ChipWindows
from models.detector.contract import Detector, DetectorContract, WindowInstances, usable
from models.detector.merge import Detected, Merged, merge
from models.detector.slumps import Slumps
from models.detector.targets import Frame, TargetOptions, target_of
from models.scores.disagreements import Ground
from models.scores.instances import Unit
from models.scores.seen_ground import SeenGround
from models.scores.slump_scenes import Blocks, SlumpScene, TrueSlumps, found_slumps
from models.scores.window_instances import window_units
from models.segmenter.contract import WindowArrays, WindowBatch, stack

Ask = Callable[[WindowBatch], list[WindowInstances]]
LEAST_CLEAR: Final = 0.5
"""Share of a slump that was clear from which it is asked for."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was found in the windows of one zone and year."""

    origins_yx: NDArray[np.int64]
    """(w, 2), global pixel of every window that was looked at."""
    instances: tuple[WindowInstances, ...]
    seen: SeenGround

    def merged(self, contract: DetectorContract) -> tuple[Merged, ...]:
        """Slumps, each once."""
        window = np.repeat(np.arange(len(self.instances)), [len(found) for found in self.instances])
        boxes, masks = np.zeros((0, 4), np.float32), np.zeros((0, 28, 28), np.float32)
        return merge(
            Detected(
                self.origins_yx,
                contract.window_px,
                contract.up,
                window.astype(np.int64),
                np.concatenate([boxes, *(found.boxes for found in self.instances)]),
                np.concatenate([np.zeros(0, np.float32), *(found.scores for found in self.instances)]),
                np.concatenate([masks, *(found.masks for found in self.instances)]),
            )
        )


def answers(detector: Detector, windows: ChipWindows, *, ask: Ask | None = None, batch_size: int | None = None) -> Iterator[int | Answers]:
    """Yield how many windows are done after every batch, and what was found last; `ask` stands for `detector.predict`.

    Windows that show too little clear ground are not looked at.
    """
    contract, seen = detector.contract, SeenGround()
    found: list[WindowInstances] = []
    looked: list[tuple[int, int]] = []
    waiting: list[tuple[tuple[int, int], WindowArrays]] = []
    size, total = batch_size or contract.batch_size, len(windows)
    for done, origin in enumerate(windows.origins, start=1):
        arrays = windows.read(origin)
        clear = _inner(usable(contract, arrays), contract)
        if clear.mean() >= contract.min_valid_share:
            seen.add(origin, clear)
            looked.append(origin)
            waiting.append(((origin[0] - contract.halo_px, origin[1] - contract.halo_px), arrays))
        if len(waiting) == size or (waiting and done == total):
            found += (ask or detector.predict)(stack(waiting))
            waiting = []
            yield done
    yield Answers(np.array(looked, np.int64).reshape(-1, 2), tuple(found), seen)


def scene_of(found: Answers, contract: DetectorContract, shows: Ground, truth: TrueSlumps, blocks: Blocks) -> SlumpScene:
    """The merged slumps beside those that are asked for; slumps most of which was not clear are not."""
    merged = found.merged(contract)
    outlines = np.array([slump.polygon for slump in merged], object)
    clear = np.array([found.seen.clear_share(outline) for outline in truth.outlines], np.float64) >= LEAST_CLEAR
    scores = np.array([slump.score for slump in merged], np.float64)
    return SlumpScene(shows, replace(truth, asked=truth.asked & clear), found_slumps(outlines, scores, shows, blocks))


def apart_units(found: Answers, contract: DetectorContract, slumps: Slumps, options: TargetOptions) -> tuple[list[Unit], NDArray[np.int64]]:
    """Windows that share no ground as units of the matcher, and their places: the figures that published work gives."""
    first = found.origins_yx.min(axis=0) if len(found.origins_yx) else np.zeros(2, np.int64)
    apart = np.flatnonzero(((found.origins_yx - first) % contract.window_px == 0).all(axis=1))
    tree = shapely.STRtree(slumps.shapes)
    targets = []
    for place in apart.tolist():
        origin = (int(found.origins_yx[place, 0]), int(found.origins_yx[place, 1]))
        near = np.sort(tree.query(_square(origin, contract.window_px)))
        clear = torch.from_numpy(found.seen.clear_in(origin, (contract.window_px,) * 2))
        targets.append(target_of(_subset(slumps, near), Frame(origin, contract.window_px, contract.up), options, clear))
    return window_units([found.instances[place] for place in apart.tolist()], targets, up=contract.up), apart


def ground_of(found: Answers) -> shapely.Geometry:
    """All that was looked at, metres of the zone; nothing where no window showed enough."""
    return found.seen.area() if found.seen.windows else shapely.Polygon()


def _inner(mask: NDArray[np.bool_], contract: DetectorContract) -> NDArray[np.bool_]:
    start, stop = contract.halo_px, contract.halo_px + contract.window_px
    return mask[start:stop, start:stop]


def _square(origin_yx: tuple[int, int], side_px: int) -> shapely.Geometry:
    top, left = -PIXEL_M * origin_yx[0], PIXEL_M * origin_yx[1]
    return shapely.box(left, top - PIXEL_M * side_px, left + PIXEL_M * side_px, top)


def _subset(slumps: Slumps, near: NDArray[np.int64]) -> Slumps:
    voices = tuple(slumps.voices[place] for place in near.tolist())
    return Slumps(slumps.shapes[near], slumps.ignored[near], slumps.certainty[near], voices, slumps.lures[:0])
