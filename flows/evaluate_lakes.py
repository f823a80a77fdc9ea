"""Weights and chips to scores with intervals, a page, and an audit of the labels."""

from dataclasses import replace

from prefect import flow

from catalog.facts.evaluation import EVERY_MODALITY, SUBSETS, Evaluation, EvaluationReport, ScoreJob
from infra.settings import read_settings
from tasks.audit_labels import audit_labels
from tasks.relabel_chips import relabel_chips as relabelling
from tasks.score_lakes import score_lakes
from tasks.write_scorecard import write_scorecard


@flow(name="evaluate-lakes", flow_run_name="{evaluation.weights}")
def evaluate_lakes(evaluation: Evaluation) -> EvaluationReport:
    """Score a model, and another one beside it, on the chips of a split; the threshold that is reported beside 0.5 is chosen on val."""
    settings = read_settings()
    evaluation = replace(evaluation, device=evaluation.device or settings.device, cache=str(settings.weights))
    val = score_lakes(evaluation, ScoreJob(evaluation.weights, "val", pixels_only=True)) if evaluation.split == "test" else None
    best = None if val is None else val.best
    job = ScoreJob(evaluation.weights, evaluation.split, best=best)
    results = [score_lakes(evaluation, job)]
    if evaluation.relabel is not None:
        results.append(score_lakes(evaluation, replace(job, relabelled=True)))
    if evaluation.subsets:
        results += [score_lakes(evaluation, replace(job, subset=subset)) for subset in SUBSETS if subset != EVERY_MODALITY]
    if evaluation.against is not None:
        results.append(score_lakes(evaluation, ScoreJob(evaluation.against, evaluation.split)))
    there = [result for result in [*results, val] if result is not None]
    report = write_scorecard(evaluation, there, best)
    if evaluation.audit:
        report = replace(report, cases=audit_labels(evaluation, there[0]))
    return report


@flow(name="relabel-chips")
def relabel_chips(audit: str, data: str, out: str) -> dict[str, int]:
    """Write a set of chips anew with the labels that the verdicts of an audit leave."""
    return relabelling(audit, data, out)
