"""Reflectance of ground materials in the twelve Sentinel-2 bands, and their radar backscatter.

Values follow published spectra of the same surfaces: USGS Spectral Library 7 (rock, soil, vegetation), Hall & Riggs for
snow and ice, Wagner & Reynolds (2017) for debris, Bhardwaj et al. (2015) and Watson et al. (2018) for glacial lake water.
Radar values are typical C-band gamma naught on flat ground (Nagler & Rott 2000 for wet snow).
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
RESOLUTION_M = MappingProxyType(
    {"B01": 60, "B02": 10, "B03": 10, "B04": 10, "B05": 20, "B06": 20, "B07": 20, "B08": 10, "B8A": 20, "B09": 60, "B11": 20, "B12": 20}
)
# Share of skylight in the light on flat ground: what is left in a cast shadow (clear sky over high mountains).
SKYLIGHT = np.array([0.30, 0.25, 0.19, 0.145, 0.13, 0.11, 0.10, 0.095, 0.085, 0.08, 0.045, 0.035], dtype=np.float32)
# Relative strength of haze left after atmospheric correction.
HAZE = np.array([1.0, 0.85, 0.62, 0.48, 0.42, 0.37, 0.33, 0.29, 0.27, 0.25, 0.10, 0.07], dtype=np.float32)
CLOUD = np.array([0.72, 0.71, 0.69, 0.70, 0.71, 0.71, 0.71, 0.70, 0.69, 0.55, 0.42, 0.33], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Material:
    """Reflectance per band (per cent, order of BANDS) and gamma naught in dB (VV, VH)."""

    percent: tuple[float, ...]
    vv_db: float
    vh_db: float

    @property
    def layers(self) -> npt.NDArray[np.float32]:
        """Fourteen values: twelve reflectances, then VV and VH as linear power."""
        power = [10 ** (self.vv_db / 10), 10 ** (self.vh_db / 10)]
        return np.array([value / 100 for value in self.percent] + power, dtype=np.float32)


MATERIALS = MappingProxyType(
    {
        "rock": Material((8, 9, 11, 12.5, 13.5, 14.3, 15, 15.5, 16, 16, 18.5, 17.5), -9.0, -15.5),
        "scree": Material((11, 12.5, 15, 17, 18, 18.6, 19, 19.4, 19.8, 19.8, 23, 22), -9.5, -16.0),
        "moraine": Material((13, 15, 18, 20.5, 21.5, 22.3, 23, 23.5, 24, 24, 27.5, 26), -10.5, -17.0),
        "sediment": Material((15, 17, 20.5, 23, 24, 24.8, 25.3, 25.8, 26, 26, 24, 21), -12.5, -20.0),
        "grass": Material((3.5, 4.2, 7.3, 6.0, 10.5, 21, 25.5, 27.5, 29, 28.5, 20.5, 11.5), -12.0, -18.0),
        "debris": Material((9.5, 11, 13.2, 15, 15.8, 16.4, 16.9, 17.3, 17.7, 17.7, 18.5, 17), -9.5, -16.0),
        "ice": Material((46, 48, 47, 43, 40, 36, 33, 30, 27, 22, 3.5, 2.5), -13.0, -19.5),
        "firn": Material((68, 69, 68, 66, 63, 58, 54, 50, 45, 36, 5, 4), -14.5, -21.0),
        "snow": Material((87, 88, 87, 86, 85, 83, 81, 79, 76, 60, 10, 8), -16.0, -22.5),
        "wet_snow": Material((72, 73, 72, 69, 65, 57, 51, 46, 39, 30, 3, 2.5), -18.0, -24.0),
        "clear": Material((5.0, 4.6, 3.7, 1.7, 1.3, 1.0, 0.9, 0.8, 0.7, 0.6, 0.4, 0.3), -21.0, -27.5),
        "milky": Material((9.0, 11.5, 13.0, 7.5, 5.5, 2.6, 2.1, 1.8, 1.4, 1.2, 0.6, 0.4), -20.5, -27.0),
        "grey": Material((10.5, 13, 15.7, 16.8, 16.2, 13.5, 12.6, 11.4, 9.8, 7.0, 1.7, 1.1), -19.5, -26.5),
        "lake_ice": Material((52, 55, 55, 52, 48, 43, 40, 37, 33, 27, 4.5, 3.5), -15.5, -21.5),
        "tundra": Material((3.8, 4.6, 7.0, 6.6, 11, 19.5, 23, 25, 26.5, 26.5, 21, 12.5), -12.5, -18.5),
        "sedge": Material((3.0, 3.7, 6.2, 5.0, 9.5, 20, 24.5, 26.5, 27.5, 27, 15.5, 8), -11.5, -18.0),
        "lichen": Material((6.5, 7.8, 10.2, 11.5, 14.5, 19, 21, 22.5, 24, 24, 26, 18.5), -13.0, -19.0),
        "mud": Material((8.5, 10, 12.8, 15.2, 16.3, 17.0, 17.4, 17.8, 18.1, 17.5, 15.5, 12.5), -11.0, -18.0),
        "headwall": Material((6.0, 7.0, 8.6, 9.8, 10.5, 11, 11.4, 11.7, 12, 11.8, 10.5, 8.5), -8.0, -15.0),
        "gravel": Material((16, 18.5, 22, 24.5, 25.5, 26.2, 26.8, 27.3, 27.7, 27.5, 31, 29), -10.0, -17.5),
    }
)
WATER = ("clear", "milky", "grey")
