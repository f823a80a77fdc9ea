"""Figures with their intervals as columns of text."""

from collections.abc import Sequence

import numpy as np

from models.pictures.score_tables import HasFigures, number
from models.scores.scorecard import Metric


def cell(metric: Metric | None) -> str:
    """`0.612 (0.580 to 0.641), n 310`."""
    if metric is None:
        return ""
    ends = f" ({metric.low:.3f} to {metric.high:.3f})" if np.isfinite(metric.low) else ""
    return f"{number(metric)}{ends}, n {metric.n}"


def show(title: str, figures: Sequence[tuple[str, str, str]], columns: Sequence[tuple[str, HasFigures]]) -> None:
    """Print figures (group, metric, words) that somebody has."""
    print(f"\n{title:56}" + "".join(f"{name:>38}" for name, _ in columns))
    for group, name, words in figures:
        found = [one.get(group, name) for _, one in columns]
        if any(found):
            print(f"{words:56}" + "".join(f"{cell(each):>38}" for each in found))
