"""Disagreements between labels and predictions to a blind audit that people can answer."""

from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.chips import CHIP_PX
from catalog.facts.evaluation import Evaluation
from catalog.facts.grids import PIXEL_M
from catalog.stores.audits import write_audit
from catalog.stores.chips import ChipSet, open_chips
from catalog.stores.objects import local_path
from models.outlines.geodesy import to_degrees, to_metres
from models.pictures.chip_panels import Caption, ChipImage, four_panels
from models.scores.disagreements import Case, blind_cases, predicted_over
from models.scores.results import ModelScores

FOLDER = "audit"
_ROOM_PX = 6
"""Between the pixels in question and the mark around them."""


@task(cache_policy=NO_CACHE, task_run_name="audit-labels")
def audit_labels(evaluation: Evaluation, result: ModelScores) -> int:
    """Write the highest ranked disagreements of both directions; returns how many cases there are."""
    return audited(evaluation, result)


def audited(evaluation: Evaluation, result: ModelScores) -> int:
    """Do the same without Prefect."""
    cases = blind_cases(result.scores.disagreements, evaluation.audit)
    sets = open_chips(evaluation.data)
    places = sets.of_split(evaluation.split)
    geometry, marks = np.empty(len(cases), object), np.empty(len(cases), object)
    geometry[:] = [case.found.geometry for case in cases]
    marks[:] = [to_degrees(np.array([_box(case)], object), case.found.shows.epsg)[0] for case in cases]
    folder = local_path(evaluation.out) / FOLDER
    write_audit(folder, _key(cases, result), geometry, marks, _pictures(cases, sets, places, result))
    return len(cases)


def _key(cases: Sequence[Case], result: ModelScores) -> dict[str, list[object]]:
    found = [case.found for case in cases]
    return {
        "case": [case.name for case in cases],
        "label_is": [case.label_is for case in cases],
        "side": [each.side for each in found],
        "ground": [each.shows.ground for each in found],
        "region": [each.shows.region for each in found],
        "year": [each.shows.year for each in found],
        "years": [list(each.years) for each in found],
        "epsg": [each.shows.epsg for each in found],
        "area_m2": [each.area_m2 for each in found],
        "confidence": [each.confidence for each in found],
        "rank_m2": [each.score for each in found],
        "lake_ids": [list(each.lake_ids) for each in found],
        "chip_id": [result.chips.names[each.chip] for each in found],
        "model": [result.scored.model] * len(cases),
    }


def _box(case: Case) -> shapely.Polygon:
    """Mark around the pixels in question, metres of the zone."""
    metres = to_metres(np.array([case.found.geometry], object), case.found.shows.epsg)[0]
    left, bottom, right, top = shapely.bounds(metres).tolist()
    room = _ROOM_PX * PIXEL_M
    box: shapely.Polygon = shapely.box(left - room, bottom - room, right + room, top + room)
    return box


def _pictures(cases: Sequence[Case], sets: ChipSet, places: NDArray[np.int64], result: ModelScores) -> Iterator[bytes]:
    for case in cases:
        batch = sets.read(places[[case.found.chip]])
        image = ChipImage(batch.s2[0], batch.s1[0], batch.label[0], predicted_over(case.found))
        note = f"{case.name}, {case.found.shows.year}: which is right inside the frame?"
        caption = Caption(("A", "B"), case.label_is == "b", note, _mark(case, result))
        yield four_panels(image, caption)


def _mark(case: Case, result: ModelScores) -> tuple[float, float, float, float]:
    left, bottom, right, top = shapely.bounds(_box(case)).tolist()
    row, column = result.chips.origins_yx[case.found.chip].tolist()
    edges = np.array([left / PIXEL_M - column, -top / PIXEL_M - row, right / PIXEL_M - column, -bottom / PIXEL_M - row])
    # pictures have the middle of the first pixel at 0
    west, north, east, south = np.clip(edges - 0.5, 0.5, CHIP_PX - 1.5).tolist()
    return west, north, east, south
