"""Trained weights of a detector and the chips that chose them to a card that counts with a range can be drawn from."""

from dataclasses import dataclass, replace
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.detector_cards import DetectorCard
from catalog.stores.checkpoints import write_weights
from catalog.stores.chips import open_chips
from catalog.stores.news import PROGRESS
from catalog.stores.weights import read_detector
from models.detector.loading import trained_detector
from models.scores.chip_scenes import calibrated_on

DIGITS = 6


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What a calibration says in few words."""

    detections: int
    right: int
    truths: int
    found: int
    blocks: int
    threshold: float
    """Score from which merged detections are listed."""
    f1: float
    """At that score, IoU 0.5, on the ground of the calibration itself."""


@task(cache_policy=NO_CACHE)
def calibrate_slumps(weights: str, data: list[str], split: str, device: str) -> CalibrationReport:
    """Let a detector map the ground of a split as the pipeline would, and write what it found and missed into its card."""
    return calibrate(weights, data, split, device)


def calibrate(weights: str, data: list[str], split: str, device: str) -> CalibrationReport:
    """Do the same without Prefect; `weights` is a folder. Raises ChipsUnusable without outlines to compare with."""
    folder, sets = Path(weights).expanduser(), open_chips(data)
    card, tensors = read_detector(str(folder))
    places = sets.of_split(split)
    grounds = sorted({f"{row.ground} {row.region}" for row in sets.table.iloc[places][["ground", "region"]].drop_duplicates().itertuples()})
    source = f"merged detections on {len(places)} chips of split {split}: {', '.join(grounds[:8])}" + (
        " and others" if len(grounds) > 8 else ""
    )
    detector = trained_detector(card, tensors, device)
    found, threshold, f1 = calibrated_on(sets, detector, split, source, tell=_tell)
    figures = card.figures | {f"{split}_merged_f1": round(f1, 4)}
    sealed = replace(card, calibration=found, threshold=round(threshold, DIGITS), figures=figures)
    write_weights(folder, tensors, sealed)
    return _report(sealed, f1)


def _report(card: DetectorCard, f1: float) -> CalibrationReport:
    known = card.calibration
    return CalibrationReport(
        len(known.score),
        sum(known.true),
        len(known.truth_m2),
        sum(score >= 0 for score in known.truth_score),
        len(known.observed_km2),
        card.threshold,
        f1,
    )


def _tell(scene: str, done: int, total: int) -> None:
    extra = {"stage": "calibrate", "job": scene, "done": done, "total": total}
    PROGRESS.info("calibrate on %s: %s of %s windows", scene, done, total, extra=extra)
