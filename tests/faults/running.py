"""The real command in a process of its own."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL

from tests.faults.mishaps import Mishap, to_text

_HANGS_S = 300
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one sentence of an error; fails when it printed none, several, or a traceback."""
        assert "Traceback" not in self.err, self.err
        lines = [line for line in self.err.splitlines() if line.startswith("error:")]
        assert len(lines) == 1, f"{self.code}\n{self.out}\n{self.err}"
        return lines[0]

    @property
    def commands(self) -> tuple[list[str], ...]:
        """Arguments of every command that `audit` names."""
        return tuple(shlex.split(line.partition("mend: cryoatlas ")[2]) for line in self.out.splitlines() if "mend: cryoatlas " in line)

    @property
    def resume(self) -> list[str]:
        """Arguments of the command that a run names to be resumed with."""
        found = re.search(r"Resume with: cryoatlas (.*)", self.err + self.out)
        assert found, f"{self.code}\n{self.out}\n{self.err}"
        return shlex.split(found[1])


def environment(**more: str) -> dict[str, str]:
    """The environment of a command beside the test: the test's Prefect server, tables wide enough not to be folded."""
    return os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value()), "OMP_NUM_THREADS": "1", "COLUMNS": "400"} | more


def start(
    arguments: Sequence[object], *mishaps: Mishap, env: Mapping[str, str] | None = None, inside: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """Start `cryoatlas ARGUMENT...`, in a wrapper (`unshare ...`) when one is given."""
    command = [*inside, sys.executable, "-m", "tests.faults.child", to_text(mishaps), *(str(argument) for argument in arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, env=env or environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finish(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end of a command; one that hangs says where its threads are, and fails the test."""
    try:
        out, err = process.communicate(timeout=_HANGS_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGUSR1)
        time.sleep(1)
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it hangs:\n{out}\n{err}") from None
    return Ended(process.returncode, out, err)


def command(arguments: Sequence[object], *mishaps: Mishap, env: Mapping[str, str] | None = None, inside: Sequence[str] = ()) -> Ended:
    """Run `cryoatlas ARGUMENT...` to its end."""
    return finish(start(arguments, *mishaps, env=env, inside=inside))


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[Any], seconds: float = 300.0) -> None:
    """Return as soon as the condition holds; fail when the process ends first, or it takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.05)


def surfaces(store: Path) -> int:
    """How many tiles of a store have a recorded surface."""
    return len(list((store / "ledger").rglob("*.surface.json")))
