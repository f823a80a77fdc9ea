"""Features of a scene as words can tell them apart: class, place, size and shape of each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.feature_classes import CLASSES, FeatureClass, covers, fit_to_refer
from models.language.instances import Instances

LONG: Final = 2.2
"""Ratio of the axes from which a feature is long."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a scene."""

    number: int
    """Its value in the labels of the scene, from 1."""
    kind: FeatureClass
    x: float
    """Of its point, share of the width from the left; the centroid, or the feature's pixel nearest to it."""
    y: float
    """Share of the height from the top."""
    area_m2: float
    diameter: float
    """Of the disc of the same area, share of the width."""
    elongation: float
    """Ratio of its axes, 1 for a disc."""
    bounds_lbrt: tuple[float, float, float, float]
    """Left, bottom, right, top; shares from the upper left corner."""
    shore: NDArray[np.float32]
    """(n, 2), x and y of its outermost pixels, shares."""
    feature_id: str = ""


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """Which pixels are which feature, and of which class each is."""

    instances: Instances
    kinds: tuple[FeatureClass, ...]
    """Of feature 1, 2, ..."""

    def turned(self, turn: int) -> "FeatureMap":
        """The same ground turned and mirrored."""
        return replace(self, instances=self.instances.turned(turn))

    @property
    def usable(self) -> bool:
        """There is something to point at, and few enough to be told apart."""
        return bool(self.kinds) and fit_to_refer(self.kinds)

    def features(self) -> tuple[Feature, ...]:
        """What is known of each, as the pixels lie now."""
        return tuple(_feature(self, number) for number in range(1, len(self.kinds) + 1))


def of_kind(features: Sequence[Feature], word: str) -> tuple[Feature, ...]:
    """Features that a word covers."""
    return tuple(feature for feature in features if covers(word, feature.kind))


def class_image(ground: FeatureMap) -> NDArray[np.int64]:
    """Class of every pixel (y, x): 0 for none, else its place in `CLASSES` + 1."""
    numbers = np.array([0, *(CLASSES.index(kind) + 1 for kind in ground.kinds)], np.int64)
    return np.asarray(numbers[ground.instances.labels])


def _feature(ground: FeatureMap, number: int) -> Feature:
    labels = ground.instances.labels
    height, width = labels.shape
    rows, columns = np.nonzero(labels == number)
    row, column = _point(rows, columns)
    first, last = (int(rows.min()), int(columns.min())), (int(rows.max()) + 1, int(columns.max()) + 1)
    inside = labels[first[0] : last[0], first[1] : last[1]] == number
    edge = np.argwhere(inside & ~_core(inside)) + first  # (n, 2), row and column
    return Feature(
        number=number,
        kind=ground.kinds[number - 1],
        x=(column + 0.5) / width,
        y=(row + 0.5) / height,
        area_m2=ground.instances.areas_m2[number - 1],
        diameter=float(2 * np.sqrt(len(rows) / np.pi) / width),
        elongation=_elongation(rows, columns),
        bounds_lbrt=(first[1] / width, last[0] / height, last[1] / width, first[0] / height),
        shore=np.asarray((edge[:, ::-1] + 0.5) / (width, height), np.float32),
        feature_id=ground.instances.ids[number - 1] if ground.instances.ids else "",
    )


def _point(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> tuple[float, float]:
    """The centroid, or the feature's pixel nearest to it where a bent one does not hold its own centroid."""
    row, column = float(rows.mean()), float(columns.mean())
    nearest = int(np.argmin((rows - row) ** 2 + (columns - column) ** 2))
    if abs(rows[nearest] - row) <= 0.5 and abs(columns[nearest] - column) <= 0.5:
        return row, column
    return float(rows[nearest]), float(columns[nearest])


def _core(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels whose four neighbors are inside, too."""
    framed = np.pad(inside, 1)
    return np.asarray(framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:])


def _elongation(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> float:
    # a pixel has a width of its own: 1/12 is the variance across it
    spread = np.cov(np.stack([rows, columns]), bias=True) + np.eye(2) / 12 if len(rows) > 1 else np.eye(2)
    low, high = np.linalg.eigvalsh(spread)
    return float(np.sqrt(high / low))
