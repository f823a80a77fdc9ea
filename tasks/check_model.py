"""A model's name to the promise that it can map the job, before any pixel is read."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.errors import WrongCall
from catalog.facts.records import Job
from catalog.facts.schemas import SURFACE
from models.segmenter.contract import check
from models.segmenter.registry import model_named

TARGETS = ("lakes",)
"""What segmenters map; slumps need a detector of instances."""


@task(cache_policy=NO_CACHE, task_run_name="check-{model_name}")
def check_model(job: Job, model_name: str) -> None:
    """Raise UnknownModel, BandsMissing or WrongCall when the model cannot map the job's target from a surface cube."""
    model = model_named(model_name)
    if job.target not in TARGETS:
        raise WrongCall(
            f"{job.region} holds {job.target}, and {model.name} maps {' and '.join(TARGETS)}: give the region file a target it maps."
        )
    check(model.contract, {spec.name: spec.bands or (spec.name.upper(),) for spec in SURFACE}, model=model.name)
