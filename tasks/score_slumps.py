"""A detector and chips to its scores: every window predicted once, slumps merged over windows and matched with the outlines."""

from pathlib import Path
from typing import Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.slump_evaluation import EVERYTHING, SHUFFLED, WITHOUT, SlumpEvaluation, SlumpJob
from catalog.stores.chips import open_chips
from catalog.stores.news import PROGRESS
from catalog.stores.weights import find_weights, read_detector, shipped_names
from models.detector.blindfold import Blindfolded, Tape
from models.detector.contract import Detector, WindowInstances
from models.detector.detector import TrainedDetector
from models.detector.loading import network_of
from models.detector.registry import detector_named
from models.scores.chip_scenes import Tell, scenes_of
from models.scores.slump_answers import Ask
from models.scores.slump_metrics import scored, slump_metrics
from models.scores.slump_results import SlumpResult, window_metrics
from models.segmenter.contract import WindowBatch
from models.segmenter.registry import is_name
from models.segmenter.tensors import place_named

_SHUFFLED_WINDOWS: Final = 48
"""Windows whose auxiliaries are exchanged: half of them are more than a window away from each other."""


@task(cache_policy=NO_CACHE, task_run_name="score-slumps-{job.weights}-{job.subset}")
def score_slumps(evaluation: SlumpEvaluation, job: SlumpJob) -> SlumpResult:
    """Score one detector on one split, looking at all it knows or at less."""
    return result_of(evaluation, job)


def result_of(evaluation: SlumpEvaluation, job: SlumpJob) -> SlumpResult:
    """Do the same without Prefect."""
    sets = open_chips(evaluation.data)
    detector, ask = _detector(evaluation, job)
    batch_size = _SHUFFLED_WINDOWS if job.subset == SHUFFLED else None
    seen = scenes_of(sets, detector, evaluation.split, ask=ask, batch_size=batch_size, tell=_tell(detector.name))
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


def _tell(model: str) -> Tell:
    def tell(scene: str, done: int, total: int) -> None:
        PROGRESS.info(
            "%s on %s: %s of %s windows", model, scene, done, total, extra={"stage": scene, "job": model, "done": done, "total": total}
        )

    return tell
