import numpy as np
import pytest
import shapely

from catalog.facts.errors import WrongCall
from models.outlines.geodesy import to_degrees
from models.scores.verdicts import Ruling, change_of, redrawn_outline, relabelled

EPSG = 32645
ORIGIN = (-310_000, 48_000)


def square(y, x, size):
    left, top = (ORIGIN[1] + x) * 10, -(ORIGIN[0] + y) * 10
    return to_degrees(np.array([shapely.box(left, top - size * 10, left + size * 10, top)], object), EPSG)[0]


def ruling(change, geometry, redrawn=None):
    return Ruling("case-001", change, "earth", "r", 2021, geometry, redrawn)


@pytest.mark.parametrize(
    ("verdict", "side", "label_is", "redrawn", "change"),
    [
        ("a", "label", "a", False, "keep"),
        ("b", "label", "a", False, "land"),
        (" B ", "prediction", "a", False, "lake"),
        ("neither", "label", "a", False, "ignore"),
        ("neither", "label", "a", True, "redraw"),
        ("unsure", "label", "a", False, "keep"),
        ("", "label", "b", False, "keep"),
        (None, "prediction", "b", False, "keep"),
    ],
)
def test_a_verdict_speaks_of_letters_and_the_key_says_what_they_are(verdict, side, label_is, redrawn, change):
    assert change_of("case-001", verdict, side, label_is, redrawn=redrawn) == change


def test_a_word_that_is_no_verdict_is_refused():
    with pytest.raises(WrongCall, match="'c' of case-001"):
        change_of("case-001", "c", "label", "a", redrawn=False)


@pytest.mark.parametrize(("change", "value"), [("lake", 250), ("land", 0), ("ignore", 255), ("keep", 100)])
def test_pixels_in_question_change_and_no_others(change, value):
    label = np.full((224, 224), 100, np.uint8)
    changed = relabelled(label, ORIGIN, EPSG, [ruling(change, square(50, 60, 10))])
    assert (changed[50:60, 60:70] == value).all()
    assert (changed != 100).sum() == (0 if change == "keep" else 100)
    assert (label == 100).all()


def test_a_drawing_replaces_what_was_in_question_and_adds_its_own_ground():
    label = np.zeros((224, 224), np.uint8)
    label[50:60, 60:70] = 250
    changed = relabelled(label, ORIGIN, EPSG, [ruling("redraw", square(50, 60, 10), square(55, 65, 10))])
    assert (changed[55:65, 65:75] >= 249).all()
    assert changed.astype(int).sum() == pytest.approx(100 * 250, rel=0.01)


def test_outlines_follow_their_labels():
    lake = square(50, 60, 20)
    half = square(50, 60, 10)
    assert redrawn_outline(lake, ruling("land", half)).area == pytest.approx(0.75 * lake.area, rel=1e-3)
    assert redrawn_outline(lake, ruling("land", lake)).is_empty
    assert redrawn_outline(half, ruling("lake", lake)).area == pytest.approx(lake.area, rel=1e-3)
    assert redrawn_outline(lake, ruling("ignore", half)).equals(lake)
