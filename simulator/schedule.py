"""When satellites pass over a world and what the sky is like then."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from simulator.noise import generator
from simulator.worlds import World

OFFSET_BASELINE = "04.00"
"""From this processing baseline on (2022-01-25) every count is 1000 higher."""
OFFSET_COUNTS = 1000
POOR_YEAR = 2020
MIXED_YEAR = 2021
FIRST_BASELINES = MappingProxyType(
    {2017: "02.05", 2018: "02.08", 2019: "02.12", 2020: "02.14", 2021: "03.01", 2022: "04.00", 2023: "05.09", 2024: "05.10"}
)
LAST_BASELINE = "05.11"
DAYS_OF_YEAR = (190, 206, 223, 240, 258)
JUNE_DAY = 163
S1B_END_YEAR = 2022
SWATH_EDGE_DATE = 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """One product made from an acquisition."""

    baseline: str
    generated: datetime

    @property
    def offset(self) -> int:
        """Counts added to every valid pixel."""
        return OFFSET_COUNTS if self.baseline >= OFFSET_BASELINE else 0


@dataclass(frozen=True, slots=True)
class OpticalPass:
    """One Sentinel-2 acquisition."""

    number: int
    when: datetime
    satellite: str
    orbit: int
    deliveries: tuple[Delivery, ...]
    cloud_cover: float
    cirrus: float
    haze: float
    snow_line_m: float
    cloud_key: str
    """Acquisitions with the same key have much of their cloud in the same places."""
    missing: float = 0.0
    """Share of the world beyond the edge of the swath."""


@dataclass(frozen=True, slots=True)
class RadarPass:
    """One Sentinel-1 acquisition."""

    number: int
    when: datetime
    satellite: str
    orbit: int
    ascending: bool
    wind: float
    """0 calm, 1 strong."""
    border: bool
    """A stripe of zeros lies along one side."""


def optical_passes(world: World, seed: int, year: int) -> list[OpticalPass]:
    """Passes of a season in order: one in June, out of season, then those of July to September."""
    rng = generator(seed, world.name, "optical", year)
    clouds = list(world.look.air.clouds)
    rng.shuffle(clouds)
    number_of_dates = min(world.optical_dates, len(DAYS_OF_YEAR))
    dates = list(range(number_of_dates))
    if year == POOR_YEAR:
        clouds, dates = [0.0, 0.40, 0.0, 0.62, 0.0], [1, 3][:number_of_dates]
    passes = [_optical(world, seed, year, 9, JUNE_DAY, 0.15)] if world.look.june else []
    return passes + [_optical(world, seed, year, date, DAYS_OF_YEAR[date], clouds[date]) for date in dates]


def _optical(world: World, seed: int, year: int, number: int, day: int, cloud: float) -> OpticalPass:
    rng = generator(seed, world.name, "pass", year, number)
    day += int(rng.integers(-4, 5))
    when = _moment(year, day, world.utc_hour, int(rng.integers(0, 600)))
    june = number == 9
    return OpticalPass(
        number=number,
        when=when,
        satellite="S2A" if rng.random() < 0.5 else "S2B",
        orbit=105 if number == SWATH_EDGE_DATE else 5,
        deliveries=_deliveries(year, number, when),
        cloud_cover=cloud,
        cirrus=float(rng.choice([0.0, 0.0, 0.009, 0.02])),
        haze=float(rng.uniform(*world.look.air.haze)),
        snow_line_m=world.look.snow.june_m if june else float(rng.uniform(*world.look.snow.fresh_m)),
        cloud_key=f"{year}" if year == POOR_YEAR else f"{year}-{number}",
        missing=0.3 if number == SWATH_EDGE_DATE else 0.0,
    )


def _moment(year: int, day: int, hour: float, seconds: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour, seconds=seconds, milliseconds=24)


def _deliveries(year: int, number: int, when: datetime) -> tuple[Delivery, ...]:
    usual = FIRST_BASELINES.get(year, LAST_BASELINE if year > 2017 else "02.04")
    names: tuple[str, ...] = (usual,)
    if year == MIXED_YEAR:
        names = {0: ("03.01", "05.00"), 1: ("05.00",), 2: ("03.01", "03.01"), 3: ("05.00",)}.get(number, ("03.01",))
    reprocessed = datetime(2023, 2, 3, 4, 5, 6, tzinfo=UTC)
    deliveries = []
    for order, name in enumerate(names):
        late = year == MIXED_YEAR and name == "05.00"
        made = reprocessed + timedelta(days=number) if late else when + timedelta(hours=5 + 26 * order, minutes=number)
        deliveries.append(Delivery(name, made))
    return tuple(deliveries)


def radar_passes(world: World, seed: int, year: int) -> list[RadarPass]:
    """Ascending and descending passes of a season; Sentinel-1B ends before 2022."""
    rng = generator(seed, world.name, "radar", year)
    passes = []
    for number in range(world.ascending + world.descending):
        ascending = number < world.ascending
        day = 188 + 20 * (number if ascending else number - world.ascending) + (0 if ascending else 7) + int(rng.integers(0, 3))
        satellite = "S1A" if year >= S1B_END_YEAR or number % 2 == 0 else "S1B"
        when = _moment(year, day, (world.utc_hour + (7.2 if ascending else -4.6)) % 24, int(rng.integers(0, 300)))
        wind = float(rng.choice([0.0, 0.1, 0.25, 0.9], p=[0.4, 0.3, 0.15, 0.15]))
        passes.append(RadarPass(number, when, satellite, 27 if ascending else 107, ascending, wind, bool(number % 2)))
    return passes
