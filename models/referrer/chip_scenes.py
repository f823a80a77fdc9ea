"""Chips to scenes whose features can be asked about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from catalog.facts.chips import LABEL_IGNORE, LABEL_SCALE, ChipBatch
from catalog.facts.feature_classes import FeatureClass
from catalog.facts.grids import PIXEL_M
from models.describer.chip_scenes import READ_AT_ONCE, Chips
from models.language.instances import InstanceOptions
from models.referrer.recipe import Recipe
from models.referrer.scenes import Scene, images_of
from models.referrer.sources import features_of_labels, features_of_mask

_Pixels = TypeVar("_Pixels", bound=np.generic)
_SIDE_PX: Final = 112
"""Labels of wider scenes are thinned to about that, as masks are no finer."""


@dataclass(frozen=True, slots=True)
class SeenChips:
    """Chips beside the scenes that were made of them."""

    chips: ChipBatch
    scenes: list[Scene]


def stored_scenes(chips: Chips, split: str, kind: FeatureClass, recipe: Recipe) -> Iterator[SeenChips]:
    """Scenes of all chips of a split whose features are of one class, a few at once."""
    places = chips.of_split(split)
    for start in range(0, len(places), READ_AT_ONCE):
        some = places[start : start + READ_AT_ONCE]
        batch = chips.read(some)
        yield SeenChips(batch, scenes_of_chips(batch, [str(name) for name in chips.table["chip_id"].iloc[some]], kind, recipe))


def scene_of_labels(
    scene_id: str, s2: NDArray[np.uint16], labels: NDArray[np.int32], kinds: Sequence[FeatureClass], ground_m: float, recipe: Recipe
) -> Scene:
    """Make a scene of a chip (12, y, x) whose features are known pixel by pixel."""
    few = thinned(labels)
    ground = features_of_labels(few, kinds, ground_m / len(few), recipe.features)
    return Scene(scene_id, images_of(s2[None], recipe.network.vision)[0], ground)


def scenes_of_chips(batch: ChipBatch, names: Sequence[str], kind: FeatureClass, recipe: Recipe) -> list[Scene]:
    """Make scenes of stored chips of one target; pixels that it covers by half or more are its, those that nobody judged are not."""
    wet = (batch.label != LABEL_IGNORE) & (batch.label >= LABEL_SCALE / 2)
    images, rule = images_of(batch.s2, recipe.network.vision), recipe.features or InstanceOptions()
    grounds = [features_of_mask(thinned(mask), kind, PIXEL_M * len(mask) / len(thinned(mask)), rule) for mask in wet]
    return [Scene(name, image, ground) for name, image, ground in zip(names, images, grounds, strict=True)]


def thinned(labels: NDArray[_Pixels]) -> NDArray[_Pixels]:
    """Keep every n-th row and column of labels, so that about 112 are left; of fewer than 224 all."""
    step = max(1, len(labels) // _SIDE_PX)
    return np.ascontiguousarray(labels[step // 2 :: step, step // 2 :: step])
