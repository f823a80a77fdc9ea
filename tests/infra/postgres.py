"""A Postgres of the test's own, and a Prefect server on it."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.infra.started import SCRIPTS, started, wait_for


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A new database cluster on loopback, deleted at the end; yields the URL that Prefect takes. Skips where there is no Postgres."""
    if not (shutil.which("initdb") and shutil.which("postgres")):
        pytest.skip("Postgres is not here: no `initdb`")
    # Postgres refuses to run as root, and another user cannot enter pytest's own folders
    someone = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    folder, port = Path(tempfile.mkdtemp(prefix="postgres-")), free_port()
    try:
        if someone:
            shutil.chown(folder, "nobody")
        data, environment = str(folder / "data"), {"HOME": str(folder), "LC_ALL": "C"}
        made = ["initdb", "--pgdata", data, "--username", "prefect", "--auth", "trust", "--encoding", "UTF8", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, env=os.environ | environment, cwd="/", **someone)
        command = ["postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
        log = folder.with_suffix(".log")
        with started(command, log, environment, **someone) as process:
            wait_for(
                lambda: subprocess.run(["pg_isready", "-h", "127.0.0.1", "-p", str(port), "-q"], check=False).returncode == 0, process, log
            )
            yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(".log").unlink(missing_ok=True)


@contextlib.contextmanager
def prefect_server(database: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """A `prefect server start` on a database; yields the address of its API and its log."""
    port, log = free_port(), folder / "server.log"
    environment = {
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_DATABASE_CONNECTION_URL": database,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    api = f"http://127.0.0.1:{port}/api"

    def healthy() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{api}/health", timeout=5).is_success
        return False

    command = [SCRIPTS / "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with started([str(word) for word in command], log, environment) as process:
        wait_for(healthy, process, log, seconds=300)
        yield api, log
