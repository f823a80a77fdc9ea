"""Answers of a sample to an accuracy statement, beside the answers and in the store."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.errors import WrongCall
from catalog.facts.samples import VERDICTS, Accuracy
from catalog.stores.files import checksum, write_if_changed
from catalog.stores.objects import place as place_of
from catalog.stores.samples import Sample, read_sample, write_accuracy
from catalog.stores.store import Store
from models.outlines.geodesy import area_perimeter
from models.review.accuracy import CellAnswer, FeatureAnswer, Population, figures_of
from models.review.instructions import statement_of

_TOLD = ("model", "model_sha256", "seed", "inventory", "strata", "seen_km2", "least_area_m2")


@task(cache_policy=NO_CACHE, task_run_name="score-sample")
def score_sample(folder: str, store: str | None) -> Accuracy:
    """Score a sample; write the statement into its folder, and into the store while it lists what was sampled."""
    return scored(folder, store)


def scored(folder: str, store: str | None) -> Accuracy:
    """Do the same without Prefect. Raises WrongCall when nothing is answered or an answer cannot be read."""
    sample, place = read_sample(folder), Path(folder).expanduser()
    place = place if place.is_dir() else place.parent
    about = sample.about
    features, notes_f = _feature_answers(sample)
    cells, notes_c = _cell_answers(sample)
    population = Population(about["strata"]["feature"], about["strata"]["cell"], float(about["area_m2"]), float(about["median_m2"]))
    figures, notes = figures_of(population, features, cells)
    kept, why = _store_path(Store(place_of(store or about["store"])), about)
    accuracy = Accuracy(
        region=about["region"],
        year=int(about["year"]),
        target=about["target"],
        listed_features=int(about["features"]),
        listed_area_m2=float(about["area_m2"]),
        figures=figures,
        answered=_answered(sample),
        verdicts={verdict: int((sample.features.verdict == verdict).sum()) for verdict in VERDICTS},
        notes=(*notes, *notes_f, *notes_c, *why),
        details={name: about[name] for name in _TOLD if name in about},
    )
    accuracy = replace(accuracy, statement=statement_of(accuracy))
    write_accuracy([place / "accuracy.json", *kept], asdict(accuracy))
    write_if_changed(place / "accuracy.txt", f"{accuracy.statement}\n".encode())
    return accuracy


def _store_path(store: Store, about: Mapping[str, Any]) -> tuple[list[Path], list[str]]:
    """Where the statement goes in the store; nowhere when the store no longer lists what was sampled."""
    path = store.inventory(about["target"], about["region"], about["year"])
    if path.is_file() and checksum(path) == about["inventory"]:
        return [store.accuracy(about["target"], about["region"], about["year"])], []
    return [], [f"the inventory in {store.root} is not the one that was sampled: the statement is kept beside the sample only"]


def _answered(sample: Sample) -> dict[str, int]:
    counted = {}
    for name, words in (("features", sample.features.verdict), ("cells", sample.cells.checked)):
        counted[name] = int((~words.isin({"", "unsure"})).sum())
        counted[f"{name}_unsure"] = int((words == "unsure").sum())
        counted[f"{name}_unanswered"] = int((words == "").sum())
    return counted


def _feature_answers(sample: Sample) -> tuple[list[FeatureAnswer], list[str]]:
    known = sample.key.set_index("case")
    redrawn = {str(case): shapely.union_all(group.geometry.to_numpy()) for case, group in sample.redrawn.groupby("case")}
    answers = []
    for case, verdict, given in sample.features.itertuples(index=False):
        if verdict in {"", "unsure"}:
            continue
        row = known.loc[case]
        true, shared = _areas(row.geometry, float(row.area_m2), verdict, redrawn.get(case), given)
        answers.append(FeatureAnswer(row.stratum, verdict, float(row.area_m2), true, shared))
    silent = sorted(set(redrawn) & set(sample.features.case[sample.features.verdict == ""]))
    return answers, [f"{', '.join(silent)}: redrawn, but without a verdict; not counted"] if silent else []


def _areas(listed: shapely.Geometry, area: float, verdict: str, redrawn: shapely.Geometry | None, given: float) -> tuple[float, float]:
    """True area of a listed feature, and how much of the listed area is true, m2."""
    if verdict == "wrong":
        return 0.0, 0.0
    if redrawn is not None:
        both = np.array([redrawn, shapely.intersection(listed, redrawn)], dtype=object)
        true, shared = area_perimeter(both)[0].tolist()
        return true, min(shared, area)
    if not np.isnan(given):
        return float(given), min(float(given), area)
    return area, area


def _cell_answers(sample: Sample) -> tuple[list[CellAnswer], list[str]]:
    cells = sample.key[sample.key.kind == "cell"].reset_index(drop=True)
    found: Counter[str] = Counter()
    area: defaultdict[str, float] = defaultdict(float)
    nowhere = 0
    for case, shape, given in zip(sample.missed.case, sample.missed.geometry, sample.missed.area_m2, strict=True):
        cell = case or _cell_at(cells.case, cells.geometry.to_numpy(), shape)
        if cell is None:
            nowhere += 1
            continue
        found[cell] += 1
        area[cell] += _missed_area(shape, given, cell)
    checked = set(sample.cells.case[sample.cells.checked == "yes"])
    answers = [CellAnswer(s, found[c], area[c]) for c, s in zip(cells.case, cells.stratum, strict=True) if c in checked]
    unread = sorted(set(found) - checked)
    notes = [f"{', '.join(unread)}: holds missed features, but is not `checked`; not counted"] if unread else []
    return answers, [
        *notes,
        *([f"{nowhere} missed features lie in no cell of the sample; they say nothing about the region"] if nowhere else []),
    ]


def _cell_at(cases: Iterable[str], outlines: np.ndarray[tuple[int, ...], np.dtype[np.object_]], shape: shapely.Geometry) -> str | None:
    inside = shapely.contains_properly(outlines, shapely.point_on_surface(shape))
    return next((str(case) for case, there in zip(cases, inside, strict=True) if there), None)


def _missed_area(shape: shapely.Geometry, given: float, cell: str) -> float:
    if shapely.area(shape) > 0:
        return float(area_perimeter(np.array([shape], object))[0][0])
    if pd.isna(given):
        raise WrongCall(f"{cell}: a missed feature is a point without `area_m2`. Write its area in m2, or draw it.")
    return float(given)
