"""Keeps the record and the log of the run that goes on in this process: begun with its first region-year, updated at every stage."""

import getpass
import logging
import re
import shlex
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from catalog.facts.errors import CryoatlasError
from catalog.facts.log_lines import is_spam, line_of, line_of_message
from catalog.facts.run_events import RegionYearBegan, RunEvent, UnitEnded
from catalog.facts.run_records import Asked, Prices, RunEnd, RunRecord, stamp
from catalog.facts.run_story import Meter, after, ended, metered
from catalog.stores.leases import this_process
from catalog.stores.meters import WORKERS, reading
from catalog.stores.news import COURSE, PROGRESS
from catalog.stores.run_logs import RunLog
from catalog.stores.run_records import write_record
from catalog.stores.store import Store, open_store

logger = logging.getLogger(__name__)
_SAYING: Final = ("catalog", "commands", "flows", "infra", "models", "tasks")
"""Loggers whose warnings belong to the log of a run; the names of our packages."""
_ALIVE_S: Final = 30.0
"""A running record is written at least so often, so that silence means something."""
_SECRET: Final = re.compile(r"(?<=://)[^/\s@]+@|(?<=[?&])([\w-]*(?:sig|token|key|secret|password)[\w-]*=)[^&\s'\"]+", re.IGNORECASE)
_OPEN: Final[list["Recorder"]] = []


class Recorder(logging.Handler):
    """Listens to what is told, and writes it down; what cannot be written never ends a run."""

    def __init__(self, location: str, asked: Asked, prices: Prices) -> None:
        """Begin a record in memory; it is written when there is a store, with the first region-year."""
        super().__init__(logging.INFO)
        now = datetime.now(UTC)
        name = f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
        self._record = RunRecord(name, asked, this_process(), stamp(now), stamp(now), prices=prices, log=f"{name}.jsonl")
        self._location, self._since, self._log = location, reading(), RunLog()
        self._store: Store | None = None
        self._stop, self._muted, self._guard = threading.Event(), False, threading.RLock()
        self._alive = threading.Thread(target=self._say_alive, name="run-record", daemon=True)

    @property
    def invocation(self) -> str:
        """ID of the record."""
        return self._record.invocation

    def emit(self, record: logging.LogRecord) -> None:
        """Take an event, or what some module said."""
        event, now = record.__dict__.get("event"), datetime.now(UTC)
        if event is not None:
            with self._guard:
                self._take(event, now)
        elif record.name not in (PROGRESS.name, COURSE.name) and record.name != __name__:
            self._written(lambda: self._log.add(line_of_message(record.name, record.levelname, record.getMessage(), now), unit=False))

    def begin(self) -> None:
        """Listen."""
        for told in (PROGRESS, COURSE):
            told.setLevel(logging.INFO)
            told.propagate = False
            told.addHandler(self)
        for name in _SAYING:
            logging.getLogger(name).addHandler(self)

    def finish(self, end: RunEnd, message: str) -> None:
        """Stop listening, and write the finished record."""
        for told in (PROGRESS, COURSE, *(logging.getLogger(name) for name in _SAYING)):
            told.removeHandler(self)
        self._stop.set()
        with self._guard:
            self._record = ended(self._record, end, message, self._meter(datetime.now(UTC)))
            self._save(self._record)

    def _take(self, event: RunEvent, now: datetime) -> None:
        meter = self._meter(now)
        self._record = after(self._record, event, meter)
        if isinstance(event, RegionYearBegan) and self._store is None:
            self._written(self._open)
        if not is_spam(event):
            self._written(lambda: self._log.add(line_of(event, now), unit=isinstance(event, UnitEnded)))
        if not isinstance(event, UnitEnded):
            self._save(metered(self._record, meter))

    def _open(self) -> None:
        self._store = open_store(self._location)
        self._log.place(self._store.run_log(self.invocation))
        self._alive.start()

    def _save(self, record: RunRecord) -> None:
        store = self._store
        if store is not None:
            self._written(lambda: write_record(store, record))
            self._written(self._log.flush)

    def _say_alive(self) -> None:
        while not self._stop.wait(_ALIVE_S):
            with self._guard:
                if not self._stop.is_set():
                    self._save(metered(self._record, self._meter(datetime.now(UTC))))

    def _meter(self, now: datetime) -> Meter:
        used = WORKERS.used(self._since)
        return Meter(now, used.cpu_s, used.retries, used.peak_bytes)

    def _written(self, write: Any) -> None:
        try:
            write()
        except (OSError, CryoatlasError) as error:
            # a full disk ends the run where its products are written, with its own sentence
            if not self._muted:
                self._muted = True
                logger.warning("the record of this run cannot be written: %s", error)


@contextmanager
def recording(location: str, parameters: Mapping[str, Any], prices: Prices, *, flow_run: str = "") -> Iterator[bool]:
    """Keep a record of what the body does; inside another recording join it. Yields whether a record was begun here.

    An invocation that ends before its first region-year, such as a wrong call, leaves no record.
    """
    if _OPEN:
        yield False
        return
    recorder = Recorder(location, _asked(parameters, flow_run), prices)
    _OPEN.append(recorder)
    end: RunEnd = "killed"
    message = ""
    recorder.begin()
    try:
        yield True
        end = "complete"
    except Exception as error:
        end, message = "failed", str(error) or repr(error)
        raise
    except BaseException as error:
        message = type(error).__name__
        raise
    finally:
        _OPEN.remove(recorder)
        recorder.finish(end, message)


def open_invocation() -> str:
    """ID of the record that is being kept in this process; empty without one."""
    return _OPEN[-1].invocation if _OPEN else ""


def _asked(parameters: Mapping[str, Any], flow_run: str) -> Asked:
    program = Path(sys.argv[0]).name or "python"
    command = shlex.join(["cryoatlas" if program == "__main__.py" else program, *sys.argv[1:]])
    user = ""
    with suppress(OSError, KeyError):
        user = getpass.getuser()
    return Asked(without_secrets(command), _plain(parameters), version("cryoatlas"), flow_run, user)


def without_secrets(text: str) -> str:
    """Return a text without names and passwords in addresses, and without keys and signatures in their queries."""
    return _SECRET.sub(lambda found: f"{found.group(1) or ''}***" + ("" if found.group(1) else "@"), text)


def _plain(value: Any) -> Any:
    """Values that JSON knows; options as they are named."""
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, bool | int | float) else without_secrets(str(value))
