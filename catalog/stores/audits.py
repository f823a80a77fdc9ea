"""An audit of labels as a folder: pictures, a file for the verdicts, and the key apart from both.

DIR/case-001.png …   four panels; the last two are A and B
DIR/relabel.gpkg     layer `cases`: one row per case with a `verdict` to fill in (a, b, neither, unsure) and a `remark`;
                     layer `redraw`: polygons with their `case`, for those who draw what is right
DIR/key.parquet      which letter is the label, and the pixels in question
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pyogrio
import pyogrio.errors
import shapely
from numpy.typing import NDArray

from catalog.facts.errors import WrongCall
from catalog.stores.files import storage_errors, write_if_changed

SHEET: Final = "relabel.gpkg"
_KEY: Final = "key.parquet"
_CASES, _REDRAW = "cases", "redraw"


@dataclass(frozen=True, slots=True)
class Audit:
    """A folder read back."""

    key: gpd.GeoDataFrame
    """One row per case: what it is."""
    verdicts: Mapping[str, str]
    """Case -> what the reviewer wrote; empty when nothing."""
    redrawn: Mapping[str, shapely.Geometry]
    """Case -> what the reviewer drew, EPSG:4326."""


def write_audit(
    folder: Path, key: Mapping[str, Sequence[Any]], geometry: NDArray[np.object_], marks: NDArray[np.object_], pictures: Iterable[bytes]
) -> tuple[Path, ...]:
    """Write an audit; `key` holds a column `case`, `geometry` the pixels in question and `marks` the boxes around them (EPSG:4326).

    Refuses to overwrite verdicts that are already there (WrongCall).
    """
    refuse_answered(folder)
    sheet = folder / SHEET
    names = list(key["case"])
    for name, picture in zip(names, pictures, strict=True):
        write_if_changed(folder / f"{name}.png", picture)
    with storage_errors(sheet):
        folder.mkdir(parents=True, exist_ok=True)
        sheet.unlink(missing_ok=True)
        blank = [""] * len(names)
        cases = gpd.GeoDataFrame({"case": names, "verdict": blank, "remark": blank}, geometry=marks, crs=4326)
        redraw = gpd.GeoDataFrame({"case": np.empty(0, str)}, geometry=np.empty(0, object), crs=4326)
        pyogrio.write_dataframe(cases, sheet, layer=_CASES, geometry_type="Polygon")
        pyogrio.write_dataframe(redraw, sheet, layer=_REDRAW, geometry_type="MultiPolygon", promote_to_multi=True)
        gpd.GeoDataFrame(dict(key), geometry=geometry, crs=4326).to_parquet(folder / _KEY, index=False)
    return (sheet, folder / _KEY, *(folder / f"{name}.png" for name in names))


def refuse_answered(folder: Path) -> None:
    """Raise WrongCall when a folder holds verdicts, which a new audit would overwrite."""
    sheet = folder / SHEET
    if sheet.is_file() and any(_verdicts(sheet).values()):
        raise WrongCall(f"{sheet} already holds verdicts. Write the new audit into another folder with --out.")


def read_audit(place: str | Path) -> Audit:
    """Read a folder, or the `relabel.gpkg` in it; raises WrongCall when something is missing."""
    path = Path(place).expanduser()
    folder = path if path.is_dir() else path.parent
    for name in (SHEET, _KEY):
        if not (folder / name).is_file():
            raise WrongCall(f"Audit {folder}: no {name} in it. Give the folder that `cryoatlas evaluate lakes --audit` wrote.")
    key = gpd.read_parquet(folder / _KEY)
    drawn = pyogrio.read_dataframe(folder / SHEET, layer=_REDRAW)
    shapes = {str(name): shapely.union_all(group.geometry.to_numpy()) for name, group in drawn.to_crs(4326).groupby("case")}
    verdicts = _verdicts(folder / SHEET)
    unknown = sorted({*verdicts, *shapes} - set(key["case"]))
    if unknown:
        raise WrongCall(f"Audit {folder}: {', '.join(unknown)} is not in the key. Correct the names of the cases in {SHEET}.")
    return Audit(key, verdicts, shapes)


def _verdicts(sheet: Path) -> dict[str, str]:
    try:
        cases = pyogrio.read_dataframe(sheet, layer=_CASES, read_geometry=False)
    except pyogrio.errors.DataSourceError as error:
        raise WrongCall(f"{sheet}: not a readable GeoPackage ({error}). Restore it from a copy, or make the audit again.") from error
    words = cases["verdict"].fillna("").astype(str)
    return dict(zip(cases["case"].astype(str), words, strict=True))
