"""A detector that knows the answer: it finds the slumps of a simulated world wherever their ground is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.causes import Cause
from catalog.facts.detector_cards import MASK_PX, Calibration, DetectorCard, DetectorConfig, DetectorStatistics
from catalog.facts.grids import PIXEL_M
from models.detector.contract import DetectorContract, WindowInstances, nothing_found
from models.segmenter.contract import OPTICAL, ModalityNeed, WindowBatch

STATISTICS = DetectorStatistics("a test", {"rgb": (0.3, 0.3, 0.3)}, {"rgb": (0.1, 0.1, 0.1)})
CARD = DetectorCard(
    "oracle",
    "1",
    "Knows the answer",
    "CC0-1.0",
    "the truth",
    "nobody",
    "0" * 64,
    DetectorConfig(modalities=("rgb",), window_px=112),
    STATISTICS,
    56,
)
LEAST_M2 = 400.0
SEEN_SHARE = 0.5


@dataclass(frozen=True)
class Oracle:
    """Answers with the slumps of one year; `scores` by position, 0.9 where there is none."""

    polygons: tuple[shapely.Geometry, ...]
    """In metres of the zone."""
    scores: Sequence[float] = ()
    calibration: Calibration = CARD.calibration
    halo_px: int = 10
    shown: list[tuple[int, int]] = field(default_factory=list, compare=False)
    """Corners of the windows that it was shown, for tests to read."""
    name: str = "oracle"
    version: str = "1"
    sha256: str = "0" * 64
    licence: str = "CC0-1.0"

    @property
    def card(self) -> DetectorCard:
        return replace(CARD, calibration=self.calibration)

    @property
    def contract(self) -> DetectorContract:
        return DetectorContract((ModalityNeed(OPTICAL, ("B04",), "1e-4"),), 112, 56, self.halo_px, 2, 3)

    def predict(self, batch: WindowBatch) -> list[WindowInstances]:
        return [self._window(*one) for one in zip(batch.origins_yx, batch.cause, strict=True)]

    def _window(self, corner_yx: NDArray[np.int64], cause: NDArray[np.uint8]) -> WindowInstances:
        y, x = (int(step) + self.halo_px for step in corner_yx)
        self.shown.append((y, x))
        window = shapely.box(x * PIXEL_M, -(y + 112) * PIXEL_M, (x + 112) * PIXEL_M, -y * PIXEL_M)
        found = []
        for place, polygon in enumerate(self.polygons):
            piece = shapely.intersection(polygon, window)
            if piece.area < LEAST_M2 or not _seen(piece, corner_yx, cause):
                continue
            score = self.scores[place] if self.scores else 0.9
            found.append((score, *_instance(piece, (y, x))))
        if not found:
            return nothing_found()
        found.sort(key=lambda one: -one[0])
        scores, boxes, masks = (np.array(column, np.float32) for column in zip(*found, strict=True))
        return WindowInstances(boxes, scores, masks)


def oracle_of(truth: gpd.GeoDataFrame, epsg: int, **options: object) -> Oracle:
    """The oracle of a truth file."""
    return Oracle(tuple(truth.to_crs(epsg).geometry), **options)


def _seen(piece: shapely.Geometry, corner_yx: NDArray[np.int64], cause: NDArray[np.uint8]) -> bool:
    point = piece.representative_point()
    row, column = int(np.floor(-point.y / PIXEL_M)) - int(corner_yx[0]), int(np.floor(point.x / PIXEL_M)) - int(corner_yx[1])
    return bool(cause[row, column] == Cause.USABLE)


def _instance(piece: shapely.Geometry, origin_yx: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    left, bottom, right, top = piece.bounds
    half = PIXEL_M / 2
    box = np.array(
        [left / half - origin_yx[1] * 2, -top / half - origin_yx[0] * 2, right / half - origin_yx[1] * 2, -bottom / half - origin_yx[0] * 2]
    )
    steps = (np.arange(MASK_PX) + 0.5) / MASK_PX
    x, y = np.meshgrid(left + steps * (right - left), top - steps * (top - bottom))
    # a ramp of one pixel about the rim, as a network that is sure gives it
    distance = shapely.distance(shapely.boundary(piece), shapely.points(x, y)) * np.where(shapely.contains_xy(piece, x, y), 1, -1)
    return box.astype(np.float32), np.clip(0.5 + distance / PIXEL_M, 0, 1).astype(np.float32)
