"""Whether a command line of a recipe is one that the installed programs take."""

import subprocess
from functools import cache

from tests.infra.started import SCRIPTS

PROGRAMS = {"prefect", "dask", "cryoatlas"}
SUBCOMMANDS = {"worker", "start", "server", "scheduler", "deploy"}


@cache
def _help(words: tuple[str, ...]) -> str:
    return subprocess.run([SCRIPTS / words[0], *words[1:], "--help"], check=True, capture_output=True, text=True).stdout


def assert_known(command: list[str]) -> None:
    """Fail unless the program, its subcommand and every option exist."""
    assert command[0] in PROGRAMS, command
    words = (command[0], *(word for word in command[1:3] if word in SUBCOMMANDS))
    assert len(words) > 1, command
    told = _help(words)
    unknown = [option for option in command if option.startswith("--") and option not in told]
    assert not unknown, f"{' '.join(words)} does not know {unknown}"
