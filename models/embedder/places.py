"""Places on the globe: as words, and as smooth numbers that one token can carry.

Both numbers are functions of the point on the sphere, not of longitude and latitude, so that neither the date line nor a pole is an edge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray
from scipy.special import sph_harm_y

from catalog.facts.embedder_cards import GeoConfig
from catalog.facts.errors import WrongCall

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """A point in WGS 84; longitudes beyond half a turn are brought back into [-180, 180)."""

    latitude_deg: float
    longitude_deg: float

    def __post_init__(self) -> None:
        """Raise WrongCall for a latitude or longitude that is none."""
        if not (isfinite(self.longitude_deg) and -90 <= self.latitude_deg <= 90):
            raise WrongCall(
                f"Latitude {self.latitude_deg}, longitude {self.longitude_deg} is no place: give degrees, latitude first, from -90 to 90."
            )
        object.__setattr__(self, "longitude_deg", within_turn(self.longitude_deg))

    def rounded(self, decimals: int) -> "Place":
        """The same place to so many decimals of a degree."""
        return Place(round(self.latitude_deg, decimals), round(self.longitude_deg, decimals))


def within_turn(longitude_deg: float) -> float:
    """Bring a longitude into [-180, 180)."""
    turned = (longitude_deg + 180.0) % 360.0 - 180.0 if not -180 <= longitude_deg < 180 else longitude_deg
    # the remainder of a tiny negative number is a whole turn
    return -180.0 if turned >= 180.0 else turned


def place_words(place: Place, decimals: int) -> str:
    """`(34.052275, -118.243739)`: latitude and longitude as VLM2GeoVec writes them."""
    rounded = place.rounded(decimals)
    # adding 0 takes the sign from -0.0
    return f"({rounded.latitude_deg + 0.0:.{decimals}f}, {rounded.longitude_deg + 0.0:.{decimals}f})"


def place_numbers(places: Sequence[Place], config: GeoConfig) -> Floats:
    """Numbers (n, width) of places by the encoding, rounded first; raises WrongCall where places are words."""
    if config.encoding == "text":
        raise WrongCall("Places are words for this embedder (geo.encoding is text): there are no numbers to give it.")
    rounded = [place.rounded(config.decimals) for place in places]
    degrees = np.array([(place.latitude_deg, place.longitude_deg) for place in rounded], np.float64).reshape(-1, 2)
    return _fourier(degrees, config.waves) if config.encoding == "fourier" else _harmonics(degrees, config.degree)


def place_width(config: GeoConfig) -> int:
    """How many numbers a place becomes; 0 where places are words."""
    return 0 if config.encoding == "text" else place_numbers([], config).shape[1]


def points(degrees: Floats) -> Floats:
    """Points of the unit sphere (n, 3) at latitude and longitude (n, 2)."""
    latitude, longitude = np.radians(degrees).T
    return np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1)


def _fourier(degrees: Floats, waves: int) -> Floats:
    """Sines and cosines of the three coordinates, octave by octave, the first half a wave over the diameter."""
    phases = points(degrees)[:, :, None] * (np.pi / 2 * 2.0 ** np.arange(waves))  # (n, 3, waves)
    return np.concatenate([np.sin(phases), np.cos(phases)], axis=1).reshape(len(degrees), 6 * waves)


def _harmonics(degrees: Floats, degree: int) -> Floats:
    """Real spherical harmonics up to a degree, (degree + 1)^2 of them, each of mean square 1 over the globe."""
    colatitude, longitude = np.radians(90.0 - degrees[:, 0]), np.radians(degrees[:, 1])
    columns = []
    for order in range(degree + 1):
        for turn in range(-order, order + 1):
            value = sph_harm_y(order, abs(turn), colatitude, longitude)
            own = value.real if turn >= 0 else value.imag
            columns.append(own * np.sqrt(4 * np.pi * (2 if turn else 1)))
    return np.stack(columns, axis=1)
