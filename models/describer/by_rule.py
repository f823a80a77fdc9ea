"""What no network is needed for: lakes by a water index, and questions answered by template.

Whoever trains a describer has to beat it: it counts and places what an index finds, and never says more than that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.grids import PIXEL_M
from catalog.facts.scene_facts import MANY, LakeFact, SceneFacts
from models.describer.answering import Answer
from models.describer.answers import Ask, asks
from models.describer.pairs import pair_of
from models.describer.phrasings import Family
from models.describer.questions import Asked, read_question
from models.describer.scenes import Scene
from models.language.instances import InstanceOptions, Instances, instances_of_mask
from models.language.sentences import Claim, ClaimKind
from models.language.truth import extreme, nearest
from models.segmenter.contract import WindowBatch
from models.segmenter.indices import IndexModel

NAME: Final = "water index and template"
_POINTS_AT: Final[Mapping[Family, ClaimKind]] = MappingProxyType(
    {"extreme": "extreme", "refer_extreme": "extreme", "point": "point", "refer_nearest": "nearest"}
)
"""Families that mean one lake."""


def lakes_by_index(s2: NDArray[np.uint16], dem: NDArray[np.float32], cause: NDArray[np.uint8], options: InstanceOptions) -> list[Instances]:
    """Lakes of chips, s2 (B, 12, y, x) counts, dem (B, y, x) metres and cause (B, y, x), where the model `indices` sees water."""
    batch = WindowBatch(np.zeros((len(s2), 2), np.int64), cause, s2, None, dem)
    water = np.nan_to_num(IndexModel().predict(batch).answer) >= 0.5
    return [instances_of_mask(mask, PIXEL_M, options) for mask in water]


def answered_by_rule(question: str, scene: Scene, found: Instances) -> Answer:
    """Answer a question about a scene from the lakes that were found in it; the year before is told, not seen."""
    seen = replace(scene, lakes=found)
    facts = seen.facts()
    asked = read_question(question)
    ask = _count(facts) if asked is None else ask_of(asked, facts)
    answer = pair_of(ask, facts, 0, 0).answer
    return Answer(answer, seen.target(ask.lakes)[0].numpy(), "by_rule")


def ask_of(asked: Asked, facts: SceneFacts) -> Ask:
    """What a truthful answer to a question says, also where the scene gives no clear one."""
    for ask in asks(facts):
        if (ask.family, dict(ask.values)) in ((asked.family, dict(asked.values)), (asked.family, _swapped(asked))):
            return ask
    kind = _POINTS_AT.get(asked.family)
    if kind is None or not facts.lakes:
        # a comparison of lakes that are not there, say: what is there is told instead
        return _count(facts)
    lake = nearest(facts) if kind == "nearest" else extreme(facts, str(asked.values["extreme"]))
    return Ask(asked.family, asked.values, (_pointing(kind, lake, asked),), (lake.number,))


def _pointing(kind: ClaimKind, lake: LakeFact, asked: Asked) -> Claim:
    if kind == "point":
        return Claim(kind, {**asked.values, "across": round(lake.x, 2), "down": round(lake.y, 2)})
    return Claim(kind, {**asked.values, "place": lake.place})


def _swapped(asked: Asked) -> dict[str, object]:
    """Two lakes may be named in either order."""
    values: dict[str, object] = dict(asked.values)
    return {**values, "place": values["other"], "other": values["place"]} if "other" in values else values


def _count(facts: SceneFacts) -> Ask:
    count = Claim("count", {"lakes": min(len(facts.lakes), MANY)})
    return Ask("count", {}, (count,), _numbers(facts.lakes))


def _numbers(lakes: Sequence[LakeFact]) -> tuple[int, ...]:
    return tuple(lake.number for lake in lakes)
