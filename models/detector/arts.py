"""Slumps as rows of the Arctic retrogressive thaw slump data set (ARTS), with the probability statistics that DARTS gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import NAMESPACE_DNS, uuid5

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from catalog.facts.errors import SchemaError
from models.outlines.geodesy import area_perimeter

Geometries = NDArray[np.object_]

REQUIRED: Final = (
    "CentroidLat",
    "CentroidLon",
    "RegionName",
    "CreatorLab",
    "BaseMapDate",
    "BaseMapSource",
    "BaseMapResolution",
    "TrainClass",
    "LabelType",
)
"""Fields whose texts, joined without separators, make the UID."""
GENERATED: Final = ("MergedRTS", "SplitRTS", "NewRTS", "StabilizedRTS", "UnknownRelationship", "ContributionDate", "UID")
ARTS_CRS: Final = 3413
"""The data set is kept in the polar stereographic projection of the north; centroids are taken there."""
_POSITIVE, _POLYGON = "Positive", "Polygon"
_PLACES: Final = 5


@dataclass(frozen=True, slots=True)
class Contribution:
    """What is the same for every row of a contribution."""

    region_name: str
    creator_lab: str
    contributed: date
    model: str = ""
    source: str = "Sentinel-2"
    resolution_m: float = 10.0


@dataclass(frozen=True, slots=True)
class SlumpYear:
    """The inventory of one year: columns of `slump_schemas.SLUMPS` (n,) and outlines in EPSG:4326."""

    year: int
    columns: Mapping[str, Sequence[Any]]
    outlines: Geometries


def arts_columns(years: Sequence[SlumpYear], wanted: int, contribution: Contribution) -> dict[str, list[Any]]:
    """Return the ARTS columns of the slumps of one year, in their order; earlier years give repeated slumps the UID of their first row.

    Merges, splits and unknown relationships name the other slumps' UIDs. `NewRTS` and `StabilizedRTS` are for the eye to fill: a status
    that areas alone tell is written in `Notes`, never as a relationship. Raises SchemaError for a slump without a date.
    """
    first: dict[str, str] = {}
    chosen: dict[str, list[Any]] = {}
    for inventory in sorted((each for each in years if each.year <= wanted), key=lambda each: each.year):
        own = _own_columns(inventory, contribution)
        for name, seed in zip(inventory.columns["slump_id"], zip(*(own[field] for field in REQUIRED), strict=True), strict=True):
            first.setdefault(str(name), uid_of(seed))
        chosen = own
    named = next(each for each in years if each.year == wanted)
    chosen["UID"] = [first[str(name)] for name in named.columns["slump_id"]]
    return chosen | _relations(named, first) | {"ContributionDate": [contribution.contributed.isoformat()] * len(named.outlines)}


def uid_of(required: Sequence[Any]) -> str:
    """Return the UID of the values of `REQUIRED`: UUID 5 of the DNS name space; whole numbers of metres are written without a point."""
    texts = [str(int(value)) if isinstance(value, float) and name == "BaseMapResolution" and value.is_integer() else str(value)
             for name, value in zip(REQUIRED, required, strict=True)]  # fmt: skip
    return str(uuid5(NAMESPACE_DNS, "".join(texts)))


def centroids(outlines: Geometries) -> tuple[list[float], list[float]]:
    """Return latitudes and longitudes of centroids, taken in EPSG:3413, degrees to 5 decimals."""
    there = Transformer.from_crs(4326, ARTS_CRS, always_xy=True)
    moved = shapely.transform(outlines, lambda corners: np.column_stack(there.transform(corners[:, 0], corners[:, 1])))
    middle = shapely.get_coordinates(shapely.centroid(moved)).reshape(-1, 2)
    longitude, latitude = there.transform(middle[:, 0], middle[:, 1], direction="INVERSE")
    return np.round(latitude, _PLACES).tolist(), np.round(longitude, _PLACES).tolist()


def _own_columns(inventory: SlumpYear, contribution: Contribution) -> dict[str, list[Any]]:
    number = len(inventory.outlines)
    latitude, longitude = centroids(inventory.outlines)
    area = area_perimeter(inventory.outlines)[0]
    return {
        "CentroidLat": latitude,
        "CentroidLon": longitude,
        "RegionName": [contribution.region_name] * number,
        "CreatorLab": [contribution.creator_lab] * number,
        "BaseMapDate": [_dates(inventory, place) for place in range(number)],
        "BaseMapSource": [contribution.source] * number,
        "BaseMapResolution": [contribution.resolution_m] * number,
        "TrainClass": [_POSITIVE] * number,
        "LabelType": [_POLYGON] * number,
        "Area": area.tolist(),
        "Notes": [_notes(status, score, contribution.model) for status, score in zip(*_both(inventory, "status", "score"), strict=True)],
        "Region_ID": [str(tile) for tile in inventory.columns["tile"]],
        "mean": [_number(value) for value in inventory.columns["mask_probability"]],
        "std": [_number(value) for value in inventory.columns["mask_probability_sd"]],
        "npixel": np.round(area / contribution.resolution_m**2).astype(np.int64).tolist(),
        "year": [inventory.year] * number,
        "slump_id": [str(name) for name in inventory.columns["slump_id"]],
    }


def _relations(inventory: SlumpYear, first: Mapping[str, str]) -> dict[str, list[str]]:
    """UIDs of related slumps under the field of what happened; the other fields stay empty texts, as the data set wants them."""
    field_of = {"merged": "MergedRTS", "split": "SplitRTS", "unknown": "UnknownRelationship"}
    relations = {name: [""] * len(inventory.outlines) for name in GENERATED[:5]}
    for place, (status, related) in enumerate(zip(*_both(inventory, "status", "related_ids"), strict=True)):
        uids = [first[str(other)] for other in (related if related is not None else ()) if str(other) in first]
        if status in field_of:
            relations[field_of[status]][place] = ",".join(uids)
    return relations


def _both(inventory: SlumpYear, one: str, other: str) -> tuple[Sequence[Any], Sequence[Any]]:
    return inventory.columns[one], inventory.columns[other]


def _dates(inventory: SlumpYear, place: int) -> str:
    start, end = (inventory.columns[name][place] for name in ("date_first", "date_last"))
    if start is None or end is None:
        raise SchemaError(
            f"Slump {inventory.columns['slump_id'][place]} of {inventory.year} has no date of observation, which ARTS asks for. "
            "Map that year again with `cryoatlas run`."
        )
    return start.isoformat() if start == end else f"{start.isoformat()},{end.isoformat()}"


def _notes(status: str | None, score: float, model: str) -> str:
    return f"status {status or 'unknown'}; score {float(score):.3f}; detected by {model or 'cryoatlas'}, not checked by eye"


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
