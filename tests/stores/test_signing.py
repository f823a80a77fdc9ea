"""Signatures: made at open, kept per container, renewed after a 403."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from catalog.facts.errors import SourceUnavailable, WrongCall
from catalog.stores.signing import access_options, forget, sign

BLOB = "https://sentinel2l2a01.blob.core.windows.net/sentinel2-l2/43/T/B03.tif"
OTHER_FILE = "https://sentinel2l2a01.blob.core.windows.net/sentinel2-l2/43/T/B04.tif"


class Tokens(BaseHTTPRequestHandler):
    issued = 0

    def do_GET(self) -> None:
        Tokens.issued += 1
        expiry = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        payload = json.dumps({"token": f"token{Tokens.issued}", "msft:expiry": expiry}).encode()
        self.send_response(200 if "sentinel2-l2" in self.path else 404)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def token_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Tokens]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.setenv("PC_SDK_SAS_URL", f"http://127.0.0.1:{server.server_port}/token")
    settings = pytest.importorskip("planetary_computer.settings").Settings
    settings.get.cache_clear()
    Tokens.issued = 0
    yield Tokens
    server.shutdown()
    server.server_close()
    forget(BLOB)
    settings.get.cache_clear()


def test_one_token_serves_a_container_until_it_is_forgotten(token_service: type[Tokens]) -> None:
    assert sign(BLOB, "planetary-computer") == f"{BLOB}?token1"
    assert sign(OTHER_FILE, "planetary-computer") == f"{OTHER_FILE}?token1"
    forget(OTHER_FILE)
    assert sign(BLOB, "planetary-computer") == f"{BLOB}?token2"
    assert token_service.issued == 2


def test_files_of_planetary_computer_are_signed_whichever_catalog_lists_them(token_service: type[Tokens]) -> None:
    assert sign(BLOB, "parquet").endswith("?token1")


def test_a_service_that_refuses_is_a_source_unavailable(token_service: type[Tokens]) -> None:
    with pytest.raises(SourceUnavailable, match="token service"):
        sign("https://elevationeuwest.blob.core.windows.net/unknown/x.tif", "planetary-computer")


@pytest.mark.parametrize(
    "href", ["data/B03.tif", "https://sentinel-cogs.s3.us-west-2.amazonaws.com/B03.tif", "https://mine.blob.core.windows.net/c/x.tif"]
)
def test_other_files_are_left_as_they_are(href: str) -> None:
    assert sign(href, "static") == href
    forget(href)


def test_missing_keys_of_copernicus_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with pytest.raises(WrongCall, match="AWS_ACCESS_KEY_ID is not set"):
        sign("s3://eodata/Sentinel-2/B02.jp2", "cdse")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    assert sign("s3://eodata/Sentinel-2/B02.jp2", "cdse") == "/vsis3/eodata/Sentinel-2/B02.jp2"
    assert access_options("s3://eodata/x")["AWS_S3_ENDPOINT"] == "eodata.dataspace.copernicus.eu"
    assert access_options("https://x/y.tif") == {}
