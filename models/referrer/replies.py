"""What was found, put into an answer: features of an inventory, or what a referrer drew, as items with their outlines, and words for both."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from catalog.facts.ask_records import AskItem
from catalog.facts.feature_classes import FeatureClass, words_of
from catalog.facts.pixel_grids import PixelGrid
from models.outlines.geodesy import area_perimeter, to_metres
from models.referrer.features import Feature
from models.referrer.meaning import EXAMPLE, Meaning
from models.referrer.outline_features import features_of_outlines
from models.referrer.references import CELLS, Cell, within
from models.referrer.sightings import Sighting, features_drawn
from models.referrer.wording import phrase_of

_PLAIN: Final = ("feature_id", "year", "longitude", "latitude", "area_m2")
_CITED: Final = ("area_low_m2", "area_high_m2", "date_median")
"""What an area is of no use without: its 95 % interval, and when the feature was seen."""
_WELL_OBSERVED: Final = 0.9
"""Share of the ground from which nothing is said about it."""


def features_of_frame(grid: PixelGrid, frame: gpd.GeoDataFrame, kind: FeatureClass) -> tuple[Feature, ...]:
    """Features of a rectangle from an inventory (EPSG:4326, names in `feature_id`); feature n is row n - 1."""
    outlines = to_metres(np.asarray(frame.geometry, object), grid.epsg)
    return features_of_outlines(grid, outlines, frame["area_m2"].tolist(), frame["feature_id"].tolist(), kind)


def features_of_sightings(grid: PixelGrid, found: Sequence[Sighting], kind: FeatureClass) -> tuple[Feature, ...]:
    """Features of a rectangle from what was drawn (EPSG:4326); feature n is sighting n - 1."""
    outlines = np.array([each.outline for each in found], object)
    areas, _ = area_perimeter(outlines)
    return features_of_outlines(grid, to_metres(outlines, grid.epsg), areas.tolist(), [""] * len(found), kind)


def names_within(grid: PixelGrid, outlines: Mapping[tuple[str, int], shapely.Geometry], cell: Cell) -> frozenset[str]:
    """Names of the features whose point lies in a cell of a rectangle; outlines in EPSG:4326 by name and year."""
    shapes, ids = to_metres(np.array(list(outlines.values()), object), grid.epsg), [name for name, _ in outlines]
    features = features_of_outlines(grid, shapes, [0.0] * len(ids), ids, "lake")
    return frozenset(each.feature_id for each in features if within(each.x, each.y, cell))


def items_of_rows(
    rows: Sequence[Mapping[str, Any]], outlines: Mapping[tuple[str, int], shapely.Geometry], kind: str
) -> tuple[AskItem, ...]:
    """Rows of an answer of the tables, each with its outline (EPSG:4326) by name and year."""
    return tuple(_item(row, outlines[str(row["feature_id"]), int(row["year"])], kind) for row in rows)


def items_of_features(numbers: Sequence[int], frame: gpd.GeoDataFrame, kind: str, year: int) -> tuple[AskItem, ...]:
    """Features of an inventory by their numbers, the largest first."""
    rows = [{**frame.iloc[number - 1].to_dict(), "year": year} for number in numbers]
    kept = [({name: row[name] for name in (*_PLAIN, *_CITED) if name in row}, row["geometry"]) for row in rows]
    return tuple(_item(row, outline, kind) for row, outline in sorted(kept, key=lambda each: (-each[0]["area_m2"], each[0]["feature_id"])))


def items_of_sightings(
    chosen: Sequence[Sighting], inventory: gpd.GeoDataFrame, kind: FeatureClass, year: int, epsg: int
) -> tuple[AskItem, ...]:
    """What was drawn, with the names of the features of an inventory (EPSG:4326) that it is; without a name it is not in the inventory."""
    outlines = np.asarray(inventory.geometry, object)
    items: list[AskItem] = []
    for each, area in zip(chosen, area_perimeter(np.array([each.outline for each in chosen], object))[0], strict=True):
        names = [str(inventory.iloc[row]["feature_id"]) for row in features_drawn(each.outline, outlines, epsg)]
        point = shapely.point_on_surface(each.outline)
        row = {"feature_id": "+".join(names), "year": year, "longitude": point.x, "latitude": point.y, "area_m2": area}
        items.append(_item(row, each.outline, kind, each.score))
    return tuple(sorted(items, key=lambda item: -item.area_m2))


def told_by_rule(own: Meaning, count: int, where: str) -> str:
    """What the inventory knows of a phrase, as a sentence; of an ambiguous one the question back."""
    source = f"by rule, among the features of the inventory of {where}"
    if own.reference is None:
        return own.text
    if own.outcome == "none":
        return f"{own.text.removesuffix('.')}, {source}."
    words = words_of(own.reference.noun)
    if own.outcome == "ambiguous":
        return f"{count} {words.many} fit {phrase_of(own.reference)!r}: which one, or all of them? Found {source}."
    return f"Found {phrase_of(own.reference)} {source}: {count} {words.one if count == 1 else words.many}."


def told_by_sight(own: Meaning, items: Sequence[AskItem], scenes: int, model: str) -> str:
    """What a referrer drew of a phrase, as a sentence."""
    assert own.reference is not None
    source = f"by sight: {model} looked at {scenes} scene{'' if scenes == 1 else 's'}"
    if own.outcome == "none":
        return f"{own.text.removesuffix('.')}, {source}."
    words = words_of(own.reference.noun)
    found = f"{len(items)} {words.one if len(items) == 1 else words.many}"
    new = sum(not item.feature_id for item in items)
    beyond = f", {new} of them not in the inventory" if new else ""
    asked = " Which one, or all of them?" if own.outcome == "ambiguous" else ""
    return f"Drew {found} for {phrase_of(own.reference)!r}{beyond}, {source}.{asked}"


def agreement(ruled: Sequence[AskItem], seen: Sequence[AskItem], model: str) -> str:
    """Say how far what was seen is what the inventory has; the inventory is what was vouched for."""
    told, drawn = {item.feature_id for item in ruled}, {name for item in seen for name in item.feature_id.split("+") if name}
    unknown = sum(not item.feature_id for item in seen)
    if told == drawn and not unknown:
        return f"{model} draws the same." if told else f"{model} sees none either."
    parts = [
        f"{len(told & drawn)} the same",
        f"{len(told - drawn)} of the inventory not drawn",
        f"{len(drawn - told)} drawn that the rule does not mean",
        f"{unknown} drawn that are not in the inventory",
    ]
    return f"{model} draws it differently: {', '.join(part for part in parts if not part.startswith('0 '))}. The inventory counts."


def told_of_ground(year: int, observed_share: float | None, *, complete: bool) -> str:
    """What limits an answer about a year: ground that was not observed (from a tenth on, or of unknown share), units that are not done."""
    told = []
    if observed_share is None:
        told.append(f"How much of the ground was observed in {year} is not known.")
    elif observed_share < _WELL_OBSERVED:
        told.append(
            f"Of the ground {observed_share:.0%} was observed in {year}: what is not listed may be hidden.".replace("%", " percent")
        )
    if not complete:
        told.append(f"The inventory of {year} is incomplete.")
    return "".join(f" {sentence}" for sentence in told)


def asked_back(words: str, text: str) -> str:
    """The question back for words that are neither about attributes nor a phrase; what goes with a place is told there."""
    if any(f" the {cell}" in words.lower() for cell in (*CELLS, "center", "centre")):
        return f"I cannot read {words!r}. A place comes last, for example: {EXAMPLE}, or: lakes larger than 0.1 km2 on the left."
    return text


def _item(row: Mapping[str, Any], outline: shapely.Geometry, kind: str, score: float = 1.0) -> AskItem:
    return AskItem(
        feature_id=str(row["feature_id"]),
        kind=kind,
        year=int(row["year"]),
        area_m2=float(row["area_m2"]),
        longitude=float(row["longitude"]),
        latitude=float(row["latitude"]),
        geometry=json.loads(shapely.to_geojson(outline)),
        score=score,
        values={name: _of_json(value) for name, value in row.items() if name not in _PLAIN},
    )


def _of_json(value: Any) -> Any:
    """JSON knows neither NaN nor dates."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.isoformat()[:10] if isinstance(value, date) else value
