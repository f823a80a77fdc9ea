"""A publication in a folder or a bucket: where everything lies, who may write, what was published, and how a release appears whole.

DEST/catalog.json                                      the root of a static STAC catalog
DEST/models/<model>/<model>.json                       what mapped the inventories
DEST/<collection>/collection.json                      a target and region
DEST/<collection>/releases/<release>/                  one release; appears at once and holds `release.json`, its manifest
DEST/<collection>/releases/<release>/year=<year>/      one item with its files
"""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from catalog.facts.errors import ProductDamaged, StoreNewer, WrongCall
from catalog.facts.releases import PUBLICATION_VERSION
from catalog.stores.files import PARTIAL_SUFFIX, checksum, checksum_of, fetch, storage_errors, sweep_partials, write_atomic
from catalog.stores.objects import ObjectPath, first_look
from catalog.stores.objects import place as place_of
from catalog.stores.uploads import upload, writing_alone

MANIFEST: Final = "release.json"
RELEASES_TABLE: Final = "releases.parquet"
"""In every release: all releases of the region up to it. The collection leads to the newest."""
_CARD: Final = ".cryoatlas-publication"
_LOCK: Final = ".cryoatlas-lock"
_STAGING: Final = ".staging-"
Reached = Callable[[str], None]
"""Told the name of every step that was just done; tests end the program there."""


@dataclass(frozen=True, slots=True)
class Publication:
    """The root of a publication. Every path inside it is made here, or is written in a manifest."""

    root: Path

    def card(self) -> Path:
        """What says that this folder is a publication, and of which layout."""
        return self.root / _CARD

    def catalog(self) -> Path:
        """The root of the STAC catalog."""
        return self.root / "catalog.json"

    def collection(self, collection: str) -> Path:
        """The STAC collection of a target and region, or of models."""
        return self.root / collection / "collection.json"

    def releases(self, collection: str) -> Path:
        """Folder of all releases of a region."""
        return self.root / collection / "releases"

    def release(self, collection: str, release: str) -> Path:
        """Folder of one release."""
        return self.releases(collection) / release


def open_publication(location: str) -> Publication:
    """Open or name a publication, without writing; raises WrongCall for a place with files of others."""
    publication = Publication(place_of(location))
    root, card = publication.root, _read(publication.card())
    if card is not None:
        version = int(json.loads(card)["publication_version"])
        if version > PUBLICATION_VERSION:
            raise StoreNewer(f"{root}: published with layout {version}, this program knows up to {PUBLICATION_VERSION}. Upgrade cryoatlas.")
        return publication
    if root.exists() and not root.is_dir():
        raise WrongCall(f"DEST {root} is a file, not a folder. Choose another --to.")
    foreign = sorted(path.name for path in root.iterdir() if not path.name.endswith(PARTIAL_SUFFIX)) if root.is_dir() else []
    if foreign:
        raise WrongCall(
            f"DEST {root} holds files that no `cryoatlas publish` wrote, {foreign[0]!r} for one. Choose an empty folder, or a new one."
        )
    return publication


@contextmanager
def writing(publication: Publication) -> Iterator[None]:
    """Hold a publication while the body runs, made if need be; a process that dies lets go. What killed ones left is swept."""
    with storage_errors(publication.root):
        publication.root.mkdir(parents=True, exist_ok=True)
        if not publication.card().is_file():
            write_atomic(publication.card(), json.dumps({"publication_version": PUBLICATION_VERSION}).encode())
        if isinstance(publication.root, ObjectPath):
            with writing_alone(publication.root, MANIFEST):
                yield
            return
        with (publication.root / _LOCK).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            for leftover in publication.root.glob(f"*/releases/{_STAGING}*"):
                shutil.rmtree(leftover)
            sweep_partials(publication.root)
            yield


def collections_in(publication: Publication) -> tuple[str, ...]:
    """Names of the collections of regions that hold a release."""
    return tuple(sorted({path.parent.parent.parent.name for path in publication.root.glob(f"*/releases/[!.]*/{MANIFEST}")}))


def manifests_of(publication: Publication, collection: str) -> tuple[dict[str, Any], ...]:
    """Manifests of all releases of a region, oldest first."""
    found = [json.loads(path.read_bytes()) for path in publication.releases(collection).glob(f"[!.]*/{MANIFEST}")]
    return tuple(sorted(found, key=lambda manifest: int(manifest["sequence"])))


@dataclass(frozen=True, slots=True)
class Staging:
    """A release that nobody sees yet: a folder beside its place, on the same file system; for a bucket, on this machine."""

    folder: Path
    place: Path
    reached: Reached

    def copy(self, source: Path, path: str, *, promised: str = "") -> str:
        """Copy a file; return its checksum. Raises ProductDamaged when it is not what was promised."""
        target = self._made(path)
        with storage_errors(target):
            fetch(source, target)
        found = checksum(target)
        if promised and found != promised:
            raise ProductDamaged(f"{source} is not what its record says. Find what else is damaged with `cryoatlas audit --checksums`.")
        self.reached(f"copied {path}")
        return found

    def write(self, path: str, content: bytes) -> str:
        """Write a file; return its checksum. Like all of a release it is flushed to disk at once, before anybody sees it."""
        target = self._made(path)
        with storage_errors(target):
            target.write_bytes(content)
        self.reached(f"wrote {path}")
        return checksum_of(content)

    def path(self, path: str) -> Path:
        """Where a file lies that a library writes itself."""
        return self._made(path)

    def appear(self, files: Mapping[str, str]) -> None:
        """Flush everything, read it back, and make the release visible at once. Raises ProductDamaged for a file that differs."""
        if isinstance(self.place, ObjectPath):
            upload(self.folder, self.place, files, MANIFEST)
            self.reached("visible")
            return
        with storage_errors(self.folder):
            for written in sorted(self.folder.rglob("*"), reverse=True):
                flush(written)
            flush(self.folder)
            self.reached("flushed")
            for path, promise in files.items():
                if not (self.folder / path).is_file() or checksum(self.folder / path) != promise:
                    raise ProductDamaged(f"{self.place / path} does not read back as it was written: check the disk, then publish again.")
            self.reached("verified")
            self.folder.rename(self.place)
            flush(self.place.parent)
        self.reached("visible")

    def _made(self, path: str) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


@contextmanager
def staged(place: Path, reached: Reached) -> Iterator[Staging]:
    """Make a folder for a release that shall appear at `place`; it goes away unless the release appeared."""
    if isinstance(place, ObjectPath):
        with TemporaryDirectory(prefix=_STAGING) as made:
            yield Staging(Path(made), place, reached)
        return
    folder = place.with_name(f"{_STAGING}{place.name}-{uuid.uuid4().hex[:8]}")
    with storage_errors(folder):
        folder.mkdir(parents=True)
    try:
        yield Staging(folder, place, reached)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def flush(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(card: Path) -> bytes | None:
    if not isinstance(card, ObjectPath):
        return card.read_bytes() if card.is_file() else None
    try:
        return first_look(card)
    except FileNotFoundError:
        return None


def refuse_inside(publication: Publication, store_root: Path) -> None:
    """Raise WrongCall when a publication would lie inside the store that it is made from, or the other way round."""
    if publication.root.is_relative_to(store_root) or store_root.is_relative_to(publication.root):
        raise WrongCall(f"DEST {publication.root} and the store {store_root} lie inside each other. Choose another --to.")
