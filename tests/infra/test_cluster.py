"""The pool loses workers and goes on; settings that name no cluster get one sentence."""

import sys
from functools import partial
from types import SimpleNamespace

import dask
import pytest
from distributed import CancelledError, Client, LocalCluster
from distributed.comm import CommClosedError

from catalog.facts.errors import ClusterLost, CodeDiffers, ExtraMissing, WorkerLost, WrongCall
from catalog.facts.pools import Crashed
from infra.cluster import open_cluster
from infra.settings import Settings, read_settings
from infra.tile_pool import DaskTilePool, _ended
from infra.versions import check_cluster, code_versions, refuse_other_code
from tests.infra import units_of_work as units
from tests.infra.started import dask_cluster


@pytest.fixture
def settings(monkeypatch):
    """The settings with a cluster of the test's choice."""

    def read(cluster: str) -> Settings:
        monkeypatch.setenv("CRYOATLAS_CLUSTER", cluster)
        monkeypatch.setenv("CRYOATLAS_WORKERS", "2")
        return read_settings()

    return read


def test_a_unit_whose_worker_dies_is_done_by_another(settings, tmp_path):
    with open_cluster(settings("processes")) as pool:
        ended = dict(pool.each(partial(units.killer, str(tmp_path / "marks"), 1), range(6)))
    assert ended == {number: number * number for number in range(6)}
    assert len(list((tmp_path / "marks").iterdir())) == 2, "one process died, another did the work"


def test_a_unit_that_always_kills_its_worker_fails_and_the_others_go_on(settings, tmp_path):
    with open_cluster(settings("processes")) as pool:
        ended = dict(pool.each(partial(units.killer, str(tmp_path / "marks"), 99), range(6)))
    lost = ended.pop(3)
    assert ended == {number: number * number for number in (0, 1, 2, 4, 5)}
    assert isinstance(lost, Crashed)
    assert isinstance(lost.error, WorkerLost)
    assert "The worker process dies in this unit" in str(lost.error)
    assert len(list((tmp_path / "marks").iterdir())) == 4, "twice beside others, twice alone"


@pytest.mark.slow
def test_a_unit_that_was_only_beside_a_killer_is_done(tmp_path):
    shared = LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=":0", memory_limit=0)
    with shared as cluster, Client(cluster) as client:
        ended = dict(DaskTilePool(client, 2).each(partial(units.killer_or_bystander, str(tmp_path / "marks")), [0, 3]))
    assert ended[0] == 0
    assert isinstance(ended[3].error, WorkerLost)


def test_an_unforeseen_error_fails_its_unit_only(settings):
    with open_cluster(settings("threads")) as pool:
        ended = dict(pool.each(units.refuse, range(3)))
    assert [str(ended[number].error) for number in range(3)] == ["0 / 0", "1 / 0", "2 / 0"]


@pytest.mark.parametrize("place", ["threads", "processes"])
def test_errors_that_cannot_travel_come_home_and_nobody_waits_without_end(settings, place):
    with open_cluster(settings(place)) as pool:
        ended = dict(pool.each(units.stumble, range(4)))
    assert [ended[0], ended[3]] == [0, 3]
    assert isinstance(ended[1].error, RecursionError)
    assert str(ended[2].error) == "Awkward: 2 is odd"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with dask_cluster(tmp_path_factory.mktemp("dask")) as address:
        yield address


def test_a_scheduler_of_others_is_joined_by_its_address(settings, address):
    with open_cluster(settings(address)) as pool:
        assert sorted(pool.each(units.square, range(100))) == [(number, number * number) for number in range(100)]
        assert pool.versions == code_versions()


def test_workers_with_other_code_end_the_run_with_one_sentence(settings, address):
    other = dict(code_versions()) | {"cryoatlas": "0.1.0+other", "zarr": "2.0"}
    with open_cluster(settings(address)) as pool:
        late = DaskTilePool(pool.client, 2, other)
        with pytest.raises(CodeDiffers, match=r"runs cryoatlas \S+ instead of 0\.1\.0\+other, zarr \S+ instead of 2\.0: products"):
            list(late.each(units.square, range(3)))
        with pytest.raises(CodeDiffers, match="the scheduler runs cryoatlas"):
            check_cluster(pool.client, other)


def test_other_code_does_no_work():
    with pytest.raises(CodeDiffers):
        refuse_other_code(dict(code_versions()) | {"numpy": "1.0"}, units.refuse, 1)


def test_a_scheduler_that_goes_away_ends_the_run_with_one_sentence(settings, tmp_path):
    with dask_cluster(tmp_path, workers=1) as address, open_cluster(settings(address)) as pool:
        results = pool.each(units.stop_scheduler_at_three, [(number, address) for number in range(10)])
        with pytest.raises(ClusterLost, match=f"scheduler at {address} does not answer any more"):
            list(results)


@pytest.mark.parametrize("closed", [CommClosedError("ConnectionResetError"), CancelledError("unit")])
def test_a_scheduler_that_goes_away_while_a_result_comes_home_is_said(closed):
    class Home:
        """A unit that has ended, and whose result never arrives."""

        client = SimpleNamespace(scheduler=SimpleNamespace(address="tcp://127.0.0.1:9"))

        def cancelled(self):
            return False

        def exception(self):
            return None

        def result(self):
            raise closed

    with pytest.raises(ClusterLost, match=r"scheduler at tcp://127\.0\.0\.1:9 does not answer any more"):
        _ended(Home())


@pytest.mark.slow
def test_a_worker_that_is_told_to_stop_counts_against_no_unit(settings, tmp_path):
    none_may_die = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with dask_cluster(tmp_path / "dask", environment=none_may_die) as address, open_cluster(settings(address)) as pool:
        pool.client.wait_for_workers(2)
        ended = dict(pool.each(partial(units.told_to_stop, str(tmp_path / "marks")), range(6)))
    assert ended == {number: number for number in range(6)}
    assert len(list((tmp_path / "marks").iterdir())) == 1


def test_a_scheduler_without_workers_is_said(settings, tmp_path, monkeypatch):
    monkeypatch.setattr("infra.cluster._FIRST_WORKER_S", 0.5)
    with dask_cluster(tmp_path, workers=0) as address, pytest.raises(ClusterLost) as told, open_cluster(settings(address)):
        pass
    assert f"has had no worker for 0.5 s; start one with `dask worker {address}`" in str(told.value)


def test_units_fail_when_no_worker_came_for_as_long_as_the_user_said():
    limit = dask.config.set({"distributed.scheduler.no-workers-timeout": "1s"})
    with limit, LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster, Client(cluster) as client:
        ((_, crashed),) = DaskTilePool(client, 2).each(abs, [-1])
    assert "without any running workers" in str(crashed.error)


def test_no_scheduler_at_an_address_is_said(settings):
    told = pytest.raises(ClusterLost, match="No Dask scheduler answers at tcp://127")
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}), told, open_cluster(settings("tcp://127.0.0.1:9")):
        pass


@pytest.mark.parametrize("cluster", ["thread", "slurm", "slurm:", "tcp:", "", "127.0.0.1:8786"])
def test_a_setting_that_names_no_cluster_is_a_wrong_call(settings, cluster):
    with pytest.raises(WrongCall, match="It is `threads`, `processes`, the address"), open_cluster(settings(cluster)):
        pass


@pytest.mark.parametrize("given", ["0", "-1", "four", "2.5"])
def test_a_number_of_workers_that_cannot_be_is_a_wrong_call(monkeypatch, given):
    monkeypatch.setenv("CRYOATLAS_WORKERS", given)
    with pytest.raises(WrongCall, match=f"CRYOATLAS_WORKERS is '{given}'"):
        read_settings()


@pytest.mark.parametrize("given", ["abc", "0", "-4", "nan", "inf"])
def test_a_duration_of_leases_that_cannot_be_is_a_wrong_call(monkeypatch, given):
    monkeypatch.setenv("CRYOATLAS_LEASE_S", given)
    with pytest.raises(WrongCall, match=f"CRYOATLAS_LEASE_S is '{given}'"):
        read_settings()


@pytest.mark.parametrize(("kind", "module"), [("slurm", "dask_jobqueue"), ("kubernetes", "dask_kubernetes.operator")])
def test_a_missing_extra_is_one_sentence_with_the_command(settings, monkeypatch, tmp_path, kind, module):
    monkeypatch.setitem(sys.modules, module, None)  # importing it raises ImportError
    (tmp_path / "file.yaml").write_text("cluster: {kind: DaskCluster}\nworkers: {minimum: 0, maximum: 2}\n")
    with pytest.raises(ExtraMissing) as told, open_cluster(settings(f"{kind}:{tmp_path / 'file.yaml'}")):
        pass
    assert str(told.value) == (
        f'CRYOATLAS_CLUSTER={kind}:FILE needs the extra `{kind}`: `pip install --constraint constraints.txt --editable ".[{kind}]"`.'
    )
