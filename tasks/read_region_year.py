"""What the store says of a region-year that was mapped elsewhere."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.records import Job, RegionYearReport, RegionYears, StageReport
from catalog.stores.completeness import Hole, completeness_of
from catalog.stores.jobs import region_asked_for
from catalog.stores.store import open_store


@task(cache_policy=NO_CACHE, task_run_name="read-{region.region}-{year}")
def read_region_year(region: RegionYears, year: int, store: str, *, until: str) -> RegionYearReport:
    """Report a region-year by its ledger, with every hole as a failure; cubes alone are enough where that was asked for."""
    opened, name = open_store(store), region_asked_for(region.region, store).name
    standing = completeness_of(opened, name, year)
    holes = [hole for hole in standing.holes if until == "inventory" or hole.why in ("failed", "damaged")]
    stages = tuple(
        StageReport(stage, dict(states), tuple(_sentence(hole) for hole in holes if hole.stage == stage), 0.0, 0)
        for stage, states in standing.stages.items()
        if states or any(hole.stage == stage for hole in holes)
    )
    return RegionYearReport(Job(name, year, region.target, str(opened.root)), stages)


def _sentence(hole: Hole) -> str:
    return f"{hole.tile}: {hole.message or hole.why}"
