"""What the stages share that turn surfaces into what a model saw: which tiles have one, zone by zone, and what a run would do with them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from catalog.facts.forecasts import Forecast
from catalog.facts.grids import Tile
from catalog.facts.records import Job, Outcome
from catalog.stores import ledger
from catalog.stores.jobs import mapped_tiles, unit_of
from catalog.stores.store import Store

STAGE = "surface"
Inputs = Callable[[Tile, Mapping[str, Outcome]], Mapping[str, Any]]
"""What goes into a tile, given the surfaces of all tiles: windows reach over its edges."""


def surfaces_of(store: Store, job: Job) -> dict[str, Outcome]:
    """Return the record of every surface of a region-year that left a product, by tile."""
    return {o.unit.tile: o for o in ledger.find_all(store, job.region, job.year, STAGE) if o.outputs}


def by_zone(job: Job, surfaces: Collection[str]) -> dict[int, list[Tile]]:
    """Return the tiles that have a surface, in order, by the EPSG code of their zone."""
    zones: dict[int, list[Tile]] = {}
    for tile in mapped_tiles(job):
        if tile.id in surfaces:
            zones.setdefault(tile.epsg, []).append(tile)
    return zones


def expect_from_surfaces(job: Job, stage: str, inputs: Inputs, forecast: Forecast) -> None:
    """Tell a forecast what a stage would make of every surface, and that it retires what has none any more."""
    surfaces = {o.unit.tile: o for o in forecast.outcomes(STAGE) if o.outputs}
    tiles = mapped_tiles(job)
    for tile in (tile for tile in tiles if tile.id in surfaces):
        forecast.expect(unit_of(job, tile.id, stage), inputs(tile, surfaces), maybe=forecast.is_new(surfaces[tile.id].unit))
    gone = (unit_of(job, tile.id, stage) for tile in tiles if tile.id not in surfaces)
    forecast.retire(gone, "it has no surface any more")
