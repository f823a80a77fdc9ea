"""Signatures for files that need one, made when a file is opened and never stored."""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from catalog.facts.errors import SourceUnavailable, WrongCall
from catalog.facts.sources import CDSE_BUCKET, CDSE_S3_ENDPOINT, PLANETARY_COMPUTER_ACCOUNTS

_BLOBS: Final = ".blob.core.windows.net"
_CDSE_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def sign(href: str, provider: str) -> str:
    """Return an address that can be opened now; unchanged where no signature is needed.

    One token per storage container serves all its files until shortly before it ends. Raises SourceUnavailable when the
    token service does not answer, WrongCall when keys that the files need are not in the environment.
    """
    account = _account(href)
    if account is not None and (provider == "planetary-computer" or account in PLANETARY_COMPUTER_ACCOUNTS):
        return _sign_blob(href)
    if href.startswith(CDSE_BUCKET):
        _require_cdse_keys(href)
        # GDAL's own reader of S3: rasterio's `s3://` wants boto3
        return f"/vsis3/{href.removeprefix('s3://')}"
    return href


def forget(href: str) -> None:
    """Drop the token that signed an address, so that the next `sign` asks for a new one; do this after a 403."""
    if _account(href) is None:
        return
    # imported here: it loads pystac and pydantic, and only signed files need it
    from planetary_computer.sas import TOKEN_CACHE  # noqa: PLC0415
    from planetary_computer.settings import Settings  # noqa: PLC0415

    account, container = _container(href)
    TOKEN_CACHE.pop(f"{Settings.get().sas_url}/{account}/{container}", None)


def access_options(href: str) -> Mapping[str, str]:
    """Return what GDAL must be told, besides the signed address, to open a file; empty for most."""
    if not href.startswith(CDSE_BUCKET):
        return {}
    return {"AWS_S3_ENDPOINT": CDSE_S3_ENDPOINT, "AWS_VIRTUAL_HOSTING": "FALSE", "AWS_HTTPS": "YES"}


def _sign_blob(href: str) -> str:
    from planetary_computer.sas import sign_url  # noqa: PLC0415
    from requests.exceptions import RequestException  # noqa: PLC0415

    try:
        return str(sign_url(href))
    except RequestException as error:
        raise SourceUnavailable(
            f"The token service of Planetary Computer did not sign {href} ({error}); run `cryoatlas run` again later."
        ) from error


def _account(href: str) -> str | None:
    host = urlsplit(href).netloc if href.startswith("https://") else ""
    return host.removesuffix(_BLOBS) if host.endswith(_BLOBS) else None


def _container(href: str) -> tuple[str, str]:
    parts = urlsplit(href)
    return parts.netloc.removesuffix(_BLOBS), parts.path.lstrip("/").split("/", 1)[0]


def _require_cdse_keys(href: str) -> None:
    missing = [key for key in _CDSE_KEYS if not os.environ.get(key)]
    if missing:
        raise WrongCall(
            f"{href} lies in the Copernicus Data Space, and {' and '.join(missing)} "
            "is not set: make S3 keys in your account there and export them."
        )
