"""What lakes a world is to have: scripted ones at given places, and sites on which others are scattered."""

from dataclasses import dataclass

from simulator.features import Life

Mix = tuple[float, float, float]
"""Shares of clear, milky and grey water."""


@dataclass(frozen=True, slots=True)
class Site:
    """Ground that suits one kind of lake, and how many such lakes are wanted per thirty scattered ones."""

    kind: str
    share: int
    hectares: tuple[float, float]
    slope: tuple[float, float]
    distance_m: tuple[float, float]
    mixes: tuple[Mix, ...]
    steep: float = 1.2
    faces_north: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A scripted lake."""

    name: str
    kind: str
    where: tuple[float | str, float]
    """East of the corner in metres, or the valley in whose floor it lies; north of the corner."""
    hectares: float
    aspect: float
    mix: Mix
    life: Life


@dataclass(frozen=True, slots=True)
class Lakescape:
    """All that is wanted of lakes and of what resembles them; a world without one follows the script of the named worlds."""

    plans: tuple[Plan, ...]
    sites: tuple[Site, ...]
    mixes: tuple[Mix, ...]
    """Of the lakes of the tundra."""
    freezes: float = 0.25
    """Share of lakes that are frozen in some years."""
    aspect: tuple[float, float] = (1.0, 1.9)
    hectares: tuple[float, float] = (0.1, 18.0)
    """Of the lakes of the tundra."""
    marks: tuple[tuple[str, int], ...] = ()
    """Kinds of ground that are easily taken for a lake, and how many of each."""
    river: tuple[tuple[float, float], ...] = ()
    """Course of the tundra's river, metres east and north of the corner."""
    road: tuple[tuple[float, float], ...] = ()
    river_width_m: float = 70.0


@dataclass(frozen=True, slots=True)
class Slumpscape:
    """What slumps the tundra has, besides the scripted ones."""

    per_lake: float = 1.2
    """Slumps per scattered lake."""
    hectares: tuple[float, float] = (0.25, 3.5)
    aspect: tuple[float, float] = (1.0, 1.7)
    floors: tuple[float, float] = (1.0, 1.0)
    """Brightness of their mud: dry silt is pale, and thawed, wet mud less than half as bright (Lantz & Kokelj 2008 describe both)."""
    grey: tuple[float, float] = (0.0, 0.0)
    """How far the colour of their mud goes from brown silt (0) to grey till (1)."""
    rafts: float = 0.0
    """Share of the floor under turf that slid down with it."""
    resting: float = 0.0
    """Share that stabilised in some year and turns green."""
    gap_m: float = 60.0
    """Least distance between two."""


PLAIN_SLUMPS = Slumpscape()
