"""The log of a run: lines added one by one, whole after a `kill -9`, and never larger than it may be."""

from pathlib import Path
from typing import Final

from catalog.stores.files import storage_errors
from catalog.stores.objects import ObjectPath

LARGEST_BYTES: Final = 16_000_000
"""About 60 000 units; then only what is not a unit is added, and at twice the size nothing."""
_FULL: Final = b'{"event":"log full","message":"units are left out from here; the ledger has them"}\n'


class RunLog:
    """Appends to a file of a file system; an object cannot be added to, so it is written anew at every `flush`."""

    def __init__(self, largest_bytes: int = LARGEST_BYTES) -> None:
        """Keep lines until there is a place for them: the store may not exist yet."""
        self._path: Path | None = None
        self._largest, self._size = largest_bytes, 0
        self._kept: list[bytes] = []

    def place(self, path: Path) -> None:
        """Write to a path from now on, what was added before first."""
        self._path = path
        self.flush()

    def add(self, line: bytes, *, unit: bool) -> None:
        """Add a line; one about a single unit gives way first when the log grows too large."""
        limit = self._largest if unit else 2 * self._largest
        if self._size > limit:
            return
        if unit and self._size + len(line) > limit:
            line = _FULL
            self._size = limit
        self._size += len(line)
        self._kept.append(line)
        if self._path is not None and not isinstance(self._path, ObjectPath):
            self.flush()

    def flush(self) -> None:
        """Bring what was added to the store."""
        if self._path is None or not self._kept:
            return
        if isinstance(self._path, ObjectPath):
            self._path.write_bytes(b"".join(self._kept))
            return
        with storage_errors(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # one write of a whole line: another process that reads sees no half of it but at the very end
            with self._path.open("ab") as file:
                file.write(b"".join(self._kept))
        self._kept.clear()
