import numpy as np
import pytest
import shapely

from models.outlines.geodesy import to_degrees, to_metres
from models.scores.disagreements import Ground, blind_cases, by_place, disagreements_of, predicted_over
from models.scores.mosaics import Mosaic

EPSG = 32645
ORIGIN = (-310_000, 48_000)
ORIGINS = np.array([ORIGIN, (ORIGIN[0], ORIGIN[1] + 112)])
NO_LAKES = np.empty(0, object)


def mosaic_of(label_boxes, predicted_boxes, probability=0.95):
    shape = (224, 336)
    label, predicted = np.zeros(shape, np.uint8), np.full(shape, 0.02, np.float32)
    for y, x, size in label_boxes:
        label[y : y + size, x : x + size] = 250
    for y, x, size in predicted_boxes:
        predicted[y : y + size, x : x + size] = probability
    nothing = np.zeros(shape, np.uint8)
    return Mosaic(np.array([0, 1]), ORIGIN, predicted, nothing.astype(np.float32), label, nothing, nothing == 0, nothing.astype(np.int32))


def found(*boxes, year=2021, region="r", lakes=(), **kind):
    outlines = np.empty(len(lakes), object)
    outlines[:] = [square(*lake) for lake in lakes]
    names = [f"lake-{number}" for number in range(len(lakes))]
    return disagreements_of(mosaic_of(*boxes, **kind), ORIGINS, Ground("earth", region, year, EPSG), outlines, names)


def square(y, x, size):
    left, top = (ORIGIN[1] + x) * 10, -(ORIGIN[0] + y) * 10
    return to_degrees(np.array([shapely.box(left, top - size * 10, left + size * 10, top)], object), EPSG)[0]


def test_both_directions_are_found_with_their_area_and_confidence():
    label_only, prediction_only = found([(20, 20, 10)], [(100, 250, 20)])
    assert (label_only.side, label_only.area_m2) == ("label", 10_000)
    assert label_only.confidence == pytest.approx(0.96)
    assert (prediction_only.side, prediction_only.area_m2) == ("prediction", 40_000)
    assert prediction_only.confidence == pytest.approx(0.9)
    assert (label_only.chip, prediction_only.chip) == (0, 1)
    assert predicted_over(prediction_only)[110, 250 - 112 + 5]
    assert not predicted_over(prediction_only)[110, 250 - 112 - 5]
    assert to_metres(np.array([label_only.geometry], object), EPSG)[0].area == pytest.approx(10_000, rel=1e-6)


def test_a_model_that_gives_no_answer_says_nothing_against_a_label():
    mosaic = mosaic_of([(20, 20, 10)], [])
    mosaic.probability[10:40, 10:40] = np.nan
    (unanswered,) = disagreements_of(mosaic, ORIGINS, Ground("earth", "r", 2021, EPSG), NO_LAKES, [])
    assert unanswered.score == 0


def test_a_shore_drawn_one_pixel_off_is_no_disagreement():
    assert found([(50, 50, 30)], [(51, 50, 30)]) == ()


def test_one_lake_in_four_years_and_two_directions_is_one_case():
    years = [each for year in (2018, 2019, 2021, 2022) for each in found([(20, 20, 10)], [], year=year)]
    moved = found([], [(24, 24, 40)], year=2020)
    elsewhere = found([], [(150, 200, 12)], year=2020)
    cases = by_place([*years, *moved, *elsewhere])
    assert [case.shows.year for case in cases] == [2020, 2020]
    assert cases[0].years == (2018, 2019, 2020, 2021, 2022)
    assert cases[0].score > cases[1].score


def test_two_ends_of_one_lake_are_one_case():
    lake = (20, 20, 100)
    ends = found([lake], [(20, 50, 40), (60, 50, 40), (80, 50, 40)], lakes=[lake])
    assert len(ends) == 2
    assert len(by_place(ends)) == 1


def test_the_same_coordinates_in_another_world_are_another_place():
    here = found([(20, 20, 10)], [])
    there = disagreements_of(mosaic_of([(20, 20, 10)], []), ORIGINS, Ground("world", "r", 2021, EPSG), NO_LAKES, [])
    assert len(by_place([*here, *there])) == 2


def test_both_directions_get_their_half_and_a_blind_order_that_does_not_hang_on_the_input():
    every = by_place(found([(20 + 25 * i, 20, 10 + i) for i in range(7)], [(5, 200, 20), (60, 200, 22), (120, 200, 30)]))
    cases = blind_cases(every, 6)
    sides = [case.found.side for case in cases]
    assert (sides.count("label"), sides.count("prediction")) == (3, 3)
    assert len(blind_cases(every, 8)) == 8
    assert len(blind_cases(every, 50)) == 10
    again = blind_cases(list(reversed(every)), 6)
    assert {case.name: case.found.area_m2 for case in again} == {case.name: case.found.area_m2 for case in cases}
    assert {case.label_is for case in blind_cases(every, 50)} == {"a", "b"}
