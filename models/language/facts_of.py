"""Lakes on the pixels of a scene to the facts that may be said of them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from catalog.facts.scene_facts import Earlier, LakeFact, SceneFacts, Whereabouts, in_order
from models.language.instances import Instances


def facts_of(
    instances: Instances,
    pixel_m: float,
    *,
    scene_id: str = "",
    whereabouts: Whereabouts | None = None,
    elevation: NDArray[np.float32] | None = None,
    before: Instances | None = None,
) -> SceneFacts:
    """Facts of a scene from its lakes.

    `elevation` (y, x) in metres gives each lake the median inside it. `before` are the lakes of the year before on the same pixels,
    for which `whereabouts` must tell the year: growth can be told then.
    """
    where = whereabouts or Whereabouts()
    # each lake is looked at inside its own box: of a scene of many lakes most pixels are none of it
    boxes = ndimage.find_objects(instances.labels, len(instances))
    lakes = [_lake(instances, number, box, elevation) for number, box in enumerate(boxes, start=1)]
    if before is None or where.year is None:
        return SceneFacts(scene_id, pixel_m, in_order(lakes), where)
    earlier = Earlier(where.year - 1, len(before), sum(before.areas_m2))
    lakes = [replace(lake, area_before_m2=_area_before(instances, before, lake.number)) for lake in lakes]
    return SceneFacts(scene_id, pixel_m, in_order(lakes), where, earlier)


def _lake(instances: Instances, number: int, box: tuple[slice, slice], elevation: NDArray[np.float32] | None) -> LakeFact:
    height, width = instances.labels.shape
    rows, columns = np.nonzero(instances.labels[box] == number)
    rows, columns = rows + box[0].start, columns + box[1].start
    row, column = _point(rows, columns)
    inside = None if elevation is None else elevation[rows, columns]
    known = None if inside is None or not np.isfinite(inside).any() else float(np.nanmedian(inside))
    return LakeFact(
        number=number,
        x=(column + 0.5) / width,
        y=(row + 0.5) / height,
        area_m2=instances.areas_m2[number - 1],
        bounds_lbrt_px=(int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1, int(rows.min())),
        lake_id=instances.ids[number - 1] if instances.ids else "",
        elevation_m=known,
    )


def _point(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> tuple[float, float]:
    """The centroid, or the lake's pixel nearest to it where a bent lake does not hold its own centroid."""
    row, column = float(rows.mean()), float(columns.mean())
    if ((rows == round(row)) & (columns == round(column))).any():
        return row, column
    nearest = int(np.argmin((rows - row) ** 2 + (columns - column) ** 2))
    return float(rows[nearest]), float(columns[nearest])


def _area_before(now: Instances, before: Instances, number: int) -> float:
    """Area of the lakes of the year before that share ground with a lake."""
    shared = np.unique(before.labels[now.labels == number])
    return sum(before.areas_m2[int(value) - 1] for value in shared if value)
