"""Scenes to learn from and to be scored on: what is seen, which lakes there are, and what may be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from catalog.facts.scene_facts import SceneFacts, Whereabouts
from models.describer.network import Views
from models.language.facts_of import facts_of
from models.language.instances import PARTS, InstanceOptions, Instances, turned

NOWHERE: Final = Whereabouts()
"""Nothing is known of where and when a scene is."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene."""

    scene_id: str
    pixel_m: float
    """Of the instances."""
    channels: Tensor
    """(6, y, x) as the encoder sees it."""
    rgb: Tensor
    """(3, p, p) as the vision tower sees it."""
    lakes: Instances
    """On pixels of their own, finer than those of the views or equal."""
    before: Instances | None = None
    """The year before."""
    whereabouts: Whereabouts = NOWHERE

    def turned(self, turn: int) -> "Scene":
        """The same ground turned and mirrored; its words follow from its pixels."""
        return replace(
            self,
            channels=_turned(self.channels, turn),
            rgb=_turned(self.rgb, turn),
            lakes=self.lakes.turned(turn),
            before=None if self.before is None else self.before.turned(turn),
        )

    def part(self, window: tuple[int, int, int], options: InstanceOptions) -> "Scene":
        """A square part of the same ground, seen as large as the whole was: upper row, left column and side, in sixteenths.

        Lakes that its edge cuts are as large as what is left of them; those that are too small by the options are none.
        """
        lakes, before = (None if own is None else own.part(window, self.pixel_m, options) for own in (self.lakes, self.before))
        assert lakes is not None
        channels, rgb = _part(self.channels, window), _part(self.rgb, window)
        return replace(self, channels=channels, rgb=rgb, lakes=lakes, before=before)

    def facts(self) -> SceneFacts:
        """What may be said of it as it lies now."""
        return facts_of(self.lakes, self.pixel_m, scene_id=self.scene_id, whereabouts=self.whereabouts, before=self.before)

    def target(self, numbers: Sequence[int]) -> Tensor:
        """Share of each pixel of the encoder (1, y, x) that some lakes cover, 0..1."""
        return shares(self.lakes.mask(numbers), (self.channels.shape[-2], self.channels.shape[-1]))


def scenes_of(
    views: Views, lakes: Sequence[Instances], pixel_m: float, names: Sequence[str], whereabouts: Sequence[Whereabouts]
) -> list[Scene]:
    """Put together what was made scene by scene."""
    rows = zip(views.channels, views.rgb, lakes, names, whereabouts, strict=True)
    return [Scene(name, pixel_m, channels, rgb, own, whereabouts=where) for channels, rgb, own, name, where in rows]


def views_together(scenes: Sequence[Scene]) -> Views:
    """Views of several scenes as one batch."""
    return Views(torch.stack([scene.channels for scene in scenes]), torch.stack([scene.rgb for scene in scenes]))


def shares(mask: NDArray[np.bool_], size: tuple[int, int]) -> Tensor:
    """Share of each cell (1, *size) that a mask (y, x) covers, 0..1."""
    covered: Tensor = functional.adaptive_avg_pool2d(torch.from_numpy(mask[None].astype(np.float32)), size)
    return covered


def _part(image: Tensor, window: tuple[int, int, int]) -> Tensor:
    size = image.shape[-1]
    top, left, side = (round(share * size / PARTS) for share in window)
    cut = image[None, :, top : top + side, left : left + side]
    grown: Tensor = functional.interpolate(cut, size=(size, size), mode="bilinear", align_corners=False)[0]
    return grown


def _turned(image: Tensor, turn: int) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(turned(image.numpy(), turn)))
