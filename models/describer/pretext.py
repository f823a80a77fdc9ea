"""What the vision tower of a describer learns first: where the points of lakes are, by place, how many there are, and which stand out."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from catalog.facts.scene_facts import MANY, QUADRANTS, Place, SceneFacts
from models.describer.scenes import Scene, shares
from models.language.pretext import Board, Known, Pretext
from models.language.truth import extreme, nearest

PLACES: Final = (Place("center"), *(Place(quadrant, near) for quadrant in QUADRANTS if quadrant != "center" for near in (True, False)))
"""All places that words tell apart."""
OF_A_PATCH: Final = 2 + len(PLACES)
"""The share of lake, the size of a lake whose point is near, and for each place whether a point of it is near."""
OF_A_SCENE: Final = 1 + len(PLACES) + len(QUADRANTS) + 3
"""Lakes in all, of each place and of each quadrant; the places of the largest, the smallest and the one nearest to the center."""

_NUMBERS: Final = 1.0
"""Weight of what is known of a scene: most of what is asked is about all of it."""


def pretext_of(hidden: int) -> Pretext:
    """Build it with fresh weights for a tower of that width; `MANY` lakes stand for all numbers above, and numbers of places are below it."""
    return Pretext(hidden, (OF_A_PATCH,), OF_A_SCENE, MANY, _NUMBERS)


def known_of(scenes: Sequence[Scene], side: int) -> Known:
    """What should be known of scenes by a tower of side x side patches."""
    facts = [scene.facts() for scene in scenes]
    patches = [
        torch.cat([shares(scene.lakes.labels > 0, (side, side)), _points(own, side)]) for scene, own in zip(scenes, facts, strict=True)
    ]
    return Known(torch.stack(patches).flatten(2).transpose(1, 2), torch.stack([_counts(own) for own in facts]))


def _points(facts: SceneFacts, side: int) -> Tensor:
    board = Board(len(PLACES), side)
    for lake in facts.lakes:
        board.put(PLACES.index(lake.place), lake.x, lake.y, lake.area_m2)
    return board.known()


def _counts(facts: SceneFacts) -> Tensor:
    places, quadrants = [len(facts.at(place)) for place in PLACES], [len(facts.within(quadrant)) for quadrant in QUADRANTS]
    return torch.tensor([len(facts.lakes), *places, *quadrants, *_standing_out(facts)])


def _standing_out(facts: SceneFacts) -> tuple[int, ...]:
    """Places, by their number, of the lakes that are asked for most; `MANY` where there is no lake."""
    if not facts.lakes:
        return (MANY,) * 3
    lakes = extreme(facts, "largest"), extreme(facts, "smallest"), nearest(facts)
    return tuple(PLACES.index(lake.place) for lake in lakes)
