"""Features of a region-year on its ground: where it ends, which features it claims, and the pixels they cover."""

from collections.abc import Iterator, Sequence

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray

from catalog.facts.grids import CHIP_PX, PIXEL_M, Tile, tiles_over_bounds
from catalog.facts.territory import ZoneTerritory
from models.outlines.geodesy import representative_points, to_degrees, to_metres, zone_area_perimeter
from models.outlines.inventory import Shapes
from models.outlines.seams import OwnedFeature
from models.outlines.shape import shape_indices


def extent_of(ground: ZoneTerritory) -> shapely.Geometry:
    """Return the union of the chips that a region maps in one zone, metres of the zone."""
    return shapely.union_all([box for tile in ground.tiles for box in _chip_boxes(tile, ground.chip_mask(tile))])


def claimed_shapes(
    features: Sequence[tuple[OwnedFeature, ZoneTerritory]], keep_area_m2: float
) -> tuple[Shapes, NDArray[np.object_], NDArray[np.int64]]:
    """Return geodesic figures, outlines (EPSG:4326) and places of the features that are large enough and belong to the region."""
    alone = [np.array([feature.polygon], object) for feature, _ in features]
    geometry = np.array([to_degrees(one, f.epsg)[0] for one, (f, _) in zip(alone, features, strict=True)], dtype=object)
    points = np.array([representative_points(one, f.epsg)[0] for one, (f, _) in zip(alone, features, strict=True)]).reshape(-1, 2)
    figures = [zone_area_perimeter(one, f.epsg) for one, (f, _) in zip(alone, features, strict=True)]
    area, perimeter = (np.array([part[side][0] for part in figures]).reshape(-1) for side in (0, 1))
    tiles = [_tile_at(ground, point) for (_, ground), point in zip(features, points, strict=True)]
    claimed = np.array([tile in ground.claimed for (_, ground), tile in zip(features, tiles, strict=True)], bool)
    keep = np.flatnonzero((area >= keep_area_m2) & claimed)
    names, zones = [tiles[i].id for i in keep.tolist()], [features[i][0].epsg for i in keep.tolist()]
    indices = shape_indices(np.array([features[i][0].polygon for i in keep.tolist()], object))
    return Shapes(points[keep, 0], points[keep, 1], area[keep], perimeter[keep], indices, names, zones), geometry[keep], keep


def pixel_bounds(polygon: shapely.Geometry) -> tuple[int, int, int, int]:
    """Return global pixels (y0, x0, y1, x1), ends exclusive, that hold a polygon in metres of its zone."""
    left, bottom, right, top = shapely.bounds(polygon)
    return (int(np.floor(-top / PIXEL_M)), int(np.floor(left / PIXEL_M)), int(np.ceil(-bottom / PIXEL_M)), int(np.ceil(right / PIXEL_M)))


def pixels_inside(polygons: Sequence[shapely.Geometry], window: Sequence[int], *, touched: bool = False) -> NDArray[np.bool_]:
    """Return the pixels of a window (y0, x0, y1, x1) whose centre lies in one of the polygons; with `touched` those they meet."""
    top, left, bottom, right = window
    shape = bottom - top, right - left
    if not len(polygons):
        return np.zeros(shape, bool)
    transform = Affine(PIXEL_M, 0, left * PIXEL_M, 0, -PIXEL_M, -top * PIXEL_M)
    burned = rasterio.features.rasterize(list(polygons), shape, transform=transform, all_touched=touched, dtype="uint8")
    return np.asarray(burned, bool)


def _chip_boxes(tile: Tile, chips: NDArray[np.bool_]) -> Iterator[shapely.Geometry]:
    left, _, _, top = tile.bounds_lbrt
    side = CHIP_PX * PIXEL_M
    if chips.all():
        yield shapely.box(*tile.bounds_lbrt)
        return
    for row, column in np.argwhere(chips):
        west, north = left + int(column) * side, top - int(row) * side
        yield shapely.box(west, north - side, west + side, north)


def _tile_at(ground: ZoneTerritory, point: NDArray[np.float64]) -> Tile:
    """Tile of this zone's lattice that holds a point (longitude, latitude)."""
    at = shapely.get_coordinates(to_metres(np.array([shapely.Point(*point)], object), ground.epsg))[0]
    east, north = float(at[0]), float(at[1])
    return next(tiles_over_bounds(ground.epsg, (east, north, east + 1e-6, north + 1e-6), ground.tiles[0].chips))
