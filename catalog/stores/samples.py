"""A sample as a folder: a file for the answers, the key apart from it, pictures, and how to do it.

DIR/sample.gpkg      layer `features`: one row per case with `verdict`, `true_area_m2`, `remark` to fill in; `redraw`: true outlines with
                     their `case`; `cells`: ground with `checked` to fill in; `missed`: what the inventory lacks; `listed`: what it has
DIR/key.parquet      strata, inclusion probabilities and weights
DIR/*.png            a picture per case, when there are cubes
DIR/README.txt       what to do
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyogrio.errors

from catalog.facts.errors import WrongCall
from catalog.facts.samples import CHECKED, SAMPLE_KEY, VERDICTS
from catalog.stores.files import storage_errors, write_if_changed
from catalog.stores.tables import put_features, read_features, read_provenance

SHEET: Final = "sample.gpkg"
_KEY, _README = "key.parquet", "README.txt"
_ANSWERS: Final = {"features": "verdict", "cells": "checked"}
_AREA: Final = "true_area_m2"


@dataclass(frozen=True, slots=True)
class Sample:
    """A folder read back."""

    key: gpd.GeoDataFrame
    about: Mapping[str, Any]
    """Store, region, year, target, seed, checksum, strata."""
    features: pd.DataFrame
    """case, verdict, true_area_m2 (NaN where not given)."""
    cells: pd.DataFrame
    """case, checked."""
    redrawn: gpd.GeoDataFrame
    """case, geometry; EPSG:4326."""
    missed: gpd.GeoDataFrame
    """case (may be empty), area_m2 (of points), geometry; EPSG:4326."""


def write_sample(
    folder: Path,
    key: gpd.GeoDataFrame,
    listed: gpd.GeoDataFrame,
    about: Mapping[str, Any],
    readme: str,
    pictures: Iterable[tuple[str, bytes]],
) -> int:
    """Write a sample; return how many pictures. Refuses to overwrite answers that are already there (WrongCall)."""
    refuse_answered(folder)
    sheet = folder / SHEET
    count = 0
    for name, picture in pictures:
        write_if_changed(folder / f"{name}.png", picture)
        count += 1
    with storage_errors(sheet):
        folder.mkdir(parents=True, exist_ok=True)
        sheet.unlink(missing_ok=True)
        _write_sheet(sheet, key, listed)
    columns = {field.name: key[field.name].tolist() for field in SAMPLE_KEY}
    put_features(folder / _KEY, key.geometry.to_numpy(), columns, SAMPLE_KEY, provenance=about, in_order=True)
    write_if_changed(folder / _README, readme.encode())
    return count


def _write_sheet(sheet: Path, key: gpd.GeoDataFrame, listed: gpd.GeoDataFrame) -> None:
    features, cells = key[key.kind == "feature"], key[key.kind == "cell"]
    blank = np.full(len(features), "", object)
    cases = {"case": features.case, "verdict": blank, _AREA: np.full(len(features), np.nan), "remark": blank, "area_m2": features.area_m2}
    ground = {"case": cells.case, "checked": np.full(len(cells), "", object), "remark": np.full(len(cells), "", object)}
    nothing = np.empty(0, object)
    layers = {
        "features": gpd.GeoDataFrame(cases, geometry=features.geometry.to_numpy(), crs=4326),
        "redraw": gpd.GeoDataFrame({"case": np.empty(0, str)}, geometry=nothing, crs=4326),
        "cells": gpd.GeoDataFrame(ground, geometry=cells.geometry.to_numpy(), crs=4326),
        "missed": gpd.GeoDataFrame({"case": np.empty(0, str), "area_m2": np.empty(0, float)}, geometry=nothing, crs=4326),
        "listed": listed,
    }
    for layer, frame in layers.items():
        if layer == "missed":
            # points and polygons alike: not everyone draws what is missing
            pyogrio.write_dataframe(frame, sheet, layer=layer, geometry_type="Unknown")
        else:
            pyogrio.write_dataframe(frame, sheet, layer=layer, geometry_type="MultiPolygon", promote_to_multi=True)


def refuse_answered(folder: Path) -> None:
    """Raise WrongCall when a folder holds answers, which a new sample would overwrite."""
    sheet = folder / SHEET
    if not sheet.is_file():
        return
    answered = any(_column(_layer(sheet, layer), column).ne("").any() for layer, column in _ANSWERS.items())
    if answered or any(len(_layer(sheet, layer)) for layer in ("redraw", "missed")):
        raise WrongCall(f"{sheet} already holds answers. Write the new sample into another folder with --out.")


def read_sample(place: str | Path) -> Sample:
    """Read a folder, or the `sample.gpkg` in it; raises WrongCall when something is missing or is no answer."""
    path = Path(place).expanduser()
    folder = path if path.is_dir() else path.parent
    for name in (SHEET, _KEY):
        if not (folder / name).is_file():
            raise WrongCall(f"Sample {folder}: no {name} in it. Give the folder that `cryoatlas sample export` wrote.")
    key, sheet = read_features(folder / _KEY), folder / SHEET
    features, cells, redrawn, missed = (_layer(sheet, layer) for layer in ("features", "cells", "redraw", "missed"))
    features = pd.DataFrame(
        {"case": _column(features, "case"), "verdict": _column(features, "verdict").str.lower(), _AREA: pd.to_numeric(features[_AREA])}
    )
    cells = pd.DataFrame({"case": _column(cells, "case"), "checked": _column(cells, "checked").str.lower()})
    _require_words(sheet, features["verdict"], VERDICTS)
    _require_words(sheet, cells["checked"], CHECKED)
    known = set(key["case"])
    named = pd.concat([features["case"], cells["case"], _column(redrawn, "case"), _column(missed, "case")])
    if unknown := sorted(set(named) - known - {""}):
        raise WrongCall(f"{sheet}: {', '.join(unknown[:5])} is not in the key. Correct the names of the cases.")
    return Sample(key, read_provenance(folder / _KEY), features, cells, _placed(redrawn), _placed(missed))


def write_accuracy(paths: Iterable[Path], content: Mapping[str, Any]) -> None:
    """Write a statement, the same in every place; numbers that are not known are null."""
    text = json.dumps(_known(content), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    for path in paths:
        write_if_changed(path, text.encode())


def _layer(sheet: Path, layer: str) -> gpd.GeoDataFrame:
    try:
        return pyogrio.read_dataframe(sheet, layer=layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise WrongCall(f"{sheet}: layer `{layer}` cannot be read ({error}). Restore the file from a copy.") from error


def _placed(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    there = frame[frame.geometry.notna() & ~frame.geometry.is_empty].to_crs(4326)
    return there.assign(case=_column(there, "case"))


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name].fillna("").astype(str).str.strip()


def _require_words(sheet: Path, words: pd.Series, allowed: tuple[str, ...]) -> None:
    if wrong := sorted(set(words) - set(allowed) - {""}):
        raise WrongCall(f"{sheet}: {wrong[0]!r} is no answer. Write one of {', '.join(allowed)}, or leave it empty.")


def _known(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _known(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_known(entry) for entry in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
