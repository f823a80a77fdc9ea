"""A publication in a bucket: who may write, and how a release appears whole where nothing is renamed.

A release is made on this machine, its objects are put under its own prefix and read back, and its manifest comes last, on the
condition that there is none: without it a release is not there, and the next call removes what a killed one left.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from catalog.facts.errors import LeaseBusy, ProductDamaged, WrongCall
from catalog.stores.files import checksum_if_there, write_if_changed
from catalog.stores.leases import held
from catalog.stores.objects import ObjectPath
from catalog.stores.store import Store
from catalog.stores.versioned import create_only, read_versioned, replace_if

_LEASE: Final = ".cryoatlas-lease"
_WAIT_S: Final = 3600.0
"""A call that publishes waits for another that does."""


class _Ground(Store):
    """A publication as leases know a store."""

    __slots__ = ()

    def lease(self, region: str, year: int | None) -> Path:  # noqa: ARG002 - one for all
        """Who publishes."""
        return self.root / _LEASE


@contextmanager
def writing_alone(root: ObjectPath, manifest: str) -> Iterator[None]:
    """Hold a publication in a bucket while the body runs; what killed calls left of releases is removed."""
    with held(_Ground(root), "publication", wait_s=_WAIT_S):
        for release in root.glob("*/releases/*"):
            if not (release / manifest).is_file():
                release.delete_all()
        yield


def upload(folder: Path, place: ObjectPath, files: Mapping[str, str], manifest: str) -> None:
    """Put the files of a folder under a prefix, read them back, and show them by their manifest.

    Raises ProductDamaged for an object that is not what was promised, WrongCall when the release appeared in the meantime.
    """
    for path, promise in files.items():
        if path != manifest:
            (place / path).send(folder / path)
            if checksum_if_there(place / path) != promise:
                raise ProductDamaged(f"{place / path} does not read back as it was written: publish again.")
    if create_only(place / manifest, (folder / manifest).read_bytes()) is None:
        raise WrongCall(f"Release {place} appeared while this call made it. Publish again.")


def put_document(path: Path, content: bytes) -> None:
    """Write a document of a catalog where it differs; in a bucket on the condition that it still is what was read.

    Raises LeaseBusy when somebody else wrote it in between.
    """
    if not isinstance(path, ObjectPath):
        write_if_changed(path, content)
        return
    found = read_versioned(path)
    if found is not None and found[0] == content:
        return
    if (create_only(path, content) if found is None else replace_if(path, content, found[1])) is None:
        raise LeaseBusy(f"{path} was written by another call at the same time. Publish again: it finishes what is there.")
