"""Raster files, opened once per thread, with the signing, retry and cache rules that remote files need."""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlsplit

import rasterio
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from catalog.facts.errors import CryoatlasError, SourceBroken, SourceGarbled, SourceUnavailable
from catalog.stores import signing
from catalog.stores.meters import count_retry

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
GdalOptions = Mapping[str, str | int | bool]

OPTIONS: Final[GdalOptions] = {
    "GDAL_CACHEMAX": 128,  # MB; every block is decoded once per tile, so a large cache only costs memory
    "GDAL_NUM_THREADS": 1,  # the caller's threads are the only level of parallelism
}
REMOTE_OPTIONS: Final[GdalOptions] = {
    **OPTIONS,
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no listing and no sidecar requests: one GET opens a COG
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif,.tiff,.jp2,.vrt",  # a wrong address fails at once, query strings are ignored
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",  # neighbouring blocks travel in one request
    "GDAL_HTTP_MULTIPLEX": "YES",  # HTTP/2 where the server speaks it
    "GDAL_INGESTED_BYTES_AT_OPEN": 32768,  # header and tile index of a COG in the first request
    "GDAL_HTTP_CONNECTTIMEOUT": 10,
    "GDAL_HTTP_TIMEOUT": 60,
    "VSI_CACHE": True,  # headers and blocks of an open file are not asked for twice
    "VSI_CACHE_SIZE": 4_000_000,  # bytes per open file
}
"""Passed to GDAL on every open and read; the only place where GDAL is configured."""

OPEN_FILES_PER_THREAD: Final = 64
_STATUS = re.compile(r"HTTP (?:response|error) code\s*:\s*(\d{3})")
_SHORT_READ = re.compile(r"got (\d+) bytes, expected \d+")
_REMOTE = ("http://", "https://", "s3://", "gs://", "az://", "/vsicurl", "/vsis3", "/vsigs", "/vsiaz")
_UNDECODABLE = ("not recognized as being in a supported file format", "not recognized as a supported", "No such file", "does not exist")
_WORTH_ANOTHER_TRY = frozenset({403, 408, 425, 429, 500, 502, 503, 504})
_LOOKS_AT_GARBLED: Final = 3
"""Blocks of a bad answer stay in GDAL's memory until the file was opened once without it, so the third look is the first new one."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently a remote read is tried again."""

    attempts: int = 5
    wait_s: float = 1.0
    """Before the second attempt; doubles with each one."""
    http_attempts: int = 2
    """Retries of a single range request inside GDAL, before a whole window is read again."""


def is_remote(href: str) -> bool:
    """Say whether an address is read over a network."""
    return href.startswith(_REMOTE)


def use_file(href: str, provider: str, action: Callable[[DatasetReader], Result], *, retry: Retry = Retry()) -> Result:
    """Return `action(file)`, trying again after transient faults with a fresh signature and an empty cache.

    Raises SourceUnavailable when the retries are spent and SourceBroken when trying again cannot help.
    """
    attempts = retry.attempts if is_remote(href) else 1
    for attempt in range(attempts):
        _pauses.keep(href)
        address = signing.sign(href, provider)
        try:
            with rasterio.Env(**_options(href, address, attempt, retry)):
                return action(_open(href, address))
        except RasterioError as error:
            _close(href)
            _distrusted.add(href)
            fault = _explain(error, href, provider)
            # a server that answers with zeros or half of a file cannot be told from a broken file by one look
            once_more = isinstance(fault, SourceGarbled) and attempt < _LOOKS_AT_GARBLED - 1
            if (isinstance(fault, SourceBroken) and not once_more) or attempt + 1 == attempts:
                raise fault from error
            count_retry()
            logger.warning("attempt %d of %d: %s", attempt + 1, attempts, fault)
            _pauses.ask(href, retry.wait_s * 2**attempt)
    raise SourceUnavailable(f"{href} was never tried: the retry budget is {retry.attempts}; allow at least one attempt.")


class _Pauses:
    """When a server may be asked again: all threads of a process wait for the one that it turned away, or they would all be."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def ask(self, href: str, seconds: float) -> None:
        with self._lock:
            host = urlsplit(href).netloc
            self._until[host] = max(self._until.get(host, 0.0), time.monotonic() + seconds)

    def keep(self, href: str) -> None:
        if is_remote(href):
            time.sleep(max(self._until.get(urlsplit(href).netloc, 0.0) - time.monotonic(), 0.0))


_pauses = _Pauses()
_distrusted: Final = set[str]()
"""Files that failed in this process: of those GDAL's memory is not believed, however much later they are read again."""


class _Opened(threading.local):
    """GDAL datasets must not be shared by threads, so each thread keeps its own, the longest unused closed first."""

    def __init__(self) -> None:
        self.files: OrderedDict[str, DatasetReader] = OrderedDict()


_opened = _Opened()


def _open(href: str, address: str) -> DatasetReader:
    files = _opened.files
    if href in files:
        files.move_to_end(href)
        return files[href]
    if len(files) >= OPEN_FILES_PER_THREAD:
        files.popitem(last=False)[1].close()
    files[href] = rasterio.open(address)
    return files[href]


def _close(href: str) -> None:
    file = _opened.files.pop(href, None)
    if file is not None:
        file.close()


def close_files() -> None:
    """Close all files that the calling thread holds open."""
    while _opened.files:
        _opened.files.popitem()[1].close()


def _options(href: str, address: str, attempt: int, retry: Retry) -> dict[str, str | int | bool]:
    if not is_remote(href):
        return dict(OPTIONS)
    options = {
        **REMOTE_OPTIONS,
        **signing.access_options(href),
        "GDAL_HTTP_MAX_RETRY": retry.http_attempts,
        "GDAL_HTTP_RETRY_DELAY": str(retry.wait_s),
    }
    if attempt or href in _distrusted:
        # GDAL remembers a failed HEAD or GET for the life of the process; measured: without this line a 503 stays a 503.
        options["CPL_VSIL_CURL_NON_CACHED"] = f"/vsicurl/{address}"
    return options


def _explain(error: BaseException, href: str, provider: str) -> CryoatlasError:
    text = " | ".join(_chain(error))
    status = _STATUS.search(text)
    code = int(status.group(1)) if status else None
    if code == 403:
        signing.forget(href)
        return SourceUnavailable(f"{href} answered 403 with a fresh signature; check the account of provider {provider!r}.")
    if code in _WORTH_ANOTHER_TRY:
        return SourceUnavailable(f"{href} answered {code}; run `cryoatlas run` later.")
    if code is not None:
        return SourceBroken(f"{href} answered {code}: the file is gone or the address is wrong; search the catalog again.")
    short = _SHORT_READ.search(text)
    cut_off = short is not None and int(short.group(1)) > 0
    if not is_remote(href) or cut_off or any(words in text for words in _UNDECODABLE):
        return SourceGarbled(f"{href} cannot be decoded ({_chain(error)[-1]}); fetch the file again or exclude the scene.")
    return SourceUnavailable(f"{href} could not be read ({_chain(error)[-1]}); run `cryoatlas run` later.")


def _chain(error: BaseException) -> list[str]:
    texts = []
    link: BaseException | None = error
    while link is not None:
        texts.append(str(link))
        link = link.__cause__ or link.__context__
    return texts
