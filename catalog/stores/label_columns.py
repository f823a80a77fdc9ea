"""What columns of label inventories of others mean: names, years, classes and labelers, of lakes and of slumps (ARTS, DARTS and others)."""

from collections.abc import Sequence
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from catalog.facts.chips import NEGATIVE, UNCLEAR

_IDS: Final = ("lake_id", "slump_id", "UID", "id", "ID", "Slump_ID", "Id", "fid")
_DATES: Final = ("image_date", "date_", "date", "BaseMapDate", "src_date")
"""Columns of dates, `YYYY-MM-DD` or, in ARTS, `first,last`."""
_BOXED: Final = "boundingbox"


def years_told(frame: gpd.GeoDataFrame) -> pd.Series | None:
    """Year of every row as float (NaN where it cannot be read), of a `year` column or of a date; None when no column tells.

    A span of dates counts for the year of its last day: what is drawn is what the latest image showed.
    """
    if "year" in frame.columns:
        given: pd.Series = pd.to_numeric(frame["year"], errors="coerce")
        return given
    for name in _DATES:
        if name in frame.columns:
            last = frame[name].astype(str).str.split(",").str[-1].str.strip()
            years: pd.Series = pd.to_numeric(last.str.extract(r"^(\d{4})(?:-\d{2}-\d{2}|$|[/T .])")[0], errors="coerce")
            if years.notna().any():
                return years
    return None


def columns_of(there: gpd.GeoDataFrame, year: int) -> pd.DataFrame:
    """Columns lake_id, label_year, class, hard, hard_because, observable and labeler of the outlines of a year."""
    return pd.DataFrame(
        {
            "lake_id": _ids(there),
            "label_year": year,
            "class": _classes(there),
            "hard": _flags(there, "hard", otherwise=False),
            "hard_because": _texts(there, "hard_because"),
            "observable": _flags(there, "observable", otherwise=True),
            "labeler": _texts(there, "labeler"),
        }
    )


def _ids(frame: gpd.GeoDataFrame) -> list[str]:
    """Names of the first column that tells outlines apart; a column with one value for all is none."""
    for name in _IDS:
        if name in frame.columns and (len(frame) == 1 or frame[name].nunique() > 1):
            return [str(value) for value in frame[name]]
    return [str(number) for number in range(len(frame))]


def _classes(frame: gpd.GeoDataFrame) -> list[str]:
    """Class of every outline: as given, or as ARTS says by TrainClass, LabelType and the relations of a slump."""
    given = np.array(_texts(frame, "class"), object)
    # the last word counts: a negative box is negative, whatever else is said of it
    for column, value, name in (
        ("UnknownRelationship", None, "unknown"),
        ("StabilizedRTS", None, "stabilised"),
        ("LabelType", _BOXED, UNCLEAR),
        ("TrainClass", NEGATIVE, NEGATIVE),
    ):
        texts = np.array([text.strip().lower().replace(" ", "") for text in _texts(frame, column)], object)
        given[(texts != "") if value is None else (texts == value)] = name
    return [str(name) for name in given]


def _texts(frame: gpd.GeoDataFrame, name: str) -> Sequence[str]:
    if name not in frame.columns:
        return [""] * len(frame)
    return ["" if pd.isna(value) else str(value) for value in frame[name]]


def _flags(frame: gpd.GeoDataFrame, name: str, *, otherwise: bool) -> list[bool]:
    return [bool(value) for value in frame[name]] if name in frame.columns else [otherwise] * len(frame)
