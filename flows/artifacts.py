"""What the page of a run on a Prefect server shows: how far it is, how its region-years stand, what failed and what mends it."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL

from catalog.facts.records import RegionYearReport
from catalog.facts.run_events import StageBegan, StageEnded, UnitEnded
from catalog.facts.standings import Finding

logger = logging.getLogger(__name__)

_STAGES: Final = 7
"""From look to inventory or counts."""
_AT_MOST_EVERY_S: Final = 10.0
"""Between two looks at the units of a stage; a stage that begins or ends is always shown."""
_HEARD: Final = ("cryoatlas.progress", "cryoatlas.course")


def key_of(*parts: object) -> str:
    """Return a key as Prefect takes them: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", " ".join(str(part) for part in parts).lower()).strip("-")


class _Bar(logging.Handler):
    """Hears what happens in one region-year and moves its progress bar."""

    def __init__(self, region: str, year: int) -> None:
        super().__init__()
        self._job, self._ended, self._shown_s = (region, year), 0, float("-inf")
        bar = create_progress_artifact(0.0, key=key_of("progress", region, year), description=f"{region} {year}")
        assert isinstance(bar, UUID), "called outside an event loop"
        self._bar: UUID | None = bar

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        if not isinstance(event, StageBegan | StageEnded | UnitEnded) or (event.region, event.year) != self._job:
            return
        part, words = 0.0, event.stage
        if isinstance(event, StageEnded):
            self._ended += event.finished
        elif isinstance(event, UnitEnded):
            if time.monotonic() - self._shown_s < _AT_MOST_EVERY_S:
                return
            part, words = event.done / max(event.total, 1), f"{event.stage}: {event.done} of {event.total}"
        self._show(100.0 * min(self._ended + part, _STAGES) / _STAGES, words)

    def _show(self, percent: float, words: str) -> None:
        bar, self._shown_s = self._bar, time.monotonic()
        if bar is not None and not _shown(lambda: update_progress_artifact(bar, percent, f"{self._job[0]} {self._job[1]}, {words}")):
            self._bar = None  # a server that does not answer now must not be waited for at every stage


@contextmanager
def progress_on_server(region: str, year: int) -> Iterator[None]:
    """Show how far a region-year is while the body runs, where there is a server that outlives it."""
    bars: list[_Bar] = []
    if not _served() or not _shown(lambda: bars.append(_Bar(region, year))):
        yield
        return
    loggers = [logging.getLogger(name) for name in _HEARD]
    for heard in loggers:
        heard.addHandler(bars[0])
    try:
        yield
    finally:
        for heard in loggers:
            heard.removeHandler(bars[0])


def show_reports(reports: Sequence[RegionYearReport], name: str) -> None:
    """Show how region-years ended: a table, a link to what was made, and of those that failed what and how to mend it."""
    if not _served() or not reports:
        return
    _shown(
        lambda: create_table_artifact(
            [_row(report) for report in reports], key=key_of(name), description="Region-years and how they ended."
        )
    )
    store = next((report.job.store for report in reports if report.job.store), None)
    if store is not None:
        link = store if "://" in store else f"file://{store}"
        _shown(partial(create_link_artifact, link, "the store", key=key_of(name, "store"), description="Where the inventories are."))
    failed = [report for report in reports if report.failures]
    if failed:
        _shown(
            lambda: create_markdown_artifact(_in_words(failed), key=key_of(name, "failures"), description="What failed, and what mends it.")
        )


def show_findings(findings: Sequence[Finding], name: str) -> None:
    """Show how region-years stand: a table, and of those with holes the commands that mend them."""
    if not _served() or not findings:
        return
    rows: list[dict[str, object]] = [
        {"region": found.region, "year": found.year, "state": found.state, "because": found.because, "holes": len(found.holes)}
        for found in findings
    ]
    _shown(lambda: create_table_artifact(rows, key=key_of(name), description="Region-years and how they stand."))
    if mends := [f"- `{found.mend}`" for found in findings if found.mend]:
        _shown(lambda: create_markdown_artifact("\n".join(mends), key=key_of(name, "mends"), description="What fills the holes."))


def _row(report: RegionYearReport) -> dict[str, object]:
    states: dict[str, int] = {}
    for stage in report.stages:
        for state, count in stage.states.items():
            states[state] = states.get(state, 0) + count
    job = report.job
    return {
        "region": job.region,
        "year": job.year,
        "state": "failed" if report.failures else "complete",
        "units": ", ".join(f"{count} {state}" for state, count in sorted(states.items())),
        "worked on now": sum(stage.written for stage in report.stages),
        "seconds": round(sum(stage.seconds for stage in report.stages), 1),
    }


def _in_words(failed: Sequence[RegionYearReport], most: int = 20) -> str:
    lines = []
    for report in failed:
        job = report.job
        lines += [f"### {job.region} {job.year}", *(f"- {failure}" for failure in report.failures[:most])]
        if report.failures[most:]:
            lines.append(f"- and {len(report.failures) - most} more: `cryoatlas audit --store {job.store} --region {job.region}`")
        if job.store:
            lines.append(f"\nMend: `cryoatlas backfill --store {job.store} --region {job.region} --years {job.year}`\n")
    return "\n".join(lines)


def _served() -> bool:
    # the private server of one command ends with it, and what it would show with it
    return PREFECT_API_URL.value() is not None


def _shown(show: Callable[[], object]) -> bool:
    """Show something; a page that cannot be drawn must not end the run that it is about."""
    try:
        show()
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        logger.warning("the server does not show how far this run is (%r)", error)
        return False
    return True
