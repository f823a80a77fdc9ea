"""What the vision tower of a referrer learns first: the classes of the ground, where the points of features are, by class, and which stand out."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from catalog.facts.feature_classes import CLASSES, MOST_OF_A_CLASS
from models.language.pretext import Board, Known, Pretext, around
from models.referrer.features import Feature, class_image
from models.referrer.scenes import Scene, shares

CELLS: Final = 4
"""Along each side of a patch: shares of a whole patch tell no shapes."""
OF_A_PATCH: Final = (1 + len(CLASSES), len(CLASSES) * CELLS**2)
"""The size of a feature whose point is near and for each class whether a point of it is near; the share of each class in each cell."""


def pretext_of(hidden: int) -> Pretext:
    """Build it with fresh weights for a tower of that width."""
    return Pretext(hidden, OF_A_PATCH, len(CLASSES), MOST_OF_A_CLASS, 2 * len(CLASSES))


def known_of(scenes: Sequence[Scene], features: Sequence[Sequence[Feature]], side: int) -> Known:
    """What should be known of scenes with their features by a tower of side x side patches."""
    pairs = list(zip(scenes, features, strict=True))
    return Known(
        torch.stack([_patches(scene, own, side) for scene, own in pairs]),
        torch.stack([_counts(own) for _, own in pairs]),
        torch.stack([_standouts(own, side) for _, own in pairs]),
    )


def _patches(scene: Scene, features: Sequence[Feature], side: int) -> Tensor:
    board = Board(len(CLASSES), side)
    for feature in features:
        board.put(CLASSES.index(feature.kind), feature.x, feature.y, feature.area_m2)
    classes = class_image(scene.ground)
    covered = shares(np.stack([classes == number + 1 for number in range(len(CLASSES))]), CELLS * side)
    return torch.cat([board.known(), functional.pixel_unshuffle(covered, CELLS)]).flatten(1).T


def _counts(features: Sequence[Feature]) -> Tensor:
    return torch.tensor([sum(feature.kind == kind for feature in features) for kind in CLASSES])


def _standouts(features: Sequence[Feature], side: int) -> Tensor:
    """The largest and the smallest of each class."""
    found = torch.zeros(2 * len(CLASSES), side * side)
    for number, kind in enumerate(CLASSES):
        own = sorted((feature for feature in features if feature.kind == kind), key=lambda feature: feature.area_m2)
        for row, chosen in ((2 * number, own[-1:]), (2 * number + 1, own[:1])):
            for feature in chosen:
                found[row] = around(feature.x, feature.y, side).flatten()
    return found
