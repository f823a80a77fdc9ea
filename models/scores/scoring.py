"""One pass over the chips of a split: every chip predicted once, every lake, shore and pixel counted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.facts.chips import CHIP_PX, ChipBatch
from models.scores.chip_pixels import ChipPixels, concatenate, count_chips
from models.scores.disagreements import Disagreement, Ground, by_place, disagreements_of
from models.scores.lakes import LakeRow, TrueLakes, score_lakes, truth_of_label
from models.scores.mosaics import ChipPlaces, Mosaic, MosaicMaker
from models.scores.scorecard import ScoredChips
from models.scores.shores import TOLERANCES_PX, ShoreCounts, count_shores
from models.segmenter.answers import Answer, seen_of

Places = NDArray[np.int64]
Read = Callable[[Places], ChipBatch]
KEPT_DISAGREEMENTS = 2_000
"""More are not kept while a split is scored; the rest rank lower."""


@dataclass(frozen=True, slots=True)
class Chips:
    """What is known of the N chips of a split; sequences of equal length."""

    origins_yx: Places
    shows: Sequence[Ground]
    """An `epsg` of 0 is a chip without a place."""
    names: Sequence[str]
    outlined: NDArray[np.bool_]
    """False where only a mask is known."""
    blocks: Places
    split: str

    def __len__(self) -> int:
        """Count the chips."""
        return len(self.names)

    @property
    def regions(self) -> NDArray[np.object_]:
        """(N,)."""
        return np.array([each.region for each in self.shows], object)

    def places(self) -> ChipPlaces:
        """Where they lie, for laying them together."""
        lattice = [f"{g.ground}|{g.region}|{g.year}|{g.epsg}" if g.epsg else f"nowhere {place}" for place, g in enumerate(self.shows)]
        return ChipPlaces(self.origins_yx, np.array(lattice, object))


@dataclass(frozen=True, slots=True)
class SplitScores:
    """One model on one split."""

    chips: ScoredChips
    rows: tuple[LakeRow, ...]
    excused: int
    """Lakes that were not asked for (see `lakes.ScoredMosaic`)."""
    disagreements: tuple[Disagreement, ...]


Truth = Callable[[Mosaic, Ground, str], TrueLakes]
"""Mosaic, what it shows, and the split whose lakes are asked for."""


@dataclass(slots=True)
class _Sums:
    pixels: dict[int, tuple[ChipPixels, int]] = field(default_factory=dict)
    """Place -> counts of its batch, and its row there."""
    rows: list[LakeRow] = field(default_factory=list)
    excused: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)


def score_split(chips: Chips, read: Read, answer: Answer, truth: Truth | None, *, batch_size: int = 16) -> Iterator[int | SplitScores]:
    """Score all chips; yields how many are done after every batch, and the scores last.

    Without `truth`, pixels are counted and nothing else: all that choosing a threshold needs.
    """
    count = len(chips)
    maker = MosaicMaker(chips.places(), CHIP_PX)
    shores = ShoreCounts(*(np.zeros(shape, np.int64) for shape in ((count,), (count,), *2 * ((count, len(TOLERANCES_PX)),))))
    order, sums = maker.order, _Sums()
    for start in range(0, count, batch_size):
        some = order[start : start + batch_size]
        batch = read(some)
        probability, spread = answer(batch, chips.origins_yx[some])
        seen = seen_of(batch)
        counted = count_chips(probability, batch.label, seen)
        sums.pixels |= {int(chip): (counted, row) for row, chip in enumerate(some)}
        if truth is not None:
            for mosaic in maker.add(some, (probability, spread), (batch.label, batch.cause, seen)):
                _add(sums, shores, mosaic, chips, truth)
        yield min(start + batch_size, count)
    pixels = concatenate([_row(*sums.pixels[chip]) for chip in range(count)])
    yield SplitScores(
        ScoredChips(pixels, shores, chips.blocks, chips.regions), tuple(sums.rows), sums.excused, by_place(_kept(sums.disagreements))
    )


def _row(counted: ChipPixels, row: int) -> ChipPixels:
    return ChipPixels(*(getattr(counted, name)[row : row + 1] for name in ChipPixels.__dataclass_fields__))


def _add(sums: _Sums, shores: ShoreCounts, mosaic: Mosaic, chips: Chips, truth: Truth) -> None:
    shows = chips.shows[int(mosaic.chips[0])]
    if not shows.epsg:
        return
    outlined = bool(chips.outlined[mosaic.chips].all())
    lakes = truth(mosaic, shows, chips.split) if outlined else truth_of_label(mosaic, shows.epsg)
    scored = score_lakes(mosaic, lakes, shows.epsg)
    sums.rows += scored.rows
    sums.excused += scored.excused
    counts = count_shores(scored.predicted, scored.truth, mosaic.seen, mosaic.owner, len(mosaic.chips))
    for name in ShoreCounts.__dataclass_fields__:
        getattr(shores, name)[mosaic.chips] += getattr(counts, name)
    sums.disagreements += disagreements_of(mosaic, chips.origins_yx, shows, lakes.outlines, lakes.ids)
    if len(sums.disagreements) > 2 * KEPT_DISAGREEMENTS:
        sums.disagreements = _kept(sums.disagreements)


def _kept(found: list[Disagreement]) -> list[Disagreement]:
    return sorted(found, key=lambda each: -each.score)[:KEPT_DISAGREEMENTS]
