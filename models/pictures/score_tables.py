"""Tables of a page of scores, as HTML."""

import html
import math
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from models.scores.lines import Scored, order
from models.scores.scorecard import Metric

HEADLINES: Final = (
    ("wet", "iou", "global IoU, wet chips"),
    ("all", "object_f1", "object F1, lakes ≥ 0.1 ha"),
    ("size >1 ha", "object_recall", "recall, lakes > 1 ha"),
    ("all", "boundary_f_10m", "boundary F at 10 m"),
    ("all", "interval_coverage", "area intervals that hold the truth"),
    ("all", "ece", "calibration error (ECE)"),
)
_TABLE: Final = (
    ("all", "iou", "global IoU at 0.50, all chips"),
    ("all", "iou_best_on_val", "global IoU at the threshold that is best on val"),
    ("wet", "iou", "global IoU at 0.50, wet chips"),
    ("wet", "chip_iou", "mean IoU of wet chips"),
    ("all", "chip_iou_as_published", "mean of (I + 1) / (U + 1) over all chips, as published elsewhere"),
    ("wet", "tail_count", "wet chips with IoU < 0.05"),
    ("dry", "stays_dry_share", "dry chips without a predicted pixel, share"),
    ("all", "precision", "precision by pixel"),
    ("all", "recall", "recall by pixel"),
    ("all", "f1", "F1 by pixel"),
    ("all", "boundary_f_10m", "boundary F within 10 m"),
    ("all", "boundary_f_20m", "boundary F within 20 m"),
    ("all", "object_recall", "recall of lakes"),
    ("all", "object_precision", "precision of lakes"),
    ("all", "object_f1", "F1 of lakes"),
    ("all", "area_bias", "mean error of the area of found lakes"),
    ("all", "area_bias_share", "the same, as share of their true area"),
    ("all", "area_mae", "mean absolute error of that area"),
    ("all", "total_area_error", "error of the total area, missed and invented lakes included"),
    ("all", "interval_coverage", "95 % area intervals that hold the true area"),
    ("all", "interval_width_share", "their mean width, as share of the area"),
    ("all", "ece", "expected calibration error"),
    ("all", "brier", "Brier score"),
    ("all", "abstained_share", "judged pixels without an answer, counted as land"),
)


class HasFigures(Protocol):
    """Anything that has figures by name."""

    def get(self, group: str, metric: str) -> Metric | None:
        """A figure, or None."""
        ...


_FRACTIONS: Final = ("1", "s", "lakes")
"""Units whose figures are small."""


def facts_table(kind: str, rows: Sequence[Mapping[str, str]]) -> str:
    """Rows of plain facts; nothing without rows."""
    if not rows:
        return ""
    names = list(rows[0])
    head = "".join(f"<th>{escaped(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escaped(row.get(name, ''))}</td>" for name in names) + "</tr>" for row in rows)
    return f'<table aria-label="{kind}"><tr>{head}</tr>{body}</table>'


def headline_tiles(shown: Sequence[Scored]) -> str:
    """The few figures that people ask for first, per model."""
    return "".join(f"<h3>{escaped(one.model)}</h3>{figure_tiles(one, HEADLINES)}" for one in shown)


def figures_table(shown: Sequence[Scored], split: str) -> str:
    """All figures of all lakes and chips, models side by side."""
    head = "".join(f"<th class=n>{escaped(one.model + one.split.removeprefix(split))}</th><th></th>" for one in shown)
    rows = []
    for group, name, words in _TABLE:
        found = [one.get(group, name) for one in shown]
        if any(found):
            unit = next(each.unit for each in found if each)
            cells = "".join(f"<td class=n>{number(m) if m else ''}</td><td class=range>{interval(m) if m else ''}</td>" for m in found)
            rows.append(f"<tr><td>{words}{'' if unit == '1' else f' ({_unit(unit)})'}</td>{cells}</tr>")
    return f"<table><tr><th>figure</th>{head}</tr>{''.join(rows)}</table>"


def groups_table(shown: Sequence[Scored]) -> str:
    """Recall, precision and F1 by size, kind and reason, all models side by side."""
    names = (("object_recall", "recall"), ("object_precision", "precision"), ("object_f1", "F1"))
    found = sorted(
        (each.group for one in shown for prefix in ("size ", "class ", "hard ") for each in one.groups(prefix, "object_recall")), key=order
    )
    head = "".join(f"<th class=n>{words}, {escaped(one.model)}</th>" for one in shown for _, words in names)
    rows = []
    for group in dict.fromkeys(found):
        cells = "".join(
            f"<td class=n>{number(metric) if metric else ''}<br><span class=range>{interval(metric) if metric else ''}</span></td>"
            for one in shown
            for metric in (one.get(group, name) for name, _ in names)
        )
        counted = next(metric.n for one in shown if (metric := one.get(group, "object_recall")))
        rows.append(f"<tr><td>{escaped(group.replace('_', ' '))}</td><td class=n>{counted}</td>{cells}</tr>")
    return f"<table><tr><th>lakes</th><th class=n>true</th>{head}</tr>{''.join(rows)}</table>" if rows else ""


def compared_table(
    columns: Sequence[tuple[str, HasFigures]],
    figures: Sequence[tuple[str, str, str]],
    *,
    counts: bool = False,
    beside: tuple[str, Mapping[tuple[str, str], str]] | None = None,
) -> str:
    """Figures (group, name, words) of several columns with intervals, rows that somebody has; `counts` adds what each is made of.

    `beside` is a last column of plain words by (group, name): figures that are not ours.
    """
    parts = 3 if counts else 2
    head = "".join(f"<th class=n>{escaped(name)}</th><th></th>{'<th class=n>n</th>' if counts else ''}" for name, _ in columns)
    head += f"<th>{escaped(beside[0])}</th>" if beside else ""
    rows = []
    for group, name, words in figures:
        found = [one.get(group, name) for _, one in columns]
        if any(found):
            cells = "".join(_compared(each, counts=counts) if each else "<td></td>" * parts for each in found)
            cells += f"<td>{escaped(beside[1].get((group, name), ''))}</td>" if beside else ""
            rows.append(f"<tr><td>{escaped(words)}</td>{cells}</tr>")
    return f"<table><tr><th>figure</th>{head}</tr>{''.join(rows)}</table>"


def figure_tiles(one: HasFigures, figures: Sequence[tuple[str, str, str]]) -> str:
    """Figures (group, name, words) that come first, large."""
    found = [(one.get(group, name), words) for group, name, words in figures]
    tiles = (f"<div class=tile><b>{number(m)}</b><span>{escaped(words)}</span><span>{interval(m)}</span></div>" for m, words in found if m)
    return f"<div class=row>{''.join(tiles)}</div>"


def _compared(metric: Metric, *, counts: bool) -> str:
    known = f"<td class=n>{number(metric)}</td><td class='range keep'>{interval(metric)}</td>"
    return known + (f"<td class='n range'>{metric.n}</td>" if counts else "")


def number(metric: Metric) -> str:
    """A value with as many digits as its unit deserves."""
    return _plain(metric.value, metric.unit)


def interval(metric: Metric) -> str:
    """`low … high`, or why there is none."""
    if not (math.isfinite(metric.low) and math.isfinite(metric.high)):
        return "one block" if metric.blocks == 1 else "–"
    return f"{_plain(metric.low, metric.unit)} … {_plain(metric.high, metric.unit)}"


def _plain(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if unit in _FRACTIONS:
        return (f"{value:.4f}" if abs(value) < 0.05 else f"{value:.3f}").replace("-", "−")
    return f"{value:,.0f}".replace(",", "\u2009").replace("-", "−")


def _unit(unit: str) -> str:
    return unit.replace("m2", "m²")


def escaped(text: str) -> str:
    """Text that cannot be taken for markup."""
    return html.escape(text)
