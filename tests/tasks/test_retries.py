"""Which errors of a task are worth another try, and where."""

import pytest
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from catalog.facts.errors import CatalogUnreachable, NoScenes, SourceUnavailable, StoreFull, WrongCall
from tasks import PATIENT
from tasks.check_model import check_model
from tasks.open_job import open_job
from tasks.search_scenes import search_scenes

TRIES = PATIENT["retries"] + 1


def tried(error: Exception) -> int:
    """How often a task that always ends with an error is run."""
    times: list[int] = []

    @task(cache_policy=NO_CACHE, **(PATIENT | {"retry_delay_seconds": 0}))
    def ask() -> None:
        times.append(1)
        raise error

    @flow
    def asking() -> None:
        ask()

    with pytest.raises(type(error)):
        asking()
    return len(times)


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize(
    ("error", "times"),
    [
        (CatalogUnreachable("503"), TRIES),
        (SourceUnavailable("time-out"), TRIES),
        (WrongCall("no such catalog"), 1),
        (NoScenes("none in that year"), 1),
        (StoreFull("no space"), 1),
        (ZeroDivisionError("of ours"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_in_a_deployment_only_what_did_not_answer_is_asked_again(monkeypatch, error, times):
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "some")
    assert tried(error) == times


@pytest.mark.usefixtures("prefect_server")
def test_a_person_at_a_terminal_reads_the_sentence_at_once():
    assert tried(CatalogUnreachable("503")) == 1


def test_tasks_that_ask_something_far_away_are_patient_and_never_in_step():
    for patient in (open_job, check_model, search_scenes):
        assert patient.retries == PATIENT["retries"]
        assert patient.retry_delay_seconds == [60, 120, 240, 480]
        assert patient.retry_jitter_factor > 0
