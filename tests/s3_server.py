"""An S3 server in this process, on loopback, that counts what it is asked."""

import json
import logging
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from catalog.stores.buckets import bucket_of

BUCKET = "cryoatlas-tests"


class S3Server:
    """Buckets in the memory of this process. `answer` may refuse a request: method and path -> status, or None to let it pass."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.answer: Callable[[str, str], int | None] = lambda method, path: None
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def environment(self) -> dict[str, str]:
        """What a user sets to reach it."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
        }

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        kind = "LIST" if "list-type" in environ.get("QUERY_STRING", "") else method
        self.requests[kind] += 1
        status = self.answer(kind, path)
        if status is None:
            return self._app(environ, start_response)
        start_response(f"{status} Refused", [("Content-Type", "application/xml")])
        return [b"<Error><Code>" + {403: b"AccessDenied", 503: b"SlowDown"}[status] + b"</Code></Error>"]


@contextmanager
def s3_server(bucket: str = BUCKET) -> Iterator[S3Server]:
    """Run a server with one bucket, and let this process and its children reach it."""
    server = S3Server()
    before = {name: os.environ.get(name) for name in server.environment()}
    os.environ.update(server.environment())
    bucket_of.cache_clear()
    try:
        make_bucket(server, bucket)
        yield server
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        bucket_of.cache_clear()
        server.stop()


def make_bucket(server: S3Server, name: str) -> None:
    httpx.put(f"{server.url}/{name}").raise_for_status()
    server.requests.clear()


def main(bucket: str, latency_ms: str) -> None:
    """Serve until standard input ends; every line of it is answered by the requests since the last one, as JSON."""
    with s3_server(bucket) as server:

        def wait(method: str, path: str) -> None:
            time.sleep(float(latency_ms) / 1000)

        server.answer = wait
        print(json.dumps(server.environment()), flush=True)  # noqa: T201
        for _ in sys.stdin:
            print(json.dumps(server.requests), flush=True)  # noqa: T201
            server.requests.clear()


if __name__ == "__main__":
    main(*sys.argv[1:])
