"""What stores say about areas, change and events, held against the simulator's truth."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from catalog.facts.records import Target
from catalog.facts.schemas import ID_COLUMNS
from catalog.stores.jobs import stored_region, years_with
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_features, read_table
from models.scores.events import Event, score_events
from models.scores.features import match

LEAST_M2 = 5e3
LEAST_EVENT_M2 = 1e4
OBSERVED = 0.8
Matched = pd.DataFrame


def store_figures(places: Sequence[tuple[str, str, str]]) -> None:
    """Print the figures of stores, given as (store, region, folder of the truth)."""
    if not places:
        return
    frames = []
    for location, region, truth in places:
        store = open_store(location)
        target = stored_region(store, region).target
        print(f"{location} {region}")
        frames.append(matched(store, target, region, Path(truth)).assign(store=location))
        _print_changes(store, target, region, frames[-1])
        _print_events(store, target, region, Path(truth), frames[-1])
    _print_intervals(pd.concat(frames, ignore_index=True))


def matched(store: Store, target: Target, region: str, truth: Path) -> Matched:
    """One row per feature and year that a true one of at least `LEAST_M2` lies under, with the true area."""
    rows = []
    for year in years_with(store, target, region):
        ours, true = read_features(store.inventory(target, region, year)), gpd.read_parquet(truth / f"year={year}.parquet")
        pairs = match(ours.geometry.to_numpy(), true.geometry.to_numpy(), criterion="overlap", threshold=0.5)
        left, right = ours.iloc[list(pairs.predicted)].reset_index(drop=True), true.iloc[list(pairs.truth)].reset_index(drop=True)
        found = pd.DataFrame(left.drop(columns="geometry")).rename(columns={ID_COLUMNS[target]: "feature_id"})
        rows.append(found.assign(year=year, true_id=right.id, true_m2=right.area_m2, hard=right.hard))
    frame = pd.concat(rows, ignore_index=True)
    frame["held"] = (frame.area_low_m2 <= frame.true_m2) & (frame.true_m2 <= frame.area_high_m2)
    frame["width"] = (frame.area_high_m2 - frame.area_low_m2) / 2 / frame.true_m2
    return frame


def _print_intervals(frame: Matched) -> None:
    frame = frame[frame.true_m2 >= LEAST_M2]
    seen = frame[frame.observed_share >= OBSERVED]
    print("95 % area intervals that hold the truth, features of 0.5 ha or more: n, %, % with each feature once, half-width % (median)")
    groups = [("all", frame), ("observed", seen), ("partly observed", frame[frame.observed_share < OBSERVED])]
    groups += [(f"observed, {name}", group) for name, group in seen.groupby("size_class")]
    flagged = seen.explode("flags")
    groups += [(f"observed, {name}", group) for name, group in flagged.groupby(flagged["flags"].fillna("no flag"))]
    groups += [(Path(str(name)).name, group) for name, group in seen.groupby("store")]
    for name, group in groups:
        once = group.groupby(["store", "true_id"]).held.mean()
        print(f"  {name:32s} {len(group):5d} {100 * group.held.mean():6.1f} {100 * once.mean():6.1f} {100 * group.width.median():6.1f}")


def _print_changes(store: Store, target: Target, region: str, frame: Matched) -> None:
    changes = read_table(store.tracks(target, region, "changes")).to_pandas()
    known = frame.set_index(["feature_id", "year"])[["true_id", "true_m2"]]
    known = known[~known.index.duplicated()]
    both = changes.join(known, on=["feature_id", "year_from"]).join(known, on=["feature_id", "year_to"], rsuffix="_to")
    both = both[(both.true_id == both.true_id_to) & both.comparable & (both.true_m2 >= LEAST_M2)]
    true = both.true_m2_to - both.true_m2
    held = (both.change_low_m2 <= true) & (true <= both.change_high_m2)
    still = both[np.abs(true) < 0.01 * both.true_m2]
    wrong = both.significant & (np.sign(both.change_m2) != np.sign(true))
    print(
        f"  changes: {len(both)} pairs, intervals that hold the true change {100 * held.mean():.1f} %, significant the wrong way {wrong.sum()}"
    )
    print(f"  of {len(still)} that changed by under 1 %: significant {100 * still.significant.mean():.1f} %")
    for low, high in ((0.02, 0.05), (0.05, 0.1), (0.1, 0.5), (0.5, 9.0)):
        part = both[(np.abs(true) >= low * both.true_m2) & (np.abs(true) < high * both.true_m2)]
        if len(part):
            print(f"  of {len(part)} that changed by {low:.0%} to {high:.0%}: significant {100 * part.significant.mean():.1f} %")


def _print_events(store: Store, target: Target, region: str, truth: Path, frame: Matched) -> None:
    same = frame.groupby("feature_id").true_id.agg(set).to_dict()
    years = years_with(store, target, region)
    areas = pd.concat(gpd.read_parquet(truth / f"year={year}.parquet")[["id", "area_m2"]] for year in years).groupby("id").area_m2.max()
    told = read_table(store.tracks(target, region, "events")).to_pylist()
    reported = [
        (
            Event(
                row["event"], row["year_to"], frozenset().union(*(same.get(name, set()) for name in [*row["parents"], *row["children"]]))
            ),
            max(row["area_before_m2"], row["area_after_m2"]),
        )
        for row in told
    ]
    happened = [
        Event(row["event"], row["year"], frozenset([*row["parents"], *row["children"]]))
        for row in read_table(truth / "events.parquet").to_pylist()
        if years[0] < row["year"] <= years[-1]
    ]
    large = [event for event in happened if max(areas.get(name, 0.0) for name in event.features) >= LEAST_EVENT_M2]
    recall = score_events([event for event, _ in reported], large)
    precision = score_events([event for event, area in reported if area >= LEAST_EVENT_M2], happened)
    for name, counts in (
        ("happened", recall.happened), ("found", recall.found), ("reported", precision.reported), ("right", precision.found)
    ):  # fmt: skip
        print(f"  events of 1 ha or more, {name}: {sum(counts.values())}  {dict(sorted(Counter(counts).items()))}")
