import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.outlines.interval import DISPLACED_PX, AreaEvidence, area_interval, shoreline_m2, without_probability


def evidence(area=1e6, perimeter=5e3, **changes):
    values = {"area_probability_m2": area, "doubt_m2": 0.0, "variance_px": 0.0, "shore_seen": 1.0, **changes}
    return AreaEvidence(np.array([area]), np.array([perimeter]), **{name: np.array([value]) for name, value in values.items()})


def test_the_shoreline_term_is_that_of_hanshaw_and_bookhagen():
    assert shoreline_m2(np.array([1000.0]))[0] == pytest.approx(0.6872 * 100 * 50)
    assert shoreline_m2(np.array([1000.0]), pixel_m=30.0)[0] == pytest.approx(0.6872 * (1000 / 30) * 450)


positive = st.floats(0, 1e9)


@given(positive, positive, positive, positive, st.floats(0, 1e6), st.floats(0, 1))
def test_low_never_exceeds_area_and_area_never_exceeds_high(area, perimeter, expected, doubt, variance, observed):
    found = area_interval(
        evidence(area, perimeter, area_probability_m2=expected, doubt_m2=doubt, variance_px=variance, shore_seen=observed)
    )
    assert 0 <= found.low_m2[0] <= area <= found.high_m2[0]
    assert np.isfinite([found.sigma_m2[0], found.high_m2[0]]).all()


def test_unobserved_ground_widens_the_high_side_only():
    clear, hidden = area_interval(evidence()), area_interval(evidence(shore_seen=0.8))
    assert hidden.low_m2 == clear.low_m2
    assert hidden.sigma_m2 == clear.sigma_m2
    assert hidden.high_m2[0] - clear.high_m2[0] == pytest.approx(1e6 * 0.25)


def test_an_expected_area_beyond_the_outline_widens_its_own_side():
    more, less, clear = (area_interval(evidence(area_probability_m2=expected)) for expected in (1.1e6, 0.9e6, 1e6))
    assert more.high_m2[0] == pytest.approx(clear.high_m2[0] + 1e5)
    assert less.low_m2[0] == pytest.approx(clear.low_m2[0] - 1e5)
    assert more.low_m2 == clear.low_m2
    assert less.high_m2 == clear.high_m2


def test_doubt_and_chance_widen_both_sides():
    clear, doubtful, fuzzy = area_interval(evidence()), area_interval(evidence(doubt_m2=4e5)), area_interval(evidence(variance_px=1e5))
    for wider in (doubtful, fuzzy):
        assert wider.low_m2 < clear.low_m2
        assert wider.high_m2 > clear.high_m2


def test_shore_length_and_doubt_speak_of_the_same_pixels_and_are_not_added():
    shore = shoreline_m2(np.array([5e3]))[0]
    clear, same = area_interval(evidence()), area_interval(evidence(doubt_m2=0.99 * shore))
    assert same.sigma_m2 == clear.sigma_m2
    assert area_interval(evidence(doubt_m2=4e5)).sigma_m2[0] == pytest.approx(4e5, rel=1e-3)


def test_a_calibrated_outline_is_surer_than_the_published_shore_and_its_sigma_stays_published():
    plain, calibrated = area_interval(evidence()), area_interval(evidence(variance_px=0.15 * 500))
    assert calibrated.sigma_m2 == plain.sigma_m2
    assert calibrated.high_m2[0] - 1e6 < (plain.high_m2[0] - 1e6) / 2
    shore, model, shift = DISPLACED_PX * 10 * 5e3, 100 * np.sqrt(9 * 75), 3 * 10 * np.sqrt(500)
    assert 1e6 - calibrated.low_m2[0] == pytest.approx(1.959964 * np.sqrt(shore**2 + model**2 + shift**2))


def test_a_model_in_doubt_is_less_sure_than_the_published_shore():
    plain, doubtful = area_interval(evidence()), area_interval(evidence(variance_px=75, doubt_m2=4e5))
    assert doubtful.high_m2 > plain.high_m2


def test_outlines_alone_have_a_symmetric_interval():
    found = area_interval(without_probability(np.array([1e6]), np.array([5e3])))
    assert found.high_m2[0] - 1e6 == pytest.approx(1e6 - found.low_m2[0])


def test_pixel_discs_at_random_places_lie_within_their_interval():
    rng = np.random.default_rng(3)
    inside = []
    for radius in rng.uniform(40, 400, 100):
        y0, x0 = rng.uniform(0, 10, 2)
        n = int(radius / 10) + 3
        y, x = np.mgrid[-n:n, -n:n] * 10.0 + 5
        mask = (y - y0) ** 2 + (x - x0) ** 2 <= radius**2
        perimeter = 10.0 * (np.abs(np.diff(mask.astype(int), axis=0)).sum() + np.abs(np.diff(mask.astype(int), axis=1)).sum())
        found = area_interval(without_probability(np.array([100.0 * mask.sum()]), np.array([perimeter])))
        inside.append(found.low_m2[0] <= np.pi * radius**2 <= found.high_m2[0])
    assert np.mean(inside) >= 0.95
