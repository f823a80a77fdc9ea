"""Where everything lies in a store, and whether this program may use it."""

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from catalog.facts.errors import StoreNewer, StoreNotWritable, WrongCall
from catalog.facts.records import Target
from catalog.facts.schemas import SCHEMA_VERSION
from catalog.stores import conditions
from catalog.stores.files import storage_errors, write_atomic
from catalog.stores.objects import ObjectPath, first_look, place

_CARD = "store.json"


@dataclass(frozen=True, slots=True)
class Store:
    """The root of a store. Every path inside it is made here and nowhere else."""

    root: Path

    def card(self) -> Path:
        """What says that this folder is a store, and of which schema."""
        return self.root / _CARD

    def region(self, region: str) -> Path:
        """The region as it was when it was mapped."""
        return self.root / "regions" / f"{region}.geojson"

    def scenes(self, region: str, year: int) -> Path:
        """Scenes considered for a region-year (stac-geoparquet)."""
        return self.root / "scenes" / region / f"{year}.parquet"

    def cube(self, region: str, year: int, epsg: int) -> Path:
        """Surface cube of one zone."""
        return self.root / "cubes" / region / str(year) / f"{epsg}.zarr"

    def probability(self, target: Target, region: str, year: int, epsg: int) -> Path:
        """Probability of the target in one zone."""
        return self.root / "probability" / target / region / str(year) / f"{epsg}.zarr"

    def instances(self, target: Target, region: str, year: int, tile: str) -> Path:
        """What a detector found in the windows of one tile."""
        return self.root / "instances" / target / region / str(year) / f"{tile}.parquet"

    def outlines(self, target: Target, region: str, year: int, tile: str) -> Path:
        """Pixel runs of one tile."""
        return self.root / "outlines" / target / region / str(year) / f"{tile}.parquet"

    def features(self, target: Target, region: str, year: int) -> Path:
        """Joined and measured features of a region-year, without names yet."""
        return self.root / "features" / target / region / f"{year}.parquet"

    def identity(self, target: Target, region: str) -> Path:
        """Every name ever given in a region, with the footprints it was given for."""
        return self.root / "identity" / target / f"{region}.parquet"

    def inventory(self, target: Target, region: str, year: int) -> Path:
        """The inventory that users read."""
        return self.root / "inventory" / target / f"region={region}" / f"year={year}" / "part.parquet"

    def coverage(self, region: str, year: int) -> Path:
        """One row per tile: what was observed."""
        return self.root / "coverage" / f"region={region}" / f"year={year}" / "part.parquet"

    def counts(self, target: Target, region: str, year: int, *, cells: bool = False) -> Path:
        """How many features observed ground holds, of the region, or per H3 cell."""
        return self.root / "counts" / (f"{target}_h3" if cells else target) / f"region={region}" / f"year={year}" / "part.parquet"

    def tracks(self, target: Target, region: str, table: str) -> Path:
        """A table through the years of a region: `tracks`, `events`, `changes`, `change_shapes`, `trends`, `totals`, ..."""
        return self.root / table / target / f"region={region}" / "part.parquet"

    def matches(self, target: Target, region: str, year: int, inventory: str) -> Path:
        """Our features of a year beside those of another inventory."""
        return self.root / "matches" / target / f"region={region}" / f"year={year}" / f"{inventory}.parquet"

    def edits(self, target: Target, region: str) -> Path:
        """What people decided about features of a region."""
        return self.root / "edits" / target / f"{region}.geojson"

    def edits_status(self, target: Target, region: str, year: int) -> Path:
        """What became of the edits when the inventory of a year was written."""
        return self.root / "edits_status" / target / f"region={region}" / f"year={year}" / "part.parquet"

    def accuracy(self, target: Target, region: str, year: int) -> Path:
        """How right an inventory is, by a sample that people checked."""
        return self.root / "accuracy" / target / f"region={region}" / f"year={year}.json"

    def glaciers(self, region: str) -> Path:
        """Glacier outlines with their IDs, as the user gave them."""
        return self.root / "regions" / f"{region}.glaciers.parquet"

    def report(self, region: str) -> Path:
        """The page of a region."""
        return self.root / "reports" / f"{region}.html"

    def pictures(self, region: str) -> Path:
        """Folder of the pictures of a region."""
        return self.root / "pictures" / region

    def ledger(self, region: str, year: int) -> Path:
        """Folder of the records of a region-year."""
        return self.root / "ledger" / region / str(year)

    def receipts(self, region: str, year: int) -> Path:
        """Folder of the copies of those records that are kept with the products."""
        return self.root / "receipts" / region / str(year)

    def lease(self, region: str, year: int | None) -> Path:
        """Who is at work on a region-year, or (year None) on what the years of a region share."""
        return self.leases() / region / f"{'region' if year is None else year}.json"

    def leases(self) -> Path:
        """Folder of all leases."""
        return self.root / "leases"

    def request(self, region: str, year: int) -> Path:
        """What was asked for when a region-year was mapped."""
        return self.root / "requests" / region / f"{year}.json"

    def backfills(self) -> Path:
        """Folder of the receipts of backfills."""
        return self.root / "backfills"

    def run_record(self, invocation: str) -> Path:
        """What one invocation of the program did."""
        return self.runs() / f"{invocation}.json"

    def run_log(self, invocation: str) -> Path:
        """What one invocation told on its way, a line each."""
        return self.runs() / f"{invocation}.jsonl"

    def runs(self) -> Path:
        """Folder of the records of invocations."""
        return self.root / "runs"

    def audits(self) -> Path:
        """Folder of what scheduled audits found."""
        return self.root / "audits"

    def policy(self) -> Path:
        """How much must be observed, and how long late scenes are waited for."""
        return self.root / "policy.json"

    def relative(self, path: Path) -> str:
        """A path as the ledger writes it."""
        return path.relative_to(self.root).as_posix()


def open_store(location: str, *, create: bool = False) -> Store:
    """Open a store by its path or URL; raises WrongCall, StoreNewer, StoreNotWritable or SourceUnavailable with the way out."""
    store = Store(place(location))
    card = _card_of(store)
    if card is None and not create:
        raise WrongCall(f"Store {location!r}: no store here. Make one with `cryoatlas run --store {location} ...`.")
    if card is None:
        _create(store)
    else:
        _refuse_newer(store, card)
    if create:
        _probe(store)
    return store


def read_card(store: Store) -> dict[str, Any]:
    """Return what a store says of itself."""
    return dict(json.loads(_card_of(store) or b"{}"))


def _card_of(store: Store) -> bytes | None:
    if isinstance(store.root, ObjectPath):
        with suppress(FileNotFoundError):
            return _met(store.root)
        return None
    return store.card().read_bytes() if store.card().is_file() else None


@lru_cache(maxsize=64)
def _met(root: ObjectPath) -> bytes:
    # looked at once in a process: every unit of work opens its store, and over a network that adds up
    return first_look(root / _CARD)


def _refuse_newer(store: Store, card: bytes) -> None:
    version = int(json.loads(card)["schema_version"])
    if version > SCHEMA_VERSION:
        raise StoreNewer(f"{store.root}: written with schema {version}, this program knows up to {SCHEMA_VERSION}. Upgrade cryoatlas.")


def _create(store: Store) -> None:
    if store.root.exists() and not store.root.is_dir():
        raise StoreNotWritable(f"{store.root} is a file, not a folder. Choose another --store.")
    try:
        write_atomic(store.card(), json.dumps({"schema_version": SCHEMA_VERSION}).encode())
    except OSError as error:
        raise StoreNotWritable(f"{store.root} cannot be made: {error.strerror}. Choose another --store.") from error


def _probe(store: Store) -> None:
    if isinstance(store.root, ObjectPath):
        conditions.refuse_unconditional(store.root / _CARD, store.card().read_bytes())
        return
    # os.access lies on network file systems and to root; a file that can be made cannot
    probe = store.root / ".writable"
    with storage_errors(probe):
        probe.touch()
        probe.unlink()
