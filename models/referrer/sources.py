"""Where the features of scenes come from: inventories of lakes and slumps, masks of chips, and labels whose numbers are known."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize

from catalog.facts.feature_classes import FeatureClass
from catalog.facts.pixel_grids import PixelGrid
from models.language.instances import InstanceOptions, Instances, instances_of_labels, instances_of_mask
from models.referrer.features import FeatureMap


def features_of_labels(
    labels: NDArray[np.int32], kinds: Sequence[FeatureClass], pixel_m: float, options: InstanceOptions | None = None
) -> FeatureMap:
    """Features whose numbers are known pixel by pixel, as those of simulated chips are; what is too small is left out."""
    counts = np.bincount(labels.ravel(), minlength=len(kinds) + 1)[1:]
    names = [str(row) for row in range(len(kinds))]
    kept = instances_of_labels(labels, [float(count) * pixel_m**2 for count in counts], names, options)
    return FeatureMap(Instances(kept.labels, kept.areas_m2), tuple(kinds[int(row)] for row in kept.ids))


def features_of_mask(mask: NDArray[np.bool_], kind: FeatureClass, pixel_m: float, options: InstanceOptions | None = None) -> FeatureMap:
    """Features of one class from their mask: the lakes of a chip of lakes, the slumps of a chip of slumps."""
    found = instances_of_mask(mask, pixel_m, options)
    return FeatureMap(found, (kind,) * len(found))


def features_of_inventories(
    grid: PixelGrid, lakes: gpd.GeoDataFrame | None, slumps: gpd.GeoDataFrame | None = None, options: InstanceOptions | None = None
) -> FeatureMap:
    """Features of a rectangle from the inventories of one year (schemas `LAKES` and `SLUMPS`): areas and names are those of the inventory.

    An inventory does not know the look of water, so that its lakes are of the class `lake`. Where a slump and a lake share ground, the
    lake is seen.
    """
    parts: tuple[tuple[gpd.GeoDataFrame | None, str, FeatureClass], ...] = ((slumps, "slump_id", "thaw slump"), (lakes, "lake_id", "lake"))
    labels, areas, ids = np.zeros(grid.shape, np.int32), list[float](), list[str]()
    kinds: dict[str, FeatureClass] = {}
    for table, name, kind in parts:
        if table is None:
            continue
        shapes = [(shape, len(ids) + row) for row, shape in enumerate(table.to_crs(grid.epsg).geometry, 1)]
        if shapes:
            rasterize(shapes, transform=grid.transform, out=labels)
        areas += [float(area) for area in table["area_m2"]]
        ids += [str(each) for each in table[name]]
        kinds |= dict.fromkeys((str(each) for each in table[name]), kind)
    found = instances_of_labels(labels, areas, ids, options)
    return FeatureMap(found, tuple(kinds[each] for each in found.ids))
