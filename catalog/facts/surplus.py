"""Which scenes to keep when there are more than a surface needs."""

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from catalog.facts.tile_ground import TilePart, chip_centres_lonlat


def surplus(footprints: Sequence[BaseGeometry], clear_shares: Sequence[float], part: TilePart, most: int) -> list[bool]:
    """Say of each scene whether it is beyond the `most` that serve the tile best; the first of equals is kept.

    Scenes that show the whole tile are taken clearest first. Where swaths end inside the tile, a scene counts for less on
    chips that others already show, so that no corner of the tile is left without looks.
    """
    if len(footprints) <= most:
        return [False] * len(footprints)
    longitude, latitude = chip_centres_lonlat(part)
    # dates of one orbit have one and the same footprint
    distinct = {id(footprint): footprint for footprint in footprints}
    shown = {key: shapely.intersects_xy(footprint, longitude, latitude) for key, footprint in distinct.items()}
    shows = np.array([shown[id(footprint)] for footprint in footprints], dtype=np.float64)
    # how clear a scene is where it shows the tile at all; slivers between chip centres count as one chip
    clearness = np.asarray(clear_shares) * shows.shape[1] / np.maximum(shows.sum(axis=1), 1.0)
    looks = np.zeros(shows.shape[1])
    left = np.ones(len(footprints), dtype=np.bool_)
    for _ in range(most):
        worth = clearness * (shows @ (1.0 / (1.0 + looks)))
        best = int(np.argmax(np.where(left, worth, -1.0)))
        left[best] = False
        looks += shows[best]
    return [bool(one) for one in left]
