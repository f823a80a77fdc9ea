"""A region through the years: area with its interval, counts, the largest features, events, and what was never looked at."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from models.pictures.canvas import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, RULE, VERMILION, Sheet, thousands
from models.pictures.series import Line, RegionSeries, pieces

_WIDTH, _LEFT, _RIGHT, _HEADER, _FOOTER, _GAP = 1200, 84, 196, 122, 88, 52
_TOTAL, _COUNTS, _LARGEST, _ROW = 240, 120, 260, 30
_STYLES: Final = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"), (PURPLE, "D"), (ORANGE, "v"))
_EVENTS: Final = (
    ("appear", "^", GREEN),
    ("reappear", "^", BLUE),
    ("surge", "P", ORANGE),
    ("merge", ">", PURPLE),
    ("split", "<", PURPLE),
    ("drain", "v", VERMILION),
    ("vanish", "v", INK),
)
_LOG_RATIO: Final = 12.0
"""Areas further apart than this share no linear axis."""
_CUT: Final = 1.6
"""Intervals that reach higher than this many times the largest value do not set the range."""


def series_picture(series: RegionSeries, *, title: str, target: str, source: str, copernicus: bool = True) -> bytes:
    """Draw a region's years as PNG; unobserved years are gaps, and features nobody looked at are shown apart.

    `copernicus`: the outlines come from Sentinel data, whose licence asks to say so.
    """
    kinds = [row for row in _EVENTS if any(mark.event == row[0] for mark in series.events)]
    rows = _ROW * (1 + len(kinds))
    tops = np.cumsum([_HEADER, _TOTAL + _GAP, _COUNTS + _GAP, _LARGEST + _GAP // 2])
    sheet = Sheet(_WIDTH, int(tops[3]) + rows + _FOOTER)
    heights = (_TOTAL, _COUNTS, _LARGEST, rows)
    panels = [sheet.axes(_LEFT, float(top), _WIDTH - _LEFT - _RIGHT, height) for top, height in zip(tops, heights, strict=True)]
    for panel in panels:
        _set_years(panel, series.years, last=panel is panels[-1])
        _mark_unobserved(panel, series)
    _draw_total(panels[0], series)
    _draw_counts(panels[1], series, target)
    _draw_largest(panels[2], series.largest)
    _draw_rows(panels[3], series, kinds)
    words = f"{source}. Contains modified Copernicus Sentinel data {series.years[0]}–{series.years[-1]}." if copernicus else f"{source}."
    _draw_words(sheet, series, title=title, target=target, source=words)
    return sheet.png()


def _set_years(axes: Axes, years: NDArray[np.int64], *, last: bool) -> None:
    axes.set_xlim(years[0] - 0.6, years[-1] + 0.6)
    step = max(1, -(-len(years) // 14))
    shown = [int(year) for year in years if (int(year) - int(years[-1])) % step == 0]
    axes.set_xticks(shown, [str(year) for year in shown] if last else [""] * len(shown))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    axes.tick_params(axis="x", length=3, color=RULE, labelsize=9, labelcolor=FAINT)
    axes.tick_params(axis="y", length=0, labelsize=9, labelcolor=FAINT)
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.set_axisbelow(True)


def _mark_unobserved(axes: Axes, series: RegionSeries) -> None:
    for year, value in zip(series.years, series.total.middle, strict=True):
        if not np.isfinite(value):
            axes.axvspan(year - 0.5, year + 0.5, facecolor="#f1efea", edgecolor="#c9c5bb", hatch="///", lw=0, zorder=0)


def _draw_total(axes: Axes, series: RegionSeries) -> None:
    _heading(axes, "Total area, km²")
    line = series.total
    # a year that lacks lakes is not joined to its neighbours: the dip would be a lie
    for piece in pieces(line, line.comparable):
        axes.plot(line.years[piece], line.middle[piece], color=BLUE, lw=1.6, zorder=3)
    _error_bars(axes, line, BLUE)
    known = np.isfinite(line.middle)
    lacking, some = known & ~line.comparable, known & (series.unseen_km2 > 0)
    upper = line.middle + series.unseen_km2
    axes.vlines(line.years[some], line.middle[some], upper[some], color=BLUE, lw=1.1, linestyle=(0, (1.5, 2)), zorder=2)
    axes.plot(line.years[some], upper[some], "_", color=BLUE, ms=9, mew=1.3, zorder=2)
    axes.plot(line.years[known & ~lacking], line.middle[known & ~lacking], "o", color=BLUE, ms=6, zorder=4)
    axes.plot(line.years[lacking], line.middle[lacking], "o", mfc="white", mec=BLUE, mew=1.5, ms=6, zorder=4)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    _set_range(axes, [line, replace(line, middle=upper)])


def _draw_counts(axes: Axes, series: RegionSeries, target: str) -> None:
    _heading(axes, f"Number of {target}")
    seen = np.nan_to_num(series.counts)
    axes.bar(series.years, seen, width=0.62, color="#9fb8cc", zorder=2)
    unseen = np.where(np.isfinite(series.counts), series.unseen_counts, 0)
    some = unseen > 0
    axes.bar(
        series.years[some],
        unseen[some],
        width=0.62,
        bottom=seen[some],
        facecolor="none",
        edgecolor=FAINT,
        lw=0.9,
        linestyle=(0, (2, 2)),
        zorder=2,
    )
    wide_enough = len(series.years) <= 25
    for year, count in zip(series.years, series.counts, strict=True):
        if wide_enough and np.isfinite(count):
            axes.annotate(
                thousands(count), (year, count), (0, -3), textcoords="offset points", ha="center", va="top", fontsize=8, color=INK
            )
    axes.set_ylim(0, max(1.0, float((seen + unseen).max(initial=0)) * 1.22))
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))


def _draw_largest(axes: Axes, lines: Sequence[Line]) -> None:
    values = np.concatenate([line.middle[np.isfinite(line.middle)] for line in lines] or [np.zeros(0)])
    values = values[values > 0]
    logarithmic = len(values) > 1 and values.max() / values.min() > _LOG_RATIO
    _heading(axes, f"The {len(lines)} largest, km²{', logarithmic' if logarithmic else ''}" if len(lines) > 1 else "The largest, km²")
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
    for line, (colour, marker) in zip(lines, _STYLES, strict=False):
        for piece in pieces(line, line.comparable):
            axes.plot(line.years[piece], line.middle[piece], color=colour, lw=1.3, zorder=3)
        _error_bars(axes, line, colour)
        for mask, face in ((line.comparable, colour), (~line.comparable, "white")):
            axes.plot(line.years[mask], line.middle[mask], marker, color=colour, mfc=face, mew=1.3, ms=5, ls="none", zorder=4)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    _set_range(axes, lines)
    _name_lines(axes, lines)


def _name_lines(axes: Axes, lines: Sequence[Line]) -> None:
    """Names right of the last point of each line, pushed apart so that none covers another."""
    ends = []
    for line, (colour, _) in zip(lines, _STYLES, strict=False):
        known = np.flatnonzero(np.isfinite(line.middle))
        if len(known):
            height = float(axes.transData.transform((0, line.middle[known[-1]]))[1])
            ends.append((height, line.name, colour))
    floor = -np.inf
    for height, name, colour in sorted(ends):
        floor = max(height, floor + 15)
        place = axes.transAxes.inverted().transform((0, floor))[1]
        axes.text(1.012, place, name, transform=axes.transAxes, va="center", fontsize=9, color=colour)


def _draw_rows(axes: Axes, series: RegionSeries, kinds: Sequence[tuple[str, str, str]]) -> None:
    """One row per kind of event, and one that tells how much of all footprints was seen."""
    axes.set_ylim(len(kinds) + 0.5, -0.5)
    axes.set_yticks(range(len(kinds) + 1), ["observed", *(kind for kind, _, _ in kinds)])
    axes.grid(visible=False)
    for year, share in zip(series.years, series.observed_share, strict=True):
        axes.add_patch(_cell(year, share))
        if len(series.years) <= 25:
            axes.text(year, 0, f"{100 * share:.0f} %", ha="center", va="center", fontsize=8, color="white" if share > 0.6 else INK)
    for row, (kind, marker, colour) in enumerate(kinds, start=1):
        numbers = Counter((mark.year_from, mark.year_to) for mark in series.events if mark.event == kind)
        for (start, end), number in sorted(numbers.items()):
            # it happened some time between two looks: the bar says so
            axes.plot([start, end], [row, row], color=colour, lw=1.0, alpha=0.6, marker="|", ms=7)
            axes.plot([(start + end) / 2], [row], marker, color=colour, ms=6)
            if number > 1:
                axes.annotate(str(number), ((start + end) / 2, row), (0, 5), textcoords="offset points", ha="center", fontsize=8, color=INK)


def _cell(year: float, share: float) -> Rectangle:
    """A box the darker the more was seen; an outline where nothing was."""
    return Rectangle(
        (year - 0.47, -0.36), 0.94, 0.72, facecolor=(0.18, 0.36, 0.50, 0.1 + 0.9 * share) if share else "none", edgecolor=RULE, lw=0.8
    )


def _error_bars(axes: Axes, line: Line, colour: str) -> None:
    known = np.isfinite(line.middle) & np.isfinite(line.low) & np.isfinite(line.high)
    axes.vlines(line.years[known], line.low[known], line.high[known], color=colour, lw=4.5, alpha=0.28, zorder=2)


def _set_range(axes: Axes, lines: Sequence[Line]) -> None:
    """Room for every value and for intervals of its own size; a wider one is cut, with its end written at the edge."""
    middles = _finite([line.middle for line in lines])
    if not len(middles):
        axes.set_ylim(0, 1)
        return
    cut = _CUT * float(middles.max())
    highs, lows = _finite([line.high for line in lines]), _finite([line.low for line in lines])
    top = max(float(middles.max()), float(highs[highs <= cut].max(initial=0.0)))
    if axes.get_yscale() == "log":
        axes.set_ylim(float(middles.min()) / 1.4, top * 1.3)
    else:
        bottom = min(float(middles.min()), float(lows.min(initial=np.inf)))
        room = 0.12 * max(top - bottom, 0.05 * top)
        axes.set_ylim(max(bottom - room, 0.0) if bottom >= 0 else 0.0, top + room)
    _tell_cut(axes, lines)


def _tell_cut(axes: Axes, lines: Sequence[Line]) -> None:
    """Write where the widest interval of a year ends when that lies beyond the axis."""
    edge = axes.get_ylim()[1]
    for n, year in enumerate(lines[0].years):
        highest = max((float(line.high[n]) for line in lines if np.isfinite(line.high[n])), default=0.0)
        if highest > edge:
            axes.annotate(f"▲ {highest:.2g}", (year, edge), (5, -9), textcoords="offset points", fontsize=7.5, color=FAINT)


def _finite(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    values = np.concatenate(parts) if parts else np.zeros(0)
    return values[np.isfinite(values)]


def _heading(axes: Axes, words: str) -> None:
    axes.annotate(
        words, (0, 1), (-_LEFT + 84, 9), xycoords="axes fraction", textcoords="offset points", fontsize=10.5, color=INK, fontweight="bold"
    )


def _draw_words(sheet: Sheet, series: RegionSeries, *, title: str, target: str, source: str) -> None:
    first, last = int(series.years[0]), int(series.years[-1])
    what = {"lakes": "Glacial lakes", "slumps": "Retrogressive thaw slumps"}[target]
    sheet.text(_LEFT, 18, title, 19, fontweight="bold")
    sheet.text(_LEFT, 52, f"{what}, {first}–{last}", 12.5, color=FAINT)
    bottom = sheet.height_px
    notes = (
        f"Bars are 95 % intervals (errors of {target} independent in the total). Hollow: not all was seen that year; dotted: with what was not seen "
        "at its last known area.",
        f"Hatched: not observed, a gap and not a zero. Events lie between the two years that bracket them. {source}",
    )
    for number, note in enumerate(notes):
        sheet.text(_LEFT, bottom - 48 + 16 * number, note, 7.5, color=FAINT)
