"""Why a feature differs between two stores: the first thing that differs on its road, and everything else that does."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.differences import Difference, Road
from catalog.facts.grids import parse_tile, tiles_over_bounds
from catalog.facts.records import Outcome
from models.outlines.geodesy import to_metres
from models.review.pairs import Pair, Side, moved
from models.review.tile_causes import Records, input_differences, tile_differences

_TILE_STAGES: Final = ("scenes", "surface", "segment", "detect", "outline")
_REGION_STAGES: Final = ("features", "merge", "inventory")
_CARRIED: Final = frozenset(
    {"outlines", "surfaces", "probabilities", "instances", "features", "earlier", "edits", "models", "card", "providers"}
)
"""Inputs of stages of the whole region that are products of earlier stages, or told elsewhere."""
_ORDER: Final = ("year", "territory", *_TILE_STAGES, *_REGION_STAGES, "tiling", "identity", "records")
_REGION: Final = "region"
"""Stands in place of a tile in records of the whole region."""


class Explainer:
    """Two roads, compared tile by tile; each tile once."""

    def __init__(self, a: Road, b: Road) -> None:
        """Compare what is the same for all features."""
        self._a, self._b = a, b
        self._whole = tuple(self._of_region())
        self._tile = lru_cache(maxsize=None)(self._of_tile)

    def explain(self, pair: Pair, left: Side, right: Side, tiles: tuple[Sequence[str], Sequence[str]]) -> tuple[Difference, ...]:
        """Return what makes a pair differ, the cause first; nothing for what is the same.

        `tiles`: under the feature, in the tiling of each store. An edit of this very feature goes before all else: a person decided.
        """
        if pair.kind == "same":
            return ()
        if pair.kind == "renamed" and not moved(pair):
            return (self._other_history(left.ids[pair.left], right.ids[pair.right]),)
        edits = tuple(self._edited(pair, left, right))
        found = sorted(dict.fromkeys([*self._of_ground(tiles), *self._whole]), key=lambda one: _ORDER.index(one.stage))
        told = (*edits, *found)
        if pair.kind == "renamed":
            told = (*told, self._other_history(left.ids[pair.left], right.ids[pair.right]))
        return told or (self._nothing_differs(),)

    def _of_ground(self, tiles: tuple[Sequence[str], Sequence[str]]) -> Iterator[Difference]:
        if self._a.chips == self._b.chips:
            for tile in sorted({*tiles[0], *tiles[1]}):
                yield from self._tile(tile)
            return
        # tiles of another size are other ground: what went into all of them is compared
        merged = [_merged(road, under) for road, under in zip((self._a, self._b), tiles, strict=True)]
        found = tile_differences("the ground", *merged, other_year=self._a.year != self._b.year)
        yield from (one for one in found if one.cause != "unexplained")
        yield Difference("tiling", "options", f"tiles of {self._a.chips} -> {self._b.chips} chips")

    def _of_tile(self, tile: str) -> tuple[Difference, ...]:
        return tile_differences(tile, *(_records(road, tile) for road in (self._a, self._b)), other_year=self._a.year != self._b.year)

    def _of_region(self) -> Iterator[Difference]:
        if self._a.territory != self._b.territory:
            yield Difference("territory", "options", "the region has another geometry or other rules")
        for stage in _REGION_STAGES:
            one, other = (road.records.get((stage, _REGION)) for road in (self._a, self._b))
            if one is None or other is None:
                continue
            if one.inputs.get("card") != other.inputs.get("card"):
                yield Difference(stage, "model", "the model's card differs: threshold or calibration")
            yield from input_differences(stage, one.inputs, other.inputs, _CARRIED)

    def _edited(self, pair: Pair, left: Side, right: Side) -> Iterator[Difference]:
        names = {left.ids[pair.left] if pair.left >= 0 else "", right.ids[pair.right] if pair.right >= 0 else ""} - {""}
        one, other = (frozenset[str]().union(*(road.edits.get(name, frozenset()) for name in names)) for road in (self._a, self._b))
        if one != other or (one and pair.kind == "changed"):
            said = " and ".join(f"{', '.join(sorted(acts))} in {label}" for label, acts in (("A", one), ("B", other)) if acts)
            yield Difference("inventory", "edits", f"edited: {said}")

    def _other_history(self, before: str, after: str) -> Difference:
        first = self._a.first_seen.get(before), self._b.first_seen.get(after)
        return Difference("identity", "history", f"named in {first[0] or 'an unknown year'} in A, in {first[1] or 'an unknown year'} in B")

    def _nothing_differs(self) -> Difference:
        inventories = [road.records.get(("inventory", _REGION)) for road in (self._a, self._b)]
        if len({str(record.inputs.get("edits")) for record in inventories if record is not None}) > 1:
            return Difference("inventory", "edits", "the inventories were written with other edits")
        if self._a.model != self._b.model:
            return Difference("records", "model", f"model {self._a.model} -> {self._b.model}, as the files say")
        empty = [road.label for road in (self._a, self._b) if not road.records]
        if empty:
            return Difference("records", "unknown", f"store {' and store '.join(empty)} keeps neither ledger nor receipts")
        return Difference("records", "unexplained", "all records on its road are equal")


def tiles_under(outlines: NDArray[np.object_], epsg: Sequence[int], chips: int) -> list[tuple[str, ...]]:
    """Return, per outline (EPSG:4326), the tiles of its zone that its bounding box touches; `epsg` of each feature."""
    found: list[tuple[str, ...]] = [()] * len(outlines)
    zones = np.asarray(epsg, np.int64)
    for zone in np.unique(zones).tolist():
        rows = np.flatnonzero(zones == zone)
        bounds = shapely.bounds(to_metres(outlines[rows], zone))
        for row, (left, bottom, right, top) in zip(rows.tolist(), bounds.tolist(), strict=True):
            found[row] = tuple(tile.id for tile in tiles_over_bounds(zone, (left, bottom, right, top), chips))
    return found


def retiled(tiles: Sequence[str], chips: int, others: int) -> tuple[str, ...]:
    """Return the tiles of another size that share ground with these."""
    if chips == others:
        return tuple(tiles)
    touched: dict[str, None] = {}
    for name in tiles:
        tile = replace(parse_tile(name), chips=chips)
        touched |= {one.id: None for one in tiles_over_bounds(tile.epsg, tile.bounds_lbrt, others)}
    return tuple(touched)


def _records(road: Road, tile: str) -> Records:
    return {stage: road.records[stage, tile] for stage in _TILE_STAGES if (stage, tile) in road.records}


def _merged(road: Road, tiles: Sequence[str]) -> Records:
    merged: dict[str, Outcome] = {}
    for stage in _TILE_STAGES:
        there = [road.records[stage, tile] for tile in tiles if (stage, tile) in road.records]
        if not there:
            continue
        scenes = sorted({tuple(row) for one in there for row in one.inputs.get("scenes", ())}, key=str)
        inputs = {key: value for key, value in there[0].inputs.items() if key not in {"chips", "surfaces", "probability"}}
        outputs = {f"{place}": promise for place, one in enumerate(there) for promise in one.outputs.values()}
        merged[stage] = replace(there[0], inputs=inputs | {"scenes": scenes}, outputs={f".zarr/{k}": v for k, v in outputs.items()})
    return merged
