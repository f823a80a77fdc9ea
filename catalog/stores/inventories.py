"""Inventories of others: one vector file per year, or one file with a column that tells the year."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from catalog.facts.errors import WrongCall
from catalog.stores.vector_files import columns_in, read_vector

_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})")
"""A year in a file name or a date: the first four digits of a date count as one."""
_YEAR_COLUMNS: Final = ("year", "date", "image_date", "date_", "basemapdate")
"""Names of columns that tell when an outline was drawn for, in lower case, the first that is there counts."""
_TILE_COLUMN: Final = "tile"
"""Names the image an outline was drawn on: ground whose image a year lacks was not looked at in that year."""


@dataclass(frozen=True, slots=True)
class OthersYear:
    """Outlines of one year in EPSG:4326 and the name of the image each was drawn on; empty names where no file tells."""

    outlines: NDArray[np.object_]
    tiles: tuple[str, ...]


def read_others(pattern: str) -> dict[int, OthersYear]:
    """Read inventories by year; raises WrongCall for a pattern that fits none, a year that is missing or twice, or an unreadable file.

    A single file that has a column of years or dates holds all of them, whatever its name says.
    """
    files = _files(pattern)
    if len(files) == 1 and (dated := _dated(files[0])) is not None:
        return dated
    years: dict[int, Path] = {}
    for file in files:
        found = _YEAR.findall(file.stem)
        if not found:
            raise WrongCall(f"{file}: no year in its name and no column of years. Name the files like lakes_2021.gpkg.")
        if int(found[0]) in years:
            raise WrongCall(f"{file}: {found[0]} is also in {years[int(found[0])]}. Give one file per year.")
        years[int(found[0])] = file
    return {year: _year_of(read_vector(path)) for year, path in years.items()}


def _files(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    anchor = Path(path.anchor) if path.anchor else Path()
    found = sorted(anchor.glob(str(path.relative_to(path.anchor)) if path.anchor else pattern))
    if not found:
        raise WrongCall(f"Outlines {pattern!r}: no file fits. Write a pattern such as 'inventories/lakes_*.gpkg'.")
    return found


def _dated(path: Path) -> dict[int, OthersYear] | None:
    """The years of a file by its column; None where it has none. Raises WrongCall for an outline without a year in it."""
    names = {name.lower(): name for name in columns_in(path)}
    column = next((names[name] for name in _YEAR_COLUMNS if name in names), None)
    if column is None:
        return None
    frame = read_vector(path, [column, *([names[_TILE_COLUMN]] if _TILE_COLUMN in names else [])])
    texts = frame[column].astype(str)
    years = texts.str.extract(_YEAR.pattern, expand=False)
    if years.isna().any():
        raise WrongCall(f"{path}: {texts[years.isna()].iloc[0]!r} in column {column!r} is no year. Write years like 2021 or 2021-08-15.")
    return {int(year): _year_of(rows.rename(columns=str.lower)) for year, rows in frame.groupby(years)}


def _year_of(frame: gpd.GeoDataFrame) -> OthersYear:
    tiles = tuple(frame[_TILE_COLUMN].astype(str)) if _TILE_COLUMN in frame else ("",) * len(frame)
    return OthersYear(np.asarray(frame.geometry.to_numpy(), dtype=object), tiles)
