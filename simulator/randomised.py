"""Worlds in which everything is drawn from the seed: what a network learns in some holds in others only if it is about lakes."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from shapely.geometry import Polygon

from simulator.features import Life
from simulator.frames import CHIP_M
from simulator.look import Air, Look, Model, Radar, Snow
from simulator.noise import generator
from simulator.plans import PLAIN_SLUMPS, Lakescape, Mix, Plan, Site, Slumpscape
from simulator.shapes import Blob
from simulator.spectra import MATERIALS, WATER
from simulator.valleys import Landform, Valley
from simulator.worlds import World

Kind = Literal["mountains", "tundra", "slumps"]
KINDS: tuple[Kind, ...] = ("mountains", "tundra", "slumps")
SIDE = 4
"""Chips along a side: all in one tile, so that no apron is made twice."""
REACH_M = 9600.0  # the valleys cross the region and its apron in whatever direction they run
STEP_M = 2400.0
LATTICE_M = 22400
CLEARANCE_M = 90.0
_SCATTERED = {"mountains": (18, 48), "tundra": (12, 44), "slumps": (8, 20)}
_RESEMBLING = (("river_bar", 14), ("snow_patch", 10), ("road_cut", 8), ("drained_basin", 5), ("bare_patch", 20), ("burn_scar", 5))
"""What is taken for slumps, and how many of each at most."""
BRIGHT = ("snow", "firn", "wet_snow", "ice", "lake_ice")


@dataclass(frozen=True, slots=True)
class Draw:
    """Numbers of one seed."""

    rng: np.random.Generator

    def between(self, low: float, high: float) -> float:
        """Draw evenly."""
        return float(self.rng.uniform(low, high))

    def scale(self, low: float, high: float) -> float:
        """Draw evenly in the logarithm."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def count(self, low: int, high: int) -> int:
        """Draw a whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def mix(self) -> Mix:
        """Draw shares of clear, milky and grey water; pure ones are common."""
        clear, milky, grey = (float(share) for share in self.rng.dirichlet((0.5, 0.5, 0.5)))
        return clear, milky, grey

    def mixes(self, number: int) -> tuple[Mix, ...]:
        """Draw several."""
        return tuple(self.mix() for _ in range(number))


def name_of(kind: Kind, seed: int) -> str:
    """Name of a world, unique by seed, so that many can lie in one store."""
    return f"randomised-{kind}-{seed:04d}"


def randomised(seed: int, kind: Kind) -> World:
    """Draw a world: mountains with glaciers, or tundra with thaw lakes and slumps; lakes are the target but in `slumps`."""
    draw = Draw(generator(seed, "randomised", kind))
    zone = draw.count(1, 60)
    east, north = (draw.count(16, 28), draw.count(140, 270)) if kind == "mountains" else (draw.count(20, 24), draw.count(250, 355))
    chips = _chips(draw)
    middle = (chips[2] - chips[0]) * CHIP_M / 2, (chips[3] - chips[1]) * CHIP_M / 2
    land = replace(_landform(draw, kind), centre=middle)
    base = land.valleys[0].points[4][2] if kind == "mountains" else land.base_m
    return World(
        name=name_of(kind, seed),
        title=f"Randomised {kind}, seed {seed}",
        target="slumps" if kind == "slumps" else "lakes",
        epsgs=(32600 + zone,),
        corner=(east * LATTICE_M, north * LATTICE_M),
        chips=chips,
        default_years=(2019, 2023),
        optical_dates=draw.count(2, 4),
        ascending=draw.count(1, 2),
        descending=draw.count(0, 1),
        scattered=draw.count(*_SCATTERED[kind]),
        utc_hour=(draw.between(9.6, 11.0) - (6 * zone - 183) / 15) % 24,
        ground="mountains" if kind == "mountains" else "tundra",
        land=land,
        lakescape=_lakescape(draw, kind, land, middle),
        look=_look(draw, base),
        slumps=_slumps(draw) if kind == "slumps" else PLAIN_SLUMPS,
    )


def _lakescape(draw: Draw, kind: Kind, land: Landform, middle: tuple[float, float]) -> Lakescape:
    if kind == "mountains":
        return _mountain_lakes(draw, land)
    lakes = _tundra_lakes(draw, middle)
    if kind == "tundra":
        return lakes
    return replace(lakes, marks=tuple((name, draw.count(0, most)) for name, most in _RESEMBLING))


def _slumps(draw: Draw) -> Slumpscape:
    """Many slumps, from a tenth of a hectare on, wet and dry, some at rest, some in clusters."""
    return Slumpscape(
        per_lake=draw.scale(1.0, 8.0),
        hectares=(0.1, draw.scale(2.0, 30.0)),
        aspect=(1.0, draw.between(1.5, 3.2)),
        floors=(draw.between(0.35, 0.6), draw.between(0.8, 1.5)),
        grey=(draw.between(0.0, 0.6), draw.between(0.6, 1.2)),
        rafts=draw.between(0.0, 0.25),
        resting=draw.between(0, 0.3),
        gap_m=draw.scale(20, 60),
    )


def _chips(draw: Draw) -> tuple[int, int, int, int]:
    """West, south, east, north of a corner of the lattice: within one tile, at one of its corners."""
    west, south = draw.count(0, 1) * SIDE, draw.count(0, 1) * SIDE
    return west, south, SIDE - west, SIDE - south


def _landform(draw: Draw, kind: Kind) -> Landform:
    if kind == "slumps":
        return Landform(rolling_m=draw.scale(14, 60), base_m=draw.between(20, 500))
    if kind == "tundra":
        return Landform(rolling_m=draw.scale(5, 45), base_m=draw.between(60, 400) if draw.rng.random() < 0.6 else draw.between(3800, 5000))
    floor = draw.between(1500, 5000)
    number = draw.count(1, 4)
    spacing = draw.between(2600, 4200)
    offsets = (np.arange(number) - (number - 1) / 2) * spacing + draw.rng.normal(0, 350, number)
    valleys = tuple(_valley(draw, f"v{order}", float(offset), floor + draw.between(-150, 250)) for order, offset in enumerate(offsets))
    return Landform(
        valleys=valleys,
        turn_deg=draw.between(0, 360),
        wall_slope=draw.between(0.35, 1.0),
        floor_m=draw.between(120, 420),
        spur_m=draw.between(300, 800),
        crag=draw.between(0.35, 1.25),
    )


def _valley(draw: Draw, name: str, offset: float, floor: float) -> Valley:
    north = np.arange(-REACH_M, REACH_M + 1, STEP_M)
    east = (
        offset
        + draw.between(200, 900) * np.sin(north / draw.between(2200, 5000) + draw.between(0, 6.3))
        + draw.rng.normal(0, 120, len(north))
    )
    fall = draw.between(0.012, 0.075)
    height = floor - fall * north + draw.between(0, 0.06) * np.maximum(-north - 1500, 0)
    glacier = draw.rng.random() < 0.75
    lake = (draw.scale(150, 1500), draw.between(140, 420)) if glacier and draw.rng.random() < 0.7 else (0.0, 0.0)
    return Valley(
        name,
        tuple((float(x), float(y), float(z)) for x, y, z in zip(east, north, height, strict=True)),
        terminus=draw.between(-5000, 1500) if glacier else -REACH_M - 2000,
        retreat_m=draw.between(3, 60),
        debris_m=draw.between(300, 3800),
        half_width_m=draw.between(180, 480),
        lake_m=lake,
        river_m=draw.scale(3, 32),
    )


def _mountain_lakes(draw: Draw, land: Landform) -> Lakescape:
    sites = (
        Site("cirque", draw.count(4, 16), (0.1, draw.scale(4, 25)), (0.05, 0.85), (380, 2200), draw.mixes(6)),
        Site("shadowed", draw.count(2, 9), (0.1, 2.5), (0.45, 1.4), (300, 2000), draw.mixes(4), steep=2.6, faces_north=True),
        Site("supraglacial", draw.count(3, 14), (0.1, 1.4), (0.0, 0.34), (0, 260), draw.mixes(5)),
        Site("kettle", draw.count(3, 12), (0.1, 0.8), (0.0, 0.5), (60, 480), draw.mixes(5)),
    )
    marks = tuple((kind, draw.count(0, most)) for kind, most in (("dark_rock", 14), ("wet_moraine", 12), ("dry_bed", 5), ("wet_snow", 12)))
    return Lakescape(_plans(draw, land), sites, (), freezes=draw.between(0, 0.5), aspect=(1.0, draw.between(1.6, 3.2)), marks=marks)


def _plans(draw: Draw, land: Landform) -> tuple[Plan, ...]:
    """Lakes on the floors of the valleys, small to very large, round to long, clear of one another."""
    plans: list[Plan] = []
    taken: list[Polygon] = []
    for number in range(draw.count(3, 16)):
        valley = land.valleys[draw.count(0, len(land.valleys) - 1)]
        north = draw.between(max(-6200, valley.terminus + 900), 6200)
        kind = str(draw.rng.choice(["moraine", "turbid", "valley"], p=[0.4, 0.3, 0.3]))
        mix = (0.0, draw.between(0, 0.25), 0.0) if kind == "turbid" else draw.mix()
        mix = (0.0, mix[1], 1 - mix[1]) if kind == "turbid" else mix
        hectares, aspect = draw.scale(0.1, 100.0), draw.scale(1.0, 6.0)
        life = Life(float(draw.rng.choice([0.0, 0.004, 0.012])), drained=2021 if draw.rng.random() < 0.06 else None)
        centre = land.place(valley, north)
        shape = Blob(*centre, hectares * 12_000, aspect, valley.direction_deg(north) + land.turn_deg).polygon().buffer(CLEARANCE_M)
        lake = valley.terminus, valley.terminus + 1.1 * valley.lake_m[0] + 700
        if any(shape.intersects(other) for other in taken) or lake[0] < north - np.sqrt(shape.area) < lake[1]:
            continue
        taken.append(shape)
        plans.append(Plan(f"{kind}-s{number:02d}", kind, (valley.name, north), hectares, aspect, mix, life))
    return tuple(plans)


def _tundra_lakes(draw: Draw, middle: tuple[float, float]) -> Lakescape:
    river, road = (_course(draw, middle) for _ in range(2))
    return Lakescape(
        (),
        (),
        draw.mixes(6),
        freezes=draw.between(0, 0.35),
        hectares=(0.1, draw.scale(6, 100)),
        river=river,
        road=road,
        river_width_m=draw.scale(15, 140),
    )


def _course(draw: Draw, middle: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """A line that wanders across the region, metres from the corner."""
    angle, along = draw.between(0, 2 * np.pi), np.linspace(-16_000, 16_000, 15)
    aside = draw.between(-3000, 3000) + draw.rng.normal(0, 700, len(along)).cumsum() * 0.5
    x, y = along * np.cos(angle) - aside * np.sin(angle), along * np.sin(angle) + aside * np.cos(angle)
    return tuple((float(east) + middle[0], float(north) + middle[1]) for east, north in zip(x, y, strict=True))


def _look(draw: Draw, floor: float) -> Look:
    fresh = floor + draw.between(500, 1900)
    return Look(
        gains=tuple((name, _gain(draw, name)) for name in MATERIALS),
        tints=draw.between(0.15, 0.6),
        snow=Snow(
            firn_m=floor + draw.between(50, 900),
            permanent_m=floor + draw.between(500, 2300),
            fresh_m=(fresh, fresh + draw.between(100, 1200)),
            treeless_m=floor + draw.between(-500, 800),
        ),
        air=Air(
            skylight=draw.scale(0.35, 1.3),
            corrected=draw.between(0.5, 1.0),
            haze=(-0.008, draw.between(0.005, 0.045)),
            clouds=tuple(min(draw.scale(0.02, 1.6), 0.9) for _ in range(5)),
        ),
        radar=Radar(draw.between(2.5, 9.0), draw.between(31, 45), draw.scale(0.3, 2.5), draw.scale(0.5, 2.5)),
        model=Model(draw.scale(0.2, 1.5), draw.scale(1_000, 200_000)),
        june=False,
    )


def _gain(draw: Draw, material: str) -> tuple[float, ...]:
    """Factors that vary slowly over the spectrum; VV and VH vary together."""
    size = {True: 0.08, False: 0.24}[material in BRIGHT] * (1.6 if material in WATER else 1.0)
    position = np.linspace(-1, 1, 12)
    shape = draw.rng.normal(0, 1, 4) * (1.0, 0.6, 0.35, 0.25)
    log = size * (shape[0] + shape[1] * position + shape[2] * (position**2 - 0.4) + shape[3] * np.sin(5 * position))
    db = draw.rng.normal(0, 1.7)
    power = [10 ** (db / 10), 10 ** ((db + draw.rng.normal(0, 0.9)) / 10)]
    return (*(float(factor) for factor in np.exp(np.clip(log, -0.9, 0.9))), *power)
