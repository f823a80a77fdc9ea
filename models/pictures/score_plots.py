"""Plots of scores as SVG: letters are paths, so that they look alike on every machine."""

import io
from collections.abc import Sequence
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from models.pictures.canvas import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, RULE, TYPEFACE, VERMILION
from models.scores.chip_pixels import BINS, THRESHOLDS
from models.scores.lines import EVERYTHING, Gains, Scored, order
from models.scores.scorecard import Metric

COLOURS: Final = (BLUE, ORANGE, GREEN, PURPLE, VERMILION)
STYLE: Final = {
    "font.family": TYPEFACE,
    "font.size": 9.5,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "path",
    "svg.hashsalt": "cryoatlas",
}


def sweep_plot(scored: Sequence[Scored], split: str, best: float | None) -> bytes:
    """IoU over all chips against the threshold: solid on the scored split, dashed where the best threshold was chosen."""
    with mpl.rc_context(STYLE):
        figure, (axes,) = sheet(5.6, 4.6)
        names = list(dict.fromkeys(one.model for one in scored))
        for one in scored:
            points = [one.get(f"threshold {threshold:.2f}", "iou") for threshold in THRESHOLDS]
            values = np.array([np.nan if point is None else point.value for point in points])
            colour, dashed = COLOURS[names.index(one.model)], one.split != split
            style = "--" if dashed else "-"
            axes.plot(THRESHOLDS, values, style, marker="o", ms=3, lw=1.6, color=colour, label=f"{one.model}, {one.split}")
            if not dashed:
                low, high = (np.array([np.nan if p is None else getattr(p, end) for p in points]) for end in ("low", "high"))
                axes.fill_between(THRESHOLDS, low, high, color=colour, alpha=0.15, lw=0)
        if best is not None:
            axes.axvline(best, color=FAINT, lw=1, ls=":")
            axes.text(best, 0.02, f" best on val: {best:.2f}", transform=axes.get_xaxis_transform(), color=FAINT, fontsize=8.5)
        axes.set(xlabel="threshold on probability (1)", ylabel="global IoU (1)", xlim=(0.08, 0.92), ylim=_room(scored))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        return svg(figure)


def reliability_plot(scored: Sequence[Scored]) -> bytes:
    """Share of lake against probability, and how many pixels stand behind each bin."""
    with mpl.rc_context(STYLE):
        figure, (axes, below) = sheet(5.6, 4.6, rows=(3, 1))
        axes.plot([0, 1], [0, 1], color=FAINT, lw=1, ls="--")
        axes.text(0.03, 0.06, "calibrated", color=FAINT, fontsize=8.5, rotation=27)
        for one, colour in zip(scored, COLOURS, strict=False):
            count, said, was = one.bins.T
            full = count > 0
            ece = one.get("all", "ece")
            words = one.model if ece is None else f"{one.model}, ECE {ece.value:.4f}"
            axes.plot(said[full] / count[full], was[full] / count[full], "o-", ms=4, lw=1.6, color=colour, label=words)
            edges = np.arange(BINS + 1) / BINS
            below.stairs(count, edges, color=colour, lw=1.4)
        axes.set(ylabel="share covered by lakes (1)", xlim=(0, 1), ylim=(0, 1))
        axes.legend(loc="upper left")
        below.set(xlabel="predicted probability (1)", ylabel="pixels", yscale="log", xlim=(0, 1))
        return svg(figure)


def bars_plot(scored: Sequence[Scored], prefix: str, metrics: Sequence[tuple[str, str]]) -> bytes:
    """Bars per group of a prefix, a panel per metric (name, words), with 95 % intervals; counts of lakes below."""
    with mpl.rc_context(STYLE):
        figure, panels = sheet(3.3 * len(metrics) + 0.4, 3.4, columns=len(metrics))
        groups = sorted({each.group for one in scored for name, _ in metrics for each in one.groups(prefix, name)}, key=order)
        width = 0.8 / max(len(scored), 1)
        for axes, (name, words) in zip(panels, metrics, strict=True):
            for number, one in enumerate(scored):
                at = np.arange(len(groups)) + (number - (len(scored) - 1) / 2) * width
                found = [one.get(group, name) for group in groups]
                values, errors = _with_errors(found)
                axes.bar(at, values, 0.9 * width, color=COLOURS[number], label=one.model)
                axes.errorbar(at, values, errors, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
            labels = [_with_count(group.removeprefix(prefix).removesuffix(" ha"), scored, group) for group in groups]
            axes.set_xticks(range(len(groups)), labels, fontsize=8.5)
            axes.set(title=words, ylim=(0, 1.05), xlabel="true area (ha)", ylabel="share (1)" if axes is panels[0] else "")
            axes.grid(visible=False, axis="x")
        panels[0].legend(loc="lower left", bbox_to_anchor=(0.0, 1.08), ncols=len(scored))
        return svg(figure)


def dots_plot(scored: Sequence[Scored], prefixes: Sequence[str], metric: str, words: str) -> bytes:
    """One row per group of some prefixes with value and 95 % interval."""
    with mpl.rc_context(STYLE):
        groups = sorted({each.group for one in scored for prefix in prefixes for each in one.groups(prefix, metric)}, key=order)
        figure, (axes,) = sheet(5.6, 0.95 + 0.32 * max(len(groups), 2))
        for number, one in enumerate(scored):
            found = [one.get(group, metric) for group in groups]
            values, errors = _with_errors(found)
            at = np.arange(len(groups)) + (number - (len(scored) - 1) / 2) * 0.26
            axes.errorbar(
                values, at, xerr=errors, fmt="o", ms=5, color=COLOURS[number], ecolor=COLOURS[number], elinewidth=1.4, label=one.model
            )
        axes.set_yticks(range(len(groups)), [_with_count(_plain(group), scored, group, metric, line=" ") for group in groups])
        axes.set(xlabel=words, xlim=(-0.02, 1.02), ylim=(len(groups) - 0.4, -0.6))
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(scored))
        return svg(figure)


def subsets_plot(scored: Sequence[Scored], metrics: Sequence[tuple[str, str, str]]) -> bytes:
    """Metrics (group, name, words) of one model per modality subset, with 95 % intervals."""
    with mpl.rc_context(STYLE):
        figure, (axes,) = sheet(7.0, 1.0 + 0.42 * max(len(scored), 2))
        for number, (group, name, words) in enumerate(metrics):
            values, errors = _with_errors([one.get(group, name) for one in scored])
            at = np.arange(len(scored)) + (number - (len(metrics) - 1) / 2) * 0.22
            axes.errorbar(values, at, xerr=errors, fmt="o", ms=5, color=COLOURS[number], elinewidth=1.4, label=words)
        axes.set_yticks(range(len(scored)), ["all modalities" if one.subset == EVERYTHING else one.subset for one in scored])
        axes.set(xlabel="score (1)", xlim=(-0.02, 1.02), ylim=(len(scored) - 0.4, -0.6))
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(metrics))
        return svg(figure)


def gains_plot(gains: Gains) -> bytes:
    """One row per group: our F1 of lakes, or IoU, minus theirs; left of 0 the other model is better."""
    with mpl.rc_context(STYLE):
        rows = sorted(gains.metrics, key=lambda each: order(each.group))
        figure, (axes,) = sheet(7.0, 1.0 + 0.3 * max(len(rows), 2))
        values, errors = _with_errors(list(rows))
        told = np.array([each.low > 0 or each.high < 0 for each in rows])
        axes.axvline(0, color=INK, lw=1)
        for some, colour, words in ((told, BLUE, "told apart"), (~told, FAINT, "not told apart")):
            at = np.flatnonzero(some)
            axes.errorbar(values[some], at, xerr=errors[:, some], fmt="o", ms=5, color=colour, elinewidth=1.4, label=words)
        labels = ["IoU, wet chips" if each.group == "wet" else f"F1, {_plain(each.group)} ({each.n})" for each in rows]
        axes.set_yticks(range(len(rows)), labels)
        axes.set(xlabel=f"{gains.model} minus {gains.against} (1)", ylim=(len(rows) - 0.4, -0.6))
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
        return svg(figure)


def areas_plot(true_m2: np.ndarray, area_m2: np.ndarray, low_m2: np.ndarray, high_m2: np.ndarray) -> bytes:
    """Areas of found lakes against the truth, with their 95 % intervals; those that miss the truth stand out."""
    with mpl.rc_context(STYLE):
        figure, (axes,) = sheet(5.6, 4.6)
        held = (low_m2 <= true_m2) & (true_m2 <= high_m2)
        limits = (0.08, max(float(np.max(true_m2, initial=1e4)), float(np.max(area_m2, initial=1e4))) / 1e4 * 1.5)
        axes.plot(limits, limits, color=FAINT, lw=1, ls="--")
        for some, colour, words in ((held, BLUE, "interval holds the true area"), (~held, VERMILION, "interval misses it")):
            true, area = true_m2[some] / 1e4, area_m2[some] / 1e4
            errors = np.abs(np.stack([area - low_m2[some] / 1e4, high_m2[some] / 1e4 - area]))
            label = f"{words}: {int(some.sum())}"
            axes.errorbar(true, area, errors, fmt="o", ms=3, color=colour, elinewidth=0.7, alpha=0.75, label=label)
        axes.set(xscale="log", yscale="log", xlim=limits, ylim=limits, xlabel="true area (ha)", ylabel="predicted area with interval (ha)")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.legend(loc="upper left")
        return svg(figure)


def sheet(width: float, height: float, *, rows: tuple[int, ...] = (1,), columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of that size in inches, and its panels row by row; `rows` are their relative heights."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    panels = figure.subplots(len(rows), columns, squeeze=False, sharex=len(rows) > 1, sharey=columns > 1, height_ratios=rows)
    return figure, list(panels.ravel())


def _with_errors(found: Sequence[Metric | None]) -> tuple[np.ndarray, np.ndarray]:
    values = np.array([np.nan if each is None else each.value for each in found], float)
    ends = np.array([(np.nan, np.nan) if each is None else (each.low, each.high) for each in found], float).reshape(-1, 2)
    return values, np.nan_to_num(np.abs(ends - values[:, None])).T


def _with_count(words: str, scored: Sequence[Scored], group: str, metric: str = "object_recall", line: str = "\n") -> str:
    counted = next((each for one in scored if (each := one.get(group, metric))), None)
    return words if counted is None else f"{words}{line}({counted.n})"


def _plain(group: str) -> str:
    kind, _, name = group.partition(" ")
    words = name.replace("_", " ")
    return f"hard: {words}" if kind == "hard" else words or "all lakes"


def _room(scored: Sequence[Scored]) -> tuple[float, float]:
    ends = [end for one in scored for each in one.groups("threshold ", "iou") for end in (each.value, each.low, each.high)]
    finite = [end for end in ends if np.isfinite(end)]
    return (max(0.0, min(finite, default=0.0) - 0.03), min(1.0, max(finite, default=1.0) + 0.03))


def svg(figure: Figure) -> bytes:
    """The figure as SVG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
