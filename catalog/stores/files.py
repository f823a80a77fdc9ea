"""Small files, whole or not at all; and the checksums that prove it."""

import errno
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.facts.errors import StoreFull, StoreNotWritable

PARTIAL_SUFFIX = ".partial"
"""What a killed writer leaves behind; never read, swept at the start of a run."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_BLOCK = 1 << 20


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn errors of the file system into ours: StoreFull when space runs out, StoreNotWritable when it refuses."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull(f"{path}: no space left. Free some and run the same command again; what is complete is kept.") from error
        if error.errno in _REFUSED:
            raise StoreNotWritable(f"{path}: {error.strerror}. Choose a --store you may write to.") from error
        raise


def write_atomic(path: Path, content: bytes) -> str:
    """Write a file so that it is whole or absent, even after a power cut; return its checksum."""
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
    if path.is_file() and path.read_bytes() == content:
        return checksum_of(content)
    return write_atomic(path, content)


def checksum_of(content: bytes) -> str:
    """Return `sha256:<hex>:<bytes>`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}:{len(content)}"


def checksum(path: Path) -> str:
    """Return `sha256:<hex>:<bytes>` of a file, read in blocks."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return f"sha256:{digest.hexdigest()}:{size}"


def looks_like(path: Path, expected: str) -> bool:
    """Say whether a file is there with the size that its checksum promises: cheap enough for every rerun."""
    size = int(expected.rsplit(":", 1)[1])
    return path.is_file() and path.stat().st_size == size


def sweep_partials(folder: Path, name: str = "*") -> int:
    """Delete what killed writers of files of that name left under a folder; return how many files."""
    partials = list(folder.rglob(f"{name}{PARTIAL_SUFFIX}")) if folder.is_dir() else []
    for partial in partials:
        partial.unlink(missing_ok=True)
    return len(partials)
