"""A reviewer who knows the truth of a simulated world and answers a sample as a person would in QGIS."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely


def answer(sheet: Path, truth: gpd.GeoDataFrame, *, least_area_m2: float, share: float = 0.5, until: int | None = None) -> None:
    """Fill in a sample: a listed feature is right when `share` of the smaller outline is true, and gets the true outline.

    Cells get every true feature of at least `least_area_m2` whose middle lies in them and of which less than `share` is listed. With
    `until` only so many features are answered.
    """
    features, cells, listed = (pyogrio.read_dataframe(sheet, layer=layer) for layer in ("features", "cells", "listed"))
    true, drawn = truth.geometry.to_numpy(), []
    verdicts = []
    for case, outline in list(zip(features["case"], features.geometry.to_numpy(), strict=True))[:until]:
        near = [shape for shape in true[shapely.STRtree(true).query(outline)] if _share(outline, shape) >= share]
        verdicts.append("wrong" if not near else "merged" if len(near) > 1 else "correct")
        drawn += [(case, shapely.union_all(near))] if near else []
    features["verdict"] = verdicts + [""] * (len(features) - len(verdicts))
    cells["checked"] = "yes"
    missed = []
    for shape, area in zip(true, truth["area_m2"], strict=True):
        known = max((_share(shape, outline) for outline in listed.geometry.to_numpy()), default=0.0)
        if area >= least_area_m2 and known < share:
            missed.append(shape)
    for layer, frame in (("features", features), ("cells", cells)):
        pyogrio.write_dataframe(frame, sheet, layer=layer, geometry_type="MultiPolygon", promote_to_multi=True)
    cases, shapes = zip(*drawn, strict=True) if drawn else ((), ())
    redraw = gpd.GeoDataFrame({"case": list(cases)}, geometry=list(shapes), crs=4326)
    pyogrio.write_dataframe(redraw, sheet, layer="redraw", geometry_type="MultiPolygon", promote_to_multi=True)
    lacking = gpd.GeoDataFrame({"case": [""] * len(missed), "area_m2": [np.nan] * len(missed)}, geometry=missed, crs=4326)
    pyogrio.write_dataframe(lacking, sheet, layer="missed", geometry_type="Unknown")


def _share(one: shapely.Geometry, other: shapely.Geometry) -> float:
    smaller = min(one.area, other.area)
    return shapely.intersection(one, other).area / smaller if smaller else 0.0
