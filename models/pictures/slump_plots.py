"""Plots of a slump detector's scores as SVG."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np

from models.pictures.canvas import FAINT
from models.pictures.score_plots import COLOURS, STYLE, sheet, svg
from models.scores.instances import RECALLS, SIZES, match_units, precision_curve
from models.scores.slump_metrics import SlumpScores
from models.scores.slump_results import SlumpResult
from models.scores.slump_scenes import unit_of
from models.scores.slump_verdicts import LENIENT, STRICT

_SIZE_FIGURES = (("recall", "recall"), ("precision", "precision"), ("f1", "F1"))


def precision_recall_plot(results: Sequence[SlumpResult]) -> bytes:
    """Precision against recall over all scores, at an overlap of 0.5 and, dashed, of 0.3; dots where detections are listed."""
    with mpl.rc_context(STYLE):
        figure, (axes,) = sheet(5.6, 4.6)
        for result, colour in zip(results, COLOURS, strict=False):
            outcome = match_units([unit_of(scene) for scene in result.scores.scenes], (STRICT, LENIENT), most=None)
            for line, style, overlap in zip(precision_curve(outcome), ("-", "--"), (STRICT, LENIENT), strict=True):
                axes.plot(RECALLS, line, style, color=colour, lw=1.6, label=f"{result.model}, overlap {overlap}")
            point = result.get("all", "recall"), result.get("all", "precision")
            if point[0] is not None and point[1] is not None:
                axes.plot(point[0].value, point[1].value, "o", color=colour, ms=6)
        axes.set(xlabel="recall (1)", ylabel="precision (1)", xlim=(0, 1), ylim=(0, 1.02))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        return svg(figure)


def sizes_plot(result: SlumpResult) -> bytes:
    """Recall, precision and F1 by size, with intervals; number of true slumps in brackets."""
    with mpl.rc_context(STYLE):
        figure, (axes,) = sheet(7.2, 3.6)
        labels = [label for label in SIZES if result.get(f"size {label}", "recall") is not None]
        places = np.arange(len(labels))
        for number, ((name, words), colour) in enumerate(zip(_SIZE_FIGURES, COLOURS, strict=False)):
            found = [result.get(f"size {label}", name) for label in labels]
            values, low, high = (np.array([np.nan if m is None else getattr(m, end) for m in found]) for end in ("value", "low", "high"))
            at = places + 0.25 * (number - 1)
            axes.bar(at, values, 0.22, color=colour, label=words)
            axes.vlines(at, low, high, color=FAINT, lw=1)
        counts = [recall.n if (recall := result.get(f"size {label}", "recall")) else 0 for label in labels]
        axes.set_xticks(places, [f"{label} ({count})" for label, count in zip(labels, counts, strict=True)])
        axes.set(ylabel="share (1)", ylim=(0, 1.02))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
        return svg(figure)


def areas_of_slumps_plot(scores: SlumpScores) -> bytes:
    """Area of what was found against the true area."""
    with mpl.rc_context(STYLE):
        figure, (axes,) = sheet(4.8, 4.6)
        found = np.array([(row.true_area_m2, row.area_m2) for row in scores.rows if row.state == "found"]).reshape(-1, 2) / 1e4
        ends = np.array([0.03, max(10.0, float(found.max(initial=1.0)) * 1.2)])
        axes.plot(ends, ends, "--", color=FAINT, lw=1)
        axes.plot(*found.T, ".", color=COLOURS[0], ms=4, alpha=0.6)
        axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, xlabel="true area (ha)", ylabel="detected area (ha)")
        return svg(figure)
