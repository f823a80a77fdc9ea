"""What of a store a question is about: which region, which years, which tile, and the features that are there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import geopandas as gpd
import shapely

from catalog.facts.ask_records import AskRequest
from catalog.facts.attribute_queries import NAMES
from catalog.facts.errors import WrongCall
from catalog.facts.grids import parse_tile
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.records import Target
from catalog.stores.jobs import stored_region, stored_regions, years_with
from catalog.stores.report_tables import read_report_tables
from catalog.stores.scenes_of_regions import grid_of_region, grid_of_tile
from catalog.stores.store import Store
from catalog.stores.tables import read_features, read_table


@dataclass(frozen=True, slots=True)
class Place:
    """Ground that is asked about."""

    region: str
    target: Target
    years: tuple[int, ...]
    """With an inventory, ascending."""
    tile: str | None

    @property
    def words(self) -> str:
        """As people say it."""
        return self.region if self.tile is None else f"tile {self.tile} of {self.region}"


def place_asked(store: Store, request: AskRequest) -> Place:
    """Find what a question is about; raises WrongCall for a region, a tile or a year that the store does not hold."""
    tile = None if request.tile is None else parse_tile(request.tile).id
    region = request.region if tile is None else _region_of(store, tile, request.region)
    if region is None:
        raise WrongCall("A question is about a region or a tile: give --region or --tile.")
    target = stored_region(store, region).target
    years = years_with(store, target, region)
    if not years:
        raise WrongCall(f"Region {region!r} has no inventory in {store.root}. Map it first with `cryoatlas run`.")
    if request.year is not None and request.year not in years:
        raise WrongCall(f"Region {region!r} has no inventory of {request.year} in {store.root}: there are {', '.join(map(str, years))}.")
    return Place(region, target, years, tile)


def features_at(store: Store, place: Place, year: int) -> gpd.GeoDataFrame:
    """Features that the inventory of a year lists there (EPSG:4326), with their names in `feature_id`, without those below the minimum area."""
    frame = outlines_of_year(store, place, year)
    small = [flags is not None and "below_minimum_area" in flags for flags in frame["flags"]]
    kept = [not each for each in small]
    return frame[kept] if place.tile is None else frame[[own and tile == place.tile for own, tile in zip(kept, frame["tile"], strict=True)]]


def outlines_of_year(store: Store, place: Place, year: int) -> gpd.GeoDataFrame:
    """The whole inventory of a region-year (EPSG:4326), with the names of its features in `feature_id`."""
    return read_features(store.inventory(place.target, place.region, year)).rename(columns={NAMES[place.target]: "feature_id"})


def outlines_by_name(store: Store, place: Place, asked: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], shapely.Geometry]:
    """Outlines (EPSG:4326) of features by name and year."""
    frames = {year: outlines_of_year(store, place, year) for year in sorted({year for _, year in asked})}
    found = {
        (str(name), year): outline
        for year, frame in frames.items()
        for name, outline in zip(frame["feature_id"], frame.geometry, strict=True)
    }
    return {each: found[each] for each in asked}


def grid_asked(store: Store, place: Place, year: int) -> PixelGrid:
    """The rectangle that words such as `upper left` are about."""
    if place.tile is not None:
        return grid_of_tile(store, place.region, year, place.tile)
    return grid_of_region(store, read_report_tables(store, place.region), year)


def _region_of(store: Store, tile: str, named: str | None) -> str:
    regions = (named,) if named else stored_regions(store)
    for region in regions:
        target = stored_region(store, region).target
        for year in years_with(store, target, region):
            if tile in read_table(store.coverage(region, year), ["tile"]).column(0).to_pylist():
                return region
    raise WrongCall(
        f"Tile {tile!r} is not in {', '.join(regions) or 'any region'} of {store.root}. `cryoatlas audit --store {store.root}` lists its tiles."
    )
