"""A detector and chips to its scores: every window predicted once, slumps merged over windows and matched with the outlines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.chips import CHIP_PX
from catalog.facts.errors import ChipsUnusable
from catalog.facts.grids import PIXEL_M
from catalog.facts.slump_evaluation import EVERYTHING, SHUFFLED, WITHOUT, SlumpEvaluation, SlumpJob
from catalog.stores.chips import ChipSet, open_chips
from catalog.stores.rounds import PROGRESS
from catalog.stores.weights import find_weights, read_detector, shipped_names
from models.detector.blindfold import Blindfolded, Tape
from models.detector.chip_windows import ChipWindows
from models.detector.contract import Detector, WindowInstances
from models.detector.detector import TrainedDetector
from models.detector.loading import network_of
from models.detector.registry import detector_named
from models.detector.slumps import SlumpOptions, slumps_of
from models.detector.targets import TargetOptions
from models.outlines.geodesy import to_metres
from models.scores.blocks import score_blocks
from models.scores.disagreements import Ground
from models.scores.instances import Unit
from models.scores.slump_answers import Answers, Ask, answers, apart_units, ground_of, scene_of
from models.scores.slump_metrics import scored, slump_metrics
from models.scores.slump_results import SlumpResult, window_metrics
from models.scores.slump_scenes import Blocks, SlumpScene, true_slumps
from models.segmenter.contract import WindowBatch
from models.segmenter.registry import is_name
from models.segmenter.tensors import place_named

_SHUFFLED_WINDOWS: Final = 48
"""Windows whose auxiliaries are exchanged: half of them are more than a window away from each other."""


@dataclass(frozen=True, slots=True)
class ChipScenes:
    """What a detector found on the chips of a split, zone by zone and year by year."""

    scenes: tuple[SlumpScene, ...]
    block_km2: NDArray[np.float64]
    """Clear ground that was looked at, per block."""
    blocks: str
    """What blocks are, in words."""
    units: tuple[Unit, ...]
    """Windows that share no ground."""
    unit_blocks: NDArray[np.int64]
    windows: int


@task(cache_policy=NO_CACHE, task_run_name="score-slumps-{job.weights}-{job.subset}")
def score_slumps(evaluation: SlumpEvaluation, job: SlumpJob) -> SlumpResult:
    """Score one detector on one split, looking at all it knows or at less."""
    return result_of(evaluation, job)


def result_of(evaluation: SlumpEvaluation, job: SlumpJob) -> SlumpResult:
    """Do the same without Prefect."""
    sets = open_chips(evaluation.data)
    detector, ask = _detector(evaluation, job)
    seen = scenes_of(sets, detector, evaluation.split, ask=ask, batch_size=_SHUFFLED_WINDOWS if job.subset == SHUFFLED else None)
    threshold = detector.card.threshold if evaluation.threshold is None else evaluation.threshold
    scores = scored(seen.scenes, threshold, seen.block_km2)
    metrics = (*slump_metrics(scores), *window_metrics(seen.units, seen.unit_blocks, len(seen.block_km2)))
    facts = {
        "model": detector.name,
        "version": detector.version,
        "sha256": detector.sha256[:16],
        "licence": detector.licence,
        "trained on": detector.card.trained_on,
        "listed from score": f"{threshold:.3f}",
    }
    return SlumpResult(detector.name, evaluation.split, job.subset, metrics, facts, scores, seen.blocks, seen.windows)


def subsets_of(evaluation: SlumpEvaluation) -> tuple[str, ...]:
    """Subsets of what the detector knows: all, without each auxiliary, with those of other windows."""
    if not evaluation.subsets:
        return (EVERYTHING,)
    card, _ = read_detector(_reference(evaluation, evaluation.weights), Path(evaluation.cache))
    auxiliaries = card.network.modalities[1:]
    return (EVERYTHING, *(f"{WITHOUT}{name}" for name in auxiliaries), *((SHUFFLED,) if auxiliaries else ()))


def scenes_of(sets: ChipSet, detector: Detector, split: str, *, ask: Ask | None = None, batch_size: int | None = None) -> ChipScenes:
    """Find slumps on all chips of a split that have a place and outlines, and lay the outlines beside them; raises ChipsUnusable."""
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
    for number, ((ground, region, year, epsg), rows) in enumerate(parts):
        shows = Ground(str(ground), str(region), int(year), int(epsg))
        chips = table.iloc[rows]
        found = _answers(sets, chips, detector, (ask, batch_size, f"{number + 1}/{len(parts)} {split}"))
        blocks = _blocks(chips, numbers[rows])
        scene, apart, places = _compared(found, detector, shows, _labels(sets, shows), blocks)
        scenes.append(scene)
        units += apart
        unit_blocks.append(_block_of(found.origins_yx[places], detector.contract.window_px, blocks))
        km2 += found.seen.block_km2(blocks, count)
        windows += len(found.origins_yx)
    return ChipScenes(tuple(scenes), km2, words, tuple(units), np.concatenate(unit_blocks), windows)


def _answers(sets: ChipSet, chips: gpd.GeoDataFrame, detector: Detector, how: tuple[Ask | None, int | None, str]) -> Answers:
    ask, batch_size, name = how
    places = sets.table.index.get_indexer(chips.index).astype(np.int64)
    windows = ChipWindows(chips[["origin_y_px", "origin_x_px"]].to_numpy(np.int64), places, sets.read, detector.contract)
    *_, found = _told(answers(detector, windows, ask=ask, batch_size=batch_size), detector.name, name, len(windows))
    assert isinstance(found, Answers)
    return found


def _compared(
    found: Answers, detector: Detector, shows: Ground, labels: gpd.GeoDataFrame, blocks: Blocks
) -> tuple[SlumpScene, list[Unit], NDArray[np.int64]]:
    options, contract = SlumpOptions(), detector.contract
    truth = true_slumps(labels, shows, ground_of(found), blocks, options)
    scene = scene_of(found, contract, shows, truth, blocks)
    slumps = slumps_of(labels, to_metres(labels.geometry.to_numpy(), shows.epsg), shows.year, options)
    units, places = apart_units(found, contract, slumps, TargetOptions(slumps=options))
    return scene, units, places


def _labels(sets: ChipSet, shows: Ground) -> gpd.GeoDataFrame:
    labels = sets.labels
    return labels[(labels["ground"] == shows.ground) & (labels["region"] == shows.region) & (labels["year"] == shows.year)]


def _blocks(chips: gpd.GeoDataFrame, numbers: NDArray[np.int64]) -> Blocks:
    corners = chips[["origin_x_px", "origin_y_px"]].to_numpy(np.float64) + CHIP_PX / 2
    return Blocks(corners * np.array([PIXEL_M, -PIXEL_M]), numbers)


def _block_of(origins_yx: NDArray[np.int64], side_px: int, blocks: Blocks) -> NDArray[np.int64]:
    return blocks.nearest((origins_yx[:, ::-1] + side_px / 2) * np.array([PIXEL_M, -PIXEL_M]))


def _reference(evaluation: SlumpEvaluation, name: str) -> str:
    return name if is_name(name) else str(find_weights(name, Path(evaluation.cache)).resolve())


def _detector(evaluation: SlumpEvaluation, job: SlumpJob) -> tuple[Detector, Ask | None]:
    reference, device = _reference(evaluation, job.weights), evaluation.device or "cpu"
    if job.subset == EVERYTHING:
        return detector_named(reference, read_detector, shipped=shipped_names(), device=device), None
    card, tensors = read_detector(reference, Path(evaluation.cache))
    if job.subset != SHUFFLED:
        blind = Blindfolded(network_of(card, tensors), (job.subset.removeprefix(WITHOUT),))
        return TrainedDetector(blind, card, place_named(device)), None
    tape = Tape()
    detector = TrainedDetector(Blindfolded(network_of(card, tensors), tape=tape), card, place_named(device))

    def ask(batch: WindowBatch) -> list[WindowInstances]:
        tape.record()
        detector.predict(batch)
        tape.play()
        return detector.predict(batch)

    return detector, ask


def _told(steps: Iterator[int | Answers], model: str, name: str, total: int) -> Iterator[int | Answers]:
    for step in steps:
        if isinstance(step, int):
            extra = {"stage": f"scene {name}", "job": model, "done": step, "total": total}
            PROGRESS.info("%s on scene %s: %s of %s windows", model, name, step, total, extra=extra)
        yield step
