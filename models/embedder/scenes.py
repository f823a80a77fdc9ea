"""Scenes to be found: what is seen by one stretch for all, which features there are, and where it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.facts.bands import s2_index
from catalog.facts.describer_cards import RGB
from catalog.facts.embedder_cards import TowerConfig
from catalog.facts.feature_classes import FeatureClass
from models.describer.inputs import CLIP_MEAN, CLIP_STD, resized, water_seen
from models.embedder.places import Place
from models.embedder.world import World, ground_look
from models.language.instances import InstanceOptions, turned
from models.referrer.chip_scenes import thinned
from models.referrer.features import Feature
from models.referrer.scenes import Scene
from models.referrer.sources import features_of_labels

_WHITE: Final = 5_000.0
"""Reflectance x 10 000 that is shown white; brighter snow and cloud are no whiter."""
_LEAST_PART: Final = 0.3
"""Of the width: the part of a scene that is shown of a small feature."""
_ROOM: Final = 1.6
"""Width of the part that is shown of a large feature, in widths of its box."""


@dataclass(frozen=True, slots=True)
class PlacedScene:
    """One scene with its place."""

    scene: Scene
    place: Place
    later: tuple[Tensor, ...] = field(default=(), repr=False)
    """Ground around each feature in another year, (3, p, p), in the order of their numbers; none where only one year is known."""

    def turned(self, turn: int) -> "PlacedScene":
        """The same ground turned and mirrored."""
        later = tuple(torch.from_numpy(np.ascontiguousarray(turned(image.numpy(), turn))) for image in self.later)
        return replace(self, scene=self.scene.turned(turn), later=later)


@dataclass(frozen=True, slots=True)
class SceneMaker:
    """How chips become scenes for one network."""

    vision: TowerConfig
    ground_m: float
    """Width of a chip."""
    features: InstanceOptions
    world: World

    def of_labels(
        self,
        scene_id: str,
        s2: NDArray[np.uint16],
        labels: NDArray[np.int32],
        kinds: Sequence[FeatureClass],
        later: NDArray[np.uint16] | None = None,
    ) -> PlacedScene:
        """Make a scene of a simulated chip (12, y, x) whose features are known pixel by pixel; its place is made up from its look.

        `later` is the same chip in another year.
        """
        few = thinned(labels)
        ground = features_of_labels(few, kinds, self.ground_m / len(few), self.features)
        place = self.world.place_of(ground_look(s2, labels == 0), scene_id)
        around = () if later is None else tuple(images_of(_around(later, each)[None], self.vision)[0] for each in ground.features())
        return PlacedScene(Scene(scene_id, images_of(s2[None], self.vision)[0], ground), place, around)


def images_of(s2: NDArray[np.uint16], vision: TowerConfig) -> Tensor:
    """Chips (B, 12, y, x) of counts as the vision tower sees them (B, 3, p, p), all by the same stretch: a region shows by its color."""
    shown = torch.from_numpy(water_seen(s2) if vision.shows == "water" else _colors(s2))
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (CLIP_MEAN, CLIP_STD))
    return resized((shown - mean) / std, vision.image_px)


def _around(s2: NDArray[np.uint16], feature: Feature) -> NDArray[np.uint16]:
    """The square part of a chip (12, y, x) in which a feature lies, with room around it, so that its box is not told by the edges."""
    left, bottom, right, top = feature.bounds_lbrt
    size = s2.shape[-1]
    side = min(size, round(size * max(_LEAST_PART, _ROOM * max(right - left, bottom - top))))
    row, column = (min(max(round(size * (low + high) / 2 - side / 2), 0), size - side) for low, high in ((top, bottom), (left, right)))
    return s2[:, row : row + side, column : column + side]


def _colors(s2: NDArray[np.uint16]) -> NDArray[np.float32]:
    bands = s2[:, [s2_index(name) for name in RGB]].astype(np.float32)
    return np.asarray(np.clip(bands / _WHITE, 0, 1), np.float32)
