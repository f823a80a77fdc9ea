"""The truth about every feature of every year: where it is, how large, and whether anyone could have seen it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import parquet
from pyproj import Geod
from shapely.geometry import Polygon, box

from simulator.features import Event, State
from simulator.frames import reproject
from simulator.ground import Ground, inside
from simulator.optical import Air
from simulator.worlds import World

Floats = npt.NDArray[np.float32]
SMALL_M2 = 5_000.0
SMALL_SUPRAGLACIAL_M2 = 10_000.0
SHADOWED_SHARE = 0.3
SEEN_SHARE = 0.5
NAMES = pa.list_(pa.string())
EVENTS = pa.schema([("event", pa.string()), ("year_from", pa.int16()), ("year", pa.int16()), ("parents", NAMES), ("children", NAMES)])
RECOVERED_YEARS = 1  # a slump at rest for longer is green again in part


@dataclass(slots=True)
class Looks:
    """Counts, per pixel of one zone, of dates on which the ground was seen, and of those in cast shadow."""

    clear: Floats
    shaded: Floats

    def add(self, air: Air) -> None:
        """Count one date in season."""
        self.clear += air.clear
        self.shaded += air.clear & (air.cast > 0.5)


def describe(world: World, states: Sequence[State], ground: Ground, looks: Looks) -> gpd.GeoDataFrame:
    """One row per feature of a year, in longitude and latitude, areas geodesic."""
    index = inside([state.shape for state in states], ground.frame, world.base.epsg)
    rows = [_row(world, state, index == number + 1, looks) for number, state in enumerate(states)]
    columns = [
        "id",
        "class",
        "area_m2",
        "hard",
        "hard_because",
        "observable",
        "observed_share",
        "shadow_share",
        "frozen",
        "edge",
        "geometry",
    ]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=4326)


def _row(world: World, state: State, mask: npt.NDArray[np.bool_], looks: Looks) -> dict[str, object]:
    geometry = reproject(state.shape, world.base.epsg, 4326)
    area = geodesic_area_m2(geometry)
    clear, shaded = looks.clear[mask], looks.shaded[mask]
    seen = float((clear > 0).mean()) if clear.size else 0.0
    shadow = float(shaded.sum() / max(clear.sum(), 1))
    reasons = {
        "frozen": state.frozen,
        "small": area < SMALL_M2,
        "supraglacial": state.kind == "supraglacial" and area < SMALL_SUPRAGLACIAL_M2,
        "shadowed": shadow > SHADOWED_SHARE,
        "cloud": seen < SEEN_SHARE,
        "recovering": state.resting > RECOVERED_YEARS,
    }
    because = ";".join(name for name, holds in reasons.items() if holds)
    return {
        "id": state.name,
        "class": "frozen" if state.frozen else state.kind,
        "area_m2": area,
        "hard": bool(because),
        "hard_because": because,
        "observable": seen >= SEEN_SHARE,
        "observed_share": seen,
        "shadow_share": shadow,
        "frozen": state.frozen,
        "edge": not box(*world.bounds).contains(state.shape),
        "geometry": geometry,
    }


def geodesic_area_m2(geometry: Polygon) -> float:
    """Area on the WGS 84 ellipsoid. Source: Karney (2013), Algorithms for geodesics."""
    return abs(float(Geod(ellps="WGS84").geometry_area_perimeter(geometry)[0]))


def write_table(path: Path, table: gpd.GeoDataFrame) -> None:
    """Write a GeoParquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False, compression="zstd")


def write_events(path: Path, events: Sequence[Event]) -> None:
    """Write the events of all years as Parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist([asdict(event) for event in events], schema=EVENTS), path)


def confusers(world: World, shapes: Sequence[tuple[str, Polygon]]) -> gpd.GeoDataFrame:
    """What must not be mapped: kind, area and outline."""
    kinds = [kind for kind, _ in shapes]
    outlines = [reproject(shape, world.base.epsg, 4326) for _, shape in shapes]
    areas = [geodesic_area_m2(shape) for shape in outlines]
    return gpd.GeoDataFrame({"class": kinds, "area_m2": areas}, geometry=outlines, crs=4326)
