"""A model and chips to its scores: every chip predicted once; pixels, shores and lakes counted, with intervals."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.chips import CHIP_PX, ChipBatch
from catalog.facts.errors import BandsMissing, ChipsUnusable
from catalog.facts.evaluation import EVERY_MODALITY, SUBSETS, Evaluation, ScoreJob
from catalog.stores.audits import read_audit
from catalog.stores.chips import ChipSet, open_chips
from catalog.stores.news import PROGRESS
from catalog.stores.weights import find_weights, read_weights, shipped_names
from models.pictures.chip_panels import ChipImage
from models.scores.blocks import score_blocks
from models.scores.chip_pixels import HALF, chip_iou
from models.scores.disagreements import Ground
from models.scores.lake_metrics import lake_metrics
from models.scores.lines import Scored
from models.scores.relabelling import relabelled_table
from models.scores.results import ModelScores, worst_places
from models.scores.scorecard import chip_metrics
from models.scores.scoring import Chips, Read, SplitScores, score_split
from models.scores.true_lakes import LabelTable
from models.scores.verdicts import Ruling, relabelled, rulings_of
from models.segmenter.answers import EVERY, Answer, answer_of
from models.segmenter.contract import ELEVATION, OPTICAL, RADAR, Segmenter, check
from models.segmenter.registry import MODELS, is_name, model_named

_ARRAYS: Final = {"S2": OPTICAL, "S1": RADAR, "DEM": ELEVATION}
_WORST: Final = 6
_BATCH: Final = 16


@task(cache_policy=NO_CACHE, task_run_name="score-{job.model}-{job.split}-{job.subset}")
def score_lakes(evaluation: Evaluation, job: ScoreJob) -> ModelScores | None:
    """Score one model on one split with one subset of modalities.

    None when a split that only helps is not there, and when the model cannot do with the subset.

    Raises ChipsUnusable when the split that was asked for has no chips.
    """
    return scored(evaluation, job)


def scored(evaluation: Evaluation, job: ScoreJob) -> ModelScores | None:
    """Do the same without Prefect."""
    _require(evaluation)
    sets = open_chips(evaluation.data)
    try:
        places = sets.of_split(job.split)
    except ChipsUnusable:
        if job.split == evaluation.split:
            raise
        return None
    model, shown = _model(evaluation, job.model), _modalities(job.subset)
    if not _sees(model, shown):
        return None
    answer = answer_of(model, shown)
    rulings = _rulings(evaluation) if job.relabelled else ()
    chips, words = _chips(sets, places, job.split)
    read = _reader(sets, places, chips, rulings)
    labels = relabelled_table(_labels(sets), rulings, job.split)
    size = max(_BATCH, model.contract.batch_size)
    steps = score_split(chips, read, answer, None if job.pixels_only else labels.near, batch_size=size)
    *_, scores = _told(steps, job, len(chips))
    assert isinstance(scores, SplitScores)
    best = {} if job.best is None else {"best_on_val": job.best}
    metrics = chip_metrics(scores.chips, best) + lake_metrics(scores.rows, chips.blocks, chips.regions)
    split = f"{job.split} relabelled" if job.relabelled else job.split
    table = Scored(model.name, split, job.subset, metrics, scores.chips.pixels.bins.sum(axis=0))
    plain = job.subset == EVERY_MODALITY and not (job.pixels_only or job.relabelled)
    worst = _worst(chips, scores, read, answer) if plain else ()
    return ModelScores(table, _facts(model), chips, scores, words, worst)


def _require(evaluation: Evaluation) -> None:
    """Refuse what is asked for last before anything is predicted: another model, an audit to follow."""
    other = evaluation.against
    if other is not None and not is_name(other):
        find_weights(other, Path(evaluation.cache))
    elif other is not None and other not in shipped_names():
        model_named(other)
    if evaluation.relabel is not None:
        _rulings(evaluation)


def _model(evaluation: Evaluation, name: str) -> Segmenter:
    here = name if is_name(name) else str(find_weights(name, Path(evaluation.cache)).resolve())
    return model_named(here, read_weights, shipped=shipped_names(), device=evaluation.device or "cpu", flips=evaluation.flips)


def _sees(model: Segmenter, shown: Sequence[str]) -> bool:
    try:
        available = {need.modality: need.bands for need in model.contract.needs if need.modality in shown}
        check(model.contract, available, model=model.name)
    except BandsMissing:
        return False
    return set(shown) <= {need.modality for need in model.contract.needs} or len(shown) == len(EVERY)


def _modalities(subset: str) -> tuple[str, ...]:
    if subset not in SUBSETS:
        raise BandsMissing(f"Subset {subset!r} is none: choose one of {', '.join(SUBSETS)}.")
    return EVERY if subset == EVERY_MODALITY else tuple(_ARRAYS[name] for name in subset.split("+"))


def _chips(sets: ChipSet, places: NDArray[np.int64], split: str) -> tuple[Chips, str]:
    table = sets.table.iloc[places]
    shows = [
        Ground(row.ground, row.region, int(row.year), int(row.epsg))
        for row in table[["ground", "region", "year", "epsg"]].itertuples(index=False)
    ]
    position = (table[name].to_numpy(np.float64) for name in ("longitude", "latitude"))
    blocks, words = score_blocks(table["ground"].tolist(), table["block"].tolist(), *position)
    origins = table[["origin_y_px", "origin_x_px"]].to_numpy(np.int64)
    return Chips(origins, shows, table["chip_id"].tolist(), (table["lakes"] >= 0).to_numpy(), blocks, split), words


def _labels(sets: ChipSet) -> LabelTable:
    names = ("lake_id", "ground", "region", "year", "split", "class", "hard_because")
    columns = [sets.labels[name].to_numpy(np.int64 if name == "year" else object) for name in names]
    return LabelTable(sets.labels.geometry.to_numpy(), *columns)


def _rulings(evaluation: Evaluation) -> tuple[Ruling, ...]:
    audit = read_audit(str(evaluation.relabel))
    return rulings_of(audit.key.to_dict("records"), audit.verdicts, audit.redrawn)


def _reader(sets: ChipSet, places: NDArray[np.int64], chips: Chips, rulings: Sequence[Ruling]) -> Read:
    """Read chips by their place within the split, with the labels that rulings leave."""
    by_ground: dict[tuple[str, str, int], list[Ruling]] = {}
    for ruling in rulings:
        by_ground.setdefault((ruling.ground, ruling.region, ruling.year), []).append(ruling)

    def read(some: NDArray[np.int64]) -> ChipBatch:
        batch = sets.read(places[some])
        for row, chip in enumerate(some.tolist()):
            shows = chips.shows[chip]
            own = by_ground.get((shows.ground, shows.region, shows.year), ())
            if own and shows.epsg:
                batch.label[row] = relabelled(batch.label[row], tuple(chips.origins_yx[chip].tolist()), shows.epsg, own)
        return batch

    return read


def _told(steps: Iterator[int | SplitScores], job: ScoreJob, total: int) -> Iterator[int | SplitScores]:
    for step in steps:
        if isinstance(step, int):
            extra = {"stage": f"{job.split} {job.subset}", "job": job.model, "done": step, "total": total}
            PROGRESS.info("%s on %s, %s: %s of %s chips", job.model, job.split, job.subset, step, total, extra=extra)
        yield step


def _worst(chips: Chips, scores: SplitScores, read: Read, answer: Answer) -> tuple[tuple[ChipImage, str], ...]:
    found = np.array(worst_places(chips, scores, _WORST, CHIP_PX), np.int64)
    if not len(found):
        return ()
    batch = read(found)
    probability, _ = answer(batch, chips.origins_yx[found])
    images = []
    for row, chip in enumerate(found.tolist()):
        predicted = np.nan_to_num(probability[row]) >= 0.5
        images.append((ChipImage(batch.s2[row], batch.s1[row], batch.label[row], predicted), _words(chips, scores, chip)))
    return tuple(images)


def _words(chips: Chips, scores: SplitScores, chip: int) -> str:
    pixels = scores.chips.pixels
    iou = float(chip_iou(pixels)[chip])
    false, missed = int(pixels.false[chip, HALF]), int(pixels.missed[chip, HALF])
    return f"{chips.names[chip]}: IoU {iou:.2f}, {false} px predicted where the label has none, {missed} px of the label not predicted."


def _facts(model: Segmenter) -> Mapping[str, str]:
    # a trained model carries its own card; one without weights has it in the registry
    card = getattr(model, "card", None) or MODELS.get(model.name)
    return {
        "model": model.name,
        "version": model.version,
        "sha256": model.sha256[:16],
        "licence": model.licence,
        "trained on": "" if card is None else card.trained_on,
    }
