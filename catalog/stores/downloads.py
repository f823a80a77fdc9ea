"""Files from the hub or the web, verified before they take their name, and kept by their hash."""

import os
import re
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HTTPError

from catalog.facts.errors import WeightsMissing, WeightsUnfit, WrongCall
from catalog.stores.files import PARTIAL_SUFFIX, checksum, storage_errors
from catalog.stores.meters import count_retry

_HUB: Final = re.compile(r"hf://(?P<repository>[^/@]+/[^/@]+)(@(?P<revision>[^/]+))?/(?P<path>.+)")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_ATTEMPTS: Final = 3
_TIMEOUT_S: Final = 30.0
_GONE: Final = (404, 410)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository on the hub of Hugging Face."""

    repository: str
    path: str
    revision: str | None = None

    @property
    def name(self) -> str:
        """File name."""
        return self.path.rpartition("/")[2]

    def __str__(self) -> str:
        """Return the reference that names it."""
        return f"hf://{self.repository}{f'@{self.revision}' if self.revision else ''}/{self.path}"

    def beside(self, name: str) -> "HubFile":
        """Name another file of the same folder."""
        return replace(self, path=self.path.removesuffix(self.name) + name)

    def announced_sha256(self) -> str | None:
        """Ask the hub for the hash; it knows that of large files (LFS), of small ones only that of git."""
        url = hf_hub_url(self.repository, self.path, revision=self.revision, endpoint=_endpoint())
        try:
            etag = get_hf_file_metadata(url, endpoint=_endpoint()).etag
        except (HfHubHTTPError, HTTPError, OSError, ValueError) as error:
            raise _missing(self, error) from error
        return etag if etag and _SHA256.fullmatch(etag) else None

    def copy_to(self, target: Path) -> None:
        """Download to a path; raises WeightsMissing."""
        # the hub's client keeps notes beside what it fetches; they go with the folder
        with TemporaryDirectory(dir=target.parent, suffix=PARTIAL_SUFFIX) as folder:
            try:
                got = hf_hub_download(self.repository, self.path, revision=self.revision, local_dir=folder, endpoint=_endpoint())
            except (HfHubHTTPError, HTTPError, OSError, ValueError) as error:
                raise _missing(self, error) from error
            Path(got).replace(target)


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file behind an address."""

    url: str

    @property
    def name(self) -> str:
        """File name."""
        return urlsplit(self.url).path.rpartition("/")[2] or "weights"

    def __str__(self) -> str:
        """Return the address."""
        return self.url

    def beside(self, name: str) -> "WebFile":
        """Name another file of the same folder."""
        return WebFile(urljoin(self.url, name))

    def announced_sha256(self) -> str | None:
        """Return None: the web announces no hashes."""
        return None

    def copy_to(self, target: Path) -> None:
        """Stream to a path; a connection that breaks is tried again. Raises WeightsMissing."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._stream(target)
            except httpx.HTTPStatusError as error:
                raise _missing(self, error) from error
            except httpx.HTTPError as error:
                if attempt == _ATTEMPTS:
                    raise _missing(self, error) from error
                count_retry()
        return None

    def _stream(self, target: Path) -> None:
        with httpx.stream("GET", self.url, follow_redirects=True, timeout=_TIMEOUT_S) as response:
            response.raise_for_status()
            with target.open("wb") as file:
                for block in response.iter_bytes(1 << 20):
                    file.write(block)


def remote_file(reference: str) -> HubFile | WebFile | None:
    """Read `hf://owner/repository[@revision]/path` or an address; None for anything else. Raises WrongCall for half an hf://."""
    if reference.startswith(("https://", "http://")):
        return WebFile(reference)
    if not reference.startswith("hf://"):
        return None
    match = _HUB.fullmatch(reference)
    if match is None:
        raise WrongCall(f"{reference!r} is not complete: write hf://owner/repository/file or hf://owner/repository@revision/folder/file.")
    return HubFile(match["repository"], match["path"], match["revision"])


def fetch(source: HubFile | WebFile, target: Path, sha256: str) -> Path:
    """Bring a file to `target`, unless it is there; it gets that name only when its hash is right. Raises WeightsMissing, WeightsUnfit."""
    if target.is_file() and hash_of(target) == sha256:
        return target
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.{uuid.uuid4().hex}{PARTIAL_SUFFIX}")
        try:
            source.copy_to(partial)
            verify(partial, sha256, str(source))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    return target


def verify(file: Path, sha256: str, where: str) -> None:
    """Raise WeightsUnfit when a file does not have the hash that was promised."""
    found = hash_of(file)
    if found != sha256:
        raise WeightsUnfit(
            f"{where} has sha256 {found}, and {sha256} was promised: it is another file or a damaged one. Fetch it again, or correct the promise."
        )


def hash_of(file: Path) -> str:
    """Return the sha256 of a file, in hex."""
    return checksum(file).split(":")[1]


def _endpoint() -> str | None:
    # read when it is needed: the hub's own client reads it once, when it is imported
    return os.environ.get("HF_ENDPOINT")


def _missing(source: HubFile | WebFile, error: Exception) -> WeightsMissing:
    status = getattr(getattr(error, "response", None), "status_code", None)
    cause = (
        f"not there, status {status}" if status in _GONE else f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    )
    return WeightsMissing(
        f"{source} could not be fetched ({cause}): check the name and the network, or download it by hand together with the card.json "
        "beside it, and give the path of the file instead."
    )
