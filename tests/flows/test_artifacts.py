"""What the page of a run shows on a server."""

from dataclasses import replace

import pytest
from prefect import flow, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort

from catalog.facts.records import Job, RegionYearReport, StageReport
from catalog.facts.run_events import StageBegan, StageEnded, UnitEnded
from catalog.stores.news import COURSE, PROGRESS, tell
from flows.artifacts import key_of, progress_on_server, show_reports

FINE = RegionYearReport(Job("pamir", 2021, "lakes", "/store"), (StageReport("surface", {"done": 9, "empty": 1}, (), 12.5, 10),))
BROKEN = replace(
    FINE, job=replace(FINE.job, year=2022), stages=(StageReport("surface", {"failed": 1}, ("32643-0001-0002: read failed",), 1.0, 1),)
)


@pytest.fixture(autouse=True)
def heard(prefect_server):
    for told in (PROGRESS, COURSE):
        told.setLevel("INFO")


def artifacts(key: str) -> list:
    with get_client(sync_client=True) as client:
        asked = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
        return client.read_artifacts(artifact_filter=asked, sort=ArtifactSort.CREATED_DESC)


def test_keys_are_what_the_server_takes():
    assert key_of("progress", "demo_hma", 2021) == "progress-demo-hma-2021"
    assert key_of("Zhetysu (Dzungarian) Alatau") == "zhetysu-dzungarian-alatau"


def test_progress_follows_the_stages_of_its_own_region_year():
    @flow
    def mapping() -> None:
        with progress_on_server("pamir", 2021):
            for stage in ("look", "scenes"):
                tell(StageBegan("pamir", 2021, stage, 4))
                tell(UnitEnded("pamir", 2021, stage, "tile", "done", "", "", worked=True, seconds=1.0, read_bytes=1, done=1, total=4))
                tell(StageEnded("pamir", 2021, stage, finished=True))
            tell(StageEnded("pamir", 2022, "look", finished=True))
        tell(StageEnded("pamir", 2021, "surface", finished=True))

    mapping()
    (bar,) = artifacts("progress-pamir-2021")
    assert float(bar.data) == pytest.approx(100 * 2 / 7)
    assert bar.description == "pamir 2021, scenes"


def test_reports_are_a_table_and_failures_come_with_what_mends_them():
    @flow
    def ending() -> None:
        show_reports([FINE, BROKEN], "all of it")

    ending()
    (table,) = artifacts("all-of-it")
    assert '"state": "complete"' in str(table.data)
    assert '"units": "9 done, 1 empty"' in str(table.data)
    (text,) = artifacts("all-of-it-failures")
    assert "### pamir 2022\n- 32643-0001-0002: read failed" in str(text.data)
    assert "`cryoatlas backfill --store /store --region pamir --years 2022`" in str(text.data)
    assert "pamir 2021" not in str(text.data)
    (link,) = artifacts("all-of-it-store")
    assert "/store" in str(link.data)


def test_without_failures_there_is_no_list_of_them():
    @flow
    def ending() -> None:
        show_reports([FINE], "fine")

    ending()
    assert artifacts("fine")
    assert not artifacts("fine-failures")
