"""The long table of scores: one line per model, split, modality subset, group and metric."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.scores.lake_metrics import SIZES
from models.scores.scorecard import Metric

EVERYTHING: Final = "all"
"""The subset that holds every modality a model knows."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One model on one split with one subset of modalities."""

    model: str
    split: str
    subset: str
    metrics: tuple[Metric, ...]
    bins: NDArray[np.float64]
    """(BINS, 3), reliability summed over all chips (see `chip_pixels.ChipPixels`)."""

    def get(self, group: str, metric: str) -> Metric | None:
        """A metric by name."""
        return next((each for each in self.metrics if (each.group, each.metric) == (group, metric)), None)

    def groups(self, prefix: str, metric: str) -> list[Metric]:
        """Metrics of one name over all groups of a prefix, for example `size `, in their own order."""
        return [each for each in self.metrics if each.metric == metric and each.group.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class Gains:
    """What one model is ahead of another on the same chips."""

    model: str
    against: str
    split: str
    metrics: tuple[Metric, ...]


def order(group: str) -> tuple[int, float, str]:
    """Place of a group among others: sizes by size, then kinds and reasons by name, the summary of all reasons last."""
    kind, _, name = group.partition(" ")
    sizes = [label for label, _ in SIZES]
    size = sizes.index(name) if name in sizes else len(sizes)
    kinds = ("all", "wet", "size", "class", "hard", "region")
    return kinds.index(kind), size if kind == "size" else name in ("any", "none"), name


def table_of(scored: Iterable[Scored], gains: Iterable[Gains] = ()) -> list[dict[str, object]]:
    """Rows of the long table; a gain stands under the name `model minus other`."""
    lines = [((one.model, one.split, one.subset), each) for one in scored for each in one.metrics]
    lines += [((f"{one.model} minus {one.against}", one.split, EVERYTHING), each) for one in gains for each in one.metrics]
    return [
        {
            "model": model,
            "split": split,
            "subset": subset,
            "group": each.group,
            "metric": each.metric,
            "unit": each.unit,
            "value": each.value,
            "low": each.low,
            "high": each.high,
            "blocks": each.blocks,
            "n": each.n,
        }
        for (model, split, subset), each in lines
    ]


def on(scored: Sequence[Scored], split: str, subset: str = EVERYTHING) -> list[Scored]:
    """Those of one split and subset, one per model."""
    return [one for one in scored if (one.split, one.subset) == (split, subset)]
