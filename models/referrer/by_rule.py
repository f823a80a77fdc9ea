"""What no network is needed for: lakes by a water index, and phrases found among them by rule.

Whoever trains a referrer has to beat it at lakes. A water index knows neither the look of water nor snow, ice or slumps, so that phrases of
other classes are not asked of it.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from catalog.facts.feature_classes import FeatureClass
from models.describer.by_rule import lakes_by_index
from models.language.instances import InstanceOptions
from models.referrer.answering import Answer, Drawing
from models.referrer.asking import Found, by_rule
from models.referrer.evaluation import Question
from models.referrer.features import FeatureMap
from models.referrer.marks import positive
from models.referrer.scenes import shares

NAME: Final = "water index and rule"


def lakes_seen(s2: NDArray[np.uint16], dem: NDArray[np.float32], cause: NDArray[np.uint8], options: InstanceOptions) -> FeatureMap:
    """Lakes where the model `indices` sees water: s2 (12, y, x) counts, dem (y, x) metres, cause (y, x)."""
    (found,) = lakes_by_index(s2[None], dem[None], cause[None], options)
    kind: FeatureClass = "lake"
    return FeatureMap(found, (kind,) * len(found))


def answered_by_rule(question: Question, lakes: FeatureMap, size: int) -> Answer:
    """Find the phrases of a question for masks among lakes that were seen; masks have `size` pixels a side.

    Where several fit a phrase, all of them are drawn; nothing is drawn for a phrase that fits none.
    """
    found = by_rule(question.pair.phrases, lakes)
    if not any(each.mask.any() for each in found):
        return Answer(found[0].text, (), broken=False, path="by_rule")
    return Answer(positive(len(found)), tuple(_drawing(each, size) for each in found), broken=False, path="by_rule")


def _drawing(found: Found, size: int) -> Drawing:
    covered: torch.Tensor = shares(found.mask[None], size)[0]
    return Drawing(np.asarray(covered.numpy(), np.float32), "lake", 0, found.score)
