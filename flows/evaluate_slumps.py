"""Weights of slump detectors and chips to scores with intervals, outlines of what was found and missed, and a page."""

from dataclasses import replace

from prefect import flow

from catalog.facts.evaluation import EvaluationReport
from catalog.facts.slump_evaluation import EVERYTHING, SlumpEvaluation, SlumpJob
from infra.settings import read_settings
from tasks.score_slumps import score_slumps, subsets_of
from tasks.write_slump_scores import write_slump_scores


@flow(name="evaluate-slumps", flow_run_name="{evaluation.weights}")
def evaluate_slumps(evaluation: SlumpEvaluation) -> EvaluationReport:
    """Score a detector, and another one beside it, on the chips of a split; with `subsets` also without each of its auxiliaries."""
    settings = read_settings()
    evaluation = replace(evaluation, device=evaluation.device or settings.device, cache=str(settings.weights))
    jobs = [SlumpJob(evaluation.weights, subset) for subset in subsets_of(evaluation)]
    if evaluation.against is not None:
        jobs.append(SlumpJob(evaluation.against, EVERYTHING))
    return write_slump_scores(evaluation, [score_slumps(evaluation, job) for job in jobs])
