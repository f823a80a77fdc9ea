"""Scored lakes to figures with intervals, by size and by what makes them hard."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.scores.lakes import LakeRow
from models.scores.scorecard import Metric, metric_of

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
SIZES: Final = (("0.1-0.5 ha", 5e3), ("0.5-1 ha", 1e4), ("1-5 ha", 5e4), ("5-10 ha", 1e5), (">10 ha", float("inf")))
"""Label and upper bound, m²; nothing under 0.1 ha is scored."""


def size_label(area_m2: float) -> str:
    """Size class of an area."""
    return next(label for label, upper in SIZES if area_m2 < upper)


class _Columns:
    """Rows as arrays."""

    def __init__(self, rows: Sequence[LakeRow]) -> None:
        self.true = np.array([row.true for row in rows], bool)
        self.found = np.array([row.found for row in rows], bool)
        self.invented = ~self.true
        self.true_area = np.array([row.true_area_m2 for row in rows], np.float64)
        self.area = np.array([row.area_m2 for row in rows], np.float64)
        self.low = np.array([row.area_low_m2 for row in rows], np.float64)
        self.high = np.array([row.area_high_m2 for row in rows], np.float64)
        self.kinds = np.array([row.kind for row in rows], object)
        self.hard = np.array([bool(row.reasons) for row in rows], bool)
        self.reasons = [frozenset(row.reasons) for row in rows]
        # a prediction belongs to the size of the lake it matched, or to its own where it matched none
        self.size = np.where(self.true, self.true_area, self.area)


def lake_metrics(rows: Sequence[LakeRow], blocks: NDArray[np.int64], regions: NDArray[np.object_]) -> tuple[Metric, ...]:
    """Scores of lakes: all, by size, by kind, by what makes them hard, by region; `blocks` and `regions` are those of every chip.

    A class that only the truth knows (a kind, a reason) has no precision of its own: its F1 is the harmonic mean of its recall and
    the precision over all lakes.
    """
    if not rows:
        return ()
    columns, chips = _Columns(rows), np.array([row.chip for row in rows], np.int64)
    block, region = blocks[chips], regions[chips]
    found: list[Metric] = []
    for group, members in {**_sizes(columns), **_each("region", region)}.items():
        found += _with_precision(group, columns, members, block)
        found += _areas(group, columns, members, block)
    for group, members in _classes(columns).items():
        found += _of_class(group, columns, members, block)
    return tuple(metric for metric in found if metric.n)


def f1_columns(rows: Sequence[LakeRow]) -> dict[str, Floats]:
    """Columns (lakes, 4) of `f1_of_sums` for every group of sizes, kinds and reasons."""
    columns = _Columns(rows)
    said = columns.found | columns.invented
    sized = {group: (columns.found & m, columns.true & m, columns.found & m, said & m) for group, m in _sizes(columns).items()}
    classes = {group: (columns.found & m, m, columns.found, said) for group, m in _classes(columns).items()}
    return {group: np.stack(parts, axis=-1).astype(float) for group, parts in {**sized, **classes}.items()}


def _sizes(columns: _Columns) -> dict[str, Mask]:
    by_size = {f"size {label}": _between(columns.size, label) for label, _ in SIZES}
    return {"all": np.ones(len(columns.size), bool), **by_size, "size >1 ha": columns.size >= 1e4}


def _between(area: Floats, label: str) -> Mask:
    return np.array([size_label(value) == label for value in area], bool)


def _each(prefix: str, names: NDArray[np.object_]) -> dict[str, Mask]:
    return {f"{prefix} {name}": names == name for name in sorted(set(names.tolist()))}


def _classes(columns: _Columns) -> dict[str, Mask]:
    kinds = {
        group: members & columns.true
        for group, members in _each("class", columns.kinds).items()
        if group not in ("class ", "class unknown")
    }
    reasons = sorted(set().union(*columns.reasons))
    hard = {f"hard {reason}": np.array([reason in own for own in columns.reasons], bool) for reason in reasons}
    ease = {"hard any": columns.hard & columns.true, "hard none": ~columns.hard & columns.true} if reasons else {}
    return {**kinds, **hard, **ease}


def _with_precision(group: str, columns: _Columns, members: Mask, block: NDArray[np.int64]) -> Iterator[Metric]:
    found, true, invented = (part & members for part in (columns.found, columns.true, columns.invented))
    yield _share((group, "object_recall", "1"), found, true, block)
    yield _share((group, "object_precision", "1"), found, found | invented, block)
    used = true | invented
    values = np.stack([2.0 * found, 2.0 * found + invented + (true & ~found)], axis=-1)[used]
    yield metric_of((group, "object_f1", "1"), values, block[used])


def _share(names: tuple[str, str, str], part: Mask, whole: Mask, block: NDArray[np.int64]) -> Metric:
    return metric_of(names, np.stack([part, whole], axis=-1)[whole].astype(float), block[whole])


def _areas(group: str, columns: _Columns, members: Mask, block: NDArray[np.int64]) -> Iterator[Metric]:
    """Errors of area over found lakes; the total error has missed and invented ones in it."""
    here = columns.found & members
    error, ones = (columns.area - columns.true_area)[here], np.ones(int(here.sum()))
    held = ((columns.low <= columns.true_area) & (columns.true_area <= columns.high))[here].astype(float)
    width = (columns.high - columns.low)[here]
    ratios = {
        ("area_bias", "m2"): (error, ones),
        ("area_mae", "m2"): (np.abs(error), ones),
        ("area_bias_share", "1"): (error, columns.true_area[here]),
        ("interval_coverage", "1"): (held, ones),
        ("interval_width_share", "1"): (width, columns.area[here]),
    }
    for (name, unit), pair in ratios.items():
        yield metric_of((group, name, unit), np.stack(pair, axis=-1), block[here])
    true = np.where(columns.true, columns.true_area, 0.0)[members]
    area = np.nan_to_num(columns.area)[members]
    yield metric_of((group, "total_area_error", "1"), np.stack([area - true, true], axis=-1), block[members])


def _of_class(group: str, columns: _Columns, members: Mask, block: NDArray[np.int64]) -> Iterator[Metric]:
    yield _share((group, "object_recall", "1"), columns.found & members, members, block)
    said = columns.found | columns.invented
    values = np.stack([columns.found & members, members, columns.found, said], axis=-1).astype(float)
    metric = metric_of((group, "object_f1", "1"), values, block, f1_of_sums)
    yield Metric(metric.group, metric.metric, metric.unit, metric.value, metric.low, metric.high, metric.blocks, int(members.sum()))
    yield from (metric for metric in _areas(group, columns, members, block) if metric.metric != "total_area_error")


def f1_of_sums(sums: Floats) -> Floats:
    """F1 of sums (..., 4): found and true lakes of a group, right predictions and all predictions; NaN without a true lake."""
    found, true, right, said = np.moveaxis(sums, -1, 0)
    recall, precision = found / np.maximum(true, 1), right / np.maximum(said, 1)
    both = recall + precision
    score = np.divide(2 * recall * precision, both, out=np.zeros(both.shape), where=both > 0)
    return np.where(true > 0, score, np.nan)
