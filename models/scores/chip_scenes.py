"""Chips of a split to scenes: a detector asked about all their ground, and the outlines of the labels laid beside its slumps."""

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from catalog.facts.chips import CHIP_PX
from catalog.facts.detector_cards import Calibration
from catalog.facts.errors import ChipsUnusable
from catalog.facts.grids import PIXEL_M
from models.detector.chip_ground import Chips
from models.detector.chip_windows import ChipWindows
from models.detector.contract import Detector
from models.detector.slumps import SlumpOptions, slumps_of
from models.detector.targets import TargetOptions
from models.outlines.geodesy import to_metres
from models.scores.blocks import score_blocks
from models.scores.disagreements import Ground
from models.scores.instances import Unit
from models.scores.slump_answers import Answers, Ask, answers, apart_units, ground_of, scene_of
from models.scores.slump_calibration import best_threshold, calibrate
from models.scores.slump_scenes import Blocks, SlumpScene, true_slumps

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Tell = Callable[[str, int, int], None]
"""Hears which scene is worked on, and how many of its windows are done of how many."""


@dataclass(frozen=True, slots=True)
class ChipScenes:
    """What a detector found on the chips of a split, zone by zone and year by year."""

    scenes: tuple[SlumpScene, ...]
    block_km2: Floats
    """(blocks,), clear ground that was looked at."""
    blocks: str
    """What blocks are, in words."""
    units: tuple[Unit, ...]
    """Windows that share no ground."""
    unit_blocks: Indices
    windows: int
    """Windows that were looked at."""


def scenes_of(
    sets: Chips, detector: Detector, split: str, *, ask: Ask | None = None, batch_size: int | None = None, tell: Tell | None = None
) -> ChipScenes:
    """Find slumps on all chips of a split that have a place and outlines, and lay the outlines beside them.

    `ask` stands for `detector.predict`. Raises ChipsUnusable without such chips.
    """
    table = sets.table.iloc[sets.of_split(split)]
    table = table[(table["epsg"] != 0) & (table["lakes"] >= 0)]
    if not len(table):
        raise ChipsUnusable(
            f"Chips of split {split!r} have no place or no outlines, so slumps cannot be scored on them: cut chips from outlines."
        )
    position = (table[name].to_numpy(np.float64) for name in ("longitude", "latitude"))
    numbers, words = score_blocks(table["ground"].tolist(), table["block"].tolist(), *position)
    count, parts = int(numbers.max()) + 1, list(table.groupby(["ground", "region", "year", "epsg"]).indices.items())
    km2, scenes, units, unit_blocks, windows = np.zeros(count), [], [], [np.zeros(0, np.int64)], 0
    for place, ((ground, region, year, epsg), rows) in enumerate(parts, start=1):
        shows, chips = Ground(str(ground), str(region), int(year), int(epsg)), table.iloc[rows]
        found = _answers(sets, chips, detector, (ask, batch_size, tell, f"{split} {place}/{len(parts)}"))
        blocks = _blocks(chips, numbers[rows])
        scene, apart, places = _compared(found, detector, shows, _labels(sets, shows), blocks)
        scenes.append(scene)
        units += apart
        unit_blocks.append(_block_of(found.origins_yx[places], detector.contract.window_px, blocks))
        km2 += found.seen.block_km2(blocks, count)
        windows += len(found.origins_yx)
    return ChipScenes(tuple(scenes), km2, words, tuple(units), np.concatenate(unit_blocks), windows)


def calibrated_on(
    sets: Chips, detector: Detector, split: str, source: str, *, tell: Tell | None = None
) -> tuple[Calibration, float, float]:
    """Calibration of a detector on the chips of a split, the score from which listing gives the best F1 there, and that F1.

    `source` says in words which ground it is.
    """
    seen = scenes_of(sets, detector, split, tell=tell)
    return calibrate(seen.scenes, seen.block_km2, source), *best_threshold(seen.scenes, detector.card.threshold)


def _answers(sets: Chips, chips: gpd.GeoDataFrame, detector: Detector, how: tuple[Ask | None, int | None, Tell | None, str]) -> Answers:
    ask, batch_size, tell, name = how
    places = sets.table.index.get_indexer(chips.index).astype(np.int64)
    windows = ChipWindows(chips[["origin_y_px", "origin_x_px"]].to_numpy(np.int64), places, sets.read, detector.contract)
    for step in answers(detector, windows, ask=ask, batch_size=batch_size):
        if isinstance(step, Answers):
            return step
        if tell is not None:
            tell(name, step, len(windows))
    raise AssertionError("answers end with what was found")


def _compared(
    found: Answers, detector: Detector, shows: Ground, labels: gpd.GeoDataFrame, blocks: Blocks
) -> tuple[SlumpScene, list[Unit], Indices]:
    options, contract = SlumpOptions(), detector.contract
    truth = true_slumps(labels, shows, ground_of(found), blocks, options)
    slumps = slumps_of(labels, to_metres(labels.geometry.to_numpy(), shows.epsg), shows.year, options)
    units, places = apart_units(found, contract, slumps, TargetOptions(slumps=options))
    return scene_of(found, contract, shows, truth, blocks), units, places


def _labels(sets: Chips, shows: Ground) -> gpd.GeoDataFrame:
    labels = sets.labels
    return labels[(labels["ground"] == shows.ground) & (labels["region"] == shows.region) & (labels["year"] == shows.year)]


def _blocks(chips: gpd.GeoDataFrame, numbers: Indices) -> Blocks:
    corners = chips[["origin_x_px", "origin_y_px"]].to_numpy(np.float64) + CHIP_PX / 2
    return Blocks(corners * np.array([PIXEL_M, -PIXEL_M]), numbers)


def _block_of(origins_yx: Indices, side_px: int, blocks: Blocks) -> Indices:
    return blocks.nearest((origins_yx[:, ::-1] + side_px / 2) * np.array([PIXEL_M, -PIXEL_M]))
