"""Small files that several programs write: made only where there is none, changed only as long as they are what was read.

The version of a file is its checksum, so it depends on no clock. A change happens under a lock of the system on a file
beside it, `.lock`, which the system gives back when its holder dies, however it dies. Object stores do the same by conditional
writes (`conditions.py`). What two programs write must differ, say in a name of the writer.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from catalog.facts.errors import StoreNotWritable
from catalog.stores import conditions
from catalog.stores.files import checksum_of, flushed, storage_errors, write_atomic
from catalog.stores.objects import ObjectPath

_LOCK: Final = ".lock"
_PATIENCE_S: Final = 60.0
"""Until a lock counts as stuck: it is held for one read and one write of a small file."""
_POLL_S: Final = 0.01
_LINKS_REFUSED: Final = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
_LOCKS_REFUSED: Final = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}


def create_only(path: Path, content: bytes) -> str | None:
    """Write a file, whole, where there is none; return its version, or None when somebody was first."""
    if isinstance(path, ObjectPath):
        return conditions.create_only(path, content)
    with storage_errors(path), flushed(path, content) as partial:
        try:
            # a link, unlike a rename, fails where a file is
            os.link(partial, path)
        except FileExistsError:
            # over a network the answer to a link that was made can get lost, and the second try finds the first
            return checksum_of(content) if partial.stat().st_nlink > 1 else None
        except OSError as error:
            if error.errno not in _LINKS_REFUSED:
                raise
            return _create_locked(path, content)
    return checksum_of(content)


def read_versioned(path: Path) -> tuple[bytes, str] | None:
    """Return what a file holds and which version that is; None when it is absent."""
    if isinstance(path, ObjectPath):
        return conditions.read_versioned(path)
    try:
        with storage_errors(path):
            content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return content, checksum_of(content)


def replace_if(path: Path, content: bytes, version: str) -> str | None:
    """Write a file if it still is of a version; return the new one, or None when it is another by now, or absent."""
    if isinstance(path, ObjectPath):
        return conditions.replace_if(path, content, version)
    with storage_errors(path), _alone(path):
        return write_atomic(path, content) if _is(path, version) else None


def delete_if(path: Path, version: str) -> bool:
    """Delete a file if it still is of a version; say whether it was."""
    if isinstance(path, ObjectPath):
        return conditions.delete_if(path, version)
    with storage_errors(path), _alone(path):
        if found := _is(path, version):
            path.unlink()
        return found


def _create_locked(path: Path, content: bytes) -> str | None:
    with _alone(path):
        return None if path.exists() else write_atomic(path, content)


def _is(path: Path, version: str) -> bool:
    found = read_versioned(path)
    return found is not None and found[1] == version


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one program at a time, of all machines, change the files of a folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / _LOCK).open("ab") as file:
        _lock(file, path)
        try:
            yield
        finally:
            # a child that was forked in between keeps the file open, and with it the lock
            fcntl.flock(file, fcntl.LOCK_UN)


def _lock(file: IO[bytes], path: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise StoreNotWritable(
                    f"{path}: a process that does not move holds the lock {path.with_name(_LOCK)} for {_PATIENCE_S:.0f} s. "
                    "Look for it with `fuser`, end it, and run the same command again."
                ) from error
        except OSError as error:
            if error.errno not in _LOCKS_REFUSED:
                raise
            raise StoreNotWritable(
                f"{path}: the file system gives no locks ({error.strerror}). Mount it with them (NFS: lockd; Lustre: -o flock)."
            ) from error
        time.sleep(_POLL_S)
