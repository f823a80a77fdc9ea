"""Inventories and events of a store against a known truth."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.errors import WrongCall
from catalog.facts.records import Target
from catalog.facts.schemas import ID_COLUMNS
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_features, read_table
from models.scores.events import Event, EventScores, score_events
from models.scores.features import FeatureScores, ScoredFeatures, match
from models.scores.headline import Headline, headline


@dataclass(frozen=True, slots=True)
class YearScore:
    """Scores of one year."""

    year: int
    features: int
    """Lakes or slumps in the inventory, small ones in."""
    area_km2: float
    headline: Headline
    groups: tuple[FeatureScores, ...]


@dataclass(frozen=True, slots=True)
class ScoreCard:
    """Scores of a region over its years."""

    region: str
    years: tuple[YearScore, ...]
    events: EventScores

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)


@task(cache_policy=NO_CACHE, task_run_name="score-{region}")
def score_inventory(region: str, target: Target, years: Sequence[int], store: str, truth: str) -> ScoreCard:
    """Score the inventories of some years against `truth/year=YYYY.parquet`, and the events against `truth/events.parquet`."""
    opened, folder = open_store(store), Path(truth)
    if not (folder / "events.parquet").is_file():
        raise WrongCall(f"Truth {truth!r}: no events.parquet in it. Give the truth folder that `cryoatlas simulate` wrote.")
    inventories = {year: read_features(opened.inventory(target, region, year)) for year in years}
    truths = {year: gpd.read_parquet(folder / f"year={year}.parquet") for year in years}
    scores = tuple(_year_score(year, inventories[year], truths[year]) for year in years)
    same = _same_features(inventories, truths, ID_COLUMNS[target])
    reported = tuple(_reported(opened, target, region, same))
    span = min(years), max(years)
    happened = tuple(event for event in _happened(folder / "events.parquet") if span[0] < event.year <= span[1])
    return ScoreCard(region, scores, score_events(reported, happened))


def _year_score(year: int, inventory: gpd.GeoDataFrame, truth: gpd.GeoDataFrame) -> YearScore:
    figures, groups = headline(_predicted(inventory), _true(truth), truth.hard.to_numpy(bool))
    return YearScore(year, len(inventory), float(inventory.area_m2.sum() / 1e6), figures, groups)


def _predicted(frame: gpd.GeoDataFrame) -> ScoredFeatures:
    area, low, high = (frame[name].to_numpy(np.float64) for name in ("area_m2", "area_low_m2", "area_high_m2"))
    return ScoredFeatures(frame.geometry.to_numpy(), area, low, high)


def _true(frame: gpd.GeoDataFrame) -> ScoredFeatures:
    return ScoredFeatures(frame.geometry.to_numpy(), frame.area_m2.to_numpy(np.float64), classes=list(frame["class"]))


def _same_features(inventories: dict[int, gpd.GeoDataFrame], truths: dict[int, gpd.GeoDataFrame], named: str) -> dict[str, set[str]]:
    """Names of ours -> names of the truth that lay under them in any year."""
    same: dict[str, set[str]] = {}
    for year, inventory in inventories.items():
        pairs = match(inventory.geometry.to_numpy(), truths[year].geometry.to_numpy(), criterion="overlap", threshold=0.5)
        for ours, true in zip(pairs.predicted, pairs.truth, strict=True):
            same.setdefault(inventory[named].iloc[ours], set()).add(truths[year].id.iloc[true])
    return same


def _reported(store: Store, target: Target, region: str, same: dict[str, set[str]]) -> Iterator[Event]:
    for row in read_table(store.tracks(target, region, "events")).to_pylist():
        ours = [*(row["parents"] or ()), *(row["children"] or ())]
        yield Event(row["event"], row["year_to"], frozenset().union(*(same.get(name, set()) for name in ours)))


def _happened(path: Path) -> Iterator[Event]:
    for row in read_table(path).to_pylist():
        yield Event(row["event"], row["year"], frozenset([*row["parents"], *row["children"]]))
