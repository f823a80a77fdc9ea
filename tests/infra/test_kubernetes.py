"""The manifests: valid by the models of the client and the operator's definition, and of names that meet."""

import inspect
import re
from pathlib import Path

import dask_kubernetes
import jsonschema
import pytest
import yaml
from dask_kubernetes.operator import KubeCluster
from dask_kubernetes.operator.validation import validate_cluster_name
from distributed import Client, LocalCluster
from kubernetes import client
from kubernetes.utils.quantity import parse_quantity
from pydantic import ValidationError

from catalog.facts.errors import WrongCall
from infra.cluster import open_cluster
from infra.elastic import own_manifest, read_recipe
from infra.settings import Settings
from tests.infra.environments import is_read
from tests.infra.known_commands import assert_known
from tests.infra.started import ROOT

FOLDER = ROOT / "infra" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
DOCUMENTS = [document for name in KUSTOMIZATION["resources"] for document in yaml.safe_load_all((FOLDER / name).read_text())]
TILES = yaml.safe_load((FOLDER / "dask-cluster.yaml").read_text())
WORKLOADS = {d["metadata"]["name"]: d["spec"]["template"] for d in DOCUMENTS if d["kind"] in {"Deployment", "StatefulSet", "Job"}}
PODS = {name: template["spec"] for name, template in WORKLOADS.items()}
PODS |= {f"tiles-{part}": TILES["spec"][part]["spec"] for part in ("scheduler", "worker")}
CONTAINERS = {name: container for name, pod in PODS.items() for container in pod["containers"]}
GIB = 2**30


def _named(kind: str) -> dict[str, dict]:
    return {document["metadata"]["name"]: document for document in DOCUMENTS if document["kind"] == kind}


def _variables(name: str) -> set[str]:
    lines = (FOLDER / name).read_text().splitlines()
    return {line.split("=")[0] for line in lines if line and not line.startswith("#")}


def faults(document: dict, model: str | None = None) -> list[str]:
    """What the official client's model of the kind does not take: unknown and missing fields, wrong types."""
    version = "" if model else document["apiVersion"].rpartition("/")[2].capitalize()
    try:
        getattr(client, model or f"{version}{document['kind']}").model_validate(document)
    except ValidationError as error:
        return sorted(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: f"{document['kind']}-{document['metadata']['name']}")
def test_a_manifest_has_the_fields_of_its_kind(document):
    assert not faults(document)


def test_the_check_of_manifests_can_fail():
    wrong = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": "1", "template": {"spec": {"containers": []}}}}
    assert faults(wrong) == ["spec.replicas: Input should be a valid integer", "spec.selector: Field required"]
    wrong["spec"] = {"selector": {}, "template": {"spec": {"containers": [{"name": "a", "imagee": "b"}]}}}
    assert faults(wrong) == ["spec.template.spec.containers.0.imagee: Extra inputs are not permitted"]


def test_the_cluster_of_tiles_is_what_the_operator_defines():
    crds = Path(dask_kubernetes.__file__).parent / "operator/deployment/helm/dask-kubernetes-operator/crds"
    (version,) = yaml.load((crds / "daskcluster.yaml").read_text(), yaml.CSafeLoader)["spec"]["versions"]
    assert TILES["apiVersion"] == f"kubernetes.dask.org/{version['name']}"
    assert not list(jsonschema.Draft202012Validator(version["schema"]["openAPIV3Schema"]).iter_errors(TILES))
    assert not [fault for part in ("scheduler", "worker") for fault in faults(TILES["spec"][part]["spec"], "V1PodSpec")]


def test_every_run_opens_a_cluster_of_its_own_name():
    recipe = read_recipe(str(FOLDER / "cluster.yaml"))
    one, other = own_manifest(recipe), own_manifest(recipe)
    assert one["metadata"]["name"] != other["metadata"]["name"]
    for manifest in (one, other):
        name = manifest["metadata"]["name"]
        validate_cluster_name(name)
        assert manifest["spec"]["scheduler"]["service"]["selector"] == {"dask.org/cluster-name": name, "dask.org/component": "scheduler"}
        assert manifest["spec"]["worker"] == TILES["spec"]["worker"]


def test_a_run_asks_the_operator_and_scales_between_the_bounds(monkeypatch):
    """The operator is replaced by processes of this machine; what it is asked is checked against its own signature."""
    asked = {}

    class Local(LocalCluster):
        def __init__(self, **options):
            inspect.signature(KubeCluster).bind(**options)
            asked["manifest"], asked["namespace"] = options["custom_cluster_spec"], options["namespace"]
            super().__init__(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0")

        def adapt(self, **bounds):
            inspect.signature(KubeCluster.adapt).bind(self, **bounds)
            asked["bounds"] = bounds

    monkeypatch.setattr("dask_kubernetes.operator.KubeCluster", Local)
    settings = Settings(workers=1, cluster=f"kubernetes:{FOLDER / 'cluster.yaml'}", device="cpu", weights=Path())
    with open_cluster(settings) as pool:
        assert isinstance(pool.client, Client)
        assert dict(pool.each(abs, [-1, -2])) == {-1: 1, -2: 2}
        assert pool.versions, "pods may run another image"
    assert asked["namespace"] == KUSTOMIZATION["namespace"]
    assert asked["bounds"] == {"minimum": 1, "maximum": 40}
    assert asked["manifest"]["kind"] == "DaskCluster"


def test_a_file_that_is_no_cluster_is_a_wrong_call(tmp_path):
    (tmp_path / "wrong.yaml").write_text("cluster: {kind: Deployment}\nworkers: {minimum: 0, maximum: 1}\n")
    with pytest.raises(WrongCall, match="must be a DaskCluster manifest"):
        own_manifest(read_recipe(str(tmp_path / "wrong.yaml")))


def test_names_meet():
    services, selectors = _named("Service"), {name: template["metadata"]["labels"] for name, template in WORKLOADS.items()}
    for service in services.values():
        (selected,) = [name for name, labels in selectors.items() if service["spec"]["selector"].items() <= labels.items()]
        ports = {port["name"] for port in CONTAINERS[selected]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for document in DOCUMENTS:
        if document["kind"] in {"Deployment", "StatefulSet"}:
            assert document["spec"]["selector"]["matchLabels"] == document["spec"]["template"]["metadata"]["labels"]
    assert _named("StatefulSet")["postgres"]["spec"]["serviceName"] in services
    (binding,) = _named("RoleBinding").values()
    assert binding["roleRef"]["name"] in _named("Role")
    assert {subject["name"] for subject in binding["subjects"]} == set(_named("ServiceAccount"))
    assert {subject["namespace"] for subject in binding["subjects"]} == {KUSTOMIZATION["namespace"]} == set(_named("Namespace"))
    assert {pod["serviceAccountName"] for name, pod in PODS.items() if name.startswith("worker")} == set(_named("ServiceAccount"))


def test_settings_secrets_and_volumes_that_are_asked_for_are_there():
    generated = {entry["name"] for kind in ("configMapGenerator", "secretGenerator") for entry in KUSTOMIZATION[kind]}
    for name, pod in PODS.items():
        asked = {entry[kind]["name"] for c in pod["containers"] for entry in c.get("envFrom", []) for kind in entry}
        asked |= {volume["configMap"]["name"] for volume in pod.get("volumes", []) if "configMap" in volume}
        assert asked <= generated, name
        keys = [e["valueFrom"]["secretKeyRef"] for c in pod["containers"] for e in c.get("env", []) if "valueFrom" in e]
        assert all(key["name"] == "secrets" and key["key"] in _variables("secrets.env.example") for key in keys)
        mounted = {mount["name"] for container in pod["containers"] for mount in container.get("volumeMounts", [])}
        templates = {"data"} if name == "postgres" else set()
        assert mounted == {volume["name"] for volume in pod.get("volumes", [])} | templates
    files = {file for entry in KUSTOMIZATION["configMapGenerator"] for file in entry.get("files", []) + entry.get("envs", [])}
    assert all((FOLDER / file).is_file() for file in files)
    assert KUSTOMIZATION["secretGenerator"][0]["envs"] == ["secrets.env"]
    assert "secrets.env" in (ROOT / ".gitignore").read_text().split()
    assert KUSTOMIZATION["generatorOptions"]["disableNameSuffixHash"], "kustomize does not rename within dask-cluster.yaml"


def test_variables_are_read_by_something():
    set_here = _variables("settings.env") | _variables("secrets.env.example") - {"POSTGRES_PASSWORD"}
    set_here |= {e["name"] for name, c in CONTAINERS.items() if name != "postgres" for e in c.get("env", []) if "value" in e}
    assert not {name for name in set_here if not is_read(name)}


def test_addresses_are_those_of_the_services():
    settings = (FOLDER / "settings.env").read_text()
    assert re.search(r"PREFECT_API_URL=http://server:4200/api$", settings, re.MULTILINE)
    assert _named("Service")["server"]["spec"]["ports"][0]["port"] == 4200
    (url,) = [e["value"] for e in CONTAINERS["server"]["env"] if e["name"] == "PREFECT_API_DATABASE_CONNECTION_URL"]
    assert url == "postgresql+asyncpg://prefect:$(POSTGRES_PASSWORD)@postgres:5432/prefect"
    assert {"name": "POSTGRES_USER", "value": "prefect"} in CONTAINERS["postgres"]["env"]


def test_images_are_ours_or_pinned_and_the_same_everywhere():
    (ours,) = KUSTOMIZATION["images"]
    targets = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "infra" / "Dockerfile").read_text(), re.MULTILINE)
    for name, container in CONTAINERS.items():
        image, tag = container["image"].rsplit(":", 1)
        if name == "postgres":
            assert re.search(r"\d", tag)
            assert container["image"] == yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())["services"]["database"]["image"]
        else:
            assert image == (ours["newName"] if name.startswith("tiles") else ours["name"])
            assert tag in targets
            assert (tag == "cuda") == (name == "worker-gpu")


def test_every_container_asks_for_what_it_needs_and_is_bounded():
    for name, container in CONTAINERS.items():
        resources = container["resources"]
        requested, limit = (parse_quantity(resources[kind]["memory"]) for kind in ("requests", "limits"))
        assert 0 < requested <= limit, name
        assert parse_quantity(resources["requests"]["cpu"]) > 0
    tiles = CONTAINERS["tiles-worker"]
    threads = int(tiles["args"][tiles["args"].index("--nthreads") + 1])
    assert parse_quantity(tiles["resources"]["requests"]["memory"]) >= threads * 2 * GIB, "a tile's working set is under 2 GiB"
    assert parse_quantity(tiles["resources"]["requests"]["cpu"]) == threads
    (allowed,) = re.findall(r"--memory-limit', '(\d+) GiB", str(tiles["args"]))
    assert int(allowed) * GIB < parse_quantity(tiles["resources"]["limits"]["memory"]), "Dask ends a worker before the kernel does"


def test_nobody_is_root():
    for name, pod in PODS.items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["runAsUser"] == (999 if name == "postgres" else 10001)


def test_a_gpu_has_one_worker_that_takes_one_run_at_a_time():
    gpu, container = PODS["worker-gpu"], CONTAINERS["worker-gpu"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert container["args"][container["args"].index("--limit") + 1] == "1"
    assert gpu["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert gpu["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    assert not any("nvidia.com/gpu" in c["resources"]["limits"] for name, c in CONTAINERS.items() if name != "worker-gpu")


def test_workers_may_do_with_dask_clusters_what_opening_one_takes():
    (role,) = _named("Role").values()
    allowed = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    needed = {("daskclusters", verb) for verb in ("create", "get", "delete")} | {("daskautoscalers", verb) for verb in ("patch", "create")}
    assert needed | {("pods", "list"), ("services", "get")} <= allowed
    assert not {(resource, verb) for resource, verb in allowed if "dask" not in resource and verb not in {"get", "list", "watch"}}


@pytest.mark.slow
def test_commands_and_their_options_exist():
    for name, container in CONTAINERS.items():
        if name != "postgres":
            assert_known(container["args"])
