"""Figures of answers about scenes, with 90 % intervals that draw whole scenes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from models.scores.intervals import SumStatistic, bootstrap_of_sums, ratio
from models.scores.scorecard import SEED, Metric

Row = tuple[str, tuple[float, ...]]
"""Scene, and the parts of a figure."""
LEVEL: Final = 0.9


def metric(names: tuple[str, str, str], rows: Sequence[Row], statistic: SumStatistic = ratio, *, counted: bool = False) -> Iterator[Metric]:
    """One figure (group, name, unit) of rows, none without rows; `n` is their number, or with `counted` the sum of their second parts."""
    if rows:
        values, scenes = np.array([parts for _, parts in rows], np.float64), np.unique([scene for scene, _ in rows], return_inverse=True)[1]
        found = bootstrap_of_sums(values, scenes, np.random.default_rng(SEED), statistic=statistic, level=LEVEL)
        if np.isfinite(found.value):
            number = int(values[:, 1].sum()) if counted else len(rows)
            yield Metric(*names, found.value, found.low, found.high, found.blocks, number)


def seconds_per_answer(cpu_s: float, wall_s: float, count: int) -> Iterator[Metric]:
    """How long answers took; no interval, as seconds are of a machine and not of the scenes."""
    nothing = float("nan")
    for name, seconds in (("cpu_s_per_answer", cpu_s), ("wall_s_per_answer", wall_s)):
        yield Metric("all", name, "s", seconds / max(count, 1), nothing, nothing, 0, count)


def long_rows(split: str, whose: Mapping[tuple[str, str], Sequence[Metric]]) -> Iterator[dict[str, Any]]:
    """Rows of the long table (`METRICS`) of figures by model and subset."""
    for (model, subset), figures in whose.items():
        for each in figures:
            yield {"model": model, "split": split, "subset": subset, **asdict(each)}
