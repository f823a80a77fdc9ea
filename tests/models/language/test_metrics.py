import pytest

from models.language.metrics import METEOR_NAME, meteor, rouge, score_texts

LONG = "There are two glacial lakes in the top left of the scene"


def test_equal_texts_score_one_and_strange_ones_zero():
    assert rouge(LONG, LONG) == pytest.approx((1, 1, 1))
    assert meteor(LONG, LONG) == pytest.approx(1, abs=1e-3)
    assert rouge("yaks graze", LONG) == (0, 0, 0)
    assert meteor("yaks graze", LONG) == 0


def test_rouge_by_hand():
    one, two, longest = rouge("the lake is small", "the lake is in the center")
    assert one == pytest.approx(2 * (3 / 4) * (3 / 6) / (3 / 4 + 3 / 6))
    assert two == pytest.approx(2 * (2 / 3) * (2 / 5) / (2 / 3 + 2 / 5))
    assert longest == pytest.approx(one)


def test_meteor_by_hand_and_by_stems():
    # 3 of 4 and 3 of 6 words match in one chunk: F = 10PR / (R + 9P), penalty 0.5 (1/3)^3
    precision, recall = 3 / 4, 3 / 6
    expected = 10 * precision * recall / (recall + 9 * precision) * (1 - 0.5 * (1 / 3) ** 3)
    assert meteor("the lake is small", "the lake is near its center") == pytest.approx(expected)
    assert meteor("lakes", "lake") == meteor("lake", "lake")
    assert meteor("lakes", "water") == 0
    assert "exact" in METEOR_NAME


def test_means_over_texts_and_marks_do_not_count():
    scores = score_texts(["One lake. [SEG]", "yaks"], ["one lake .", LONG])
    assert (scores.exact, scores.texts) == (0.5, 2)
    assert scores.rouge_l == pytest.approx(0.5)
    assert score_texts([], []).texts == 0
