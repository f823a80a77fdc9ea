import numpy as np
import pytest

from catalog.facts.causes import Cause
from catalog.facts.chips import ChipBatch
from models.segmenter.answers import answer_of, seen_of
from models.segmenter.contract import OPTICAL, InputContract, ModalityNeed, Prediction

ORIGINS = np.zeros((2, 2), np.int64)


def batch(size=8):
    s2 = np.full((2, 12, size, size), 1000, np.uint16)
    s2[:, :, :2] = 0
    s1 = np.full((2, 2, size, size), np.nan, np.float32)
    s1[:, :, 1] = -12
    cause = np.zeros((2, size, size), np.uint8)
    cause[:, 3] = Cause.CLOUD
    return ChipBatch(s2, s1, np.zeros((2, size, size), np.float32), cause, np.zeros((2, size, size), np.uint8), np.ones(2, np.float32))


class Fixed:
    """Answers logit 2 everywhere and remembers which arrays it was shown."""

    name, version, sha256, licence = "fixed", "1", "0" * 64, "CC0-1.0"

    def __init__(self, **contract):
        self.contract = InputContract((ModalityNeed("s2", ("B03", "B08"), "1e-4", required=False),), 8, 8, **contract)
        self.shown = []

    def predict(self, batch):
        self.shown.append({name for name in ("s2", "s1", "dem") if getattr(batch, name) is not None})
        return Prediction(np.full(batch.cause.shape, 2.0 if self.contract.blends == "logit" else 0.5, np.float32))


def test_logits_are_calibrated_and_what_is_not_seen_is_not_answered():
    model = Fixed(blends="logit", temperature=2.0)
    probability, spread = answer_of(model)(batch(), ORIGINS)
    assert probability[0, 5, 5] == pytest.approx(1 / (1 + np.exp(-1)))
    assert np.isnan(probability[:, :2]).all()
    assert np.isnan(probability[:, 3]).all()
    assert (spread == 0).all()


def test_a_probability_is_taken_as_it_is():
    assert answer_of(Fixed())(batch(), ORIGINS)[0][0, 5, 5] == pytest.approx(0.5)


def test_only_the_modalities_that_are_named_are_shown():
    model = Fixed()
    answer_of(model)(batch(), ORIGINS)
    answer_of(model, (OPTICAL,))(batch(), ORIGINS)
    assert model.shown == [{"s2", "s1", "dem"}, {"s2"}]


def test_every_sensor_makes_a_pixel_judged_whatever_the_model_looks_at():
    seen = seen_of(batch())
    assert seen[:, 1:].all()
    assert not seen[:, 0].any()
