"""A simulated world on a web server of this machine, which answers badly where a test says so."""

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

Kind = Literal["status", "blank", "cut", "reset", "slow"]


@dataclass(slots=True)
class Fault:
    """What is wrong with the answers to some requests."""

    kind: Kind
    """A status code; a body of zeros; half of the promised body; a connection that breaks; half a second of silence before a right answer."""
    where: str
    """Regular expression that the path must match."""
    status: int = 503
    times: int | None = None
    """How many requests it spoils; None: all, until it is taken away."""
    after: int = 0
    """How many requests are answered well first."""
    headers: dict[str, str] = field(default_factory=dict)
    hits: int = 0
    seen: int = 0

    def strikes(self, path: str, *, body: bool) -> bool:
        """Say whether it spoils this request; counts. A request without an answer's body cannot be answered with a bad one."""
        if not re.search(self.where, path) or (self.kind in {"blank", "cut"} and not body):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


@dataclass(slots=True)
class FaultServer:
    """The server, its faults, and what it was asked."""

    folder: Path
    address: str = ""
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    token_requests: int | None = None
    """How many requests for pixels a token is good for; None: none is needed."""
    tokens: dict[str, int] = field(default_factory=dict)
    """Token -> requests that it is still good for."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def catalog(self) -> str:
        return f"{self.address}/catalog/catalog.json"

    def heal(self) -> None:
        """From now on every answer is right."""
        self.faults.clear()
        self.token_requests = None

    def fault_for(self, path: str, *, body: bool) -> Fault | None:
        with self.lock:
            self.requests.append(path)
            return next((fault for fault in self.faults if fault.strikes(path, body=body)), None)

    def issue(self) -> str:
        """A token for which the service promises an hour, whatever it is really good for."""
        with self.lock:
            token = f"token={len(self.tokens)}"
            self.tokens[token] = self.token_requests or 0
            return token

    def admits(self, path: str, query: str) -> bool:
        """Say whether a request for pixels carries a token that is still good; counts."""
        if self.token_requests is None or not path.endswith(".tif"):
            return True
        with self.lock:
            left = self.tokens.get(query, 0)
            self.tokens[query] = left - 1
            return left > 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faulty: FaultServer

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def log_message(self, *_: object) -> None:
        return

    def answer(self, *, body: bool) -> None:
        path, _, query = self.path.partition("?")
        if path.startswith("/token/"):
            expiry = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            self.send(200, json.dumps({"token": self.faulty.issue(), "msft:expiry": expiry}).encode(), {})
            return
        fault = self.faulty.fault_for(path, body=body)
        if not self.faulty.admits(path, query):
            self.send(403, b"", {})
        elif fault is not None and fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif fault is not None and fault.kind == "status":
            self.send(fault.status, b"", fault.headers)
        else:
            self.send_file(path, fault.kind if fault else None, body=body)

    def send_file(self, path: str, fault: Kind | None, *, body: bool) -> None:
        file = self.faulty.folder / path.strip("/")
        if not file.is_file():
            self.send(404, b"", {})
            return
        data, code, headers = file.read_bytes(), 200, {}
        asked = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked:
            first, last = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
            headers, code = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}, 206
            data = data[first : last + 1]
        if fault == "slow":
            time.sleep(0.5)
        if fault == "blank":
            data = bytes(len(data))
        promised = len(data)
        if fault == "cut":
            data = data[: len(data) // 2]
            self.close_connection = True
        self.send(code, data if body else b"", headers, promised)

    def send(self, code: int, data: bytes, headers: dict[str, str], promised: int | None = None) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data) if promised is None else promised))
            self.end_headers()
            self.wfile.write(data)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[FaultServer]:
    """Serve a folder on loopback while the body runs."""
    state = FaultServer(folder)
    listening = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"faulty": state}))
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{listening.server_port}"
    try:
        yield state
    finally:
        listening.shutdown()
        listening.server_close()
