"""One line of a run's log: a JSON object with the same few names whatever happened."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from catalog.facts.causes import State
from catalog.facts.run_events import RegionYearEnded, RunEvent, StageEnded, UnitEnded
from catalog.facts.run_records import stamp

_NAMES: Final = {
    "UnitEnded": "unit",
    "RunPlanned": "planned",
    "RegionYearBegan": "region-year begins",
    "RegionYearEnded": "region-year ends",
    "StageBegan": "stage begins",
    "StageEnded": "stage ends",
    "DeviceUsed": "device",
    "ScenesChosen": "scenes",
}
_LONGEST: Final = 2000
"""Characters of one text; a library's message can be of any length."""


def line_of(event: RunEvent, when: datetime) -> bytes:
    """Return the line of an event; what is empty is left out."""
    known = {"stage": getattr(event, "stage", ""), **asdict(event)}
    if isinstance(event, UnitEnded):
        known |= {"bytes": known.pop("read_bytes"), "state": event.state if event.worked else "current"}
        del known["worked"]
    return _line({"time": stamp(when), "level": _level(event), "event": _NAMES[type(event).__name__]} | known)


def line_of_message(logger: str, level: str, message: str, when: datetime) -> bytes:
    """Return the line of what some module said."""
    return _line({"time": stamp(when), "level": level.lower(), "event": "message", "logger": logger, "message": message})


def is_spam(event: RunEvent) -> bool:
    """Say whether an event is left out of a log: a unit that was current says nothing, and a rerun has thousands of them."""
    return isinstance(event, UnitEnded) and not event.worked and event.state != State.FAILED


def _level(event: RunEvent) -> str:
    bad = (
        (isinstance(event, UnitEnded) and event.state == State.FAILED)
        or (isinstance(event, RegionYearEnded) and event.end != "complete")
        or (isinstance(event, StageEnded) and not event.finished)
    )
    return "error" if bad else "info"


def _line(known: Mapping[str, Any]) -> bytes:
    shown = {name: _short(value) for name, value in known.items() if value not in ("", None)}
    return json.dumps(shown, separators=(",", ":"), default=str).encode() + b"\n"


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    return value[:_LONGEST] if isinstance(value, str) else value
