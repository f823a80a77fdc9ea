"""What is said about change, held against truth: false alarms and power, trends, totals, events, intervals.

python -m benchmarks.change_truth [--store demo-store --region demo_hma --truth demo-store/worlds/demo-hma/truth/lakes]

Without a store all worlds are simulated here: outlines on pixels of 10 m whose truth is a formula. With one, its inventories, changes and
events are held against the truth of the simulator that drew its scenes, too.
"""

from argparse import ArgumentParser
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.change_stores import store_figures
from benchmarks.change_worlds import blobs, pixel_areas, world
from catalog.facts.options import TrackOptions
from models.changes.correlation import joined, year_errors
from models.changes.pairs import pairs_of
from models.changes.settled import Areas
from models.changes.trends import trends_of
from models.outlines.interval import Z_95, area_interval, without_probability
from models.outlines.track import tracks_of
from models.scores.events import Event, score_events

Floats = NDArray[np.float64]
STEPS = (0.05, 0.1, 0.2, 0.5)
SIZES_PX = {"0.5-1 ha": (4.0, 5.6), "1-5 ha": (5.6, 12.6), "5-10 ha": (12.6, 17.8), "10-100 ha": (17.8, 56.0)}
"""Radius of a disc of that area."""


def areas_of(radius: Floats, years: int, factor: Floats, rng: np.random.Generator) -> Areas:
    """Lakes drawn anew each year at a random place of the lattice; `factor` (lakes, years) scales their areas."""
    drawn = [pixel_areas(radius * np.sqrt(factor[:, [year]]), rng) for year in range(years)]
    area, perimeter = (np.stack(part, axis=1) for part in zip(*drawn, strict=True))
    interval = area_interval(without_probability(area, perimeter))
    return Areas(area, area - interval.low_m2, interval.high_m2 - area)


def alarms(size: tuple[float, float], *, lakes: int, years: int, changing: float, step: float, seed: int) -> tuple[float, float, float]:
    """Share of unchanged pairs called significant, of steps found, and the error share that was measured; one step in a random year."""
    rng = np.random.default_rng(seed)
    factor = np.ones((lakes, years))
    moved, when = rng.random(lakes) < changing, rng.integers(1, years, lakes)
    factor[moved[:, None] & (np.arange(years) >= when[:, None])] = 1 + step
    areas = areas_of(blobs(rng, lakes, size), years, factor, rng)
    errors = year_errors(np.arange(years, dtype=float), areas, np.ones(areas.area_m2.shape, bool))
    pairs = pairs_of(areas, errors.varying)
    true = moved[pairs.row] & (pairs.after == when[pairs.row])
    found = pairs.significant & (np.sign(pairs.change_m2) == np.sign(step))
    return float(pairs.significant[~true].mean()), float(found[true].mean()) if true.any() else np.nan, float(errors.varying.mean())


def trend_coverage(years: int, *, outliers: float, series: int = 20_000, seed: int = 0) -> tuple[float, float]:
    """Share of 95 % intervals that hold the true slope, and of series without a trend that are said to have one."""
    rng = np.random.default_rng(seed)
    area = np.exp(rng.uniform(np.log(5e3), np.log(1e6), (series, 1)))
    sigma = 0.34 * 100 * np.sqrt(area) * 0.4 * rng.uniform(0.5, 2.0, (series, years)) / 10
    noise = sigma * rng.standard_normal((series, years)) * np.where(rng.random((series, years)) < outliers, 5.0, 1.0)
    slope = rng.normal(0, 0.02, (series, 1)) * area
    times = np.arange(years, dtype=float)
    found = trends_of(times, area + slope * times + noise)
    still = trends_of(times, area + noise)
    held = (found.low <= slope[:, 0]) & (slope[:, 0] <= found.high)
    return float(held.mean()), float(np.isin(still.direction, ("growing", "shrinking")).mean())


def total_coverage(correlation: float, *, regions: int = 300, lakes: int = 100, years: int = 6, seed: int = 0) -> tuple[float, float]:
    """Share of regions whose interval of the change of the total holds it, and the correlation that was estimated (median)."""
    rng = np.random.default_rng(seed)
    held, estimates = [], []
    for _ in range(regions):
        area = np.exp(rng.uniform(np.log(5e3), np.log(1e6), (lakes, 1)))
        sigma = 3.4 * np.sqrt(area) * 4 * np.ones(years)
        lasting = 0.6 * sigma[:, :1] * rng.standard_normal((lakes, 1))
        together = np.sqrt(correlation) * rng.standard_normal(years) + np.sqrt(1 - correlation) * rng.standard_normal((lakes, years))
        truth = area * (1 + rng.normal(0.0, 0.01, (lakes, 1)) * np.arange(years))
        areas = Areas(truth + lasting + 0.4 * sigma * together, Z_95 * sigma, Z_95 * sigma)
        errors = year_errors(np.arange(years, dtype=float), areas, np.ones((lakes, years), bool))
        widths = [joined(errors.varying * areas.above_m2[:, year], errors.correlation) for year in (0, years - 1)]
        change, true = (float((each[:, -1] - each[:, 0]).sum()) for each in (areas.area_m2, truth))
        held.append(abs(change - true) <= np.hypot(widths[0], widths[1]))
        estimates.append(errors.correlation)
    return float(np.mean(held)), float(np.median(estimates))


def event_scores(worlds: int, least_m2: float = 1e4) -> dict[str, tuple[int, int, int, int]]:
    """Per kind: events of lakes of at least `least_m2` that happened, that were found, that were reported, and that were reported rightly."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("happened", "found", "reported", "right")}
    for seed in range(worlds):
        simulated = world(seed)
        tracks = tracks_of(simulated.years, (0, len(simulated.years) - 1), simulated.observed, TrackOptions())
        told = [(_event(row, simulated.same), max(row["area_before_m2"], row["area_after_m2"])) for row in tracks.events.to_pylist()]
        large = [event for event, area in simulated.events.items() if area >= least_m2]
        recall = score_events([event for event, _ in told], large)
        precision = score_events([event for event, area in told if area >= least_m2], list(simulated.events))
        for name, add in (
            ("happened", recall.happened),
            ("found", recall.found),
            ("reported", precision.reported),
            ("right", precision.found),
        ):
            counts[name].update(add)
    kinds = sorted(set(counts["happened"]) | set(counts["reported"]))
    return {kind: tuple(counts[name][kind] for name in counts) for kind in kinds}  # type: ignore[misc]


def _event(row: dict[str, object], same: dict[str, set[str]]) -> Event:
    names = [*row["parents"], *row["children"]]  # type: ignore[misc]
    return Event(str(row["event"]), int(row["year_to"]), frozenset().union(*(same.get(name, set()) for name in names)))  # type: ignore[call-overload]


def f1(found: int, happened: int, right: int, reported: int) -> float:
    """Harmonic mean of recall and precision."""
    recall, precision = found / max(happened, 1), right / max(reported, 1)
    return 2 * recall * precision / max(recall + precision, 1e-9)


def _print_alarms(lakes: int) -> None:
    print("significant change, outlines drawn anew at random sub-pixel places every year (share of pairs, %)")
    print("  size        years  error share  false alarms   found: " + "  ".join(f"{step:+.0%}" for step in STEPS))
    for years in (2, 6):
        for name, size in SIZES_PX.items():
            quiet, _, share = alarms(size, lakes=lakes, years=years, changing=0.0, step=0.0, seed=1)
            power = [alarms(size, lakes=lakes, years=years, changing=0.1, step=step, seed=2)[1] for step in STEPS]
            print(f"  {name:10s} {years:6d} {share:12.2f} {100 * quiet:13.2f} {'':9s}" + "  ".join(f"{100 * part:4.0f}" for part in power))


def _print_trends() -> None:
    print("trends: 95 % intervals that hold the slope, %, and false trends, % (5 % of the values err five times as much)")
    for years in range(4, 13):
        clean, wild = trend_coverage(years, outliers=0.0), trend_coverage(years, outliers=0.05)
        print(
            f"  {years:2d} years  {100 * clean[0]:5.1f}  {100 * clean[1]:4.1f}   with outliers {100 * wild[0]:5.1f}  {100 * wild[1]:4.1f}"
        )


def _print_events(worlds: int) -> None:
    scores = event_scores(worlds)
    print(f"events of lakes of 1 ha or more, tracking alone, {worlds} worlds of 100 lakes and 6 years: happened found reported right F1")
    for kind, (happened, found, reported, right) in scores.items():
        print(f"  {kind:9s} {happened:5d} {found:5d} {reported:5d} {right:5d}  {f1(found, happened, right, reported):.3f}")
    happened, found, reported, right = (sum(column) for column in zip(*scores.values(), strict=True))
    print(f"  {'all':9s} {happened:5d} {found:5d} {reported:5d} {right:5d}  {f1(found, happened, right, reported):.3f}")


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--lakes", type=int, default=400)
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--store", action="append", default=[])
    parser.add_argument("--region", action="append", default=[])
    parser.add_argument("--truth", action="append", default=[])
    chosen = parser.parse_args()
    _print_alarms(chosen.lakes)
    _print_trends()
    print("totals: intervals of the change of a region's total that hold it, %, and the correlation found")
    for correlation in (0.0, 0.2, 0.5):
        held, found = total_coverage(correlation)
        print(f"  correlation {correlation:.1f}: {100 * held:5.1f}  {found:.2f}")
    _print_events(chosen.worlds)
    store_figures(list(zip(chosen.store, chosen.region, chosen.truth, strict=True)))


if __name__ == "__main__":
    main()
