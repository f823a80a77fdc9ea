"""What differs when a run was made from a deployment: nobody sees what it returns, and nobody waits at a terminal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty

import httpx
from prefect import runtime
from prefect.context import FlowRunContext
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL

from catalog.facts.errors import ServerUnreachable, UnitsFailed
from catalog.facts.records import RegionYearReport
from flows.artifacts import show_reports

_SHOWN = 5


def served() -> bool:
    """Say whether this very flow run was made from a deployment; one inside it was not."""
    context = FlowRunContext.get()
    return context is not None and context.flow_run is not None and context.flow_run.deployment_id is not None


@contextmanager
def server_needed() -> Iterator[None]:
    """Raise ServerUnreachable when the Prefect server went away while the body ran a flow, and did not come back for minutes."""
    try:
        yield
    except httpx.TransportError as error:
        _forget_events()
        where = PREFECT_API_URL.value()
        server = f"The Prefect server at {where}" if where else "The private Prefect server of this command"
        again = "start it again, and " if where else ""
        raise ServerUnreachable(
            f"{server} does not answer any more ({type(error).__name__}). What is complete is kept: {again}run the same command again."
        ) from error


def _forget_events() -> None:
    # at exit Prefect would try for eight seconds to tell the server that is gone of each of them
    for service in tuple(EventsWorker._instances.values()):  # type: ignore[misc]
        with suppress(Empty):
            while True:
                service._queue.get_nowait()
                service._queue.task_done()


def conclude(reports: Sequence[RegionYearReport], name: str | None = None) -> tuple[RegionYearReport, ...]:
    """Show the reports on the server, under a name or that of the flow, and return them.

    A run of a deployment with failed units raises UnitsFailed instead, so that its state says so.
    """
    show_reports(reports, name or str(runtime.flow_run.flow_name))
    failed = [report for report in reports if report.failures]
    if failed and served():
        raise UnitsFailed(_sentence(failed))
    return tuple(reports)


def _sentence(failed: Sequence[RegionYearReport]) -> str:
    units = sum(len(report.failures) for report in failed)
    named = [f"{report.job.region} {report.job.year}: {report.failures[0]}" for report in failed]
    more = f"; and {len(named) - _SHOWN} more region-years" if named[_SHOWN:] else ""
    return (
        f"{units} units of {len(failed)} region-years failed, the others are complete: {'; '.join(named[:_SHOWN])}{more}. "
        "Run the same deployment again: only what failed is done again."
    )
