"""Which tiles of which zone a region maps, which of them it answers for, and which it may skip."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from catalog.facts.antimeridian import near, split, unwrapped
from catalog.facts.errors import WrongCall
from catalog.facts.grids import CHIPS_PER_TILE, UTM_NORTH_LIMIT_DEG, UTM_SOUTH_LIMIT_DEG, Tile, from_lonlat, to_lonlat
from catalog.facts.lattice import Patch, patch_over, zones_near
from catalog.facts.regions import DEFAULT_OUTLINE_BUFFER_M, Region, in_order

EDGE_STEP_DEG = 0.02
"""Straight edges in degrees are cut into such steps before projection; the chord is then less than a metre off below 84 N."""
SEAM_REACH_DEG = 0.7
"""Tiles of the neighbouring zone that can meet this zone's ring lie within this many degrees of longitude at the equator."""


@dataclass(frozen=True, slots=True)
class ZoneTerritory:
    """What a region maps on the lattice of one zone."""

    epsg: int
    owned: tuple[Tile, ...]
    """Tiles whose centre lies in this zone and which the rule gives to the region, north to south, west to east."""
    overlap: tuple[Tile, ...]
    """Tiles of the same lattice across the zone seam, mapped again so that no feature at the seam is cut."""
    claimed: frozenset[Tile]
    """Tiles whose features belong to the region where the representative point lies in this zone."""
    masks: Mapping[str, bytes] = field(default_factory=dict)
    """Tile ID -> packed bits of the chips inside the territory; tiles that are wholly inside have no entry."""

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """Everything that is mapped in this zone."""
        return self.owned + self.overlap

    def chip_mask(self, tile: Tile) -> NDArray[np.bool_]:
        """Chips inside the territory, (rows from the north, columns from the west)."""
        packed = self.masks.get(tile.id)
        if packed is None:
            return np.ones((tile.chips, tile.chips), dtype=np.bool_)
        bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=tile.chips**2)
        return bits.astype(np.bool_).reshape(tile.chips, tile.chips)


@dataclass(frozen=True, slots=True)
class Territory:
    """What a region maps, zone by zone."""

    region: str
    zones: tuple[ZoneTerritory, ...]

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """Everything that is mapped."""
        return tuple(tile for zone in self.zones for tile in zone.tiles)

    @property
    def owned(self) -> tuple[Tile, ...]:
        """Tiles that belong to the region: each piece of ground counts once in coverage."""
        return tuple(tile for zone in self.zones for tile in zone.owned)

    def zone(self, epsg: int) -> ZoneTerritory:
        """Return the part on one zone's lattice; raises WrongCall when the region has none there."""
        for part in self.zones:
            if part.epsg == epsg:
                return part
        raise WrongCall(f"Region {self.region!r} has no tiles in EPSG:{epsg}: its zones are {', '.join(str(z.epsg) for z in self.zones)}.")


def territory_of(region: Region, family: Sequence[Region], chips: int = CHIPS_PER_TILE) -> Territory:
    """Return the tiles of a region under the rule of `catalog.facts.regions`; `family` holds the region itself.

    Owned tiles carry their centre in their zone. Overlap tiles lie beside them across the seam and meet the region's ground:
    there the same ground is mapped in both zones, and the zone that holds a feature's representative point owns the feature.
    Raises WrongCall for ground beyond the UTM zones unless the region names a CRS.
    """
    return _territory(region, in_order(tuple(family)), chips)


@lru_cache(maxsize=64)
def _territory(region: Region, family: tuple[Region, ...], chips: int) -> Territory:
    zones = _zones_of(region)
    patches = {epsg: patch for epsg in zones if (patch := _patch(region, epsg, chips)) is not None}
    claims = {epsg: _claimed(region, family, patch) for epsg, patch in patches.items()}
    owned = {epsg: claims[epsg] & patch.in_zone for epsg, patch in patches.items()}
    grounds = {epsg: patches[epsg].outlines_lonlat(mask & patches[epsg].beside_seam(SEAM_REACH_DEG)) for epsg, mask in owned.items()}
    parts = []
    for epsg, patch in patches.items():
        others = [ground for other, ground in grounds.items() if other != epsg]
        meets = (
            claims[epsg] if region.territory == "geometry" else claims[epsg] | patch.touches(_projected_grounds(others, patch), patch.ring)
        )
        overlap = patch.ring & meets
        parts.append(_zone_territory(region, patch, owned[epsg], overlap, claims[epsg]))
    return Territory(region.name, tuple(part for part in parts if part.owned or part.overlap))


def _zones_of(region: Region) -> tuple[int, ...]:
    if region.crs_epsg is not None:
        return (region.crs_epsg,)
    _, south, _, north = region.geometry.bounds
    if south < UTM_SOUTH_LIMIT_DEG or north > UTM_NORTH_LIMIT_DEG:
        raise WrongCall(
            f"Region {region.name!r} reaches {south:.2f} to {north:.2f} degrees, beyond the UTM zones (80 S to 84 N): "
            "name a polar CRS in its `crs`, for example 3413."
        )
    return zones_near(part.bounds for part in shapely.get_parts(region.geometry))


def _patch(region: Region, epsg: int, chips: int) -> Patch | None:
    ground = projected(region.geometry, epsg)
    return None if ground.is_empty else patch_over(ground, epsg, chips=chips, named_crs=region.crs_epsg is not None)


@lru_cache(maxsize=512)
def _projected_region(wkt: str, epsg: int) -> BaseGeometry:
    return projected(shapely.from_wkt(wkt), epsg)


def projected(geometry: BaseGeometry, epsg: int) -> BaseGeometry:
    """Return the part of a lon/lat geometry around a UTM zone (or all of it, for another CRS) in metres of that CRS."""
    zone = epsg % 100 if epsg // 100 in (326, 327) else None
    part = geometry if zone is None else near(geometry, zone * 6.0 - 183.0, _reach_deg(geometry))
    if part.is_empty:
        return part
    dense = shapely.segmentize(part, EDGE_STEP_DEG)
    moved = shapely.transform(dense, lambda xy: np.column_stack(from_lonlat(epsg).transform(xy[:, 0], xy[:, 1])))
    moved = moved if shapely.is_valid(moved) else shapely.make_valid(moved)
    shapely.prepare(moved)
    return moved


def _reach_deg(geometry: BaseGeometry) -> float:
    """Half a zone (twice that where Svalbard's are wide) and two tiles more."""
    _, south, _, north = geometry.bounds
    latitude = min(max(abs(south), abs(north)), UTM_NORTH_LIMIT_DEG)
    half_zone = 3.0 if latitude < 56.0 else 6.0
    return float(half_zone + 0.45 / np.cos(np.radians(latitude)))


def _claimed(region: Region, family: tuple[Region, ...], patch: Patch) -> NDArray[np.bool_]:
    """Tiles of a patch that the rule gives to a region, whatever zone their centre lies in."""
    touching = patch.touches(_projected_region(region.geometry_wkt, patch.epsg))
    if region.family == "user":
        return touching
    open_tiles = touching.copy()
    claimed = np.zeros_like(touching)
    for member in family:
        inside = open_tiles & patch.centre_inside(member.geometry, open_tiles)
        open_tiles &= ~inside
        if member == region:
            claimed |= inside
    for member in family:
        if member == region or not open_tiles.any():
            return claimed | open_tiles
        open_tiles &= ~patch.touches(_projected_region(member.geometry_wkt, patch.epsg), open_tiles)
    return claimed


def _projected_grounds(grounds: Iterable[NDArray[np.float64]], patch: Patch) -> BaseGeometry:
    around = [patch.project(outlines) for outlines in grounds if outlines.size]
    return shapely.union_all(np.concatenate(around)) if around else shapely.GeometryCollection()


def _zone_territory(
    region: Region, patch: Patch, owned: NDArray[np.bool_], overlap: NDArray[np.bool_], claimed: NDArray[np.bool_]
) -> ZoneTerritory:
    masks: dict[str, bytes] = {}
    if region.territory == "geometry":
        ground = _projected_region(region.geometry_wkt, patch.epsg)
        masks = _chip_masks(ground, patch.tiles(owned | overlap))
    return ZoneTerritory(patch.epsg, patch.tiles(owned), patch.tiles(overlap), frozenset(patch.tiles(claimed & (owned | overlap))), masks)


def _chip_masks(ground: BaseGeometry, tiles: Sequence[Tile]) -> dict[str, bytes]:
    masks = {}
    for tile in tiles:
        left, bottom, right, top = tile.bounds_lbrt
        if shapely.contains(ground, shapely.box(left, bottom, right, top)):
            continue
        step = tile.size_m // tile.chips
        west, north = np.meshgrid(left + step * np.arange(tile.chips), top - step * np.arange(tile.chips))
        inside = shapely.intersects(ground, shapely.box(west, north - step, west + step, north))
        masks[tile.id] = np.packbits(inside.ravel()).tobytes()
    return masks


def skip_reason(region: Region, tile: Tile, max_elevation_m: float | None, outlines: BaseGeometry | None) -> str | None:
    """Say why a tile cannot hold the target, or None; `outlines` are glacier outlines in EPSG:4326.

    An unknown elevation skips nothing.
    """
    floor = region.elevation_floor_m
    if floor is not None and max_elevation_m is not None and max_elevation_m < floor:
        return f"below the region's elevation floor of {floor:.0f} m (highest ground {max_elevation_m:.0f} m)"
    if outlines is None or region.target != "lakes":
        return None
    reach_m = DEFAULT_OUTLINE_BUFFER_M if region.outline_buffer_m is None else region.outline_buffer_m
    return None if _within(tile, outlines, reach_m) else f"farther than {reach_m / 1000:.0f} km from the given glacier outlines"


def _within(tile: Tile, outlines: BaseGeometry, reach_m: float) -> bool:
    shapely.prepare(outlines)
    reached = shapely.segmentize(shapely.box(*tile.bounds_lbrt), tile.size_m / 8).buffer(reach_m)
    lonlat = shapely.transform(reached, lambda xy: np.column_stack(to_lonlat(tile.epsg).transform(xy[:, 0], xy[:, 1])))
    return bool(shapely.intersects(outlines, split(unwrapped(lonlat))))
