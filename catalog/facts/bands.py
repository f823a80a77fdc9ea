"""One row per band: what it is, at which native resolution, and how the cube keeps it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class OpticalBand:
    """A Sentinel-2 MSI band as the surface cube stores it (ESA Sentinel-2 User Handbook, table 1)."""

    name: str
    resolution_m: int
    """Native ground sampling distance."""
    wavelength_nm: float
    """Centre wavelength of Sentinel-2A."""


S2_BANDS: Final = (
    OpticalBand("B01", 60, 442.7),
    OpticalBand("B02", 10, 492.4),
    OpticalBand("B03", 10, 559.8),
    OpticalBand("B04", 10, 664.6),
    OpticalBand("B05", 20, 704.1),
    OpticalBand("B06", 20, 740.5),
    OpticalBand("B07", 20, 782.8),
    OpticalBand("B08", 10, 832.8),
    OpticalBand("B8A", 20, 864.7),
    OpticalBand("B09", 60, 945.1),
    OpticalBand("B11", 20, 1613.7),
    OpticalBand("B12", 20, 2202.4),
)
S2_NAMES: Final = tuple(band.name for band in S2_BANDS)
S1_NAMES: Final = ("VV", "VH")
DEM_NAME: Final = "DEM"
SCL_NAME: Final = "SCL"

S2_NODATA: Final = 0
"""Counts of 0 are nodata; every valid count is at least 1."""
S2_SCALE: Final = 1e-4
"""Reflectance = count x S2_SCALE once the baseline offset is gone."""
BASELINE_OFFSET: Final = 1000
"""Added to every count from processing baseline 04.00 on (ESA, 25 January 2022)."""
OFFSET_SINCE_BASELINE: Final = 4.0


def s2_index(name: str) -> int:
    """Return the position of a Sentinel-2 band in the cube; raises ValueError for an unknown name."""
    return S2_NAMES.index(name)


def native_resolution_m(name: str) -> int:
    """Return the native resolution of a Sentinel-2 band or of SCL (20 m)."""
    return 20 if name == SCL_NAME else S2_BANDS[s2_index(name)].resolution_m
