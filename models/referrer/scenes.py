"""Scenes to learn from and to be asked about: what is seen, and which features there are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from catalog.facts.describer_cards import VisionConfig
from models.describer.inputs import CLIP_MEAN, CLIP_STD, resized, stretched, water_seen
from models.language.instances import turned
from models.referrer.features import Feature, FeatureMap
from models.referrer.pairs import Told


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

    def told(self, *, asked: bool = True) -> Told:
        """Features as it lies now, and phrases unless nothing will be asked."""
        return Told.of(self.scene_id, self.ground) if asked else Told.unasked(self.scene_id, self.ground)

    def target(self, numbers: Sequence[int], size: int) -> Tensor:
        """Share of each pixel (1, size, size) that some features cover, 0..1."""
        return shares(self.ground.instances.mask(numbers)[None], size)


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


def shares(masks: NDArray[np.bool_], size: int) -> Tensor:
    """Share of each cell (n, size, size) that masks (n, y, x) cover, 0..1."""
    covered: Tensor = functional.adaptive_avg_pool2d(torch.from_numpy(masks.astype(np.float32)), (size, size))
    return covered
