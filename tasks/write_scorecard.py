"""Scores to tables and one page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.evaluation import EVERY_MODALITY, Evaluation, EvaluationReport, without_nan
from catalog.facts.score_schemas import CHIP_SCORES, LAKE_SCORES, METRICS, RELIABILITY
from catalog.stores.chips import read_card
from catalog.stores.files import write_if_changed
from catalog.stores.objects import local_path
from catalog.stores.tables import put_features, put_table
from models.pictures.chip_panels import four_panels
from models.pictures.score_page import Facts, Plots, score_page
from models.pictures.score_plots import areas_plot, bars_plot, dots_plot, gains_plot, reliability_plot, subsets_plot, sweep_plot
from models.scores.gains import gains
from models.scores.lines import Gains, Scored, on, table_of
from models.scores.results import ModelScores, chip_columns, lake_columns, reliability_columns

PAGE = "evaluation.html"
_SIZE_METRICS = (("object_recall", "recall"), ("object_precision", "precision"), ("object_f1", "F1"))
_SUBSET_METRICS = (
    ("wet", "iou", "global IoU, wet chips"),
    ("all", "object_f1", "object F1"),
    ("size >1 ha", "object_recall", "recall > 1 ha"),
)
_KIND_METRICS = (("object_recall", "recall of lakes (1)"), ("object_f1", "F1 of lakes (1)"))
_SHOWN = ("all", "wet", "dry", "size ", "class ", "hard ")


@task(cache_policy=NO_CACHE, task_run_name="write-scorecard")
def write_scorecard(evaluation: Evaluation, results: Sequence[ModelScores], best: float | None) -> EvaluationReport:
    """Write the long table, the tables of chips, lakes and reliability, and the page; `results` begin with the model that was asked for."""
    return written(evaluation, results, best)


def written(evaluation: Evaluation, results: Sequence[ModelScores], best: float | None) -> EvaluationReport:
    """Do the same without Prefect."""
    out = local_path(evaluation.out)
    scored, ahead = [result.scored for result in results], _gains(evaluation, results)
    provenance = {"evaluation": asdict(evaluation), "models": _once([dict(result.facts) for result in results])}
    tables = {
        "metrics.parquet": (_table(METRICS, [_columns_of(table_of(scored, ahead))]), METRICS),
        "reliability.parquet": (_table(RELIABILITY, [reliability_columns(one) for one in scored]), RELIABILITY),
        "chips.parquet": (_table(CHIP_SCORES, [chip_columns(result) for result in results]), CHIP_SCORES),
    }
    for name, (table, schema) in tables.items():
        put_table(out / name, table, schema, provenance=provenance)
    _put_lakes(out / "lakes.parquet", results, provenance)
    facts = _facts(evaluation, results, best)
    write_if_changed(out / PAGE, score_page(facts, scored, _plots(evaluation, results, ahead, best)).encode())
    rows = [
        without_nan(row) for row in table_of(scored, ahead) if str(row["group"]).startswith(_SHOWN) and "threshold" not in str(row["group"])
    ]
    files = (*tables, "lakes.parquet", PAGE)
    return EvaluationReport(str(out), str(out / PAGE), tuple(str(out / name) for name in files), tuple(rows))


def _columns_of(rows: Sequence[Mapping[str, object]]) -> dict[str, list[object]]:
    return {name: [row[name] for row in rows] for name in METRICS.names}


def _table(schema: pa.Schema, pieces: Sequence[Mapping[str, Any]]) -> pa.Table:
    columns = [[piece[field.name] for piece in pieces] for field in schema]
    arrays = [
        pa.chunked_array([pa.array(part, field.type) for part in parts], field.type) for field, parts in zip(schema, columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _put_lakes(path: Path, results: Sequence[ModelScores], provenance: Mapping[str, Any]) -> None:
    pieces = [lake_columns(result) for result in results]
    columns = {name: [value for piece in pieces for value in piece[name]] for name in LAKE_SCORES.names}
    geometry = np.empty(len(columns["lake_id"]), object)
    geometry[:] = [row.geometry for result in results for row in result.scores.rows]
    put_features(path, geometry, columns, LAKE_SCORES, provenance=provenance)


def _facts(evaluation: Evaluation, results: Sequence[ModelScores], best: float | None) -> Facts:
    cards = [(place, read_card(Path(place).expanduser())) for place in evaluation.data]
    data = [
        {"chips": place, "by split": _counts(card["by_split"]), "made": str(card.get("made", "")), "licence": str(card.get("licence", ""))}
        for place, card in cards
    ]
    wet = results[0].scores.chips.pixels.wet
    first = results[0]
    notes = [f"{len(wet)} chips, {int(wet.sum())} of them wet; {len(set(first.chips.blocks.tolist()))} {first.blocks}."]
    if evaluation.split == "train":
        notes.append("These chips are training data: the figures say nothing about new ground.")
    if any(result.scored.split.endswith("relabelled") for result in results):
        notes.append(f"Scores on relabelled chips follow the verdicts in {evaluation.relabel}; both are given.")
    models = _once([dict(result.facts) for result in results])
    return Facts(f"Lakes: {first.scored.model}", evaluation.split, models, data, first.blocks, first.scores.excused, best, notes)


def _counts(by_split: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in by_split.items())


def _once(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    return [row for place, row in enumerate(rows) if row not in rows[:place]]


def _plots(evaluation: Evaluation, results: Sequence[ModelScores], ahead: Sequence[Gains], best: float | None) -> Plots:
    scored = [result.scored for result in results]
    shown = on(scored, evaluation.split)
    first = results[0]
    swept = [one for one in scored if one.subset == EVERY_MODALITY and not one.split.endswith("relabelled")]
    subsets = [one for one in scored if one.model == first.scored.model and one.split == evaluation.split]
    return Plots(
        sweep_plot(swept, evaluation.split, best),
        reliability_plot(shown),
        bars_plot(shown, "size ", _SIZE_METRICS),
        [plot for name, words in _KIND_METRICS if (plot := _dots(shown, ("class ", "hard "), name, words))],
        _dots(shown, ("region ",), "iou", "global IoU at 0.50 (1)"),
        subsets_plot(subsets, _SUBSET_METRICS) if len(subsets) > 1 else None,
        _areas(first),
        [(four_panels(image), words) for image, words in first.worst],
        gains_plot(ahead[0]) if ahead else None,
    )


def _gains(evaluation: Evaluation, results: Sequence[ModelScores]) -> list[Gains]:
    """The first model against every other one on the same chips."""
    first = results[0]
    return [
        Gains(first.scored.model, other.scored.model, evaluation.split, gains(first.scores, other.scores))
        for other in results[1:]
        if (other.scored.split, other.scored.subset) == (first.scored.split, first.scored.subset)
    ]


def _dots(shown: Sequence[Scored], prefixes: tuple[str, ...], metric: str, words: str) -> bytes | None:
    there = any(one.groups(prefix, metric) for one in shown for prefix in prefixes)
    return dots_plot(shown, prefixes, metric, words) if there else None


def _areas(result: ModelScores) -> bytes | None:
    found = [row for row in result.scores.rows if row.found]
    names = ("true_area_m2", "area_m2", "area_low_m2", "area_high_m2")
    return areas_plot(*(np.array([getattr(row, name) for row in found]) for name in names)) if found else None
