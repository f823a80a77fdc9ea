"""Tables and surfaces of a region to one page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.cards import WeightsCard
from catalog.facts.detector_cards import DetectorCard
from catalog.facts.errors import WrongCall
from catalog.facts.grids import PIXEL_M
from catalog.facts.records import Job
from catalog.facts.report_records import PageReport, ReportTables
from catalog.facts.schemas import SURFACE
from catalog.facts.territory import ZoneTerritory
from catalog.stores import cubes
from catalog.stores.files import stamp_of, write_if_changed
from catalog.stores.jobs import territory
from catalog.stores.objects import place
from catalog.stores.overviews import factor_for, read_overview, rectangle_of
from catalog.stores.report_tables import read_page_parts, read_report_tables
from catalog.stores.scenes_of_regions import grid_of_region
from catalog.stores.store import Store, open_store
from catalog.stores.weights import find_card, shipped_names
from models.describer.bulletin import vouched
from models.describer.region_facts import facts_of_year, observed_share_of
from models.pictures.thumbnails import Thumbnail, merge, shrink
from models.report.images import LONGEST_PX
from models.report.outlines import plane_epsg
from models.report.page import LARGEST_BYTES, Surroundings, page_of
from models.segmenter.registry import MODELS

Card = dict[str, Any]
_UNKNOWN: Final = "these weights do not come with the program: their card lies beside them"


@task(cache_policy=NO_CACHE, task_run_name="report-{region}")
def write_report(region: str, store: str, out: str | None = None, price_per_hour: float | None = None) -> PageReport:
    """Write the page of a region to `out`, or into the store; an equal page is not written again.

    Raises WrongCall for a region that the store does not hold, or that it holds no inventory of.
    """
    return written(region, store, out, price_per_hour)


def written(region: str, store: str, out: str | None = None, price_per_hour: float | None = None) -> PageReport:
    """Do the same without Prefect."""
    opened = open_store(store)
    tables = read_report_tables(opened, region)
    around = _surroundings(opened, tables, price_per_hour)
    page = page_of(tables, around, read_page_parts())
    content, path = page.text.encode(), opened.report(region) if out is None else place(out)
    if len(content) > LARGEST_BYTES:
        size = len(content) / 1e6
        raise WrongCall(f"Region {region!r}: its page would take {size:.1f} MB, more than 15. Report a smaller region, or fewer years.")
    before = stamp_of(path)
    write_if_changed(path, content)
    counts = {year.year: year.inventory.num_rows for year in tables.years if year.mapped}
    return PageReport(str(path), len(content), stamp_of(path) != before, page.complete, counts, page.parts)


def _surroundings(store: Store, tables: ReportTables, price_per_hour: float | None) -> Surroundings:
    region, target = tables.region.name, tables.region.target
    zones = territory(Job(region, tables.years[-1].year, target, str(store.root))).zones
    by_size = sorted(zones, key=lambda zone: (-len(zone.owned), zone.epsg))
    epsg = plane_epsg(tables.region.bounds_wsen, by_size[0].epsg)
    tiles = {tile.id: tile for zone in zones for tile in zone.tiles}
    thumbnails = _thumbnails(store, tables, by_size) if epsg == by_size[0].epsg else {}
    return Surroundings(tiles, epsg, thumbnails, _model_card(tables), price_per_hour, _bulletins(store, tables))


def _bulletins(store: Store, tables: ReportTables) -> dict[int, str]:
    """Every mapped year of a region of lakes in words."""
    if tables.region.target != "lakes":
        return {}
    years = [year.year for year in tables.years if year.mapped]
    return {year: _bulletin(store, tables, year) for year in years}


def _bulletin(store: Store, tables: ReportTables, year: int) -> str:
    grid = grid_of_region(store, tables, year)
    return vouched(facts_of_year(tables, year, grid, name=tables.region.name, observed_share=observed_share_of(tables, year, None)))


def _thumbnails(store: Store, tables: ReportTables, zones: Sequence[ZoneTerritory]) -> Mapping[int, Thumbnail]:
    """Surfaces of the years whose cubes are there, made small, in the CRS of the first zone."""
    found = {}
    for year in tables.years:
        there = [zone for zone in zones if (store.cube(tables.region.name, year.year, zone.epsg) / "zarr.json").is_file()]
        if there and there[0] == zones[0]:
            found[year.year] = _thumbnail(store, tables.region.name, year.year, there)
    return found


def _thumbnail(store: Store, region: str, year: int, zones: Sequence[ZoneTerritory]) -> Thumbnail:
    rectangles = [rectangle_of(zone) for zone in zones]
    factor, parts = factor_for(rectangles, LONGEST_PX), []
    for zone, rectangle in zip(zones, rectangles, strict=True):
        cube = cubes.read_cube(store.cube(region, year, zone.epsg), SURFACE)
        rgb, cause = read_overview(cube, rectangle, factor, shrink)
        top, left, _, _ = rectangle
        parts.append(Thumbnail(rgb, cause, zone.epsg, float(left * PIXEL_M), float(-top * PIXEL_M), float(factor * PIXEL_M)))
    return merge(parts)


def _model_card(tables: ReportTables) -> Card:
    """What is known of the model of the latest year, in the order in which it is read."""
    latest = [year for year in tables.years if year.mapped][-1].provenance
    name, _, version = str(latest.get("model") or "").rpartition(" ")
    said: Card = {"name": name or "unknown", "version": version, "sha256": latest.get("model_sha256") or ""}
    if name in MODELS:
        card = MODELS[name]
        return said | {"title": card.title, "licence": card.licence, "trained on": card.trained_on, "cite": card.citation}
    if name not in shipped_names():
        return said | {"trained on": _UNKNOWN}
    weights, _ = find_card(name)
    said |= {"title": weights.title, "licence": weights.licence, "trained on": weights.trained_on, "recipe": weights.recipe}
    assert isinstance(weights, WeightsCard | DetectorCard)  # no other system makes inventories
    said |= {"threshold": weights.threshold} | ({"temperature": weights.temperature} if isinstance(weights, WeightsCard) else {})
    same = weights.sha256 == said["sha256"] or not said["sha256"]
    said |= {"figures": dict(weights.figures)} if same else {"figures": "the weights of this run are not those that come with the program"}
    return said | {"cite": weights.citation}
