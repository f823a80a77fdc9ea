"""Scenes with lakes at random places, for tests of words."""

import numpy as np

from catalog.facts.scene_facts import SceneFacts, Whereabouts
from models.language.facts_of import facts_of
from models.language.instances import Instances, instances_of_mask

SIZE, PIXEL_M = 64, 35.0
WHERE = Whereabouts(86.923, 27.912, 5012.0, "hma-everest", 2023)


def lake_mask(rng: np.random.Generator, count: int, size: int = SIZE) -> np.ndarray:
    """Up to `count` ellipses that do not touch."""
    y, x = np.mgrid[:size, :size]
    mask = np.zeros((size, size), bool)
    for _ in range(count):
        for _attempt in range(30):
            row, column = rng.uniform(5, size - 5, 2)
            a, b = rng.uniform(2.0, 6.0, 2)
            blob = ((y - row) / a) ** 2 + ((x - column) / b) ** 2 <= 1
            around = ((y - row) / (a + 2)) ** 2 + ((x - column) / (b + 2)) ** 2 <= 1
            if not (mask & around).any():
                mask |= blob
                break
    return mask


def scene(seed: int, count: int | None = None, *, earlier: bool = True) -> tuple[SceneFacts, Instances]:
    rng = np.random.default_rng(seed)
    mask = lake_mask(rng, int(rng.integers(0, 8)) if count is None else count)
    now = instances_of_mask(mask, PIXEL_M)
    before = instances_of_mask(lake_mask(rng, int(rng.integers(0, 8))), PIXEL_M) if earlier else None
    return facts_of(now, PIXEL_M, scene_id=f"scene-{seed}", whereabouts=WHERE, before=before), now
