"""Effects: read, one model call, write, record. One file is one task is one verb."""

from typing import Any, Final

from prefect import Task, runtime
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from catalog.facts.errors import CatalogUnreachable, SourceUnavailable


def may_work_again(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Say whether a task that failed is worth another try: what it asked did not answer, and nobody waits at a terminal.

    A person reads the sentence at once and decides; a run on a pool at night can only wait. A wrong call, a full store or broken
    data are the same an hour later.
    """
    error = state.result(raise_on_failure=False)
    return isinstance(error, CatalogUnreachable | SourceUnavailable) and runtime.deployment.id is not None


PATIENT: Final[dict[str, Any]] = {
    "retries": 4,
    # 1, 2, 4 and 8 minutes, and up to half as long again, so that a hundred region-years do not come back in the same second
    "retry_delay_seconds": exponential_backoff(60),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": may_work_again,
}
"""For tasks that ask something far away as their first deed, before any tile is begun."""
