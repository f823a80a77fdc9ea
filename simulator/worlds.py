"""The worlds that can be made, and the size of each."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from shapely.geometry import Polygon

from simulator.frames import CHIP_M, Frame, cover, rectangle_lonlat
from simulator.look import PLAIN, Look
from simulator.plans import PLAIN_SLUMPS, Lakescape, Slumpscape
from simulator.valleys import MOUNTAINS, Landform

APRON_M = 1400.0  # ground beyond the region: mountains there cast shadows into it, and the zone 44 frames are turned by four degrees
FRAME_MARGIN_M = 240.0


@dataclass(frozen=True, slots=True)
class World:
    """What is simulated and how much of it; tests make small ones."""

    name: str
    title: str
    target: Literal["lakes", "slumps"]
    epsgs: tuple[int, ...]
    """UTM zones in which scenes are delivered; the first is the base system of the ground."""
    corner: tuple[int, int]
    """Easting and northing of a tile corner of the 22 400 m lattice, the origin of local coordinates."""
    chips: tuple[int, int, int, int]
    """Chips of 2 240 m west, south, east and north of the corner."""
    default_years: tuple[int, ...]
    optical_dates: int = 5
    ascending: int = 4
    descending: int = 2
    scattered: int = 30
    """Lakes placed at random, besides the scripted ones."""
    slumps: Slumpscape = PLAIN_SLUMPS
    utc_hour: float = 5.43
    ground: Literal["mountains", "tundra"] = "mountains"
    land: Landform = MOUNTAINS
    lakescape: Lakescape | None = None
    """None: the scripted lakes of the named worlds."""
    look: Look = PLAIN

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of the region in the base system, metres."""
        west, south, east, north = self.chips
        x, y = self.corner
        return x - west * CHIP_M, y - south * CHIP_M, x + east * CHIP_M, y + north * CHIP_M

    @property
    def local_bounds(self) -> tuple[float, float, float, float]:
        """The same relative to the corner."""
        left, bottom, right, top = self.bounds
        return left - self.corner[0], bottom - self.corner[1], right - self.corner[0], top - self.corner[1]

    @property
    def base(self) -> Frame:
        """Frame of 10 m pixels in which the ground is defined, region and apron; aligned to no lattice of the scenes."""
        left, bottom, right, top = self.bounds
        width, height = (round((span + 2 * APRON_M) / 40) * 4 for span in (right - left, top - bottom))
        return Frame(self.epsgs[0], left - APRON_M + 3.0, top + APRON_M - 4.0, width, height)

    @property
    def region(self) -> Polygon:
        """Longitude-latitude polygon that touches exactly the wanted chips of the base zone."""
        return rectangle_lonlat(self.epsgs[0], self.bounds)

    def scene_frame(self, epsg: int, snap_m: int = 60) -> Frame:
        """Frame of the scenes delivered in one zone."""
        return cover(self.region, epsg, margin_m=FRAME_MARGIN_M, snap_m=snap_m)


HMA = World(
    name="demo-hma",
    title="Demo: glacial lakes on the zone seam at 78 E",
    target="lakes",
    epsgs=(32643, 32644),
    corner=(33 * 22400, 219 * 22400),
    chips=(2, 2, 2, 3),
    default_years=(2018, 2019, 2020, 2021, 2022, 2023),
)
ARCTIC = World(
    name="demo-arctic",
    title="Demo: thaw slumps on a tundra island",
    target="slumps",
    epsgs=(32610,),
    corner=(24 * 22400, 357 * 22400),
    chips=(2, 1, 1, 2),
    default_years=(2019, 2020, 2021, 2022),
    ascending=2,
    descending=2,
    scattered=16,
    utc_hour=19.9,
    ground="tundra",
)
BY_NAME = MappingProxyType({world.name: world for world in (HMA, ARCTIC)})
