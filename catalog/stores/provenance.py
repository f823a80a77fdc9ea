"""Where a product comes from: what every published file says of itself."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from catalog.facts.causes import State
from catalog.facts.records import Choice, Job, Outcome
from catalog.facts.schemas import SCHEMA_VERSION
from catalog.stores import ledger
from catalog.stores.jobs import REGION_UNIT
from catalog.stores.selections import read_providers
from catalog.stores.store import Store

LICENCE = "CC-BY-4.0"
MODEL_STAGES = ("segment", "detect")
"""Stages in which a model looks at the ground."""


def provenance_of(store: Store, job: Job, fingerprint: str) -> dict[str, Any]:
    """Return the metadata of a product of a region-year; it depends on what went in and on nothing else.

    `run_id` is a hash of the inputs, so that a run that was killed and resumed gives the same bytes as an undisturbed one.
    """
    outcomes = ledger.find_all(store, job.region, job.year)
    seen = next((o for o in outcomes if o.unit.stage in MODEL_STAGES), None)
    return {
        "schema_version": SCHEMA_VERSION,
        "cryoatlas_version": version("cryoatlas"),
        "run_id": fingerprint[:12],
        "region": job.region,
        "year": job.year,
        "model": seen.inputs.get("model", "") if seen else "",
        "model_sha256": seen.inputs.get("model_sha256", "") if seen else "",
        "fingerprint": fingerprint,
        "complete": not incomplete(outcomes),
        "licence": LICENCE,
        "attribution": f"Contains modified Copernicus Sentinel data {job.year}; Copernicus DEM GLO-30 (c) DLR e.V. 2010-2014, Airbus 2014-2018",
    }


def incomplete(outcomes: Iterable[Outcome]) -> dict[str, object]:
    """Return what a product that says whether ground is missing was made from besides other products; empty when none is.

    A tile may fail and later succeed with the very bytes that were there, and the product must be written again all the same.
    """
    failed = any(outcome.state == State.FAILED for outcome in outcomes if outcome.unit.tile != REGION_UNIT)
    return {"complete": False} if failed else {}


def providers_of(store: Store, job: Job) -> str:
    """Return the catalogs of the scenes that were used, for example `earth-search+planetary-computer`."""
    path = store.scenes(job.region, job.year)
    return "+".join(read_providers(path)) if path.is_file() else ""


def providers_among(choices: Iterable[Iterable[Choice]]) -> str:
    """Return the catalogs of the scenes that are used among these."""
    return "+".join(sorted({choice.scene.provider for part in choices for choice in part if choice.used}))
