"""Scores of slump detectors to tables and one page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.evaluation import EvaluationReport, without_nan
from catalog.facts.score_schemas import METRICS, SLUMP_SCORES
from catalog.facts.slump_evaluation import SlumpEvaluation
from catalog.stores.chips import read_card
from catalog.stores.files import write_if_changed
from catalog.stores.objects import local_path
from catalog.stores.tables import put_features, put_table
from models.pictures.slump_page import SlumpFacts, slump_page
from models.scores.scorecard import Metric
from models.scores.slump_gains import slump_gains
from models.scores.slump_results import SlumpResult, metric_rows, slump_columns

PAGE = "evaluation.html"


@task(cache_policy=NO_CACHE, task_run_name="write-slump-scores")
def write_slump_scores(evaluation: SlumpEvaluation, results: Sequence[SlumpResult]) -> EvaluationReport:
    """Write the long table, the outlines of what was found, missed and invented, and the page; results begin with the detector asked for."""
    return written(evaluation, results)


def written(evaluation: SlumpEvaluation, results: Sequence[SlumpResult]) -> EvaluationReport:
    """Do the same without Prefect."""
    results = _told_apart(results)
    out, gains = local_path(evaluation.out), _gains(results)
    models = [dict(result.facts) for result in results if result.subset == results[0].subset]
    provenance = {"evaluation": asdict(evaluation), "models": models, "interval_level": 0.9, "intervals_over": results[0].blocks}
    rows = metric_rows(results, gains)
    table = pa.Table.from_pylist(rows, schema=METRICS)
    put_table(out / "metrics.parquet", table, METRICS, provenance=provenance)
    _put_slumps(out / "slumps.parquet", results, provenance)
    facts = SlumpFacts(f"Slumps: {results[0].model}", models, _data(evaluation), _notes(evaluation, results[0]))
    write_if_changed(out / PAGE, slump_page(facts, results, gains).encode())
    files = ("metrics.parquet", "slumps.parquet", PAGE)
    return EvaluationReport(str(out), str(out / PAGE), tuple(str(out / name) for name in files), tuple(map(without_nan, rows)))


def _told_apart(results: Sequence[SlumpResult]) -> list[SlumpResult]:
    """Another training of the same recipe has the same name: the one that is compared with says so."""
    first = results[0]
    same = [place > 0 and (one.model, one.subset) == (first.model, first.subset) for place, one in enumerate(results)]
    return [replace(one, model=f"{one.model} (against)") if twin else one for one, twin in zip(results, same, strict=True)]


def _gains(results: Sequence[SlumpResult]) -> list[tuple[str, tuple[Metric, ...]]]:
    """The first detector against every other one that looked at all it knows."""
    first = results[0]
    others = [other for other in results[1:] if other.subset == first.subset]
    return [(f"{first.model} minus {other.model}", slump_gains(first.scores, other.scores)) for other in others]


def _put_slumps(path: Path, results: Sequence[SlumpResult], provenance: Mapping[str, Any]) -> None:
    pieces = [slump_columns(result) for result in results]
    columns = {name: [value for _, piece in pieces for value in piece[name]] for name in SLUMP_SCORES.names}
    geometry = np.concatenate([np.empty(0, object), *(shapes for shapes, _ in pieces)])
    put_features(path, geometry, columns, SLUMP_SCORES, provenance=provenance)


def _data(evaluation: SlumpEvaluation) -> list[dict[str, str]]:
    cards = [(place, read_card(Path(place).expanduser())) for place in evaluation.data]
    counts = [", ".join(f"{count} {name}" for name, count in card["by_split"].items()) for _, card in cards]
    return [
        {"chips": place, "by split": words, "made": str(card.get("made", "")), "licence": str(card.get("licence", ""))}
        for (place, card), words in zip(cards, counts, strict=True)
    ]


def _notes(evaluation: SlumpEvaluation, first: SlumpResult) -> list[str]:
    asked = sum(int(scene.truth.asked.sum()) for scene in first.scores.scenes)
    excused = sum(int((~scene.truth.asked).sum()) for scene in first.scores.scenes)
    ground = f"{first.scores.block_km2.sum():.0f} km2 of clear ground in {len(first.scores.block_km2)} {first.blocks}"
    notes = [f"Split {evaluation.split}: {first.windows} windows, {ground}; {asked} slumps asked for, {excused} not."]
    if evaluation.split == "train":
        notes.append("These chips are training data: the figures say nothing about new ground.")
    return notes
