"""A model's name to the promise that it can map the job, before any pixel is read."""

from collections.abc import Collection, Mapping
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.describer_cards import DescriberCard
from catalog.facts.detector_cards import DetectorCard
from catalog.facts.errors import WrongCall
from catalog.facts.options import DEFAULT_MODELS
from catalog.facts.records import Job, ModelIdentity, Target
from catalog.facts.schemas import SURFACE
from catalog.stores.weights import find_card, find_weights, read_detector, read_weights, shipped_names
from models.detector import contract as of_slumps
from models.detector.registry import DETECTORS, detector_named
from models.segmenter import contract as of_lakes
from models.segmenter.registry import MODELS, is_name, model_named
from tasks import PATIENT


@task(cache_policy=NO_CACHE, task_run_name="check-{job.region}", **PATIENT)
def check_model(job: Job, model_name: str | None, cache: Path) -> str:
    """Return the model by its name, or by the path of its weights on this machine, whole and verified; None asks for the default.

    Raises UnknownModel, WeightsMissing, WeightsUnfit, BandsMissing or WrongCall when it cannot map the job's target from a
    surface cube.
    """
    named = model_name or DEFAULT_MODELS[job.target]
    here = named if is_name(named) else str(find_weights(named, cache).resolve())
    available: Mapping[str, Collection[str]] = {spec.name: spec.bands or (spec.name.upper(),) for spec in SURFACE}
    maps, title = _maps(here, job.target)
    if maps != job.target:
        raise WrongCall(
            f"{job.region} holds {job.target}, and {title} maps {maps}: use {DEFAULT_MODELS[job.target]}, or give the region file the "
            f"target {maps}."
        )
    if job.target == "slumps":
        detector = detector_named(here, read_detector, shipped=shipped_names())
        of_slumps.check(detector.contract, available, model=detector.name)
    else:
        model = model_named(here, read_weights, shipped=shipped_names())
        of_lakes.check(model.contract, available, model=model.name)
    return here


def identify_model(job: Job, model: str) -> ModelIdentity:
    """Return what of a model goes into fingerprints; `model` is what `check_model` returned."""
    if job.target == "slumps":
        detector = detector_named(model, read_detector, shipped=shipped_names())
        stride_px, floor = detector.contract.stride_px, detector.card.score_floor
        return ModelIdentity(detector.name, detector.version, detector.sha256, stride_px, floor)
    segmenter = model_named(model, read_weights, shipped=shipped_names())
    return ModelIdentity(segmenter.name, segmenter.version, segmenter.sha256)


def _maps(model: str, otherwise: Target) -> tuple[Target, str]:
    """What a model maps, and its name; a name that nobody knows maps `otherwise`, so that the registry can say which is nearest."""
    if model in MODELS:
        return "lakes", model
    if model in DETECTORS:
        return "slumps", model
    if is_name(model) and model not in shipped_names():
        return otherwise, model
    card, _ = find_card(model)
    if isinstance(card, DescriberCard):
        raise WrongCall(f"{model} holds {card.name}, which describes scenes and maps nothing: choose a model of lakes or of slumps.")
    return ("slumps" if isinstance(card, DetectorCard) else "lakes"), card.name
