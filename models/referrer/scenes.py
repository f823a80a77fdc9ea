"""Scenes to learn from and to be asked about: what is seen, and which features there are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from catalog.facts.describer_cards import VisionConfig
from catalog.facts.feature_classes import CLASSES
from models.describer.inputs import CLIP_MEAN, CLIP_STD, resized, stretched, water_seen
from models.language.instances import turned
from models.referrer.features import Feature, FeatureMap, class_image
from models.referrer.pairs import Told

KNOWN_OF_A_PATCH: Final = 2 + len(CLASSES)
"""Whether a feature's point is in it, how large that feature is, and its share of each class."""
_SMALLEST_M2: Final = 2_000.0
_LARGEST_M2: Final = 1_000_000.0
"""Between these the pretext tells features by their size."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene."""

    scene_id: str
    image: Tensor
    """(3, p, p) as the vision tower sees it."""
    ground: FeatureMap
    """On pixels of its own."""

    def turned(self, turn: int) -> "Scene":
        """The same ground turned and mirrored; its words follow from its pixels."""
        image = torch.from_numpy(np.ascontiguousarray(turned(self.image.numpy(), turn)))
        return replace(self, image=image, ground=self.ground.turned(turn))

    def told(self) -> Told:
        """Features and phrases as it lies now."""
        return Told.of(self.scene_id, self.ground)

    def target(self, numbers: Sequence[int], size: int) -> Tensor:
        """Share of each pixel (1, size, size) that some features cover, 0..1."""
        return _shares(self.ground.instances.mask(numbers)[None], size)

    def patches(self, features: Sequence[Feature], side: int) -> Tensor:
        """What a vision tower should know of each of its patches (side * side, known), all 0..1."""
        classes = class_image(self.ground)
        shares = _shares(np.stack([classes == number + 1 for number in range(len(CLASSES))]), side)
        points, sizes = torch.zeros(side, side), torch.zeros(side, side)
        for feature in features:
            place = divmod(patch_of(feature, side), side)
            points[place] = 1.0
            sizes[place] = max(float(sizes[place]), _size(feature.area_m2))
        return torch.cat([torch.stack([points, sizes]), shares]).flatten(1).T


def images_of(s2: NDArray[np.uint16], vision: VisionConfig) -> Tensor:
    """Chips (B, 12, y, x) of counts as the vision tower sees them (B, 3, p, p)."""
    shown = torch.from_numpy(water_seen(s2) if vision.shows == "water" else stretched(s2))
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (CLIP_MEAN, CLIP_STD))
    return resized((shown - mean) / std, vision.image_px)


def patch_of(feature: Feature, side: int) -> int:
    """Number of the patch that a feature's point is in, row by row."""
    return min(int(feature.y * side), side - 1) * side + min(int(feature.x * side), side - 1)


def images_together(scenes: Sequence[Scene]) -> Tensor:
    """Images of several scenes as one batch."""
    return torch.stack([scene.image for scene in scenes])


def _size(area_m2: float) -> float:
    return float(np.clip(np.log(area_m2 / _SMALLEST_M2) / np.log(_LARGEST_M2 / _SMALLEST_M2), 0.05, 1.0))


def _shares(masks: NDArray[np.bool_], size: int) -> Tensor:
    shares: Tensor = functional.adaptive_avg_pool2d(torch.from_numpy(masks.astype(np.float32)), (size, size))
    return shares
