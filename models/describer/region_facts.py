"""What a store holds of a region to the facts of a rectangle in one year: intervals, changes with verdicts, events, what was hidden."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from catalog.facts.grids import Tile, parse_tile, to_lonlat
from catalog.facts.pixel_grids import PixelGrid
from catalog.facts.report_records import ReportTables, YearTables
from catalog.facts.scene_facts import Earlier, EventFact, LakeFact, MissedLake, SceneFacts, Verdict, Whereabouts
from models.describer.inventory_facts import facts_of_inventory, within

Row = Mapping[str, Any]
_SETTLED: Final = ("present", "absent")
_TOO_SMALL: Final = "below_minimum_area"


def facts_of_year(tables: ReportTables, year: int, grid: PixelGrid, *, name: str, observed_share: float | None = None) -> SceneFacts:
    """Facts of a rectangle from the tables of its region; lakes below the minimum area are left out, as in all totals, unless `name` is one.

    Growth of single lakes is what the table of changes says of them. The scene as a whole is compared with the year before only when
    every lake of either year was settled in both, so that a cloudy year makes no lake new and none vanish.
    """
    found = year_of(tables, year)
    listed = listed_lakes(found, name)
    base = facts_of_inventory(listed, grid, scene_id=name, whereabouts=_whereabouts(grid, tables, year))
    rows = {str(row["lake_id"]): row for row in listed.drop(columns="geometry").to_dict("records")}
    changes = {str(row["feature_id"]): row for row in _rows(tables, "changes") if row["year_to"] == year}
    known, states = _known(tables, grid) | {name}, _states(tables)
    earlier, against = _earlier(tables, year, grid, states, name)
    here = {lake.lake_id for lake in base.lakes}
    return replace(
        base,
        lakes=tuple(
            replace(
                _with_change(_with_interval(lake, rows[lake.lake_id]), changes.get(lake.lake_id)),
                seen_in_part=states.get((lake.lake_id, year), {}).get("state") == "partly_observed",
            )
            for lake in base.lakes
        ),
        earlier=earlier,
        incomparable_with=None if earlier is not None else against,
        observed_share=observed_share,
        missed=tuple(_missed(lake, states.get((lake, year))) for lake in sorted(known - here) if (lake, year) in states),
        events=tuple(event for event in _events(tables, year) if event.lake_id in known | here),
        complete=found.provenance.get("complete", True) is not False,
    )


def year_of(tables: ReportTables, year: int) -> YearTables:
    """The tables of one year, which must be there."""
    return next(each for each in tables.years if each.year == year)


def listed_lakes(year: YearTables, kept: str = "") -> gpd.GeoDataFrame:
    """Lakes that the inventory of a year lists (schema `LAKES`, EPSG:4326), without those below the minimum area but for the one named."""
    frame = gpd.GeoDataFrame(year.inventory.to_pandas(), geometry=gpd.GeoSeries(list(year.outlines), crs=4326))
    return frame[_counted(frame, kept)]


def _points(year: YearTables, grid: PixelGrid, kept: str) -> pd.DataFrame:
    """Names and areas of the lakes of a year in a rectangle, without their outlines."""
    frame: pd.DataFrame = year.inventory.select(["lake_id", "longitude", "latitude", "area_m2", "flags"]).to_pandas()
    return frame[_counted(frame, kept) & within(frame, grid)]


def _counted(frame: pd.DataFrame, kept: str) -> NDArray[np.bool_]:
    small = np.array([flags is not None and _TOO_SMALL in flags for flags in frame["flags"]], bool)
    return np.asarray(~small | (frame["lake_id"] == kept).to_numpy())


def _whereabouts(grid: PixelGrid, tables: ReportTables, year: int) -> Whereabouts:
    left, bottom, right, top = grid.bounds_lbrt
    longitude, latitude = to_lonlat(grid.epsg).transform((left + right) / 2, (bottom + top) / 2)
    return Whereabouts(float(longitude), float(latitude), None, tables.region.name, year)


def _rows(tables: ReportTables, name: str) -> list[dict[str, Any]]:
    table = tables.through.get(name, pa.table({}))
    rows: list[dict[str, Any]] = table.to_pylist() if table.num_rows else []
    return rows


def _with_interval(lake: LakeFact, row: Row) -> LakeFact:
    low, high = float(row["area_low_m2"]), float(row["area_high_m2"])
    return replace(lake, low_m2=low, high_m2=high) if np.isfinite(low) and np.isfinite(high) else lake


def _with_change(lake: LakeFact, change: Row | None) -> LakeFact:
    if change is None:
        return lake
    verdict: Verdict = change["verdict"] if change["comparable"] else "not_comparable"
    # what cannot be compared is named, but its areas are not set side by side
    before = None if verdict == "not_comparable" else float(change["area_from_m2"] or 0.0)
    return replace(lake, area_before_m2=before, year_before=int(change["year_from"]), verdict=verdict)


def _known(tables: ReportTables, grid: PixelGrid) -> set[str]:
    """Names of all lakes that any year lists in the rectangle."""
    return {str(name) for year in tables.years if year.mapped for name in _points(year, grid, "")["lake_id"]}


def _states(tables: ReportTables) -> dict[tuple[str, int], Row]:
    return {(str(row["feature_id"]), int(row["year"])): row for row in _rows(tables, "tracks")}


def _earlier(
    tables: ReportTables, year: int, grid: PixelGrid, states: Mapping[tuple[str, int], Row], name: str
) -> tuple[Earlier | None, int | None]:
    """The year before, where the two can be compared; and its number, where there is one."""
    before = [each for each in tables.years if each.mapped and each.year < year]
    if not before or not states:
        return None, None
    previous, old = before[-1].year, _points(before[-1], grid, name)
    both = set(old["lake_id"]) | set(_points(year_of(tables, year), grid, name)["lake_id"])
    rows = [states.get((str(name), each)) for name in both for each in (previous, year)]
    settled = all(row is not None and row["state"] in _SETTLED for row in rows)
    comparable = all(bool(states[str(name), year]["comparable"]) for name in both) if settled else False
    return (Earlier(previous, len(old), float(old["area_m2"].sum())) if comparable else None), previous


def _missed(name: str, row: Row | None) -> MissedLake:
    return MissedLake(name, looked_for=row is not None and row["state"] == "absent")


def _events(tables: ReportTables, year: int) -> list[EventFact]:
    return [
        EventFact(str(name), str(row["event"]), int(row["year_from"]), year, bool(row["alarm"]))
        for row in _rows(tables, "events")
        if row["year_to"] == year
        for name in (row["children"] or row["parents"])[:1]
    ]


def observed_share_of(tables: ReportTables, year: int, grid: PixelGrid | None) -> float | None:
    """Share of the ground that was observed in a year, by the table of coverage: of tiles that touch a rectangle, or of all; None without it."""
    rows = year_of(tables, year).coverage.to_pylist()
    here = [row for row in rows if row["observed_share"] is not None and (grid is None or _touches(parse_tile(str(row["tile"])), grid))]
    # tables keep four bytes a number: 0.9 is not 0.89999998 to a reader
    return round(float(np.mean([row["observed_share"] for row in here])), 6) if here else None


def _touches(tile: Tile, grid: PixelGrid) -> bool:
    if tile.epsg != grid.epsg:
        return False
    left, bottom, right, top = tile.bounds_lbrt
    west, south, east, north = grid.bounds_lbrt
    return west < right and left < east and south < top and bottom < north
