"""What a job's region, tiles and units are, as the store keeps them."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import shapely
from shapely.geometry import GeometryCollection
from shapely.geometry.base import BaseGeometry

from catalog.facts.errors import WrongCall
from catalog.facts.grids import Tile
from catalog.facts.records import Job, Target, Unit
from catalog.facts.regions import Region
from catalog.facts.territory import Territory, territory_of
from catalog.stores.files import stamp_of, sweep_partials, write_if_changed
from catalog.stores.glaciers import find_glaciers, keep_glaciers
from catalog.stores.objects import place
from catalog.stores.regions import family_of, find_region, read_region, to_geojson
from catalog.stores.store import Store, open_store, read_card

REGION_UNIT = "region"
"""Stands in place of a tile ID for stages that work on a whole region-year."""


def create_job(region: str, year: int, location: str, outlines: str | None) -> Job:
    """Resolve the region, open or create the store, and keep both the region and the glacier outlines in it.

    Raises WrongCall when the store already holds another region of that name.
    """
    found = region_asked_for(region, location)
    store = open_store(location, create=True)
    path = store.region(found.name)
    content = to_geojson(found)
    if path.is_file() and path.read_bytes() != content:
        raise WrongCall(f"Region {found.name!r}: {path} holds another region of that name. Rename one, or use another --store.")
    write_if_changed(path, content)
    if outlines is not None:
        keep_glaciers(store, found, outlines)
    return Job(found.name, year, found.target, str(store.root))


def region_asked_for(region: str, location: str) -> Region:
    """Return the region that a call means: as the store knows it, else bundled, a file or a box; writes nothing."""
    return find_region(region) if _is_new(region, location) else stored_region(open_store(location), region)


def _is_new(region: str, location: str) -> bool:
    # a region once mapped is known by its name alone, so that reruns need no file
    return "/" in region or not Store(place(location)).region(region).is_file()


def stored_region(store: Store, region: str) -> Region:
    """Return a region as it was mapped into a store; raises WrongCall naming the regions that are there."""
    path = store.region(region)
    stamp = stamp_of(path)
    if stamp is None:
        there = ", ".join(stored_regions(store)) or "none yet"
        raise WrongCall(f"Region {region!r} is not in {store.root}. There: {there}.")
    return _read_cached(path, stamp)


@lru_cache(maxsize=64)
def _read_cached(path: Path, stamp: str | int) -> Region:  # noqa: ARG001 - part of the cache's key
    return read_region(path)


def stored_regions(store: Store) -> tuple[str, ...]:
    """Names of the regions that a store holds."""
    return tuple(sorted(path.stem for path in (store.root / "regions").glob("*.geojson")))


def years_with(store: Store, target: Target, region: str) -> tuple[int, ...]:
    """Years of which the store holds an inventory, ascending."""
    folder = store.inventory(target, region, 0).parent.parent
    return tuple(sorted(int(path.parent.name.removeprefix("year=")) for path in folder.glob("year=*/part.parquet")))


def years_begun(store: Store, region: str) -> tuple[int, ...]:
    """Years that were asked for, or of which the ledger or the receipts hold any record, ascending."""
    folders = (store.ledger(region, 0).parent, store.receipts(region, 0).parent)
    recorded = {int(path.name) for folder in folders for path in folder.glob("[0-9]*") if path.is_dir()}
    return tuple(sorted(recorded | {int(path.stem) for path in store.request(region, 0).parent.glob("[0-9]*.json")}))


def region_of(job: Job) -> Region:
    """Region of a job."""
    return stored_region(open_store(job.store), job.region)


def outlines_of(job: Job) -> BaseGeometry | None:
    """Glacier outlines given by the user (EPSG:4326), or None."""
    store = open_store(job.store)
    glaciers = find_glaciers(store, job.region)
    if glaciers is not None:
        # a collection needs no valid union, which inventories often do not allow
        return GeometryCollection(list(shapely.get_parts(glaciers.outlines)))
    # stores made before outlines were kept with their IDs
    path = store.region(job.region).with_suffix(".outlines.wkb")
    return shapely.from_wkb(path.read_bytes()) if path.is_file() else None


def territory(job: Job) -> Territory:
    """Tiles of a job, zone by zone."""
    region = region_of(job)
    return territory_of(region, family_of(region), chips_of(open_store(job.store)))


def chips_of(store: Store) -> int:
    """Chips along one side of the store's tiles; 10 unless a test made it otherwise."""
    return int(read_card(store).get("chips_per_tile", 10))


def mapped_tiles(job: Job, epsg: int | None = None) -> tuple[Tile, ...]:
    """Tiles that are mapped, in all zones or in one, in a fixed order."""
    region = region_of(job)
    return _mapped(region, family_of(region), chips_of(open_store(job.store)), epsg)


@lru_cache(maxsize=256)  # every tile of a stage asks for them, and sorting ten thousand each time would grow with their square
def _mapped(region: Region, family: tuple[Region, ...], chips: int, epsg: int | None) -> tuple[Tile, ...]:
    return tuple(tile for zone in territory_of(region, family, chips).zones if epsg in (None, zone.epsg) for tile in sorted(zone.tiles))


@lru_cache(maxsize=16)
def _by_id(region: Region, family: tuple[Region, ...], chips: int) -> Mapping[str, Tile]:
    return {tile.id: tile for tile in _mapped(region, family, chips, None)}


def tile_of(job: Job, tile_id: str) -> Tile:
    """Return a tile of the job by its ID; raises WrongCall when the region does not map it."""
    region = region_of(job)
    tile = _by_id(region, family_of(region), chips_of(open_store(job.store))).get(tile_id)
    if tile is not None:
        return tile
    raise WrongCall(f"Tile {tile_id} is not mapped for region {job.region!r}. See `cryoatlas regions show {job.region}`.")


def unit_of(job: Job, tile: str, stage: str) -> Unit:
    """Ledger key of a tile (or of the region) in a stage."""
    return Unit(job.region, job.year, tile, stage)


def refusals(job: Job, added: Sequence[str]) -> frozenset[str]:
    """Return the scenes that the operator refused for this region, now or earlier; kept until their file is deleted."""
    known, together = refused_for(job, ()), refused_for(job, added)
    if together != known:
        write_if_changed(_refused_path(open_store(job.store), job.region), json.dumps(sorted(together), indent=1).encode())
    return together


def refused_for(job: Job, added: Sequence[str]) -> frozenset[str]:
    """Return the scenes that the operator refused for this region earlier, and these, without remembering them."""
    path = _refused_path(open_store(job.store), job.region)
    return (frozenset(json.loads(path.read_bytes())) if path.is_file() else frozenset()) | frozenset(added)


def sweep(job: Job) -> None:
    """Delete what a killed run of this region-year left half-written; only for who holds its lease, other years may be at work."""
    store, year = open_store(job.store), f"{job.year}.*"
    whole_folders = (
        store.cube(job.region, job.year, 0).parent,
        store.probability(job.target, job.region, job.year, 0).parent,
        store.outlines(job.target, job.region, job.year, "").parent,
        store.instances(job.target, job.region, job.year, "").parent,
        store.counts(job.target, job.region, job.year).parent,
        store.counts(job.target, job.region, job.year, cells=True).parent,
        store.inventory(job.target, job.region, job.year).parent,
        store.coverage(job.region, job.year).parent,
        store.ledger(job.region, job.year),
        store.receipts(job.region, job.year),
    )
    for folder in whole_folders:
        sweep_partials(folder)
    sweep_partials(store.scenes(job.region, job.year).parent, year)
    sweep_partials(store.features(job.target, job.region, job.year).parent, year)
    sweep_partials(store.glaciers(job.region).parent, f"{job.region}.*")


def sweep_shared(store: Store, target: Target, region: str) -> None:
    """Delete what a killed run left half-written of what the years of a region share; only for who holds the lease of the region."""
    sweep_partials(store.identity(target, region).parent, f"{region}.*")


def _refused_path(store: Store, region: str) -> Path:
    return store.region(region).with_suffix(".refused.json")
