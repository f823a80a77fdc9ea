"""Small files, whole or not at all; and the checksums that prove it."""

import errno
import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TypeVar

from catalog.facts.errors import CryoatlasError, StoreFull, StoreLost, StoreNotWritable
from catalog.stores.buckets import our_errors
from catalog.stores.objects import ObjectPath

Answer = TypeVar("Answer")

PARTIAL_SUFFIX = ".partial"
"""What a killed writer leaves behind; never read, swept at the start of a run."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_LOST = {errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.ENXIO, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.EREMOTEIO}
_BLOCK = 1 << 20
_AT_ONCE = 16
"""Requests to an object store that are on their way together."""


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn errors of a file system or object store into ours: StoreFull, StoreNotWritable when it refuses, StoreLost when it fails."""
    try:
        with our_errors(str(path)) if isinstance(path, ObjectPath) else nullcontext():
            yield
    except OSError as error:
        told = in_our_words(error, str(path))
        if told is None:
            raise
        raise told from error


def in_our_words(error: OSError, path: str) -> CryoatlasError | None:
    """Return what an error of a file system means for a user; None for one that says nothing about the disk or the mount."""
    if error.errno in _FULL:
        return StoreFull(f"{path}: no space left. Free some and run the same command again; what is complete is kept.")
    if error.errno in _REFUSED:
        return StoreNotWritable(f"{path}: {error.strerror}. Choose a --store you may write to.")
    if error.errno in _LOST:
        return StoreLost(
            f"{path}: {error.strerror}. Look at the disk or the mount behind it, and run the same command again; what is complete is kept."
        )
    return None


def write_atomic(path: Path, content: bytes) -> str:
    """Write a file so that it is whole or absent, even after a power cut; return its checksum."""
    if isinstance(path, ObjectPath):
        path.write_bytes(content)
        return checksum_of(content)
    with storage_errors(path), flushed(path, content) as partial:
        partial.replace(path)
    return checksum_of(content)


@contextmanager
def flushed(path: Path, content: bytes) -> Iterator[Path]:
    """Put content on disk beside its place, under a name that nobody else has; what the body leaves of it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}{PARTIAL_SUFFIX}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def write_if_changed(path: Path, content: bytes) -> str:
    """Write like `write_atomic`, but leave an equal file untouched."""
    if size_of(path) == len(content) and path.read_bytes() == content:
        return checksum_of(content)
    return write_atomic(path, content)


def checksum_of(content: bytes) -> str:
    """Return `sha256:<hex>:<bytes>`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}:{len(content)}"


def checksum(path: Path) -> str:
    """Return `sha256:<hex>:<bytes>` of a file, read in blocks."""
    digest, size = hashlib.sha256(), 0
    for block in path.blocks(_BLOCK) if isinstance(path, ObjectPath) else _blocks(path):
        digest.update(block)
        size += len(block)
    return f"sha256:{digest.hexdigest()}:{size}"


def checksum_if_there(path: Path) -> str | None:
    """Return the checksum of a file; None when it is absent."""
    if isinstance(path, ObjectPath):
        with suppress(FileNotFoundError):
            return checksum(path)
        return None
    return checksum(path) if path.is_file() else None


def fetch(source: Path, target: Path) -> None:
    """Copy a file of a store to a place on this machine."""
    if not isinstance(source, ObjectPath):
        shutil.copyfile(source, target)
        return
    with target.open("wb") as file:
        file.writelines(source.blocks(_BLOCK))


def looks_like(path: Path, expected: str) -> bool:
    """Say whether a file is there with the size that its checksum promises: cheap enough for every rerun."""
    return size_of(path) == size_in(expected)


def size_in(checksum: str) -> int:
    """Return the bytes of a file that has a checksum."""
    return int(checksum.rsplit(":", 1)[1])


def size_of(path: Path) -> int | None:
    """Return the bytes of a file; None when it is absent, or a folder."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def stamp_of(path: Path) -> str | int | None:
    """Return what tells two versions of a file apart without reading it; None when it is absent."""
    if isinstance(path, ObjectPath):
        # the time of an object counts whole seconds
        return path.e_tag()
    return path.stat().st_mtime_ns if path.is_file() else None


def read_each(paths: Sequence[Path]) -> list[bytes | None]:
    """Return what each file holds; None for those that are absent."""
    return of_each(_read_or_none, paths)


def of_each(ask: Callable[[Path], Answer], paths: Sequence[Path]) -> list[Answer]:
    """Ask something of every file, in their order; of objects many at once, because each answer takes a while."""
    if len(paths) < 2 or not isinstance(paths[0], ObjectPath):
        return [ask(path) for path in paths]
    with ThreadPoolExecutor(min(len(paths), _AT_ONCE)) as pool:
        return list(pool.map(ask, paths))


def sweep_partials(folder: Path, name: str = "*") -> int:
    """Delete what killed writers of files of that name left under a folder; return how many files. Objects are never partial."""
    if isinstance(folder, ObjectPath):
        return 0
    partials = list(folder.rglob(f"{name}{PARTIAL_SUFFIX}")) if folder.is_dir() else []
    for partial in partials:
        partial.unlink(missing_ok=True)
    return len(partials)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _read_or_none(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
