"""What happened to the features between the years: born, gone, merged, split, drained, grown in a leap."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.facts.options import TrackOptions
from models.outlines.overlaps import overlaps_of
from models.outlines.timeline import Timeline

Cell = tuple[int, int]
"""(row, column) of a timeline."""
ALARM_YEARS = 2
"""A loss is sudden when no more than this many years lie between the observations."""


@dataclass(frozen=True, slots=True)
class Event:
    """One edge of the lineage; fields as in `schemas.EVENTS`."""

    event: str
    year_from: int
    year_to: int
    parents: tuple[str, ...]
    children: tuple[str, ...]
    area_before_m2: float
    area_after_m2: float
    change_m2: float
    change_low_m2: float
    change_high_m2: float
    significant: bool
    alarm: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Lineage:
    """Steps between the settled years of every ID, sorted into what they mean."""

    kept: list[tuple[int, int, int]] = field(default_factory=list)
    """(row, column before, column after) of IDs outlined in both, where their ground changed in a leap."""
    born: list[tuple[int, int, int]] = field(default_factory=list)
    gone: list[tuple[int, int, int]] = field(default_factory=list)
    merged: dict[Cell, list[Cell]] = field(default_factory=lambda: defaultdict(list))
    """(row of the host, column) -> cells that went into it."""
    split: dict[Cell, list[Cell]] = field(default_factory=lambda: defaultdict(list))
    """(row of the host, column after) -> cells that came out of it."""
    host_before: dict[Cell, Cell] = field(default_factory=dict)
    """(row of the host, column after) -> the host's cell before the split."""


def events_of(timeline: Timeline, reasons: NDArray[np.object_], options: TrackOptions) -> tuple[Event, ...]:
    """Return the events of a timeline in the order of years, kinds and IDs.

    Only settled years count, so that a cloudy year starts and ends nothing. An ID without an outline whose ground another
    outline covers was not lost but lies inside it: going in is a merge, coming out a split. Losses and gains of a feature that
    merges or splits are judged on the sum of all parts, and on the ground it ever covered. Change intervals join the errors of
    both years in quadrature. An alarm is a sudden, significant loss between comparable years; a feature that vanishes must
    have been seen twice before.
    """
    lineage = _lineage_of(timeline, _hosts(timeline, options.min_overlap), options)
    found = [
        *_born_and_gone(timeline, reasons, lineage),
        *_merges_and_splits(timeline, reasons, lineage),
        *_leaps(timeline, reasons, lineage, options),
    ]
    found = [event for event in found if max(event.area_before_m2, event.area_after_m2) >= options.event_area_m2]
    return tuple(sorted(found, key=lambda event: (event.year_to, event.event, event.parents, event.children)))


def _hosts(timeline: Timeline, min_overlap: float) -> NDArray[np.int64]:
    """Return per ID and year the row of the outline that covers most of the ID's nearest outline; -1 where none does."""
    hosts = np.full(timeline.area_m2.shape, -1, np.int64)
    for column in range(len(timeline.years)):
        rows = np.flatnonzero(~timeline.outlined[:, column])
        there = np.flatnonzero(timeline.outlined[:, column])
        pairs = overlaps_of(timeline.nearest[rows, column], timeline.outlines[there, column])
        order = np.lexsort((-there[pairs.right], pairs.area_m2))
        order = order[pairs.share[order] >= min_overlap]
        hosts[rows[pairs.left[order]], column] = there[pairs.right[order]]
    return hosts


def _lineage_of(timeline: Timeline, hosts: NDArray[np.int64], options: TrackOptions) -> _Lineage:
    lineage = _Lineage()
    row, before, after = _steps(timeline.settled)
    was, is_now = timeline.outlined[row, before], timeline.outlined[row, after]
    ground = timeline.ground_m2[row, after] / np.maximum(timeline.ground_m2[row, before], 1e-9)
    rest = 1 - options.drain_share
    # Of lakes that stay, nearly all stay as they are; a leap needs a leap of ground.
    leaps = was & is_now & ((ground <= rest) | (ground * rest >= 1))
    lineage.kept.extend(zip(row[leaps].tolist(), before[leaps].tolist(), after[leaps].tolist(), strict=True))
    changed = was != is_now
    for step in zip(row[changed].tolist(), before[changed].tolist(), after[changed].tolist(), strict=True):
        _sort_step(timeline, hosts, lineage, step)
    return lineage


def _steps(settled: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return (row, column before, column after) of neighbouring settled years, row by row."""
    row, column = np.nonzero(settled)
    same = np.flatnonzero(row[1:] == row[:-1])
    return row[same], column[same], column[same + 1]


def _sort_step(timeline: Timeline, hosts: NDArray[np.int64], lineage: _Lineage, step: tuple[int, int, int]) -> None:
    """Sort a step between a year with an outline and one without, or the other way round."""
    row, before, after = step
    gone = bool(timeline.outlined[row, before])
    host = int(hosts[row, after if gone else before])
    if gone and host >= 0:
        lineage.merged[host, after].append((row, before))
    elif gone:
        lineage.gone.append(step)
    elif host >= 0:
        lineage.split[host, after].append((row, after))
        lineage.host_before[host, after] = (host, before)
    else:
        lineage.born.append(step)


def _born_and_gone(timeline: Timeline, reasons: NDArray[np.object_], lineage: _Lineage) -> Iterator[Event]:
    for row, before, after in lineage.born:
        kind = "reappear" if timeline.outlined[row, :before].any() else "appear"
        yield _event(kind, timeline, reasons, ((), ((row, after),)), years=(before, after))
    for row, before, after in lineage.gone:
        yield _event("vanish", timeline, reasons, (((row, before),), ()), years=(before, after), seen=((row, after),))


def _merges_and_splits(timeline: Timeline, reasons: NDArray[np.object_], lineage: _Lineage) -> Iterator[Event]:
    for (host, after), parts in lineage.merged.items():
        before = max(column for _, column in parts)
        earlier = np.flatnonzero(timeline.outlined[host, :after] & timeline.settled[host, :after])
        parents = sorted([*parts, *([(host, int(earlier[-1]))] if earlier.size else [])])
        yield _event("merge", timeline, reasons, (tuple(parents), ((host, after),)), years=(before, after))
    for (host, after), parts in lineage.split.items():
        parent = lineage.host_before[host, after]
        children = sorted([*parts, *([(host, after)] if timeline.outlined[host, after] else [])])
        yield _event("split", timeline, reasons, ((parent,), tuple(children)), years=(parent[1], after))


def _leaps(timeline: Timeline, reasons: NDArray[np.object_], lineage: _Lineage, options: TrackOptions) -> Iterator[Event]:
    for row, before, after in lineage.kept:
        parents = ((row, before), *lineage.merged.get((row, after), ()))
        children = ((row, after), *lineage.split.get((row, after), ()))
        # A year that shows a lake in pieces under other names changes its outline, not its ground: both must change.
        parts = _total(timeline.area_m2, children) / max(_total(timeline.area_m2, parents), 1e-9)
        ground = float(timeline.ground_m2[row, after] / max(timeline.ground_m2[row, before], 1e-9))
        rest = 1 - options.drain_share
        drained, surged = max(parts, ground) <= rest, min(parts, ground) * rest >= 1
        if drained or surged:
            event = _event("drain" if drained else "surge", timeline, reasons, (parents, children), years=(before, after))
            if drained or event.significant:
                yield event


def _event(
    kind: str,
    timeline: Timeline,
    reasons: NDArray[np.object_],
    cells: tuple[tuple[Cell, ...], tuple[Cell, ...]],
    *,
    years: Cell,
    seen: tuple[Cell, ...] = (),
) -> Event:
    """Make an event of the cells before and after it; `seen` are cells without an outline whose reasons count too."""
    parents, children = cells
    before, after = _total(timeline.area_m2, parents), _total(timeline.area_m2, children)
    change = after - before
    low = change - np.hypot(_error(timeline, timeline.area_high_m2, parents), _error(timeline, timeline.area_low_m2, children))
    high = change + np.hypot(_error(timeline, timeline.area_low_m2, parents), _error(timeline, timeline.area_high_m2, children))
    year_from, year_to = (timeline.years[column] for column in years)
    significant = bool(low > 0 or high < 0)
    because = sorted({reason for cell in (*parents, *children, *seen) for reason in reasons[cell].split(",") if reason})
    sudden = year_to - year_from <= ALARM_YEARS and (kind == "drain" or (kind == "vanish" and _established(timeline, parents[0])))
    return Event(
        kind,
        year_from,
        year_to,
        parents=tuple(sorted({timeline.ids[row] for row, _ in parents})),
        children=tuple(sorted({timeline.ids[row] for row, _ in children})),
        area_before_m2=before,
        area_after_m2=after,
        change_m2=change,
        change_low_m2=float(low),
        change_high_m2=float(high),
        significant=significant,
        alarm=sudden and significant and not because,
        reason=",".join(because) or None,
    )


def _established(timeline: Timeline, cell: Cell) -> bool:
    """Say whether the settled year before shows at least half of the feature, too: what one year alone shows may never have been there."""
    row, column = cell
    earlier = np.flatnonzero(timeline.settled[row, :column])
    return bool(earlier.size and timeline.outlined[row, earlier[-1]] and _half_of(timeline.area_m2[row, [earlier[-1], column]]))


def _half_of(areas: NDArray[np.float64]) -> bool:
    return float(areas[0]) >= float(areas[1]) / 2


def _total(table: NDArray[np.float64], cells: tuple[Cell, ...]) -> float:
    return float(sum(table[cell] for cell in cells))


def _error(timeline: Timeline, limit: NDArray[np.float64], cells: tuple[Cell, ...]) -> float:
    """Join in quadrature how far the limits of independent outlines lie from their areas."""
    return float(np.sqrt(sum((limit[cell] - timeline.area_m2[cell]) ** 2 for cell in cells)))
