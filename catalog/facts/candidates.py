"""Scenes that may show a region in a year, and which of its tiles each of them touches."""

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from catalog.facts.grids import Tile
from catalog.facts.item_fields import Item
from catalog.facts.records import Scene
from catalog.facts.regions import geometry_of
from catalog.facts.scenes import Found, Rejected
from catalog.facts.tile_ground import ground_of

HEIGHTS_REACH_DEG = 0.3
"""Further than any shadow is searched for: 5 km are 0.05 degrees of latitude, and of longitude 0.26 at 80 N."""


class Candidates:
    """What a catalog answered for a region-year; a plain class, so that Prefect passes it on without looking inside."""

    def __init__(self, found: Sequence[Found]) -> None:
        """Keep the scenes in a fixed order, whatever order the catalog gave them in."""
        self._found = tuple(sorted(found, key=lambda entry: _key(_scene(entry.scene))))
        self._heights = np.array([_scene(entry.scene).sensor == "dem" for entry in self._found], dtype=np.bool_)
        self._tree = shapely.STRtree([geometry_of(_scene(entry.scene).footprint_wkt) for entry in self._found])

    def __len__(self) -> int:
        """Scenes of all sensors."""
        return len(self._found)

    @property
    def items(self) -> Mapping[tuple[str, str, str], Item]:
        """(provider, collection, ID) -> the item that the catalog gave."""
        return {_key(_scene(entry.scene)): entry.item for entry in self._found}

    @property
    def observations(self) -> int:
        """Optical and radar scenes, without elevation."""
        return sum(_scene(entry.scene).sensor != "dem" for entry in self._found)

    def over(self, tile: Tile) -> tuple[Scene | Rejected, ...]:
        """Optical and radar scenes whose footprint touches a tile, in a fixed order."""
        return self._touching(ground_of(tile), heights=False)

    def heights_around(self, tile: Tile) -> tuple[Scene, ...]:
        """Elevation tiles of the ground around a tile too: mountains outside cast their shadows into it."""
        near = self._touching(shapely.buffer(ground_of(tile), HEIGHTS_REACH_DEG), heights=True)
        return tuple(entry for entry in near if isinstance(entry, Scene))

    def _touching(self, ground: BaseGeometry, *, heights: bool) -> tuple[Scene | Rejected, ...]:
        hits = np.sort(self._tree.query(ground, predicate="intersects"))
        return tuple(self._found[index].scene for index in hits[self._heights[hits] == heights].tolist())


def _scene(entry: Scene | Rejected) -> Scene:
    return entry.scene if isinstance(entry, Rejected) else entry


def _key(scene: Scene) -> tuple[str, str, str]:
    return scene.provider, scene.collection, scene.id
