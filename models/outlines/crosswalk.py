"""From the names of one release to those of the next: what was kept, and where every other name went."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.facts.change_schemas import CROSSWALK
from models.outlines.overlaps import overlaps_of

Geometries = NDArray[np.object_]
Named = tuple[Sequence[str], Geometries]
"""IDs and their outlines (EPSG:4326) in equal order; an ID may have several, of several years."""


def crosswalk(old: Named, new: Named, *, old_release: str, new_release: str, min_overlap: float = 0.1) -> pa.Table:
    """Return a table with the columns of `CROSSWALK`: at least one row for every old and every new ID, sorted by both.

    Names that are in both releases are `kept`, whatever their outlines do. Other pairs count from a shared area of `min_overlap` of the
    smaller outline, and only where one name ended or the other began: an ended name is `merged` into one that goes on, a begun one is
    `split` from one that goes on; where an ended name meets a begun one, they are `renamed` if neither meets another, `merged` if the new
    outline holds several old ones, else `split`. What meets nothing is `gone` or `new`. `shared_m2` is spherical, the largest of all years.
    """
    before, after = set(old[0]), set(new[0])
    shared = _shared(old, new, min_overlap)
    links = {pair: area for pair, area in shared.items() if pair[0] not in after or pair[1] not in before}
    links |= {(name, name): shared.get((name, name), 0.0) for name in before & after}
    held_by, holding = Counter(one for one, _ in links), Counter(other for _, other in links)
    rows: list[tuple[str | None, str | None, str, float | None]] = []
    for (one, other), area in links.items():
        relation = _relation(one in after, other in before, several=(holding[other] > 1, held_by[one] > 1))
        rows.append((one, other, "kept" if one == other else relation, area))
    rows += [(name, None, "gone", None) for name in before - set(held_by)]
    rows += [(None, name, "new", None) for name in after - set(holding)]
    rows.sort(key=lambda row: (row[0] is None, row[0] or "", row[1] or ""))
    columns = list(zip(*rows, strict=True)) or [()] * 4
    releases = ([old_release] * len(rows), [new_release] * len(rows))
    return pa.table(
        [pa.array(values, field.type) for values, field in zip((*columns, *releases), CROSSWALK, strict=True)], schema=CROSSWALK
    )


def _relation(old_goes_on: bool, new_was_there: bool, several: tuple[bool, bool]) -> str:
    """Name a link between two names; `several`: the new outline holds several old ones, the old one lies in several new ones."""
    if new_was_there:
        return "merged"
    if old_goes_on:
        return "split"
    if not any(several):
        return "renamed"
    return "merged" if several[0] else "split"


def _shared(old: Named, new: Named, min_overlap: float) -> dict[tuple[str, str], float]:
    pairs = overlaps_of(np.asarray(old[1], dtype=object), np.asarray(new[1], dtype=object))
    found: dict[tuple[str, str], float] = {}
    for left, right, area, share in zip(pairs.left, pairs.right, pairs.area_m2, pairs.share, strict=True):
        pair = (old[0][left], new[0][right])
        if share >= min_overlap or pair[0] == pair[1]:
            found[pair] = max(found.get(pair, 0.0), float(area))
    return found
