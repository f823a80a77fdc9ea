"""What the catalog lets expect of a tile's season before a pixel is read: which scenes are used, and how much ground they show."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from catalog.facts.options import SearchOptions
from catalog.facts.records import Choice, Scene
from catalog.facts.repeats import datatake_of
from catalog.facts.tile_ground import TilePart

HIDDEN_PER_CLOUD: Final = 1.5
"""Ground that an optical date does not show, per cloud that its item tells of: shadows, haze and what the test of dates against each other
finds come on top. Simulated ground seen on one clouded date: 1.5 (tundra) and 1.7 (mountains)."""
_ALL_SEEN: Final = 0.01
"""Once less than this is hidden, more dates are not looked at: a plan needs no more."""


@dataclass(frozen=True, slots=True)
class ExpectedLooks:
    """What one tile would be built from."""

    optical: int
    radar: int
    observed_share: float
    """Share of the mapped ground that some optical scene shows between its clouds."""


def expected_of(part: TilePart, choices: Iterable[Choice]) -> ExpectedLooks:
    """Sum up what was chosen for a tile."""
    used = [choice.scene for choice in choices if choice.used]
    optical = [scene for scene in used if scene.sensor == "s2"]
    return ExpectedLooks(len(optical), sum(scene.sensor == "s1" for scene in used), observed_share(part, optical))


def likely(options: SearchOptions) -> SearchOptions:
    """Return the options by which scenes are chosen before they are looked at: every tile is taken to be as cloudy as its scene."""
    return replace(options, max_scene_cloud_percent=min(options.max_scene_cloud_percent, 100 * options.max_tile_cloud_share))


def observed_share(part: TilePart, scenes: Iterable[Scene]) -> float:
    """Expected share of the ground, 0 to 1, that one of the scenes shows clearly; clouds of two dates lie independently.

    A date's scenes side by side add up. Where the clouds of all dates stay in the same places, less is seen than this says.
    """
    hidden, shown = 1.0, list[BaseGeometry]()
    dates: dict[str, list[Scene]] = {}
    for scene in scenes:
        dates.setdefault(datatake_of(scene), []).append(scene)
    for date in sorted(dates.values(), key=lambda found: (min(map(_hidden, found)), found[0].id)):
        pieces = [(part.shown(scene.footprint_wkt), 1 - _hidden(scene)) for scene in date]
        shown += [piece for piece, _ in pieces]
        hidden *= 1 - min(1.0, sum(clear * piece.area / part.ground.area for piece, clear in pieces))
        if hidden < _ALL_SEEN and any(piece is part.ground for piece in shown):
            return 1.0
    return min(1 - hidden, float(shapely.union_all(shown).area / part.ground.area)) if shown else 0.0


def _hidden(scene: Scene) -> float:
    return min(1.0, HIDDEN_PER_CLOUD * (scene.cloud_percent or 0.0) / 100)
