"""Scores of describers to tables and one page."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.describer_evaluation import CONSTANT_PROMPT, DescriberEvaluation
from catalog.facts.evaluation import EvaluationReport, without_nan
from catalog.facts.score_schemas import DESCRIPTION_SCORES, METRICS
from catalog.facts.spoken_evaluation import GENERATED
from catalog.stores.files import write_if_changed
from catalog.stores.objects import local_path
from catalog.stores.scored_data import scored_data
from catalog.stores.tables import put_table
from models.describer.measures import Measured
from models.describer.result import DescriberResult
from models.describer.scorecard import DescribedPass, gain
from models.pictures.describer_page import DescriberFacts, describer_page
from models.scores.scene_figures import LEVEL, long_rows
from models.scores.scorecard import Metric

PAGE = "evaluation.html"
VERIFICATION = "verification"
"""Whose figures those of mistakes are: they depend on no weights."""


@task(cache_policy=NO_CACHE, task_run_name="write-describer-scores")
def write_describer_scores(evaluation: DescriberEvaluation, result: DescriberResult) -> EvaluationReport:
    """Write the long table, the table of answers and the page."""
    return written(evaluation, result)


def written(evaluation: DescriberEvaluation, result: DescriberResult) -> EvaluationReport:
    """Do the same without Prefect."""
    out, gains = local_path(evaluation.out), _gains(result)
    provenance = {"evaluation": asdict(evaluation), "models": list(result.facts), "interval_level": LEVEL, "intervals_over": "scenes"}
    rows = list(long_rows(evaluation.split, _whose(result, gains)))
    put_table(out / "metrics.parquet", pa.Table.from_pylist(rows, schema=METRICS), METRICS, provenance=provenance)
    answers = [_answer(evaluation, one, each) for one in result.passes for each in one.measured]
    table = pa.Table.from_pylist(answers, schema=DESCRIPTION_SCORES)
    put_table(out / "answers.parquet", table, DESCRIPTION_SCORES, provenance=provenance)
    facts = DescriberFacts(
        f"Descriptions: {result.passes[0].model}", result.facts, scored_data(evaluation.data), list(_notes(evaluation, result))
    )
    write_if_changed(out / PAGE, describer_page(facts, result.passes, result.caught, gains, result.examples).encode())
    files = ("metrics.parquet", "answers.parquet", PAGE)
    return EvaluationReport(str(out), str(out / PAGE), tuple(str(out / name) for name in files), tuple(map(without_nan, rows)))


def _gains(result: DescriberResult) -> list[tuple[str, tuple[Metric, ...]]]:
    """The first describer against every other one of the same scenes; controls are no others."""
    first = result.passes[0]
    others = [one for one in result.passes[1:] if one.subset in (GENERATED, CONSTANT_PROMPT)]
    return [(f"{first.model} minus {other.model}", tuple(gain(first, other))) for other in others]


def _whose(result: DescriberResult, gains: Sequence[tuple[str, tuple[Metric, ...]]]) -> dict[tuple[str, str], tuple[Metric, ...]]:
    whose = {(one.model, one.subset): one.metrics for one in result.passes}
    return whose | {(VERIFICATION, "injected"): result.caught} | {(name, GENERATED): figures for name, figures in gains}


def _answer(evaluation: DescriberEvaluation, one: DescribedPass, each: Measured) -> dict[str, Any]:
    checked, pixels = each.scored.checked, each.scored.pixels
    return {
        "model": one.model,
        "split": evaluation.split,
        "subset": one.subset,
        "scene_id": each.question.scene.scene_id,
        "lakes": len(each.facts.lakes),
        "family": each.scored.family,
        "question": each.question.pair.question,
        "reference": each.question.pair.answer,
        "text": each.scored.text,
        "verified": each.verified.text,
        "claims_kept": each.verified.kept,
        "claims_corrected": each.verified.corrected,
        "claims_dropped": each.verified.dropped,
        "described": checked.described,
        "hallucinated": checked.hallucinated,
        "omitted": None if each.omitted is None else each.omitted[0],
        "count_exact": each.scored.count_exact,
        "drawn": each.drawn,
        "hit_px": pixels.hit,
        "false_px": pixels.false,
        "missed_px": pixels.missed,
    }


def _notes(evaluation: DescriberEvaluation, result: DescriberResult) -> Iterator[str]:
    smallest = f"{evaluation.min_area_m2:,.0f}".replace(",", "\u2009")
    yield f"{result.scenes} scenes with {result.lakes} lakes of at least {smallest} m²; {len(result.passes[0].measured)} questions."
    if evaluation.split != "test":
        yield f"Split {evaluation.split} of stored chips: if the weights were trained or chosen on it, it says nothing about new ground."
    if any(one.subset == CONSTANT_PROMPT for one in result.passes):
        yield "Without its language path a describer draws one mask of a scene, whatever is asked: only questions about all lakes compare."
