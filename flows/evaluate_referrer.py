"""Weights of a referrer and scenes to scores with intervals, answers and a page."""

from dataclasses import replace

from prefect import flow

from catalog.facts.evaluation import EvaluationReport
from catalog.facts.referrer_evaluation import ReferrerEvaluation
from infra.settings import read_settings
from tasks.score_referrer import score_referrer
from tasks.write_referrer_scores import write_referrer_scores


@flow(name="evaluate-referrer", flow_run_name="{evaluation.weights}")
def evaluate_referrer(evaluation: ReferrerEvaluation) -> EvaluationReport:
    """Score a referrer on scenes that it never saw, beside controls, a rule without a network, and perhaps another referrer."""
    settings = read_settings()
    evaluation = replace(evaluation, device=evaluation.device or settings.device, cache=str(settings.weights))
    return write_referrer_scores(evaluation, score_referrer(evaluation))
