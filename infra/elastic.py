"""Clusters that grow with the work and shrink after it: jobs of SLURM, pods of Kubernetes. Each is described by one YAML file."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from catalog.facts.errors import ExtraMissing, WrongCall

_KEYS = {"cluster", "workers", "namespace"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a file says of a cluster."""

    file: Path
    cluster: Any
    """SLURM: keywords of `dask_jobqueue.SLURMCluster`. Kubernetes: a DaskCluster manifest, or the name of a file beside this one."""
    least: int
    most: int
    """Bounds of the number of worker processes."""
    namespace: str | None
    """Kubernetes only."""


def read_recipe(name: str) -> Recipe:
    """Read a recipe; raise WrongCall with the file and the key that is wrong."""
    file = Path(name)
    try:
        said = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise WrongCall(f"CRYOATLAS_CLUSTER names {name!r}, which cannot be read as YAML: {error}.") from error
    if not isinstance(said, dict) or not said.get("cluster") or not set(said) <= _KEYS:
        raise WrongCall(f"{file}: a cluster file has the keys `cluster` and `workers` (and `namespace`), found {said!r:.200}.")
    least, most = _bounds(file, said.get("workers"))
    return Recipe(file, said["cluster"], least, most, said.get("namespace"))


def _bounds(file: Path, workers: Any) -> tuple[int, int]:
    try:
        least, most = int(workers["minimum"]), int(workers["maximum"])
    except (TypeError, KeyError, ValueError) as error:
        raise WrongCall(f"{file}: `workers` must say `minimum` and `maximum`, found {workers!r}.") from error
    if not 0 <= least <= most or most == 0:
        raise WrongCall(f"{file}: `workers` must be 0 <= minimum <= maximum and maximum >= 1, found {least} and {most}.")
    return least, most


def slurm_cluster(recipe: Recipe) -> Any:
    """Open the Dask scheduler in this process; its workers are SLURM jobs that are submitted when there is work."""
    try:
        from dask_jobqueue import SLURMCluster  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ExtraMissing.of("slurm", "CRYOATLAS_CLUSTER=slurm:FILE") from error
    try:
        return SLURMCluster(**recipe.cluster)
    except (TypeError, ValueError) as error:
        raise WrongCall(f"{recipe.file}: dask-jobqueue does not take this `cluster`: {error}.") from error


def kubernetes_cluster(recipe: Recipe) -> Any:
    """Ask the Dask operator for a cluster of its own; it is deleted when it is closed."""
    try:
        from dask_kubernetes.operator import KubeCluster  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ExtraMissing.of("kubernetes", "CRYOATLAS_CLUSTER=kubernetes:FILE") from error
    return KubeCluster(custom_cluster_spec=own_manifest(recipe), namespace=recipe.namespace, quiet=True)


def own_manifest(recipe: Recipe) -> dict[str, Any]:
    """The manifest under a name that no other run has: KubeCluster joins a cluster of equal name, and the first to end deletes it."""
    manifest = recipe.cluster
    if isinstance(manifest, str):
        manifest = yaml.safe_load((recipe.file.parent / manifest).read_text())
    if not isinstance(manifest, Mapping) or manifest.get("kind") != "DaskCluster":
        raise WrongCall(f"{recipe.file}: `cluster` must be a DaskCluster manifest or name the file of one, found {manifest!r:.200}.")
    name = f"{manifest['metadata']['name']}-{uuid.uuid4().hex[:8]}"
    spec = dict(manifest["spec"])
    scheduler = dict(spec["scheduler"])
    service = dict(scheduler["service"])
    # the service finds its scheduler by the name of the cluster
    service["selector"] = service["selector"] | {"dask.org/cluster-name": name}
    spec["scheduler"] = scheduler | {"service": service}
    return {**manifest, "metadata": manifest["metadata"] | {"name": name}, "spec": spec}


OPENERS = {"slurm": slurm_cluster, "kubernetes": kubernetes_cluster}


@contextmanager
def open_elastic(kind: str, file: str) -> Iterator[tuple[Any, Recipe]]:
    """Open a cluster that scales itself between the bounds of its recipe."""
    recipe = read_recipe(file)
    with OPENERS[kind](recipe) as cluster:
        cluster.adapt(minimum=recipe.least, maximum=recipe.most)
        yield cluster, recipe
