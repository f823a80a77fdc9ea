"""Courses of glacier valleys, and the shape of the mountains between them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline


@dataclass(frozen=True, slots=True)
class Valley:
    """A thalweg from its head (t = 0) to its mouth (t = 1), local metres, with its glacier."""

    name: str
    points: tuple[tuple[float, float, float], ...]
    """East, north, elevation of control points."""
    terminus: float
    """Northing of the glacier's end in 2018, local metres."""
    retreat_m: float
    """Metres per year by which the ice withdraws."""
    debris_m: float
    """Length of the debris-covered tongue above the end."""
    half_width_m: float
    lake_m: tuple[float, float]
    """Length and width of the lake at the glacier's end; zeros when there is none."""
    river_m: float
    """Mean width of the wider braid; it varies from a third to more than twice."""

    def line(self) -> npt.NDArray[np.float64]:
        """Points (n, 3) every 20 m or so."""
        control = np.array(self.points)
        spline = CubicSpline(control[:, 1], control[:, [0, 2]])
        north = np.arange(control[0, 1], control[-1, 1], 20.0)
        east, height = spline(north).T
        return np.column_stack([east, north, height])

    def east_of(self, north: float) -> float:
        """Easting of the thalweg at a northing, local metres."""
        line = self.line()
        return float(np.interp(north, line[:, 1], line[:, 0]))

    def direction_deg(self, north: float) -> float:
        """Direction down the valley, anticlockwise from east."""
        east = self.east_of(north + 60) - self.east_of(north - 60)
        return float(np.degrees(np.arctan2(120.0, east)))


VALLEYS = (
    Valley(
        "main",
        (
            (900, -6400, 4560),
            (620, -4200, 4220),
            (240, -1500, 3830),
            (0, 0, 3700),
            (90, 1500, 3640),
            (150, 3000, 3560),
            (60, 5100, 3470),
            (-60, 8600, 3330),
        ),
        terminus=-1500,
        retreat_m=55,
        debris_m=1700,
        half_width_m=330,
        lake_m=(520, 330),
        river_m=22.0,
    ),
    Valley(
        "west",
        (
            (-3500, -6400, 4640),
            (-3150, -4300, 4350),
            (-2950, -2300, 4130),
            (-2700, 0, 3930),
            (-2560, 2300, 3760),
            (-1500, 4900, 3560),
            (-250, 8600, 3350),
        ),
        terminus=-2300,
        retreat_m=14,
        debris_m=1100,
        half_width_m=260,
        lake_m=(340, 210),
        river_m=6.0,
    ),
    Valley(
        "east",
        (
            (3900, -6400, 4700),
            (3400, -3900, 4330),
            (2950, -1700, 4080),
            (2850, 700, 3900),
            (2500, 3500, 3690),
            (1500, 5900, 3520),
            (150, 8600, 3350),
        ),
        terminus=-1900,
        retreat_m=20,
        debris_m=1300,
        half_width_m=280,
        lake_m=(400, 240),
        river_m=13.0,
    ),
)


@dataclass(frozen=True, slots=True)
class Landform:
    """Valleys and walls, in a local system that may be moved and turned against that of the world."""

    valleys: tuple[Valley, ...] = VALLEYS
    centre: tuple[float, float] = (0.0, 0.0)
    """Where the local system's origin lies, metres east and north of the world's corner."""
    turn_deg: float = 0.0
    """Anticlockwise; without it the valleys run north."""
    wall_slope: float = 0.8
    floor_m: float = 190.0
    """Half the width of a floor."""
    spur_m: float = 430.0
    """From spur to spur along a wall."""
    crag: float = 1.0
    """Roughness of walls."""
    rolling_m: float = 17.0
    """Deviation of the heights of the tundra."""
    base_m: float = 70.0
    """Mean height of the tundra."""

    @property
    def across(self) -> tuple[float, float]:
        """Local east, in the world's metres east and north."""
        angle = np.radians(self.turn_deg)
        return float(np.cos(angle)), float(np.sin(angle))

    def to_local(self, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.floating], ...]:
        """Turn metres east and north of the corner into the local system."""
        if self.centre == (0.0, 0.0) and self.turn_deg == 0.0:
            return x, y
        angle = np.radians(self.turn_deg)
        x, y = x - self.centre[0], y - self.centre[1]
        return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)

    def to_corner(self, east: npt.NDArray[np.floating], north: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.floating], ...]:
        """Turn local metres into metres east and north of the corner."""
        if self.centre == (0.0, 0.0) and self.turn_deg == 0.0:
            return east, north
        angle = np.radians(self.turn_deg)
        x, y = east * np.cos(angle) - north * np.sin(angle), east * np.sin(angle) + north * np.cos(angle)
        return x + self.centre[0], y + self.centre[1]

    def valley(self, name: str) -> Valley:
        """The valley of a name."""
        return next(valley for valley in self.valleys if valley.name == name)

    def place(self, valley: Valley, north: float) -> tuple[float, float]:
        """Point of the thalweg at a local northing, metres east and north of the corner."""
        x, y = self.to_corner(np.array(valley.east_of(north)), np.array(north))
        return float(x), float(y)


MOUNTAINS = Landform()
