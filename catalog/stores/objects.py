"""Objects of a bucket as paths: what reads and writes a file by its path reads and writes an object the same way.

An object is whole or absent: it appears, and is replaced, by one request. There are no folders, only keys that begin alike.
Libraries that open files themselves must be given bytes: a path of an object refuses to be taken for one of this machine.
"""

import io
import os
import re
import stat
from collections.abc import Generator, Iterable
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PosixPath
from typing import IO, Any, Final, NoReturn, Self

from obstore.store import ObjectStore

from catalog.facts.errors import WrongCall
from catalog.stores.buckets import bucket_of, our_errors

_COLON: Final = re.compile(r"^(\w+):/(?=[^/])")
_PART: Final = 64 << 20
_WILD: Final = re.compile(r"[*?\[]")


class ObjectPath(PosixPath):
    """`s3://bucket/key`, or of another scheme; equal, ordered, hashed and sent to other processes by its text."""

    def __str__(self) -> str:
        """Return the URL; pathlib made one of its slashes."""
        return _COLON.sub(r"\1://", super().__str__())

    def __fspath__(self) -> NoReturn:
        """Refuse: a library would open, or write, a file of that name on this machine."""
        raise TypeError(f"{self} is no file of this machine")

    @cached_property
    def bucket(self) -> ObjectStore:
        """Where the object lies."""
        return bucket_of(self.bucket_url)

    @property
    def bucket_url(self) -> str:
        """URL of the bucket."""
        return f"{self.parts[0]}//{self.parts[1] if self.parts[1:] else ''}"

    @property
    def key(self) -> str:
        """Name of the object in its bucket."""
        return "/".join(self.parts[2:])

    def absolute(self) -> Self:
        """Return itself, as all that asks for a place on this machine."""
        return self

    def resolve(self, strict: bool = False) -> Self:  # noqa: ARG002
        """Return itself."""
        return self

    def expanduser(self) -> Self:
        """Return itself."""
        return self

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:  # noqa: ARG002
        """Return size and time of the object; raises FileNotFoundError."""
        if not self.key:
            raise FileNotFoundError(f"{self} is a bucket")
        with our_errors(str(self)):
            meta = self.bucket.head(self.key)
        changed = meta["last_modified"].timestamp()
        return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, meta["size"], int(changed), int(changed), int(changed)))

    def e_tag(self) -> str | None:
        """Return what changes with every write of other content; None when the object is absent."""
        try:
            with our_errors(str(self)):
                return self.bucket.head(self.key)["e_tag"]
        except FileNotFoundError:
            return None

    def is_file(self) -> bool:
        """Say whether there is such an object."""
        with suppress(FileNotFoundError):
            return self.stat().st_size >= 0
        return False

    def is_dir(self) -> bool:
        """Say whether keys begin with this one."""
        with our_errors(str(self)):
            return any(batch for batch in self.bucket.list(self._prefix(), chunk_size=1))

    def exists(self) -> bool:
        """Say whether there is an object, or keys that begin with this one."""
        return self.is_file() or self.is_dir()

    def read_bytes(self) -> bytes:
        """Return the object; raises FileNotFoundError."""
        with our_errors(str(self)):
            return bytes(self.bucket.get(self.key).bytes())

    def blocks(self, size: int) -> Generator[bytes, None, None]:
        """Yield the object in parts of about a size, by one request; raises FileNotFoundError."""
        with our_errors(str(self)):
            for part in self.bucket.get(self.key).stream(min_chunk_size=size):
                yield bytes(part)

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        """Return the object as text."""
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def write_bytes(self, data: Any) -> int:
        """Write the whole object by one request."""
        content = bytes(data)
        with our_errors(str(self)):
            self.bucket.put(self.key, content, use_multipart=False)
        return len(content)

    def send(self, source: Path) -> None:
        """Write a file of this machine as the whole object; a large one in parts, of which nobody sees any before the last."""
        with our_errors(str(self)):
            self.bucket.put(self.key, source, use_multipart=source.stat().st_size > _PART, chunk_size=_PART)

    def delete_all(self) -> None:
        """Delete every object below."""
        keys = [path.key for path, _ in self.listed()]
        with our_errors(str(self)):
            self.bucket.delete(keys)

    def open(self, mode: str = "r", *arguments: Any, **options: Any) -> IO[Any]:  # type: ignore[override] # noqa: ARG002
        """Return the object as a file to read; it is fetched whole. An object is written whole too, by `write_bytes`."""
        if mode == "rb":
            return io.BytesIO(self.read_bytes())
        if mode == "r":
            return io.StringIO(self.read_text())
        raise io.UnsupportedOperation(f"{self}: an object is not opened with mode {mode!r}, it is written whole")

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: ARG002
        """Delete the object; services do not say whether it was there."""
        with suppress(FileNotFoundError), our_errors(str(self)):
            self.bucket.delete(self.key)

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Do nothing: keys need no folder."""

    def rename(self, target: Any) -> NoReturn:
        """Refuse: an object does not move."""
        raise io.UnsupportedOperation(f"{self}: an object is not renamed, to {target}")

    def replace(self, target: Any) -> NoReturn:
        """Refuse: an object does not move."""
        self.rename(target)

    def iterdir(self) -> Generator[Self, None, None]:
        """Yield objects and folders right below, ordered."""
        with our_errors(str(self)):
            found = self.bucket.list_with_delimiter(self._prefix())
        names = [*found["common_prefixes"], *(meta["path"] for meta in found["objects"])]
        yield from sorted(self / name.rstrip("/").rpartition("/")[2] for name in names)

    def rglob(self, pattern: str) -> Generator[Self, None, None]:
        """Yield every object below whose name fits, ordered."""
        yield from (path for path, _ in self.listed() if fnmatchcase(path.name, pattern))

    def glob(self, pattern: str) -> Generator[Self, None, None]:
        """Yield the objects and folders that fit a pattern without `**`, ordered; each part with a wildcard lists its folders once."""
        found: Iterable[Self] = (self,)
        parts = pattern.split("/")
        for part in parts:
            if _WILD.search(part):
                found = [path for folder in found for path in folder.iterdir() if fnmatchcase(path.name, part)]
            else:
                found = [folder / part for folder in found]
        last_is_given = not _WILD.search(parts[-1])
        yield from ([path for path in found if path.exists()] if last_is_given else found)

    def listed(self) -> tuple[tuple[Self, int], ...]:
        """Return every object below with its size, ordered: one request per 1000."""
        root = type(self)(*self.parts[:2])
        with our_errors(str(self)):
            metas = [meta for batch in self.bucket.list(self._prefix()) for meta in batch]
        return tuple(sorted((root / meta["path"], meta["size"]) for meta in metas))

    def _prefix(self) -> str | None:
        return f"{self.key}/" if self.key else None


def place(location: str) -> Path:
    """Return the path of a location: a URL, `file://` and a path, or a path, absolute. Raises WrongCall for an unknown scheme."""
    scheme, separator, rest = location.partition("://")
    if not separator or scheme == "file":
        return Path(rest if separator else location).expanduser().absolute()
    path = ObjectPath(f"{scheme}:/{rest}")
    _ = path.bucket
    return path


def local_path(location: str) -> Path:
    """Return the path of what is read and written on this machine only; raises WrongCall for a URL."""
    path = place(location)
    if isinstance(path, ObjectPath):
        raise WrongCall(f"{location!r}: this is kept on this machine only, not in an object store. Give a path.")
    return path


def first_look(path: ObjectPath) -> bytes:
    """Read an object without much patience, so that a wrong call is told soon; raises FileNotFoundError."""
    with our_errors(str(path)):
        return bytes(bucket_of(path.bucket_url, hasty=True).get(path.key).bytes())
