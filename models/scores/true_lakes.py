"""Outlines behind the labels, found again for a mosaic."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.grids import PIXEL_M
from models.outlines.geodesy import to_degrees
from models.scores.disagreements import Ground
from models.scores.lakes import TrueLakes
from models.scores.mosaics import Mosaic

Names = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Outlines of all labels; arrays of equal length, as in `catalog.facts.chips.CHIP_LABELS`."""

    outlines: Names
    """EPSG:4326."""
    ids: Names
    grounds: Names
    regions: Names
    years: NDArray[np.int64]
    splits: Names
    classes: Names
    reasons: Names

    def near(self, mosaic: Mosaic, shows: Ground, split: str) -> TrueLakes:
        """Outlines of the mosaic's own ground, region and year that meet its frame; those of another split are not asked for."""
        same = (self.grounds == shows.ground) & (self.regions == shows.region) & (self.years == shows.year)
        places = np.flatnonzero(same)
        if len(places):
            places = places[shapely.intersects(self.outlines[places], frame_of(mosaic, shows.epsg))]
        return TrueLakes(
            self.ids[places].tolist(),
            self.outlines[places],
            [name or "" for name in self.classes[places].tolist()],
            [name or "" for name in self.reasons[places].tolist()],
            np.asarray(self.splits[places] == split, bool),
        )


def frame_of(mosaic: Mosaic, epsg: int) -> shapely.Geometry:
    """The mosaic's frame in EPSG:4326."""
    top, left = mosaic.origin_yx
    height, width = mosaic.probability.shape
    box = shapely.box(left * PIXEL_M, -(top + height) * PIXEL_M, (left + width) * PIXEL_M, -top * PIXEL_M)
    frame: shapely.Geometry = to_degrees(np.array([box], object), epsg)[0]
    return frame
