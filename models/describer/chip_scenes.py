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
    """Scenes of all chips of a split, a few at once; where the set holds the same ground a year earlier, growth can be asked about."""
    places, earlier = chips.of_split(split), _years_before(chips.table)
    for start in range(0, len(places), READ_AT_ONCE):
        some = places[start : start + READ_AT_ONCE]
        rows: list[Any] = list(chips.table.iloc[some].itertuples())
        where = [_whereabouts(row) for row in rows]
        batch = chips.read(some)
        scenes = scenes_of_chips(batch, [str(row.chip_id) for row in rows], where, recipe, scaling)
        yield SeenChips(batch, _with_before(scenes, chips, [earlier.get(int(place)) for place in some], recipe))


def _whereabouts(row: Any) -> Whereabouts:
    known = np.isfinite(row.longitude) and np.isfinite(row.latitude)
    where = Whereabouts(region=str(row.region), year=int(row.label_year))
    return replace(where, longitude=float(row.longitude), latitude=float(row.latitude)) if known else where


def _years_before(table: gpd.GeoDataFrame) -> dict[int, int]:
    """For chips by their places, the place of the chip of the same pixels whose labels are a year older."""
    columns = ["ground", "region", "epsg", "origin_y_px", "origin_x_px", "label_year"]
    places = {row: place for place, row in enumerate(table[columns].itertuples(index=False, name=None))}
    before = {place: places.get((*row[:-1], row[-1] - 1)) for row, place in places.items()}
    return {place: other for place, other in before.items() if other is not None}


def _with_before(scenes: list[Scene], chips: Chips, earlier: Sequence[int | None], recipe: Recipe) -> list[Scene]:
    needed = [place for place in earlier if place is not None]
    if not needed:
        return scenes
    labels = dict(zip(needed, chips.read(np.array(needed)).label, strict=True))
    return [
        scene if place is None else replace(scene, before=lakes_of_coverage(labels[place], recipe))
        for scene, place in zip(scenes, earlier, strict=True)
    ]


def lakes_of_coverage(label: NDArray[np.uint8], recipe: Recipe) -> Instances:
    """Lakes of a stored label (y, x): pixels that they cover by half or more; those that nobody judged are none."""
    return instances_of_mask((label != LABEL_IGNORE) & (label >= LABEL_SCALE / 2), PIXEL_M, recipe.lakes)


def scene_of_drawn(chip: DrawnChip, name: str, recipe: Recipe, scaling: ChannelScaling) -> Scene:
    """Make a scene of a simulated chip, whose lakes are known pixel by pixel, this year and the year before."""
    views = views_of(chip.s2[None], chip.dem[None], PIXEL_M, recipe.network, scaling, recipe.inputs)
    where = Whereabouts(elevation_m=float(np.median(chip.dem)), year=DRAWN_YEAR)
    scene = scenes_of(views, [lakes_of_labels(chip.lakes, recipe)], PIXEL_M, [name], [where])[0]
    return replace(scene, before=lakes_of_labels(chip.before, recipe))


def scenes_of_chips(
    batch: ChipBatch, names: Sequence[str], whereabouts: Sequence[Whereabouts], recipe: Recipe, scaling: ChannelScaling
) -> list[Scene]:
    """Make scenes of stored chips, each with the lakes of its label."""
    lakes = [lakes_of_coverage(label, recipe) for label in batch.label]
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
