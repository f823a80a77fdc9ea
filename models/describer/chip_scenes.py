"""Chips to scenes that can be asked about: any inventory that was burnt into the labels of chips is a source of pairs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import geopandas as gpd
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

READ_AT_ONCE: Final = 16
DRAWN_YEAR: Final = 2023
"""Of simulated chips, which show no year."""


class Chips(Protocol):
    """A set of chips, as `catalog.stores.chips` opens it."""

    @property
    def table(self) -> gpd.GeoDataFrame:
        """Row i describes chip i (`CHIPS`)."""
        ...

    def of_split(self, name: str) -> NDArray[np.int64]:
        """Places of the chips of a split."""
        ...

    def read(self, indices: NDArray[np.int64]) -> ChipBatch:
        """Chips by their places."""
        ...


class DrawnChip(Protocol):
    """A chip that the simulator drew, with the truth about it."""

    @property
    def s2(self) -> NDArray[np.uint16]:
        """(12, y, x), reflectance x 10 000."""
        ...

    @property
    def dem(self) -> NDArray[np.float32]:
        """(y, x), metres."""
        ...

    @property
    def lakes(self) -> NDArray[np.int32]:
        """(y, x), number of the lake from 1."""
        ...

    @property
    def before(self) -> NDArray[np.int32]:
        """The same a year earlier."""
        ...


@dataclass(frozen=True, slots=True)
class SeenChips:
    """Chips beside the scenes that were made of them."""

    chips: ChipBatch
    scenes: list[Scene]


def stored_scenes(chips: Chips, split: str, recipe: Recipe, scaling: ChannelScaling) -> Iterator[SeenChips]:
    """Scenes of all chips of a split, a few at once."""
    places = chips.of_split(split)
    for start in range(0, len(places), READ_AT_ONCE):
        some = places[start : start + READ_AT_ONCE]
        rows: list[Any] = list(chips.table.iloc[some].itertuples())
        where = [Whereabouts(float(row.longitude), float(row.latitude), None, str(row.region), int(row.year)) for row in rows]
        batch = chips.read(some)
        yield SeenChips(batch, scenes_of_chips(batch, [str(row.chip_id) for row in rows], where, recipe, scaling))


def scene_of_drawn(chip: DrawnChip, name: str, recipe: Recipe, scaling: ChannelScaling) -> Scene:
    """Make a scene of a simulated chip, whose lakes are known pixel by pixel, this year and the year before."""
    views = views_of(chip.s2[None], chip.dem[None], PIXEL_M, recipe.network, scaling, recipe.inputs)
    where = Whereabouts(elevation_m=float(np.median(chip.dem)), year=DRAWN_YEAR)
    scene = scenes_of(views, [lakes_of_labels(chip.lakes, recipe)], PIXEL_M, [name], [where])[0]
    return replace(scene, before=lakes_of_labels(chip.before, recipe))


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
