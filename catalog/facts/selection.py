"""Which scenes of a season make the surface of a tile: a pure function of the scenes, not of their order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from catalog.facts.antimeridian import split, unwrapped
from catalog.facts.causes import Refusal
from catalog.facts.grids import Tile, to_lonlat
from catalog.facts.options import SearchOptions
from catalog.facts.records import Choice, Scene, Season
from catalog.facts.regions import geometry_of
from catalog.facts.scenes import Rejected

REPROCESSED_GAIN: Final = 0.05
"""Share of the tile that a second product of one acquisition must add; reprocessing moves a footprint by less.

Less than that is the same ground again. More is the other half of an acquisition that was delivered in two pieces.
"""
NEIGHBOUR_GAIN: Final = 0.001
"""Share of the tile that a second MGRS tile of one datatake must add; what is left is the overlap of MGRS tiles."""


@dataclass(frozen=True, slots=True)
class ClearShares:
    """What a scene's own classes say over one tile, shares from 0 to 1."""

    clear: float
    """Of the tile: shown without cloud and cloud shadow."""
    cloud: float = 0.0
    """Of the part of the tile that the scene shows."""
    snow: float = 0.0
    """Of the part of the tile that the scene shows."""


def choose(
    scenes: Sequence[Scene | Rejected],
    tile: Tile,
    season: Season,
    options: SearchOptions,
    clear: Mapping[str, ClearShares],
    *,
    orbit: str | None = None,
) -> tuple[Choice, ...]:
    """Decide for every scene whether it is used for a tile, or why not, ordered by time and ID.

    `clear` maps scene IDs to what was measured over the tile; a scene without a measure is judged by the cloud cover of the
    whole scene. `orbit` is the direction chosen by `orbit_direction` for the region, year and zone; None chooses it here.
    """
    ground = ground_of(tile)
    rejected = {_identity(entry.scene): entry.reason for entry in scenes if isinstance(entry, Rejected)}
    ordered = sorted({_identity(scene): scene for scene in map(_scene_of, scenes)}.values(), key=_by_time)
    refused: dict[tuple[str, str, str], Refusal] = {}
    for scene in ordered:
        reason = _unfit(scene, ground, season) or rejected.get(_identity(scene))
        if reason is not None:
            refused[_identity(scene)] = reason
    left = [scene for scene in ordered if _identity(scene) not in refused]
    refused |= _other_orbits(left, orbit)
    optical = [scene for scene in left if scene.sensor == "s2"]
    refused |= _repeats(optical, tile, ground)
    refused |= _obscured([scene for scene in optical if _identity(scene) not in refused], options, clear)
    refused |= _surplus([scene for scene in optical if _identity(scene) not in refused], ground, options, clear)
    return tuple(_choice(scene, tile, refused.get(_identity(scene)), clear) for scene in ordered)


def orbit_direction(scenes: Iterable[Scene | Rejected]) -> str | None:
    """Return the orbit direction with most terrain-corrected radar scenes, ascending on a tie; None without any.

    Layover and shadow fall on opposite slopes in the two directions, so one composite takes one of them: call this once for
    a region, year and zone.
    """
    counts = Counter(scene.orbit_state for scene in scenes if isinstance(scene, Scene) and scene.sensor == "s1" and scene.orbit_state)
    return min(counts, key=lambda state: (-counts[state], state), default=None)


@lru_cache(maxsize=16384)
def ground_of(tile: Tile) -> BaseGeometry:
    """Return a tile's ground in EPSG:4326, split at +-180, prepared."""
    square = shapely.segmentize(shapely.box(*tile.bounds_lbrt), tile.size_m / 8)
    lonlat = shapely.transform(square, lambda xy: np.column_stack(to_lonlat(tile.epsg).transform(xy[:, 0], xy[:, 1])))
    ground = split(unwrapped(lonlat))
    shapely.prepare(ground)
    return ground


def _scene_of(entry: Scene | Rejected) -> Scene:
    return entry.scene if isinstance(entry, Rejected) else entry


def _identity(scene: Scene) -> tuple[str, str, str]:
    return scene.provider, scene.collection, scene.id


def _by_time(scene: Scene) -> tuple[object, ...]:
    return scene.acquired, scene.id, scene.collection, scene.provider


def _choice(scene: Scene, tile: Tile, reason: Refusal | None, clear: Mapping[str, ClearShares]) -> Choice:
    shares = clear.get(scene.id)
    return Choice(scene, tile.id, reason is None, None if reason is None else str(reason), None if shares is None else shares.clear)


def _unfit(scene: Scene, ground: BaseGeometry, season: Season) -> Refusal | None:
    if scene.sensor != "dem" and not season.start <= scene.acquired.date() <= season.end:
        return Refusal.OUT_OF_SEASON
    return None if shapely.intersects(ground, geometry_of(scene.footprint_wkt)) else Refusal.NO_OVERLAP


def _other_orbits(scenes: Sequence[Scene], orbit: str | None) -> dict[tuple[str, str, str], Refusal]:
    chosen = orbit if orbit is not None else orbit_direction(scenes)
    others = (scene for scene in scenes if scene.sensor == "s1" and scene.orbit_state not in (None, chosen))
    return {_identity(scene): Refusal.OTHER_ORBIT for scene in others}


def _repeats(scenes: Sequence[Scene], tile: Tile, ground: BaseGeometry) -> dict[tuple[str, str, str], Refusal]:
    """Refuse what shows the same look at the same ground again: one acquisition is one look."""
    refused: dict[tuple[str, str, str], Refusal] = {}
    datatakes: dict[str, list[Scene]] = {}
    for scene in scenes:
        datatakes.setdefault(scene.acquisition_key.partition("/")[2] or scene.id, []).append(scene)
    for group in datatakes.values():
        if len(group) > 1:
            refused |= _repeats_of_one_datatake(group, tile, ground)
    return refused


def _repeats_of_one_datatake(group: Sequence[Scene], tile: Tile, ground: BaseGeometry) -> dict[tuple[str, str, str], Refusal]:
    shown = {_identity(scene): shapely.intersection(ground, geometry_of(scene.footprint_wkt)) for scene in group}
    refused: dict[tuple[str, str, str], Refusal] = {}
    kept: list[Scene] = []
    for scene in _best_first(group, tile, {key: shape.area for key, shape in shown.items()}):
        same_place = [other for other in kept if other.acquisition_key == scene.acquisition_key]
        before = shapely.union_all([shown[_identity(other)] for other in kept])
        gain = shapely.difference(shown[_identity(scene)], before).area / ground.area
        if kept and gain <= (REPROCESSED_GAIN if same_place else NEIGHBOUR_GAIN):
            older = any((scene.baseline or "") < (other.baseline or "") for other in same_place)
            refused[_identity(scene)] = Refusal.OLDER_BASELINE if older else Refusal.DUPLICATE
        else:
            kept.append(scene)
    return refused


def _best_first(group: Sequence[Scene], tile: Tile, shown_area: Mapping[tuple[str, str, str], float]) -> list[Scene]:
    """MGRS tiles in the tile's own zone first, then those that show most; within one the highest baseline, then the newest."""
    places: dict[str, list[Scene]] = {}
    for scene in sorted(sorted(group, key=_by_time), key=lambda scene: (scene.baseline or "", scene.etag or ""), reverse=True):
        places.setdefault(scene.acquisition_key, []).append(scene)

    def rank(place: str) -> tuple[bool, float, str]:
        members = places[place]
        return not any(_in_zone(scene, tile) for scene in members), -max(shown_area[_identity(scene)] for scene in members), place

    return [scene for place in sorted(places, key=rank) for scene in places[place]]


def _in_zone(scene: Scene, tile: Tile) -> bool:
    return any(asset.epsg == tile.epsg for asset in scene.assets.values())


def _obscured(scenes: Sequence[Scene], options: SearchOptions, clear: Mapping[str, ClearShares]) -> dict[tuple[str, str, str], Refusal]:
    refused = {}
    for scene in scenes:
        shares = clear.get(scene.id) or ClearShares(0.0)
        if scene.sun_elevation_deg is not None and scene.sun_elevation_deg < options.min_sun_elevation_deg:
            refused[_identity(scene)] = Refusal.LOW_SUN
        elif shares.cloud > options.max_tile_cloud_share or _hopeless(scene, options, clear):
            refused[_identity(scene)] = Refusal.CLOUD
        elif shares.snow > options.max_tile_snow_share:
            refused[_identity(scene)] = Refusal.SNOW
    return refused


def _hopeless(scene: Scene, options: SearchOptions, clear: Mapping[str, ClearShares]) -> bool:
    return scene.id not in clear and scene.cloud_percent is not None and scene.cloud_percent > options.max_scene_cloud_percent


def _surplus(
    scenes: Sequence[Scene], ground: BaseGeometry, options: SearchOptions, clear: Mapping[str, ClearShares]
) -> dict[tuple[str, str, str], Refusal]:
    if len(scenes) <= options.max_scenes:
        return {}

    def clear_share(scene: Scene) -> float:
        if scene.id in clear:
            return clear[scene.id].clear
        shown = shapely.intersection(ground, geometry_of(scene.footprint_wkt)).area / ground.area
        return float(shown) * (1.0 - (scene.cloud_percent or 0.0) / 100.0)

    clearest = sorted(sorted(scenes, key=_by_time), key=clear_share, reverse=True)
    return {_identity(scene): Refusal.SURPLUS for scene in clearest[options.max_scenes :]}
