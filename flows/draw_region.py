"""Pictures of a region: one per year, and one through the years."""

from prefect import flow

from catalog.facts.records import Job, StageReport, Target
from tasks.draw_pictures import draw_pictures
from tasks.draw_series import draw_series


@flow(name="draw-region", flow_run_name="{region}")
def draw_region(region: str, years: list[int], store: str, target: Target = "lakes") -> tuple[StageReport, ...]:
    """Draw what changed since the last pictures."""
    return (*(draw_pictures(Job(region, year, target, store)) for year in years), draw_series(region, target, store))
