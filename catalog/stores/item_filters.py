"""Which items of a list show a sensor, a place and a time: what an API does for us and files do not."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import shapely
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from catalog.facts.antimeridian import split_bounds
from catalog.facts.errors import SourceBroken
from catalog.facts.item_fields import acquired, footprint
from catalog.facts.records import Sensor
from catalog.facts.scenes import sensor_of

Item = dict[str, Any]
Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees; west > east crosses +-180."""


def matching(
    items: Iterable[Item], sensor: Sensor, bounds_wsen: Bounds, start: datetime, end: datetime, *, max_cloud_percent: float | None = None
) -> list[Item]:
    """Return the items of a sensor that meet a box and an interval (elevation models have no time), each once, in order."""
    ground = shapely.union_all([box(*part) for part in split_bounds(bounds_wsen)])
    return once(
        item
        for item in items
        if sensor_of(item) == sensor and _meets(item, ground, sensor, (start, end)) and clear_enough(item, max_cloud_percent)
    )


def once(items: Iterable[Item]) -> list[Item]:
    """Return each item once, the last updated of equal IDs, ordered by collection and ID: pages and cells overlap."""
    newest: dict[tuple[str, str], Item] = {}
    for item in items:
        key = (str(item.get("collection") or ""), str(item["id"]))
        if key not in newest or _updated(newest[key]) < _updated(item):
            newest[key] = item
    return [newest[key] for key in sorted(newest)]


def clear_enough(item: Mapping[str, Any], max_cloud_percent: float | None) -> bool:
    """Say whether the whole scene is below a cloud cover; one that does not tell is."""
    cover = item["properties"].get("eo:cloud_cover")
    return max_cloud_percent is None or cover is None or float(cover) <= max_cloud_percent


def _updated(item: Mapping[str, Any]) -> str:
    return str(item["properties"].get("updated") or item["properties"].get("created") or "")


def _meets(item: Item, ground: BaseGeometry, sensor: Sensor, interval: tuple[datetime, datetime]) -> bool:
    try:
        in_time = sensor == "dem" or _utc(interval[0]) <= acquired(item) <= _utc(interval[1])
        return in_time and bool(shapely.intersects(ground, footprint(item)))
    except SourceBroken:
        return True  # kept, so that the record can say why it is not used


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
