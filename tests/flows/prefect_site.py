"""A Prefect server with deployments and one worker, as an operator starts them: processes of their own on loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.states import Scheduled

ROOT = Path(__file__).resolve().parents[2]
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "DO_NOT_TRACK": "1",
    "OMP_NUM_THREADS": "1",
    # workers ask every 10 s otherwise
    "PREFECT_WORKER_QUERY_SECONDS": "1",
}


@dataclass(frozen=True)
class Site:
    """Where the server is, and what processes find in their environment."""

    url: str
    home: Path
    environment: Mapping[str, str]

    def client(self) -> SyncPrefectClient:
        return SyncPrefectClient(self.url)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this environment to its end."""
        return subprocess.run(_program(arguments), cwd=ROOT, env=dict(self.environment), capture_output=True, text=True, check=False)

    @contextmanager
    def running(self, name: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Have a command run beside the test; it is asked to end, as an operator does, and must."""
        with (self.home / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                _program(arguments),
                cwd=ROOT,
                env=dict(self.environment),
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_hear_interrupts,  # noqa: PLW1509 - it only resets a signal, which takes no lock
            )
            try:
                yield process
            finally:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(60)
                finally:
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)

    def submit(self, deployment: str, parameters: dict[str, Any]) -> UUID:
        """Have a deployment run."""
        with self.client() as client:
            found = client.read_deployment_by_name(deployment)
            return client.create_flow_run_from_deployment(found.id, parameters=parameters, state=Scheduled()).id

    def state_at_end(self, run: UUID, patience_s: float = 240.0) -> State:
        """Wait for a run to end."""
        deadline = time.monotonic() + patience_s
        with self.client() as client:
            while time.monotonic() < deadline:
                state = client.read_flow_run(run).state
                if state is not None and state.is_final():
                    return state
                time.sleep(0.5)
        raise AssertionError(f"run {run} did not end:\n{self.logs()}")

    def logs(self) -> str:
        """What the processes said last."""
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in self.home.glob("*.log"))

    def left_behind(self) -> list[str]:
        """Processes that were started for this site and are still there."""
        return [" ".join(process.cmdline()) for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.pid != os.getpid() and process.environ().get("PREFECT_HOME") == str(self.home)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False


@contextmanager
def open_site(home: Path, **more: str) -> Iterator[Site]:
    """Start a server with a database of its own."""
    home.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    site = Site(url, home, inherited | QUIET | {"PREFECT_HOME": str(home), "PREFECT_API_URL": url} | more)
    with site.running("server", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui") as server:
        _wait_until_up(site, server)
        yield site


def _wait_until_up(site: Site, server: "subprocess.Popen[bytes]", patience_s: float = 180.0) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx.get(f"{site.url}/health", timeout=5).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.3)
        else:
            return
    raise AssertionError(f"the server did not start:\n{site.logs()}")


def _hear_interrupts() -> None:
    # a shell lets what it starts in the background ignore Ctrl-C, and children inherit that; a worker would then never end
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _program(arguments: Sequence[str]) -> list[str]:
    name, *rest = arguments
    return [str(Path(sys.executable).with_name(name)), *rest]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
