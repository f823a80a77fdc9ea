"""What a person sees: tables, a progress bar on a terminal, plain lines in a log, one sentence per error."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from catalog.facts.errors import CryoatlasError
from catalog.facts.records import RegionYearReport, StageReport

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, caption: str = "") -> None:
    """Print a table; numbers are right-aligned."""
    table = Table(title=title, title_justify="left", caption=caption or None, caption_justify="left", header_style="bold")
    for position, column in enumerate(columns):
        numeric = all(isinstance(row[position], int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    OUT.print(table)


def show_json(content: object) -> None:
    """Print one JSON document for machines."""
    sys.stdout.write(json.dumps(content, indent=2, sort_keys=True, default=str) + "\n")


def say(sentence: str) -> None:
    """Print one line for people; goes to standard error so that --json stays clean."""
    ERR.print(sentence)


def stop(error: CryoatlasError) -> NoReturn:
    """End the program with the error's one sentence and its exit code."""
    ERR.print(f"[bold red]error:[/] {_escaped(str(error))}")
    raise SystemExit(error.exit_code)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return _escaped(str(value))


def _escaped(text: str) -> str:
    return text.replace("[", "\\[")


class _Bars(logging.Handler):
    """Shows each stage of each region-year as one bar."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress, self._bars = progress, dict[tuple[str, str], TaskID]()

    def emit(self, record: logging.LogRecord) -> None:
        fields = record.__dict__
        key = fields["job"], fields["stage"]
        if key not in self._bars:
            self._bars[key] = self._progress.add_task(f"{key[0]}  {key[1]}", total=fields["total"])
        self._progress.update(self._bars[key], completed=fields["done"])


@contextmanager
def progress_shown(*, quiet: bool = False) -> Iterator[None]:
    """Show progress while the body runs: bars on a terminal, plain lines elsewhere, nothing when quiet."""
    logger = logging.getLogger("cryoatlas.progress")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if quiet:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal) as progress:
        handler = _Bars(progress) if ERR.is_terminal else _plain_lines()
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)


def _plain_lines() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    return handler


def stage_rows(reports: Sequence[RegionYearReport]) -> list[tuple[object, ...]]:
    """One row per region-year and stage: how its units ended."""
    return [
        (report.job.region, report.job.year, stage.stage, states_in_words(stage.states), stage.written, stage.seconds)
        for report in reports
        for stage in report.stages
    ]


def states_in_words(states: Mapping[str, int]) -> str:
    """For example `12 done, 3 empty`."""
    return ", ".join(f"{count} {state}" for state, count in states.items()) or "nothing to do"


def report_as_dict(report: RegionYearReport) -> dict[str, Any]:
    """A report as JSON-ready values."""
    return {"region": report.job.region, "year": report.job.year, "stages": [_stage_as_dict(stage) for stage in report.stages]}


def _stage_as_dict(stage: StageReport) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "states": dict(stage.states),
        "failures": list(stage.failures),
        "warnings": list(stage.warnings),
        "seconds": stage.seconds,
        "written": stage.written,
    }
