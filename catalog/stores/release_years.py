"""What a store knows of a region-year that a release tells: its scenes, its span of time, its ground and what that lacks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any, Final

from catalog.facts.grids import CHIP_PX, PIXEL_M
from catalog.facts.publication import UsedScene
from catalog.facts.records import Job, Target
from catalog.facts.releases import Gap
from catalog.facts.seasons import season_of_region
from catalog.facts.sources import SOURCES
from catalog.stores import ledger
from catalog.stores.completeness import Completeness
from catalog.stores.jobs import region_of, territory
from catalog.stores.selections import read_choices
from catalog.stores.store import Store
from catalog.stores.tables import read_table

_CHIP_KM2: Final = (CHIP_PX * PIXEL_M / 1000) ** 2
_IDENTITY: Final = ("id", "collection", "links", "provider")
_ELEVATION: Final = "dem"


def used_scenes(store: Store, region: str, year: int) -> tuple[UsedScene, ...]:
    """Every scene that went into a region-year, elevation too, ordered by time and ID, with the address of its item."""
    path = store.scenes(region, year)
    rows = read_table(path, _IDENTITY).to_pylist()
    addresses = {(row["provider"], row.get("collection"), row["id"]): _address(row) for row in rows}
    scenes = {(c.scene.provider, c.scene.collection, c.scene.id): c.scene for c in read_choices(path) if c.used}
    found = [UsedScene(scene.id, scene.sensor, scene.acquired, addresses.get(key, "")) for key, scene in scenes.items()]
    return tuple(sorted(found, key=lambda scene: (scene.acquired, scene.id)))


def _address(row: Mapping[str, Any]) -> str:
    own = next((str(link["href"]) for link in row.get("links") or () if link and link["rel"] == "self"), "")
    known = SOURCES.get(row["provider"])
    return own or (f"{known.endpoint}/collections/{row['collection']}/items/{row['id']}" if known else "")


def span_of(job: Job, scenes: Sequence[UsedScene]) -> tuple[datetime, datetime]:
    """First and last acquisition that was used; the season where none was."""
    times = [scene.acquired for scene in scenes if scene.sensor != _ELEVATION]
    if times:
        return min(times), max(times)
    season = season_of_region(region_of(job), job.year)
    return datetime.combine(season.start, time.min, UTC), datetime.combine(season.end, time.max, UTC).replace(microsecond=0)


def gaps_of(job: Job, standing: Completeness) -> tuple[Gap, ...]:
    """Return the holes of a region-year with the mapped ground (km2) that each concerns."""
    grounds = {tile.id: float(zone.chip_mask(tile).sum()) * _CHIP_KM2 for zone in territory(job).zones for tile in zone.tiles}
    whole = sum(grounds.values())
    return tuple(
        Gap(standing.year, hole.tile, hole.stage, hole.why, hole.message, round(grounds.get(hole.tile, whole), 1))
        for hole in standing.holes
    )


def ground_km2(job: Job) -> float:
    """Return the mapped ground of a region."""
    return sum(float(zone.chip_mask(tile).sum()) * _CHIP_KM2 for zone in territory(job).zones for tile in zone.owned)


def coverage_faults(store: Store, job: Job) -> tuple[str, ...]:
    """Return where coverage is older than the ledger that it is made from: a run ended between them."""
    outcomes = {(o.unit.tile, o.unit.stage): o for o in ledger.find_all(store, job.region, job.year)}
    written = {row["tile"]: row["state"] for row in read_table(store.coverage(job.region, job.year), ["tile", "state"]).to_pylist()}
    mapped = [tile.id for zone in territory(job).zones for tile in zone.tiles]
    last = {tile: outcomes.get((tile, "surface")) or outcomes.get((tile, "scenes")) for tile in mapped}
    differ = [tile for tile in sorted({*mapped, *written}) if (o := last.get(tile)) is None or written.get(tile) != str(o.state)]
    if not differ:
        return ()
    return (f"{job.year}: coverage of tile {differ[0]} is older than the ledger ({len(differ)} tiles); run `cryoatlas run` again",)


def raster_promises(store: Store, region: str, year: int) -> dict[str, str]:
    """Checksums of everything that rasters of a release are made from, by the path of the shard."""
    wanted = ("segment", "surface")
    return {path: sum_ for o in ledger.find_all(store, region, year) if o.unit.stage in wanted for path, sum_ in o.outputs.items()}


def glacier_names(store: Store, target: Target, region: str, years: Sequence[int]) -> frozenset[str]:
    """Names of the glaciers that inventories refer to; none where no outlines were given."""
    if target != "lakes":
        return frozenset()
    columns = [read_table(store.inventory(target, region, year), ["glacier_id"]).column("glacier_id") for year in years]
    return frozenset(name for column in columns for name in column.to_pylist() if name is not None)
