"""What a test lets happen to a program of its own: killed at a named point, or a store that refuses, is full, breaks or is slow.

Python tells an audit hook of every file before it is opened, made, moved or removed, and does not go on when the hook raises. So
the store refuses below everything that this project and its libraries call, and no test has to know which function writes.
"""

import errno
import importlib
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

_CHANGES = ("os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.truncate", "os.utime")
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True, slots=True)
class Mishap:
    """One thing that happens."""

    does: Literal["kill", "slow", "EROFS", "ENOSPC", "EIO"]
    """SIGKILL; a twentieth of a second per change; or the error of the file system."""
    at: Literal["move", "write", "read", "call"]
    """A file is put in its place; anything is changed; a file is opened for reading; a function is called."""
    where: str
    """Regular expression on the path, or `module:function` (`module:Class.method`)."""
    nth: int = 1
    """It happens from the so manieth time on; a kill happens once."""
    moment: Literal["before", "after"] = "before"


def to_text(mishaps: Sequence[Mishap]) -> str:
    """Return mishaps as an argument of a command line."""
    return json.dumps([asdict(mishap) for mishap in mishaps])


def install(text: str) -> None:
    """Let them happen to this process from now on."""
    mishaps = [Mishap(**fields) for fields in json.loads(text)]
    if any(mishap.at != "call" for mishap in mishaps):
        sys.addaudithook(_Hook([_Wire(mishap) for mishap in mishaps if mishap.at != "call"]))
    for mishap in mishaps:
        if mishap.at == "call":
            _wrap(_Wire(mishap))


class _Wire:
    """Counts how often a mishap's place was reached, and lets it happen."""

    def __init__(self, mishap: Mishap) -> None:
        self.mishap = mishap
        self.pattern = re.compile(mishap.where)
        self.reached = 0
        self.due: int | None = None
        """Thread in which the kill is due, once what it follows is done."""

    def touch(self) -> None:
        self.reached += 1
        if self.reached < self.mishap.nth:
            return
        if self.mishap.does == "kill":
            if self.mishap.moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            self.due = threading.get_ident()
        elif self.mishap.does == "slow":
            time.sleep(0.05)
        else:
            code = getattr(errno, self.mishap.does)
            raise OSError(code, os.strerror(code))


class _Hook:
    def __init__(self, wires: Sequence[_Wire]) -> None:
        self.wires = wires

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        # a kill is told of, too: it must not lead to another
        if event != "open" and event not in _CHANGES:
            return
        for wire in self.wires:
            if wire.due == threading.get_ident():
                os.kill(os.getpid(), signal.SIGKILL)
            for path in _paths(wire.mishap.at, event, arguments):
                if wire.pattern.search(path):
                    wire.touch()


def _paths(at: str, event: str, arguments: tuple[Any, ...]) -> list[str]:
    if at == "move":
        return [_text(arguments[1])] if event in {"os.rename", "os.link"} else []
    if event == "open":
        writes = bool((arguments[2] or 0) & _WRITE_FLAGS)
        return [_text(arguments[0])] if writes == (at == "write") else []
    return [_text(arguments[0])] if at == "write" and event in _CHANGES else []


def _text(path: Any) -> str:
    return os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""


def _wrap(wire: _Wire) -> None:
    module, _, name = wire.mishap.where.partition(":")
    holder: Any = importlib.import_module(module)
    *parents, last = name.split(".")
    for parent in parents:
        holder = getattr(holder, parent)
    function = getattr(holder, last)

    def wired(*arguments: Any, **named: Any) -> Any:
        if wire.mishap.moment == "before":
            wire.touch()
        result = function(*arguments, **named)
        if wire.mishap.moment == "after":
            wire.touch()
            if wire.due:
                os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(holder, last, wired)
