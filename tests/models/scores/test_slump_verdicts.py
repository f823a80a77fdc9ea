import numpy as np
import pytest
import shapely

from models.scores.slump_scenes import Blocks
from models.scores.slump_verdicts import SlumpRow, judge
from tests.scored_slumps import CHIP_M, EAST, GROUND, NORTH, labels, scene, square


def states(rows: tuple[SlumpRow, ...]) -> list[str]:
    return [row.state for row in rows]


def test_a_slump_is_found_once_and_what_lies_on_it_again_is_a_duplicate():
    one = square(100, 100, 100)
    rows = judge(scene(labels(one), [(one, 0.9), (square(110, 110, 50), 0.8), (square(400, 400, 60), 0.7)]), 0.5)
    assert states(rows) == ["found", "duplicate", "invented"]
    assert rows[0].slump_id == "slump-0"
    assert rows[0].iou == pytest.approx(1.0)
    assert rows[0].area_m2 == pytest.approx(10_000, rel=2e-3)
    assert rows[2].area_m2 == pytest.approx(3_600, rel=2e-3)


def test_what_scores_too_low_is_not_listed():
    one = square(100, 100, 100)
    assert states(judge(scene(labels(one), [(one, 0.4), (square(400, 400, 60), 0.3)]), 0.5)) == ["missed"]


def test_a_rough_outline_counts_only_where_lenient():
    # 0.4 of the union is shared
    row, extra = judge(scene(labels(square(100, 100, 100)), [(shapely.box(EAST + 100, NORTH + 100, EAST + 140, NORTH + 200), 0.9)]), 0.5)
    assert (row.state, row.lenient, extra.state, extra.lenient) == ("missed", True, "invented", True)
    assert row.iou == pytest.approx(0.4)


@pytest.mark.parametrize(
    "unasked",
    [
        {"reasons": ["recovering", ""]},
        {"observable": [False, True]},
    ],
)
def test_nobody_is_asked_about_slumps_that_are_none_or_cannot_be_seen(unasked: dict):
    hidden, asked = square(100, 100, 100), square(600, 600, 80)
    missing = judge(scene(labels(hidden, asked, **unasked), [(asked, 0.9)]), 0.5)
    found = judge(scene(labels(hidden, asked, **unasked), [(asked, 0.9), (hidden, 0.8), (square(120, 120, 40), 0.7)]), 0.5)
    assert states(missing) == states(found) == ["found"]


def test_a_slump_that_the_edge_cuts_is_not_asked_for_and_excuses_what_is_found_on_it():
    cut = square(4 * CHIP_M - 50, 300, 100)
    assert states(judge(scene(labels(cut), []), 0.5)) == []
    assert states(judge(scene(labels(cut), [(square(4 * CHIP_M - 50, 300, 50), 0.9)]), 0.5)) == []
    barely = square(4 * CHIP_M - 95, 300, 100)
    rows = judge(scene(labels(barely), []), 0.5)
    assert states(rows) == ["missed"]
    assert rows[0].true_area_m2 == pytest.approx(9_500, rel=2e-3)


def test_two_digitisations_of_a_slump_are_one():
    rows = judge(scene(labels(square(100, 100, 100), square(120, 100, 100)), [(square(100, 100, 110), 0.9)]), 0.5)
    assert states(rows) == ["found"]
    assert rows[0].true_area_m2 == pytest.approx(12_000, rel=2e-3)


def test_outlines_that_lie_apart_are_not_near():
    exact, shifted = square(100, 100, 100), square(115, 500, 100)
    rows = judge(scene(labels(exact, square(100, 500, 100)), [(exact, 0.9), (shifted, 0.8)]), 0.5)
    assert rows[0].near_predicted == (rows[0].predicted,) * 2
    assert rows[0].predicted == 80
    # two sides of four lie on the other outline, but for what sticks out; the other two are 15 m away
    within_10, within_20 = rows[1].near_predicted
    assert within_10 < 0.6 * rows[1].predicted < within_20 == rows[1].predicted


def test_rows_do_not_depend_on_the_order_of_detections():
    truth = labels(square(100, 100, 100), square(600, 600, 80), square(900, 100, 60))
    found = [(square(100, 100, 90), 0.9), (square(600, 600, 70), 0.7), (square(110, 110, 50), 0.7), (square(1500, 900, 40), 0.6)]
    plain, turned = (judge(scene(truth, order), 0.5) for order in (found, found[::-1]))

    def told(row: SlumpRow) -> str:
        return f"{row.slump_id} {row.state} {row.score} {row.iou} {row.geometry.wkt}"

    assert sorted(map(told, plain)) == sorted(map(told, turned))


def test_a_slump_belongs_to_the_block_of_the_nearest_chip():
    rows = judge(scene(labels(square(100, 100, 60), square(3 * CHIP_M + 900, 900, 60)), [(square(CHIP_M + 500, 500, 60), 0.9)]), 0.5)
    assert [row.block for row in rows] == [0, 3, 1]
    middle = np.array([shapely.box(EAST + CHIP_M - 10, NORTH, EAST + CHIP_M + 10, NORTH + CHIP_M)], object)
    assert Blocks(np.array([[EAST, NORTH], [EAST + 2 * CHIP_M, NORTH]]), np.array([7, 3])).at(middle).tolist() == [7]
    assert GROUND.area == pytest.approx(4 * CHIP_M**2)
