"""What the vision tower of a describer learns first: where the points of lakes are, by place, how many there are, and which stands out."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from catalog.facts.scene_facts import MANY, QUADRANTS, Place, SceneFacts
from models.describer.scenes import Scene, shares
from models.language.pretext import Board, Known, Pretext, around
from models.language.truth import extreme, nearest

PLACES: Final = (Place("center"), *(Place(quadrant, near) for quadrant in QUADRANTS if quadrant != "center" for near in (True, False)))
"""All places that words tell apart."""
OF_A_PATCH: Final = (2, len(PLACES))
"""The share of lake and the size of a lake whose point is near; for each place whether a point of it is near."""
OF_A_SCENE: Final = 1 + len(PLACES)
"""Lakes in all, and of each place."""
STANDOUTS: Final = ("largest", "smallest", "nearest")
"""Of the lakes of a scene."""


def pretext_of(hidden: int) -> Pretext:
    """Build it with fresh weights for a tower of that width; `MANY` lakes stand for all numbers above."""
    return Pretext(hidden, OF_A_PATCH, OF_A_SCENE, MANY, len(STANDOUTS))


def known_of(scenes: Sequence[Scene], side: int) -> Known:
    """What should be known of scenes by a tower of side x side patches."""
    facts = [scene.facts() for scene in scenes]
    patches = [
        torch.cat([shares(scene.lakes.labels > 0, (side, side)), _points(own, side)]) for scene, own in zip(scenes, facts, strict=True)
    ]
    return Known(
        torch.stack(patches).flatten(2).transpose(1, 2),
        torch.stack([_counts(own) for own in facts]),
        torch.stack([_standouts(own, side) for own in facts]),
    )


def _points(facts: SceneFacts, side: int) -> Tensor:
    board = Board(len(PLACES), side)
    for lake in facts.lakes:
        board.put(PLACES.index(lake.place), lake.x, lake.y, lake.area_m2)
    return board.known()


def _counts(facts: SceneFacts) -> Tensor:
    return torch.tensor([len(facts.lakes), *(len(facts.at(place)) for place in PLACES)])


def _standouts(facts: SceneFacts, side: int) -> Tensor:
    if not facts.lakes:
        return torch.zeros(len(STANDOUTS), side * side)
    lakes = (extreme(facts, "largest"), extreme(facts, "smallest"), nearest(facts))
    return torch.stack([around(lake.x, lake.y, side).flatten() for lake in lakes])
