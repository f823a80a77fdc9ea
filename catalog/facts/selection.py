"""Which scenes of a season make the surface of a tile: a pure function of the scenes, not of their order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalog.facts.causes import Refusal
from catalog.facts.grids import Tile
from catalog.facts.options import SearchOptions
from catalog.facts.records import Choice, Scene, Season
from catalog.facts.regions import geometry_of
from catalog.facts.repeats import SceneKey, by_time, identity, repeats
from catalog.facts.scenes import Rejected
from catalog.facts.surplus import surplus
from catalog.facts.tile_ground import TilePart, ground_of


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
    tile: Tile | TilePart,
    season: Season,
    options: SearchOptions,
    clear: Mapping[str, ClearShares],
    *,
    orbit: str | None = None,
) -> tuple[Choice, ...]:
    """Decide for every scene whether it is used for a tile, or why not, ordered by time and ID.

    `clear` maps scene IDs to what was measured over the tile; a scene without a measure is judged by the cloud cover of the
    whole scene. Given a part of a tile, only what scenes show of that part counts. `orbit` is the direction chosen by `orbit_direction` for the region, year and zone; None chooses it here.
    """
    part = tile if isinstance(tile, TilePart) else TilePart(tile, ground_of(tile))
    rejected = {identity(entry.scene): entry.reason for entry in scenes if isinstance(entry, Rejected)}
    keyed = {identity(scene): scene for scene in map(_scene_of, scenes)}
    ordered = dict(sorted(keyed.items(), key=lambda entry: by_time(entry[1])))
    refused: dict[SceneKey, Refusal] = {}
    for key, scene in ordered.items():
        reason = _unfit(scene, part, season) or rejected.get(key)
        if reason is not None:
            refused[key] = reason
    left = {key: scene for key, scene in ordered.items() if key not in refused}
    refused |= _other_orbits(list(left.values()), orbit)
    refused |= repeats([scene for key, scene in left.items() if scene.sensor != "dem" and key not in refused], part)
    optical = {key: scene for key, scene in left.items() if scene.sensor == "s2" and key not in refused}
    refused |= _obscured(list(optical.values()), options, clear)
    refused |= _surplus([scene for key, scene in optical.items() if key not in refused], part, options, clear)
    tile_id = part.tile.id
    return tuple(_choice(scene, tile_id, refused.get(key), clear) for key, scene in ordered.items())


def orbit_direction(scenes: Iterable[Scene | Rejected]) -> str | None:
    """Return the orbit direction with most terrain-corrected radar scenes, ascending on a tie; None without any.

    Layover and shadow fall on opposite slopes in the two directions, so one composite takes one of them: call this once for
    a region, year and zone.
    """
    counts = Counter(scene.orbit_state for scene in scenes if isinstance(scene, Scene) and scene.sensor == "s1" and scene.orbit_state)
    return min(counts, key=lambda state: (-counts[state], state), default=None)


def _scene_of(entry: Scene | Rejected) -> Scene:
    return entry.scene if isinstance(entry, Rejected) else entry


def _choice(scene: Scene, tile_id: str, reason: Refusal | None, clear: Mapping[str, ClearShares]) -> Choice:
    shares = clear.get(scene.id)
    return Choice(scene, tile_id, reason is None, None if reason is None else str(reason), None if shares is None else shares.clear)


def _unfit(scene: Scene, part: TilePart, season: Season) -> Refusal | None:
    if scene.sensor != "dem" and not season.start <= scene.acquired.date() <= season.end:
        return Refusal.OUT_OF_SEASON
    return None if part.meets(scene.footprint_wkt) else Refusal.NO_OVERLAP


def _other_orbits(scenes: Sequence[Scene], orbit: str | None) -> dict[SceneKey, Refusal]:
    chosen = orbit if orbit is not None else orbit_direction(scenes)
    others = (scene for scene in scenes if scene.sensor == "s1" and scene.orbit_state not in (None, chosen))
    return {identity(scene): Refusal.OTHER_ORBIT for scene in others}


def _obscured(scenes: Sequence[Scene], options: SearchOptions, clear: Mapping[str, ClearShares]) -> dict[SceneKey, Refusal]:
    refused = {}
    for scene in scenes:
        shares = clear.get(scene.id) or ClearShares(0.0)
        if scene.sun_elevation_deg is not None and scene.sun_elevation_deg < options.min_sun_elevation_deg:
            refused[identity(scene)] = Refusal.LOW_SUN
        elif shares.cloud > options.max_tile_cloud_share or _hopeless(scene, options, clear):
            refused[identity(scene)] = Refusal.CLOUD
        elif shares.snow > options.max_tile_snow_share:
            refused[identity(scene)] = Refusal.SNOW
    return refused


def _hopeless(scene: Scene, options: SearchOptions, clear: Mapping[str, ClearShares]) -> bool:
    return scene.id not in clear and scene.cloud_percent is not None and scene.cloud_percent > options.max_scene_cloud_percent


def _surplus(scenes: Sequence[Scene], part: TilePart, options: SearchOptions, clear: Mapping[str, ClearShares]) -> dict[SceneKey, Refusal]:
    if len(scenes) <= options.max_scenes:
        return {}
    footprints = [geometry_of(scene.footprint_wkt) for scene in scenes]
    shares = [_clear_share(scene, part, clear) for scene in scenes]
    last = surplus(footprints, shares, part, options.max_scenes)
    return {identity(scene): Refusal.SURPLUS for scene, is_last in zip(scenes, last, strict=True) if is_last}


def _clear_share(scene: Scene, part: TilePart, clear: Mapping[str, ClearShares]) -> float:
    """What was measured over the tile, or what the footprint and the cloud cover of the whole scene let hope for."""
    if scene.id in clear:
        return clear[scene.id].clear
    shown = part.shown(scene.footprint_wkt).area / part.ground.area
    return float(shown) * (1.0 - (scene.cloud_percent or 0.0) / 100.0)
