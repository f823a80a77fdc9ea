"""Chips to scenes that can be asked about: any inventory that was burnt into the labels of chips is a source of pairs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catalog.facts.chips import LABEL_IGNORE, LABEL_SCALE, ChipBatch
from catalog.facts.describer_cards import ChannelScaling
from catalog.facts.grids import PIXEL_M
from catalog.facts.scene_facts import Whereabouts
from models.describer.inputs import views_of
from models.describer.recipe import Recipe
from models.describer.scenes import Scene, scenes_of
from models.language.instances import Instances, instances_of_labels, instances_of_mask


def scenes_of_chips(
    batch: ChipBatch, names: Sequence[str], whereabouts: Sequence[Whereabouts], recipe: Recipe, scaling: ChannelScaling
) -> list[Scene]:
    """Make scenes of stored chips; pixels that lakes cover by half or more are lake, those that nobody judged are not."""
    lakes = [instances_of_mask((label != LABEL_IGNORE) & (label >= LABEL_SCALE / 2), PIXEL_M, recipe.lakes) for label in batch.label]
    placed = [_with_height(where, dem) for where, dem in zip(whereabouts, batch.dem, strict=True)]
    views = views_of(batch.s2, batch.dem, PIXEL_M, recipe.network, scaling, recipe.inputs)
    return scenes_of(views, lakes, PIXEL_M, names, placed)


def lakes_of_labels(labels: NDArray[np.int32], recipe: Recipe) -> Instances:
    """Lakes whose numbers are known pixel by pixel, as those of simulated chips are."""
    counts = np.bincount(labels.ravel(), minlength=int(labels.max()) + 1)[1:]
    return instances_of_labels(labels, [float(count) * PIXEL_M**2 for count in counts], [""] * len(counts), recipe.lakes)


def _with_height(where: Whereabouts, dem: NDArray[np.float32]) -> Whereabouts:
    """Add the median height of a chip where its elevation is known."""
    return replace(where, elevation_m=float(np.nanmedian(dem))) if np.isfinite(dem).any() else where
