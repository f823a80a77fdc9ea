import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.detector.links import Links, Views, grouped


def links_of(*rows):
    table = np.array(rows, float).reshape(-1, 3)
    return Links(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2])


def views_of(view, strong=None, touching=()):
    view = np.array(view)
    return Views(view, np.ones(len(view), bool) if strong is None else np.array(strong), set(touching))


def test_a_chain_through_windows_is_one_slump():
    groups = grouped(links_of((0, 1, 0.9), (1, 2, 0.8), (2, 3, 0.7)), views_of([0, 1, 2, 3, 4]))
    assert groups.label.tolist() == [0, 0, 0, 0, 1]
    assert not groups.conflict.any()


def test_a_mask_over_two_slumps_goes_with_the_one_it_fits_best():
    # 0 and 1 are neighbours in one window, 2 covers both in another and 3 is the second slump alone in a third
    links = links_of((0, 2, 0.4), (1, 2, 0.6), (1, 3, 0.9))
    groups = grouped(links, views_of([0, 0, 1, 2]))
    assert groups.label.tolist() == [0, 1, 1, 1]
    assert groups.conflict.tolist() == [True, True, True, True]


def test_pieces_of_one_window_that_touch_may_be_one_slump():
    links = links_of((0, 2, 0.4), (1, 2, 0.6))
    assert grouped(links, views_of([0, 0, 1], touching={(0, 1)})).label.tolist() == [0, 0, 0]


def test_a_doubtful_detection_does_not_hold_two_pieces_apart():
    links = links_of((0, 2, 0.4), (1, 2, 0.6))
    assert grouped(links, views_of([0, 0, 1], strong=[True, False, True])).label.tolist() == [0, 0, 0]


def test_rivals_stay_apart_through_a_long_chain():
    links = links_of((0, 1, 0.9), (1, 2, 0.9), (2, 3, 0.9), (3, 4, 0.1))
    groups = grouped(links, views_of([0, 1, 2, 3, 0]))
    assert groups.label.tolist() == [0, 0, 0, 0, 1]
    assert groups.conflict.all()


@given(st.integers(0, 2**31), st.integers(2, 12))
def test_the_order_of_links_does_not_matter(seed, count):
    rng = np.random.default_rng(seed)
    rows = [(a, b, rng.integers(0, 3) / 2) for a in range(count) for b in range(a + 1, count) if rng.random() < 0.4]
    views = views_of(rng.integers(0, 4, count), rng.random(count) < 0.7)
    one = grouped(links_of(*rows), views)
    other = grouped(links_of(*[rows[place] for place in rng.permutation(len(rows))]), views)
    assert (one.label == other.label).all()
    assert (one.conflict == other.conflict).all()
    # strong detections of one view never meet
    for label in set(one.label.tolist()):
        seen = views.view[(one.label == label) & views.strong]
        assert len(set(seen.tolist())) == len(seen)
