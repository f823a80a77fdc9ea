"""Features year by year and through the years, packed for the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.facts.records import Target
from catalog.facts.report_records import ReportTables, YearTables
from catalog.facts.schemas import ID_COLUMNS
from models.report.classes import FIRST, QUALITY, qualities_of
from models.report.columns import Column, columns_of
from models.report.packing import Header, Packer, as_floats, as_word

_EPOCH: Final = date(1970, 1, 1).toordinal()
_BESIDE: Final = {"change_low_m2": 1.0, "change_high_m2": 1.0, "gain_m2": 1.0, "loss_m2": 1.0, "p_value": 1e-4, "year_from": 1.0}
"""Numbers that the page tells of a chosen feature and shows in no column, with their quantum."""
_UNSHOWN_WORDS: Final = (QUALITY, "because")
Joined = Mapping[str, Sequence[Any]]
"""Columns that the page adds to an inventory, row by row."""


@dataclass(frozen=True, slots=True)
class PackedFeatures:
    """Headers of everything packed about features."""

    ids: tuple[str, ...]
    columns: tuple[Column, ...]
    years: Mapping[int, Header]
    """Year -> column -> where it is packed; `feature` is the place of a row's name in `ids`."""
    tracks: Header | None
    trends: Header | None


def pack_features(packer: Packer, tables: ReportTables) -> PackedFeatures:
    """Pack what is said of features; tables through the years that are not there are left out."""
    target = tables.region.target
    mapped = [year for year in tables.years if year.mapped]
    tracks = tables.through.get("tracks")
    named = [name for year in mapped for name in year.inventory.column(ID_COLUMNS[target]).to_pylist()]
    ids = tuple(sorted({*named, *(tracks.column("feature_id").to_pylist() if tracks is not None else ())}))
    place = {name: index for index, name in enumerate(ids)}
    joined = {year.year: _joined(year, target, tables.through) for year in mapped}
    added = [name for name in next(iter(joined.values())) if name not in {*_BESIDE, *_UNSHOWN_WORDS}]
    columns = columns_of(target, [year.inventory for year in mapped], added)
    years = {year.year: _pack_year(packer, year, columns, joined[year.year], place) for year in mapped}
    return PackedFeatures(
        ids,
        columns,
        years,
        None if tracks is None else _pack_tracks(packer, tracks, place),
        _pack_trends(packer, tables.through["trends"], tracks, place) if "trends" in tables.through else None,
    )


def _joined(year: YearTables, target: Target, through: Mapping[str, pa.Table]) -> dict[str, list[Any]]:
    ids = year.inventory.column(ID_COLUMNS[target]).to_pylist()
    names = year.inventory.column_names
    flags, status = (year.inventory.column(name).to_pylist() if name in names else [None] * len(ids) for name in ("flags", "status"))
    result: dict[str, list[Any]] = {QUALITY: qualities_of(target, flags, status)}
    if "changes" in through:
        result |= _changes_to(through["changes"], year.year, ids)
    if "trends" in through:
        slopes = dict(zip(*(through["trends"].column(name).to_pylist() for name in ("feature_id", "slope_m2_per_year")), strict=True))
        result["trend_m2_per_year"] = [slopes.get(name) for name in ids]
    return result


def _changes_to(changes: pa.Table, year: int, ids: Sequence[str]) -> dict[str, list[Any]]:
    rows = changes.filter(pc.equal(changes.column("year_to"), year))
    row_of = {name: index for index, name in enumerate(rows.column("feature_id").to_pylist())}
    places = [row_of.get(name) for name in ids]
    result: dict[str, list[Any]] = {}
    for name in ("change_m2", *_BESIDE):
        values = rows.column(name).to_pylist()
        result[name] = [None if place is None else values[place] for place in places]
    verdicts, because = rows.column("verdict").to_pylist(), rows.column("because").to_pylist()
    result["verdict"] = [FIRST if place is None else verdicts[place] for place in places]
    result["because"] = [None if place is None else as_word(because[place]) for place in places]
    return result


def _pack_year(packer: Packer, year: YearTables, columns: Sequence[Column], joined: Joined, place: Mapping[str, int]) -> Header:
    table = year.inventory
    packed: Header = {"feature": packer.numbers(np.array([place[name] for name in table.column(columns[0].name).to_pylist()], np.float64))}
    for column in columns[1:]:
        if column.name in joined:
            packed[column.name] = _pack(packer, joined[column.name], column)
        elif column.name in table.column_names:
            packed[column.name] = _pack(packer, table.column(column.name).to_pylist(), column)
    for name in (name for name in _UNSHOWN_WORDS if name in joined):
        packed[name] = packer.words([as_word(value) for value in joined[name]])
    return packed | {name: packer.numbers(as_floats(joined[name]), quantum) for name, quantum in _BESIDE.items() if name in joined}


def _pack(packer: Packer, values: Sequence[Any], column: Column) -> Header:
    if column.show in {"word", "flags"}:
        return packer.words([as_word(value) for value in values])
    return packer.numbers(_days(values) if column.show == "date" else as_floats(values), column.quantum)


def _days(values: Sequence[Any]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else float(value.toordinal() - _EPOCH) for value in values], np.float64)


def _pack_tracks(packer: Packer, tracks: pa.Table, place: Mapping[str, int]) -> Header:
    """Pack tracks as a rectangle: features in the order of their names, years in theirs; gaps are null."""
    years = sorted(set(tracks.column("year").to_pylist()))
    cell = {year: index for index, year in enumerate(years)}
    at = np.array(
        [
            place[name] * len(years) + cell[year]
            for name, year in zip(*(tracks.column(n).to_pylist() for n in ("feature_id", "year")), strict=True)
        ],
        np.int64,
    )
    size = len(place) * len(years)

    def numbers(name: str, quantum: float) -> Header:
        values = np.full(size, np.nan)
        values[at] = as_floats(tracks.column(name).to_pylist())
        return packer.numbers(values, quantum)

    def words(name: str) -> Header:
        values: list[str | None] = [None] * size
        for index, value in zip(at.tolist(), tracks.column(name).to_pylist(), strict=True):
            values[index] = as_word(value)
        return packer.words(values)

    exact = {name: numbers(name, 1.0) for name in ("area_m2", "area_low_m2", "area_high_m2")}
    said = {name: words(name) for name in ("state", "comparable", "not_comparable_because")}
    return {"years": years, **exact, **said, "observed_share": numbers("observed_share", 0.001)}


def _pack_trends(packer: Packer, trends: pa.Table, tracks: pa.Table | None, place: Mapping[str, int]) -> Header:
    """Pack trends, a row per feature; `anchor_m2` is the area on the line in `anchor_year`, medians of the years it rests on."""
    rows = trends.to_pylist()
    row_of = {row["feature_id"]: row for row in rows}
    ordered = [row_of.get(name, {}) for name in place]
    quanta = {"slope_m2_per_year": 0.1, "slope_low": 0.1, "slope_high": 0.1, "p_value": 1e-4, "relative_slope_percent": 0.01}
    quanta |= {"years_observed": 1.0, "first_year": 1.0, "last_year": 1.0}
    packed = {name: packer.numbers(as_floats([row.get(name) for row in ordered]), quantum) for name, quantum in quanta.items()}
    years, areas = _anchors(tracks, place)
    packed |= {"anchor_year": packer.numbers(years, 0.5), "anchor_m2": packer.numbers(areas)}
    return packed | {"direction": packer.words([row.get("direction") for row in ordered])}


def _anchors(tracks: pa.Table | None, place: Mapping[str, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    years, areas = np.full(len(place), np.nan), np.full(len(place), np.nan)
    if tracks is None:
        return years, areas
    used = tracks.filter(pc.fill_null(tracks.column("comparable"), False))
    rows = np.array([place[name] for name in used.column("feature_id").to_pylist()], np.int64)
    for values, name in ((years, "year"), (areas, "area_m2")):
        found, middle = _medians(rows, as_floats(used.column(name).to_pylist()))
        values[found] = middle
    return years, areas


def _medians(groups: NDArray[np.int64], values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Groups that occur, ascending, and the median of each."""
    order = np.lexsort((values, groups))
    found, start, count = np.unique(groups[order], return_index=True, return_counts=True)
    ranked = values[order]
    return found, (ranked[start + (count - 1) // 2] + ranked[start + count // 2]) / 2
