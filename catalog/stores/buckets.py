"""Buckets by their URL: how they are opened, and what their errors mean in our words.

Keys come from the environment, as every program of a cloud reads them, so a URL alone opens the same bucket in any process.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from obstore import exceptions
from obstore.store import ObjectStore, from_url

from catalog.facts.errors import SourceUnavailable, StoreNotWritable, WrongCall

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and AWS_ENDPOINT_URL for another service than Amazon's",
        "gs": "GOOGLE_APPLICATION_CREDENTIALS",
        "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    }
)
"""Scheme of a URL -> the variables that open it."""
_NO_BUCKET: Final = ("NoSuchBucket", "ContainerNotFound", "specified bucket does not exist")
_CODE: Final = re.compile(r"<Code>(\w+)</Code>")
_REASONS: Final = re.compile(r"(error sending request|operation timed out|\b[45]\d\d [A-Z][\w ]+)")
# a shard of some ten MB over a slow line takes longer than the 30 s that are given by default; http only where the endpoint says so
_CLIENT: Final["ClientConfig"] = {"allow_http": True, "timeout": timedelta(minutes=5), "connect_timeout": timedelta(seconds=10)}
_RETRIES: Final["RetryConfig"] = {"max_retries": 10, "retry_timeout": timedelta(minutes=3)}
"""Of 429, 5xx and answers that do not come: 0.1 s after the first, twice as long after each, up to 15 s."""
_HASTY: Final["RetryConfig"] = {"max_retries": 1, "retry_timeout": timedelta(seconds=20)}


@lru_cache(maxsize=32)
def bucket_of(url: str, *, hasty: bool = False) -> ObjectStore:
    """Return the bucket of `<scheme>://<bucket>`, or what of it begins with `/<key>`; a hasty one soon gives up. Raises WrongCall for one that cannot be."""
    scheme, _, name = url.partition("://")
    if scheme not in SETTINGS:
        raise WrongCall(f"Store {url!r}: no object store is called {scheme}://. Give s3://, gs://, az:// or a path.")
    if not name:
        raise WrongCall(f"Store {url!r}: a bucket is missing. Write {scheme}://BUCKET/FOLDER.")
    try:
        return from_url(url, client_options=_CLIENT, retry_config=_HASTY if hasty else _RETRIES)
    except (exceptions.BaseError, ValueError, OSError) as error:
        raise WrongCall(f"Store {url}: it cannot be opened ({_reason(error)}). Set {SETTINGS[scheme]}.") from error


@contextmanager
def our_errors(url: str) -> Iterator[None]:
    """Turn errors of an object store into ours; absent objects stay FileNotFoundError, lost conditions what they are.

    Raises WrongCall for a bucket that is not there, StoreNotWritable where keys are refused, SourceUnavailable when no answer
    came after all retries.
    """
    try:
        yield
    except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
        raise
    except (exceptions.BaseError, FileNotFoundError) as error:
        raise _told(url, error) from error


def _told(url: str, error: Exception) -> Exception:
    text, scheme = str(error), url.partition("://")[0]
    bucket = "/".join(url.split("/")[:3])
    if any(word in text for word in _NO_BUCKET):
        return WrongCall(f"Store {url}: there is no bucket {bucket}. Make it, or correct the URL.")
    if isinstance(error, FileNotFoundError | exceptions.NotFoundError):
        return FileNotFoundError(f"{url} does not exist")
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return StoreNotWritable(
            f"Store {url}: access is refused ({_reason(error)}). Set {SETTINGS[scheme]}, of one who may read and write."
        )
    if "redential" in text or "169.254.169.254" in text or "metadata.google" in text:
        return StoreNotWritable(f"Store {url}: no keys were found. Set {SETTINGS[scheme]}.")
    return SourceUnavailable(f"Store {url}: no answer ({_reason(error)}). Look at the network, and at {SETTINGS[scheme]}.")


def _reason(error: Exception) -> str:
    """The code that the service gave, or else the first words that say anything."""
    text = str(error)
    for pattern in (_CODE, _REASONS):
        if found := pattern.search(text):
            return found.group(1)
    return text.partition("\n")[0][:160]
