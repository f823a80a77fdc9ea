"""Tables and surfaces of a store to a bulletin of which every claim is true."""

import logging
from pathlib import Path
from typing import Final

from catalog.facts.bulletins import DEFAULT_DESCRIBER, RULE, Bulletin, BulletinRequest, Surroundings, Teller
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.report_records import ReportTables
from catalog.facts.scene_facts import SceneFacts
from catalog.stores.report_tables import read_report_tables
from catalog.stores.scenes_of_regions import grid_around, grid_of_region, grid_of_tile, region_with, surface_on, year_wanted
from catalog.stores.store import Store, open_store
from catalog.stores.weights import read_describer, shipped_names
from models.describer.bulletin import bulletin_of
from models.describer.region_facts import facts_of_year, listed_lakes, observed_share_of, year_of

_LEAST_SEEN: Final = 0.5
"""Share of a scene that must have been observed for a describer to be asked about it."""
_log = logging.getLogger("cryoatlas.progress")


def write_bulletin(request: BulletinRequest, store: str) -> Bulletin:
    """Write the bulletin of a lake, a tile or a region: a question to a store, which needs no orchestrator.

    Raises WrongCall for what the store does not hold, WeightsUnfit or WeightsMissing for a describer that cannot be used.
    """
    opened = open_store(store)
    region = region_with(opened, request)
    year = year_wanted(opened, region, request.year)
    tables = read_report_tables(opened, region)
    grid = _grid(opened, request, tables, year)
    facts = facts_of_year(tables, year, grid, name=request.name, observed_share=_observed(opened, request, tables, year, grid))
    looked, teller = ([], Teller()) if request.model == RULE else _looked_at(opened, request, tables, facts)
    return bulletin_of(request, region, facts, looked, teller, year_of(tables, year).provenance)


def _grid(store: Store, request: BulletinRequest, tables: ReportTables, year: int) -> PixelGrid:
    if request.scope == "lake":
        return grid_around(tables, request.name, year)
    if request.scope == "tile":
        return grid_of_tile(store, tables.region.name, year, request.name)
    return grid_of_region(store, tables, year)


def _observed(store: Store, request: BulletinRequest, tables: ReportTables, year: int, grid: PixelGrid) -> float | None:
    """Share of the ground that was observed: of the pixels around a lake where the surface is there, else of its tiles."""
    if request.scope == "lake":
        cause = surface_on(store, tables.region.name, year, grid, ("cause",))
        return observed_share_of(tables, year, grid) if cause is None else float((cause["cause"] == 0).mean())
    return observed_share_of(tables, year, grid if request.scope == "tile" else None)


def _looked_at(store: Store, request: BulletinRequest, tables: ReportTables, facts: SceneFacts) -> tuple[list[Surroundings], Teller]:
    """What a describer says of the scenes around the lakes in question, or why none can be asked."""
    year, region = facts.whereabouts.year or 0, tables.region.name
    if not any(store.cube(region, year, 0).parent.glob("*.zarr")):
        return [], Teller(note=f"the store holds no surface of {region} {year}, so that no describer could look at it")
    if request.model == DEFAULT_DESCRIBER and DEFAULT_DESCRIBER not in shipped_names():
        return [], Teller(note=f"no {DEFAULT_DESCRIBER} comes with this version; give --model a folder of `cryoatlas train describe`")
    # a bulletin by rule must not wait ten seconds for torch and transformers
    from models.describer import describing  # noqa: PLC0415 - see above

    card, tensors, vocabulary = read_describer(request.model, Path(request.cache) if request.cache else None)
    loaded = describing.load(card, tensors, vocabulary, request.device or "auto")
    found, centers = [], _centers(request, facts)
    for number, center in enumerate(centers, 1):
        grid = grid_around(tables, center, year)
        seen = surface_on(store, region, year, grid, ("s2", "dem", "cause"))
        if seen is None or float((seen["cause"] == 0).mean()) < _LEAST_SEEN:
            _log.info("%s: too little was seen around it in %d for a describer", center, year)
            continue
        around, lakes = facts_of_year(tables, year, grid, name=center), listed_lakes(year_of(tables, year), center)
        found.append(describing.described(loaded, describing.asked_scene(seen["s2"], seen["dem"], lakes, around, grid, loaded.card)))
        _log.info("%s: scene %d of %d described", center, number, len(centers))
    return found, Teller(card.name, card.sha256)


def _centers(request: BulletinRequest, facts: SceneFacts) -> list[str]:
    if request.scope == "lake":
        return [request.name]
    return [lake.lake_id for lake in sorted(facts.lakes, key=lambda lake: -lake.area_m2)[: request.surroundings]]
