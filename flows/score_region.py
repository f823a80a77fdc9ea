"""Inventories of a region to a scorecard against a known truth."""

from prefect import flow

from catalog.facts.records import Target
from tasks.score_inventory import ScoreCard, score_inventory


@flow(name="score-region", flow_run_name="{region}")
def score_region(region: str, years: list[int], store: str, truth: str, target: Target = "lakes") -> ScoreCard:
    """Score what a store holds of a region against the truth of a simulated world."""
    return score_inventory(region, target, years, store, truth)
