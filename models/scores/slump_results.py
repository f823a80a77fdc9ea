"""What scoring one detector gives to those who write it down."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.outlines.geodesy import to_degrees
from models.scores.instances import SIZES, Unit, match_units
from models.scores.scorecard import Metric
from models.scores.slump_intervals import BlockDraws, metric_from
from models.scores.slump_metrics import AVERAGES, LEVELS, SlumpScores


@dataclass(frozen=True, slots=True)
class SlumpResult:
    """One detector on one split, looking at all it knows or at less."""

    model: str
    split: str
    subset: str
    metrics: tuple[Metric, ...]
    facts: Mapping[str, str]
    """Name, version, hash and training of the detector."""
    scores: SlumpScores
    blocks: str
    """What intervals are clustered by, in words."""
    windows: int
    """Windows that were looked at."""

    def get(self, group: str, metric: str) -> Metric | None:
        """A figure by name."""
        return next((each for each in self.metrics if (each.group, each.metric) == (group, metric)), None)


def window_metrics(units: Sequence[Unit], blocks: NDArray[np.int64], count: int) -> Iterator[Metric]:
    """AP, AP50, AP75, AP30 and AR of windows that share no ground (group `windows`), AP50 and AR by size; `blocks` (units,) of `count`."""
    draws = BlockDraws(count)
    of_found, of_truth = (np.repeat(blocks, [len(getattr(unit, name)) for unit in units]) for name in ("scores", "ignore"))
    for group, size in {"windows": (0.0, float("inf")), **{f"windows {label}": size for label, size in SIZES.items()}}.items():
        outcome = match_units(units, LEVELS, size)
        asked = int(outcome.counted.sum())
        if not asked:
            continue
        value, drawn = draws.precision(outcome, of_found, of_truth)
        for name, pick in AVERAGES.items() if group == "windows" else (("AP50", AVERAGES["AP50"]),):
            yield metric_from((group, name, "1"), draws.interval(float(pick(value)), pick(drawn)), asked)
        yield metric_from((group, "AR", "1"), draws.recall(outcome, of_truth), asked)


def metric_rows(results: Sequence[SlumpResult], gains: Sequence[tuple[str, Sequence[Metric]]] = ()) -> list[dict[str, Any]]:
    """Rows of the long table (`score_schemas.METRICS`); gains come as (name `model minus other`, figures)."""
    lines = [((one.model, one.split, one.subset), each) for one in results for each in one.metrics]
    lines += [((name, results[0].split, results[0].subset), each) for name, figures in gains for each in figures]
    names = ("group", "metric", "unit", "value", "low", "high", "blocks", "n")
    return [
        {"model": model, "split": split, "subset": subset, **{name: getattr(each, name) for name in names}}
        for (model, split, subset), each in lines
    ]


def slump_columns(result: SlumpResult) -> tuple[NDArray[np.object_], dict[str, list[Any]]]:
    """Outlines (EPSG:4326) and columns of the table of slumps (`score_schemas.SLUMP_SCORES`); null where there is no figure."""
    rows = result.scores.rows
    geometry = np.empty(len(rows), object)
    zones = np.array([row.shows.epsg for row in rows], np.int64)
    for epsg in np.unique(zones).tolist():
        here = np.flatnonzero(zones == epsg)
        geometry[here] = to_degrees(np.array([rows[place].geometry for place in here.tolist()], object), epsg)
    names = ("true_area_m2", "area_m2", "score", "iou")
    figures = {name: [None if np.isnan(value := getattr(row, name)) else value for row in rows] for name in names}
    return geometry, {
        "model": [result.model] * len(rows),
        "split": [result.split] * len(rows),
        "subset": [result.subset] * len(rows),
        "slump_id": [row.slump_id for row in rows],
        "state": [row.state for row in rows],
        "lenient": [row.lenient for row in rows],
        "class": [row.kind for row in rows],
        "hard_because": [";".join(row.reasons) for row in rows],
        "ground": [row.shows.ground for row in rows],
        "region": [row.shows.region for row in rows],
        "year": [row.shows.year for row in rows],
        "block": [row.block for row in rows],
        **figures,
    }
