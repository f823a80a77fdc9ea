"""Scores of referrers to tables and one page."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.evaluation import EvaluationReport, without_nan
from catalog.facts.referrer_evaluation import ReferrerEvaluation
from catalog.facts.score_schemas import METRICS, REFERRED_SCORES
from catalog.stores.files import write_if_changed
from catalog.stores.objects import local_path
from catalog.stores.scored_data import scored_data
from catalog.stores.tables import put_table
from models.pictures.referrer_page import ReferrerFacts, referrer_page
from models.referrer.measures import Measured, MeasuredMask
from models.referrer.result import ReferrerResult
from models.referrer.scorecard import ReferredPass
from models.scores.scene_figures import LEVEL, long_rows

PAGE = "evaluation.html"


@task(cache_policy=NO_CACHE, task_run_name="write-referrer-scores")
def write_referrer_scores(evaluation: ReferrerEvaluation, result: ReferrerResult) -> EvaluationReport:
    """Write the long table, the table of answers and the page."""
    return written(evaluation, result)


def written(evaluation: ReferrerEvaluation, result: ReferrerResult) -> EvaluationReport:
    """Do the same without Prefect."""
    out = local_path(evaluation.out)
    provenance = {"evaluation": asdict(evaluation), "models": list(result.facts), "interval_level": LEVEL, "intervals_over": "scenes"}
    whose = {(one.model, one.subset): one.metrics for one in result.passes}
    whose |= {(each.title, each.subset): each.metrics for each in result.differences}
    rows = list(long_rows(evaluation.split, whose))
    put_table(out / "metrics.parquet", pa.Table.from_pylist(rows, schema=METRICS), METRICS, provenance=provenance)
    answers = [row for one in result.passes for each in one.measured for row in _answers(evaluation, one, each)]
    put_table(out / "answers.parquet", pa.Table.from_pylist(answers, schema=REFERRED_SCORES), REFERRED_SCORES, provenance=provenance)
    facts = ReferrerFacts(f"Masks for words: {result.passes[0].model}", scored_data(evaluation.data), list(_notes(evaluation, result)))
    write_if_changed(out / PAGE, referrer_page(facts, result).encode())
    files = ("metrics.parquet", "answers.parquet", PAGE)
    return EvaluationReport(str(out), str(out / PAGE), tuple(str(out / name) for name in files), tuple(map(without_nan, rows)))


def _answers(evaluation: ReferrerEvaluation, one: ReferredPass, each: Measured) -> Iterator[dict[str, Any]]:
    answer = {
        "model": one.model,
        "split": evaluation.split,
        "subset": one.subset,
        "scene_id": each.scene,
        "task": each.task,
        "question": each.question.pair.question,
        "reference": each.question.pair.answer,
        "text": each.scored.text,
        "exact": each.scored.exact,
        "refused": each.scored.refused,
        "whole": not each.scored.broken,
        "referents": len(each.masks),
        "drawn": each.scored.drawn,
        "box_iou": each.box_iou,
    }
    if not each.masks:
        yield answer
    for place, mask in enumerate(each.masks, 1):
        yield answer | {"place": place} | _mask(mask)


def _mask(mask: MeasuredMask) -> dict[str, Any]:
    scored = mask.scored
    return {
        "phrase": mask.phrase,
        "class": mask.word,
        "seen_as": mask.seen_as,
        "arrangement": scored.arrangement,
        "hit_px": scored.pixels.hit,
        "false_px": scored.pixels.false,
        "missed_px": scored.pixels.missed,
        "share": scored.share,
        "iou": scored.iou,
        "expected": mask.expected,
        "score": mask.score,
    }


def _notes(evaluation: ReferrerEvaluation, result: ReferrerResult) -> Iterator[str]:
    smallest = f"{evaluation.min_area_m2:,.0f}".replace(",", "\u2009")
    first = result.passes[0]
    masks = sum(len(each.masks) for each in first.measured)
    yield (
        f"{result.scenes} scenes with {result.features} features of at least {smallest} m²; {len(first.measured)} questions, {masks} masks. "
        f"{result.left_out} scenes hold nothing, or more than phrases can tell apart, and are left out."
    )
    if evaluation.split != "test":
        yield f"Split {evaluation.split} of stored chips: if the weights were trained or chosen on it, it says nothing about new ground."
