"""How fast a slump grows, and whether the years tell: weighted least squares of its area."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BOUNDARY_SIGMA_M: Final = 5.0
"""How far a whole outline moves between years on ground that does not change, one sigma: half a pixel of 10 m.

Outlines drawn by hand on 5 m imagery imply about 3.5 m; ours can only be worse. `boundary_sigma_m` measures it on stable slumps.
"""
SIGNIFICANT: Final = 1.645
"""Standard errors from which a growth is told from noise: one in ten slumps that do not change is called changing at most."""
_MAD_TO_SIGMA: Final = 1.4826


@dataclass(frozen=True, slots=True)
class Growth:
    """Linear growth of one slump over its observed years."""

    m2_per_year: float
    """NaN before the second year."""
    se_m2_per_year: float
    years: int

    @property
    def significant(self) -> bool:
        """True where growth or shrinkage exceeds 1.645 standard errors; never with fewer than two years."""
        return abs(self.m2_per_year) > SIGNIFICANT * self.se_m2_per_year

    @property
    def significantly_growing(self) -> bool:
        """True for significant growth, not shrinkage."""
        return self.significant and self.m2_per_year > 0


def growth_of(years: Sequence[int], area_m2: Floats, perimeter_m: Floats, *, boundary_sigma_m: float = BOUNDARY_SIGMA_M) -> Growth:
    """Fit a line to the areas (n,) of a slump in distinct years; every error is that of an outline that moves as one.

    Where areas scatter more than their errors say, the standard error is widened by what they scatter (never narrowed).
    """
    if len(years) < 2:
        return Growth(float("nan"), float("nan"), len(years))
    sigma = np.maximum(np.asarray(perimeter_m, np.float64) * boundary_sigma_m, 1.0)
    weight = sigma**-2
    time = np.asarray(years, np.float64)
    centred = time - (weight * time).sum() / weight.sum()
    spread = float((weight * centred**2).sum())
    slope = float((weight * centred * area_m2).sum()) / spread
    mean = (weight * area_m2).sum() / weight.sum()
    misfit = float((weight * (area_m2 - mean - slope * centred) ** 2).sum())
    widened = max(1.0, misfit / (len(years) - 2)) if len(years) > 2 else 1.0
    return Growth(slope, float(np.sqrt(widened / spread)), len(years))


def boundary_sigma_m(tracks: Sequence[tuple[Sequence[int], Floats, Floats]]) -> float:
    """Return how far outlines move between years beside steady growth, one sigma in m; NaN without a slump of three years.

    Every track is (years, areas in m2, perimeters in m). Residuals of its own line, over its perimeter, pooled by their median so that
    slumps that leap do not count as noise. Use slumps that are known to be stable where there are some.
    """
    residuals = [_residuals(years, area, perimeter) for years, area, perimeter in tracks if len(years) >= 3]
    return float(_MAD_TO_SIGMA * np.median(np.abs(np.concatenate(residuals)))) if residuals else float("nan")


def _residuals(years: Sequence[int], area_m2: Floats, perimeter_m: Floats) -> Floats:
    """Residuals of a line as shifts of the outline in m, each brought to the size of the error that it stems from."""
    time = np.column_stack([np.ones(len(years)), np.asarray(years, np.float64) - np.mean(years)])
    hat = time @ np.linalg.pinv(time)
    free = 1 - np.diag(hat)
    rest: Floats = (area_m2 - hat @ area_m2)[free > 1e-9]
    shifts: Floats = rest / np.sqrt(free[free > 1e-9]) / np.asarray(perimeter_m, np.float64)[free > 1e-9]
    return shifts
