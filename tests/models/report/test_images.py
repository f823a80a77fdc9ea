"""Pictures fit into what is left of the page."""

import io

import numpy as np
import pytest
from PIL import Image

from catalog.facts.causes import Cause
from models.pictures.thumbnails import Thumbnail
from models.report.images import pictures_of


def thumbnail(side=600):
    rng = np.random.default_rng(1)
    cause = np.zeros((side, side), np.uint8)
    cause[: side // 4] = Cause.CLOUD
    rgb = rng.integers(1, 4000, (3, side, side)).astype(np.uint16)
    rgb[:, -3:] = 0
    return Thumbnail(rgb, cause, 32644, 500_000.0, 3_400_000.0, 10.0)


@pytest.mark.parametrize("budget", [4_000_000, 300_000, 150_000])
def test_all_years_together_stay_within_the_budget_and_keep_their_place(budget):
    pictures = pictures_of({2020: thumbnail(), 2021: thumbnail()}, budget)
    assert [picture.year for picture in pictures] == [2020, 2021]
    assert sum(len(p.surface) + len(p.causes) for p in pictures) * 4 / 3 <= budget
    for picture in pictures:
        assert (picture.left_m, picture.top_m) == (500_000.0, 3_400_000.0)
        assert picture.width_m == pytest.approx(6_000, abs=80)


def test_causes_come_back_exactly_and_ground_without_an_image_is_clear():
    (picture,) = pictures_of({2020: thumbnail()}, 4_000_000)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture.causes))), thumbnail().cause)
    alpha = np.asarray(Image.open(io.BytesIO(picture.surface)))[..., 3]
    assert alpha[:-3].min() > 200
    assert alpha[-2:].max() < 60


def test_without_room_there_are_no_pictures():
    assert pictures_of({2020: thumbnail()}, 50) == ()
    assert pictures_of({}, 4_000_000) == ()
