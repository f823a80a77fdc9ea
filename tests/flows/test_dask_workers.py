"""The same region-year on a `dask scheduler` with two worker processes, started by their command lines."""

import pytest

from catalog.stores.store import open_store
from flows.annual import annual
from tests.flows.conftest import YEARS
from tests.infra.started import dask_cluster


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_worker_processes_make_the_same_products_as_threads(world, prefect_server, products, tmp_path, monkeypatch):
    def mapped(cluster: str, name: str) -> dict[str, bytes]:
        monkeypatch.setenv("CRYOATLAS_CLUSTER", cluster)
        reports = annual([world.region], [YEARS[0]], world.catalog, str(tmp_path / name), model="indices")
        assert not any(report.failures for report in reports)
        return products(open_store(str(tmp_path / name)))

    here = mapped("threads", "here")
    with dask_cluster(tmp_path / "dask", workers=2, environment={"OMP_NUM_THREADS": "1"}) as address:
        there = mapped(address, "there")
    assert there.keys() == here.keys()
    assert there == here
    logs = [(tmp_path / "dask" / f"worker-{number}.log").read_text() for number in range(2)]
    assert all("Registered to" in log for log in logs), "both took part"
