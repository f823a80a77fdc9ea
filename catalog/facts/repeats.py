"""Scenes that show the same look at the same ground again: one acquisition is one look."""

from collections.abc import Sequence
from typing import Final

from catalog.facts.causes import Refusal
from catalog.facts.grids import Tile
from catalog.facts.records import Scene
from catalog.facts.sources import KNOWN_COLLECTIONS
from catalog.facts.tile_ground import TilePart

SceneKey = tuple[str, str, str]
"""Provider, collection, ID."""

REPROCESSED_GAIN: Final = 0.05
"""Share of the mapped ground that a second product of one acquisition must add; reprocessing moves a footprint by less.

Less than that is the same ground again. More is the other half of an acquisition that was delivered in two pieces.
"""
NEIGHBOUR_GAIN: Final = 0.001
"""Share of the mapped ground that a second MGRS tile of one datatake must add; what is left is the overlap of MGRS tiles."""


def datatake_of(scene: Scene) -> str:
    """Return what scenes of one overpass share: MGRS tiles and halves of one datatake are one look at the ground they share."""
    return scene.acquisition_key.partition("/")[2] or scene.id


def identity(scene: Scene) -> SceneKey:
    """Return what identifies a scene among all catalogs."""
    return scene.provider, scene.collection, scene.id


def by_time(scene: Scene) -> tuple[object, ...]:
    """Return the key of the order in which scenes are told."""
    return scene.acquired, scene.id, scene.collection, scene.provider


def repeats(scenes: Sequence[Scene], part: TilePart) -> dict[SceneKey, Refusal]:
    """Return the scenes that add nothing to others of the same datatake over the mapped part of a tile, with the reason.

    Of products of one acquisition the highest baseline is kept, then the collection whose metadata is most trusted, then the
    newest. Of the MGRS tiles of one datatake those in the tile's own zone come first; another is kept where it adds ground.
    """
    refused: dict[SceneKey, Refusal] = {}
    datatakes: dict[str, list[Scene]] = {}
    for scene in scenes:
        datatakes.setdefault(datatake_of(scene), []).append(scene)
    for group in datatakes.values():
        if len(group) > 1:
            refused |= _repeats_of_one_datatake(group, part)
    return refused


def _repeats_of_one_datatake(group: Sequence[Scene], part: TilePart) -> dict[SceneKey, Refusal]:
    refused: dict[SceneKey, Refusal] = {}
    kept: list[Scene] = []
    for scene in _best_first(group, part):
        same_place = [other for other in kept if other.acquisition_key == scene.acquisition_key]
        least = REPROCESSED_GAIN if same_place else NEIGHBOUR_GAIN
        if kept and part.added(scene.footprint_wkt, [other.footprint_wkt for other in kept]) <= least:
            older = any((scene.baseline or "") < (other.baseline or "") for other in same_place)
            refused[identity(scene)] = Refusal.OLDER_BASELINE if older else Refusal.DUPLICATE
        else:
            kept.append(scene)
    return refused


def _best_first(group: Sequence[Scene], part: TilePart) -> list[Scene]:
    places: dict[str, list[Scene]] = {}
    for scene in sorted(sorted(group, key=by_time), key=_quality, reverse=True):
        places.setdefault(scene.acquisition_key, []).append(scene)

    def rank(place: str) -> tuple[bool, float, str]:
        members = places[place]
        return (
            not any(_in_zone(scene, part.tile) for scene in members),
            -max(part.shown(scene.footprint_wkt).area for scene in members),
            place,
        )

    return [scene for place in sorted(places, key=rank) for scene in places[place]]


def _quality(scene: Scene) -> tuple[str, int, str]:
    known = KNOWN_COLLECTIONS[scene.sensor]
    trusted = -known.index(scene.collection) if scene.collection in known else -len(known)
    return scene.baseline or "", trusted, scene.etag or ""


def _in_zone(scene: Scene, tile: Tile) -> bool:
    return any(asset.epsg == tile.epsg for asset in scene.assets.values())
