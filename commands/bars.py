"""How far a run is: bars on a terminal, plain lines in a log, JSON for machines; each with rates and the expected end."""

import logging
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from catalog.facts.log_lines import is_spam, line_of, line_of_message
from catalog.facts.progress import Course, Pace, on_course
from catalog.facts.run_events import RegionYearEnded, RunEvent, StageBegan, StageEnded, UnitEnded

COLUMNS: Final = (
    TextColumn("{task.description}"),
    BarColumn(bar_width=24),
    MofNCompleteColumn(),
    TextColumn("{task.fields[rates]}"),
    TimeElapsedColumn(),
    TextColumn("{task.fields[end]}"),
)
_ALL: Final = ("", 0, "")
"""Key of the bar of the whole run."""


class Bars(logging.Handler):
    """A bar for each stage that runs, and above them one for the region-years when there are several."""

    def __init__(self, progress: Progress) -> None:
        """Show on a progress display of rich, made with `COLUMNS`."""
        super().__init__()
        self._progress, self._course = progress, Course()
        self._bars = dict[tuple[str, int, str], TaskID]()

    def emit(self, record: logging.LogRecord) -> None:
        """Move the bars."""
        event: RunEvent | None = record.__dict__.get("event")
        if event is None:
            fields = record.__dict__
            self._bar((fields["job"], 0, fields["stage"]), f"{fields['job']}  {fields['stage']}", fields["total"], fields["done"])
            return
        self._course = on_course(self._course, event, time.monotonic())
        if isinstance(event, StageBegan):
            self._bar(_key(event), f"{event.region} {event.year}  {event.stage}", event.total, 0)
        elif isinstance(event, UnitEnded):
            pace = self._course.paces.get(_key(event))
            rates, end = rates_of(pace), end_in(pace.left_s if pace else None)
            self._bar(_key(event), f"{event.region} {event.year}  {event.stage}", event.total, event.done, rates=rates, end=end)
        elif isinstance(event, StageEnded) and (bar := self._bars.pop(_key(event), None)) is not None:
            self._progress.remove_task(bar)
        elif isinstance(event, RegionYearEnded):
            self._progress.console.print(f"{event.region} {event.year} {event.end}")
        self._whole()

    def _whole(self) -> None:
        if self._course.planned > 1:
            end = end_in(self._course.left_s(time.monotonic()))
            self._bar(_ALL, "[bold]region-years", self._course.planned, self._course.ended, end=end)

    def _bar(self, key: tuple[str, int, str], words: str, total: int, done: int, *, rates: str = "", end: str = "") -> None:
        if key not in self._bars:
            self._bars[key] = self._progress.add_task(words, total=total, rates="", end="")
        self._progress.update(self._bars[key], total=total, completed=done, rates=rates, end=end)


class Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """A line per unit, per stage and per region-year."""

    def __init__(self) -> None:
        """Write to standard error, each line with the time of day."""
        super().__init__(sys.stderr)
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        self._course = Course()

    def emit(self, record: logging.LogRecord) -> None:
        """Write what is worth a line."""
        event: RunEvent | None = record.__dict__.get("event")
        if event is not None:
            before, now_s = self._course, time.monotonic()
            self._course = on_course(before, event, now_s)
            words = self._words(event, before, now_s)
            if not words:
                return
            record = logging.makeLogRecord(record.__dict__ | {"msg": words, "args": ()})
        super().emit(record)

    def _words(self, event: RunEvent, before: Course, now_s: float) -> str:
        if isinstance(event, UnitEnded):
            pace = self._course.paces.get(_key(event))
            end = end_in(pace.left_s if pace and event.done < event.total else None)
            said = f"{event.region} {event.year} {event.stage} {event.tile}: {event.state} {event.message}".rstrip()
            return f"{said} [{event.done}/{event.total}{f', {end}' if end else ''}]"
        if isinstance(event, StageEnded) and (pace := before.paces.get(_key(event))) is not None:
            rates = rates_of(pace)
            said = f"{event.region} {event.year} {event.stage}: {pace.done} of {pace.total} units"
            return f"{said} in {now_s - pace.began_s:.0f} s{f', {rates}' if rates else ''}"
        if isinstance(event, RegionYearEnded):
            left = end_in(self._course.left_s(now_s)) if self._course.ended < self._course.planned else ""
            count = f"; region-year {self._course.ended} of {self._course.planned}" if self._course.planned > 1 else ""
            return f"{event.region} {event.year} {event.end}{count}{f', {left}' if left else ''}"
        return ""


class JsonLines(logging.Handler):
    """The lines of the run's log, on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one JSON object."""
        event, now = record.__dict__.get("event"), datetime.now(UTC)
        if event is None:
            line = line_of_message(record.name, record.levelname, record.getMessage(), now)
        elif is_spam(event):
            return
        else:
            line = line_of(event, now)
        sys.stderr.write(line.decode())
        sys.stderr.flush()


def bars_on(console: Console) -> Progress:
    """Return the display that `Bars` move; it leaves nothing behind."""
    return Progress(*COLUMNS, console=console, transient=True)


def rates_of(pace: Pace | None) -> str:
    """Tiles per minute, ground pixels and bytes read per second, as far as they are known; a stage of one unit has no rate."""
    if pace is None or pace.units_per_s is None or pace.total < 2:
        return ""
    parts = [f"{60 * pace.units_per_s:.3g} tiles/min"]
    if pace.pixels_per_s is not None:
        parts.append(f"{pace.pixels_per_s / 1e6:.3g} Mpx/s")
    if (bytes_per_s := pace.bytes_per_s()) is not None:
        parts.append(f"{bytes_per_s / 1e6:.3g} MB/s")
    return "  ".join(parts)


def end_in(left_s: float | None, now: datetime | None = None) -> str:
    """When something ends that takes so many seconds, by the clock on the wall; with the date when that is another day."""
    if left_s is None:
        return ""
    now = now or datetime.now().astimezone()
    end = now + timedelta(seconds=left_s)
    return f"ends {end:%H:%M}" if end.date() == now.date() else f"ends {end:%Y-%m-%d %H:%M}"


def _key(event: StageBegan | UnitEnded | StageEnded) -> tuple[str, int, str]:
    return event.region, event.year, event.stage
