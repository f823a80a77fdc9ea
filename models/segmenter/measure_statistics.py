"""Mean and standard deviation per band over chips, valid pixels only, in one pass."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.facts.bands import S2_NODATA
from catalog.facts.chips import ChipBatch
from catalog.facts.errors import ChipsUnusable
from models.segmenter.normalise import TERRAMIND, Statistics

Floats = NDArray[np.float64]


@dataclass(slots=True)
class _Moments:
    """Counts, means and summed squares of deviations that can be merged (Chan, Golub & LeVeque 1983)."""

    bands: int
    count: Floats = field(init=False)
    mean: Floats = field(init=False)
    squares: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.count, self.mean, self.squares = np.zeros(self.bands), np.zeros(self.bands), np.zeros(self.bands)

    def add(self, values: NDArray[np.generic], valid: NDArray[np.bool_]) -> None:
        """Add values (N, bands, y, x) where valid (N, bands, y, x)."""
        kept = np.where(valid, values, 0).astype(np.float64)
        count = valid.sum(axis=(0, 2, 3)).astype(np.float64)
        mean = kept.sum(axis=(0, 2, 3)) / np.maximum(count, 1)
        deviation = np.where(valid, kept - mean[:, None, None], 0)
        total = np.maximum(self.count + count, 1)
        shift = mean - self.mean
        self.squares += (deviation**2).sum(axis=(0, 2, 3)) + shift**2 * self.count * count / total
        self.mean += shift * count / total
        self.count += count

    def result(self, means: tuple[float, ...], deviations: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Means and deviations; those given where a band holds nothing."""
        seen = self.count > 1
        spread = np.sqrt(self.squares / np.maximum(self.count - 1, 1))
        return (
            tuple(float(round(value, 4)) for value in np.where(seen, self.mean, means)),
            tuple(float(round(value, 4)) for value in np.where(seen & (spread > 0), spread, deviations)),
        )


def measure_statistics(batches: Iterable[ChipBatch], source: str) -> Statistics:
    """Measure the statistics of chips; a sensor that no chip holds keeps TerraMind's. Raises ChipsUnusable when nothing is valid."""
    optical, radar, ground = _Moments(12), _Moments(2), _Moments(1)
    for batch in batches:
        optical.add(batch.s2, batch.s2 != S2_NODATA)
        radar.add(batch.s1, np.isfinite(batch.s1))
        ground.add(batch.dem[:, None], np.isfinite(batch.dem[:, None]))
    if not (optical.count.any() or radar.count.any()):
        raise ChipsUnusable(
            "No chip holds a valid optical or radar pixel, so there is nothing to learn from: cut chips from mapped surfaces."
        )
    s2 = optical.result(TERRAMIND.s2_mean, TERRAMIND.s2_std)
    s1 = radar.result(TERRAMIND.s1_mean, TERRAMIND.s1_std)
    dem = ground.result((TERRAMIND.dem_mean,), (TERRAMIND.dem_std,))
    return Statistics(source, *s2, *s1, dem[0][0], dem[1][0])
