"""Weights of a describer and scenes to scores with intervals, answers and a page."""

from dataclasses import replace

from prefect import flow

from catalog.facts.describer_evaluation import DescriberEvaluation
from catalog.facts.evaluation import EvaluationReport
from infra.settings import read_settings
from tasks.score_describer import score_describer
from tasks.write_describer_scores import write_describer_scores


@flow(name="evaluate-describer", flow_run_name="{evaluation.weights}")
def evaluate_describer(evaluation: DescriberEvaluation) -> EvaluationReport:
    """Score a describer on scenes that it never saw, beside controls, a template without a network, and perhaps another describer."""
    settings = read_settings()
    evaluation = replace(evaluation, device=evaluation.device or settings.device, cache=str(settings.weights))
    return write_describer_scores(evaluation, score_describer(evaluation))
