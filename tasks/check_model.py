"""A model's name to the promise that it can map the job, before any pixel is read."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.errors import WrongCall
from catalog.facts.records import Job
from catalog.facts.schemas import SURFACE
from catalog.stores.weights import find_weights, read_weights, shipped_names
from models.segmenter.contract import check
from models.segmenter.registry import is_name, model_named

TARGETS = ("lakes",)
"""What segmenters map; slumps need a detector of instances."""


@task(cache_policy=NO_CACHE, task_run_name="check-{model_name}")
def check_model(job: Job, model_name: str, cache: Path) -> str:
    """Return the model by its name, or by the path of its weights on this machine, whole and verified.

    Raises UnknownModel, WeightsMissing, WeightsUnfit, BandsMissing or WrongCall when it cannot map the job's target from a
    surface cube.
    """
    here = model_name if is_name(model_name) else str(find_weights(model_name, cache).resolve())
    model = model_named(here, read_weights, shipped=shipped_names())
    if job.target not in TARGETS:
        raise WrongCall(
            f"{job.region} holds {job.target}, and {model.name} maps {' and '.join(TARGETS)}: give the region file a target it maps."
        )
    check(model.contract, {spec.name: spec.bands or (spec.name.upper(),) for spec in SURFACE}, model=model.name)
    return here
