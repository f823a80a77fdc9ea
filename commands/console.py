"""What a person sees: tables, a progress bar on a terminal, plain lines in a log, one sentence per error."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NoReturn

from rich.console import Console
from rich.table import Table

from catalog.facts.errors import CryoatlasError
from catalog.facts.records import RegionYearReport, StageReport
from catalog.stores.news import COURSE, PROGRESS
from commands.bars import Bars, JsonLines, Lines, bars_on

_FILE_COLUMNS = 160
"""Width of tables in a file or a pipe, which have none of their own: the 80 that are assumed otherwise break words apart."""
OUT = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _FILE_COLUMNS)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
_SAYING = ("catalog", "commands", "flows", "infra", "models", "tasks")
"""Loggers of our packages, whose warnings belong into a log of JSON lines."""


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


@contextmanager
def interruptible() -> Iterator[None]:
    """End the program with one sentence when Ctrl-C was pressed, whatever breaks because of it.

    A server of the orchestrator hears the key, too, and is gone before those who ask it have stopped.
    """
    # jobs in the background ignore the key, as their shell wants it, and go on doing so
    first = threading.current_thread() is threading.main_thread()
    if not first or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    pressed = threading.Event()

    def note(*_: object) -> NoReturn:
        pressed.set()
        # whoever still talks to that server would tell at length that it is gone
        logging.disable(logging.CRITICAL)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if pressed.is_set():
            ERR.print("interrupted: the same command goes on from what is done.")
            # as a shell ends a program that was interrupted
            raise SystemExit(128 + signal.SIGINT)


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


@contextmanager
def progress_shown(*, quiet: bool = False, log_json: bool = False) -> Iterator[None]:
    """Show progress while the body runs: bars on a terminal, plain lines elsewhere, JSON lines when asked, nothing when quiet."""
    for told in (PROGRESS, COURSE):
        told.setLevel(logging.INFO)
        told.propagate = False
    with nullcontext() if log_json or not ERR.is_terminal or quiet else bars_on(ERR) as display:
        handler = logging.NullHandler() if quiet else JsonLines() if log_json else Bars(display) if display else Lines()
        heard = [PROGRESS, COURSE, *([logging.getLogger(name) for name in _SAYING] if log_json else [])]
        for logger in heard:
            logger.addHandler(handler)
        try:
            yield
        finally:
            for logger in heard:
                logger.removeHandler(handler)


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
