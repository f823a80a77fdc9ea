"""What Zarr reads and writes a cube through: a folder, or the keys of a bucket that begin alike."""

from pathlib import Path
from typing import Any

from zarr.core.buffer import Buffer
from zarr.storage import ObjectStore

from catalog.stores.buckets import bucket_of
from catalog.stores.objects import ObjectPath


class WholeObjects(ObjectStore[Any]):
    """Writes every object by one request; by default 5 MB go at a time, which costs ten requests for a shard and as much for each."""

    async def set(self, key: str, value: Buffer) -> None:
        """Write an object."""
        self._check_writable()
        await self.store.put_async(key, value.as_buffer_like(), use_multipart=False)


def zarr_store(path: Path) -> Path | WholeObjects:
    """Return a store that Zarr and xarray open a cube by."""
    # a bucket of its own that begins at the cube: of folders above it Zarr would make groups
    return WholeObjects(bucket_of(str(path))) if isinstance(path, ObjectPath) else path
