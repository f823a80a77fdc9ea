"""Objects that several programs write, by conditional writes: made only where there is none, changed only as they were read.

Services delete without conditions, so what is deleted here becomes an empty object, which counts as absent. When the answer to
a write gets lost, the second try finds the first: whoever wants to write what is there has written it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from obstore.exceptions import AlreadyExistsError, PreconditionError

from catalog.facts.errors import StoreNotWritable
from catalog.stores.buckets import our_errors
from catalog.stores.objects import ObjectPath

if TYPE_CHECKING:
    from obstore import ObjectMeta, PutMode, PutResult

_DELETED: Final = b""
_UNTRUE: Final = json.dumps({"e_tag": '"00000000000000000000000000000000"', "version": "1"})
"""A version that no object has."""


def create_only(path: ObjectPath, content: bytes) -> str | None:
    """Write an object where there is none; return its version, or None when somebody was first."""
    try:
        return _put(path, content, "create")
    except AlreadyExistsError:
        found = _get(path)
    if found is None or found[0] not in (content, _DELETED):
        return None
    return found[1] if found[0] == content else replace_if(path, content, found[1])


def read_versioned(path: ObjectPath) -> tuple[bytes, str] | None:
    """Return what an object holds and which version that is; None when it is absent."""
    found = _get(path)
    return None if found is None or found[0] == _DELETED else found


def replace_if(path: ObjectPath, content: bytes, version: str) -> str | None:
    """Write an object if it still is of a version; return the new one, or None when it is another by now, or absent."""
    try:
        return _swap(path, content, version)
    except PreconditionError:
        found = _get(path)
    return found[1] if found is not None and found[0] == content else None


def delete_if(path: ObjectPath, version: str) -> bool:
    """Delete an object if it still is of a version; say whether it was."""
    try:
        _swap(path, _DELETED, version)
    except PreconditionError:
        return False
    return True


def refuse_unconditional(path: ObjectPath, content: bytes) -> None:
    """Raise StoreNotWritable when a service does not heed conditions: two programs would overwrite each other.

    `content` is what the object holds, so that a service that writes in spite of the condition changes nothing.
    """
    modes: tuple[PutMode, ...] = ("create", json.loads(_UNTRUE))
    for mode in modes:
        try:
            _put(path, content, mode)
        except (AlreadyExistsError, PreconditionError):
            continue
        raise StoreNotWritable(
            f"Store {path.parent}: the service writes whether its conditions (If-None-Match, If-Match) hold or not, so two programs would "
            "overwrite each other. Use a service that heeds them, or a path."
        )


def _swap(path: ObjectPath, content: bytes, version: str) -> str:
    with _absent_is_changed():
        return _put(path, content, json.loads(version))


def _put(path: ObjectPath, content: bytes, mode: "PutMode") -> str:
    with our_errors(str(path)):
        return _version(path.bucket.put(path.key, content, mode=mode, use_multipart=False))


def _get(path: ObjectPath) -> tuple[bytes, str] | None:
    try:
        with our_errors(str(path)):
            found = path.bucket.get(path.key)
            return bytes(found.bytes()), _version(found.meta)
    except FileNotFoundError:
        return None


def _version(meta: "PutResult | ObjectMeta") -> str:
    # Amazon and Azure compare the first, Google the second
    return json.dumps({name: value for name in ("e_tag", "version") if (value := meta[name]) is not None})


@contextmanager
def _absent_is_changed() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise PreconditionError(str(error)) from error
