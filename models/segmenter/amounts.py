"""Answers of models as integers that add exactly in any order, and their sums as what the cube stores."""

from functools import lru_cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.facts.schemas import PROBABILITY_NODATA
from models.segmenter.contract import InputContract
from models.segmenter.windows import UNITY

LEVELS: Final = 62_500
"""Probabilities are rounded to 1/62 500 before they are added up; 250 divides it."""
LOGIT_STEPS: Final = 1024
"""Logits are rounded to 1/1024: a quarter of a thousandth in probability, a sixteenth of what the cube keeps."""
LOGIT_LIMIT: Final = 16
"""Logits beyond are as sure as a stored probability can say, up to a temperature of 2.5; one window must not outshout the others."""
_STORED: Final = 250
"""Probability x 250 is what the cube keeps (schemas.PROBABILITY)."""
_SHIFT: Final = UNITY.bit_length() - 1
Counts = NDArray[np.int32]
"""LEVELS x UNITY and LOGIT_LIMIT x LOGIT_STEPS x UNITY both fit."""
Whole = NDArray[np.bool_]
"""Where the weights sum to UNITY."""


class Amounts(Protocol):
    """One kind of answer."""

    name: str

    def right(self, answer: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say which values can be such an answer."""
        ...

    def counted(self, answer: NDArray[np.float32]) -> Counts:
        """Integers in proportion to right answers."""
        ...

    def stored(self, total: Counts, whole: Whole) -> NDArray[np.uint8]:
        """Weighted sums of integers as probability x 250, 255 where they are not whole."""
        ...


class Shares:
    """Probabilities, or spreads, in 0..1."""

    def __init__(self, name: str) -> None:
        """Take the name that errors call it by."""
        self.name = name

    def right(self, answer: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say where the values lie in 0..1."""
        return (answer >= 0) & (answer <= 1)

    def counted(self, answer: NDArray[np.float32]) -> Counts:
        """Multiples of 1/LEVELS."""
        counts: Counts = np.rint(answer * np.float32(LEVELS)).astype(np.int32)
        return counts

    def stored(self, total: Counts, whole: Whole) -> NDArray[np.uint8]:
        """Mean share x 250."""
        step = UNITY * (LEVELS // _STORED)
        return np.where(whole, (total + step // 2) // step, PROBABILITY_NODATA).astype(np.uint8)


class Logits:
    """Logits, which become probabilities when they have been averaged: an average of probabilities would be less sure than its parts."""

    name = "logit"

    def __init__(self, temperature: float) -> None:
        """Take what mean logits are divided by."""
        self._table = _probabilities(temperature)

    def right(self, answer: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say where the values are finite."""
        return np.isfinite(answer)

    def counted(self, answer: NDArray[np.float32]) -> Counts:
        """Multiples of 1/LOGIT_STEPS, within the limit."""
        counts: Counts = np.rint(np.clip(answer, -LOGIT_LIMIT, LOGIT_LIMIT) * np.float32(LOGIT_STEPS)).astype(np.int32)
        return counts

    def stored(self, total: Counts, whole: Whole) -> NDArray[np.uint8]:
        """Probability x 250 of the mean logit."""
        mean = (total + UNITY // 2) >> _SHIFT
        return np.where(whole, self._table[mean + LOGIT_LIMIT * LOGIT_STEPS], PROBABILITY_NODATA).astype(np.uint8)


def amounts_of(contract: InputContract) -> Amounts:
    """Choose how the answers of a model add up."""
    return Logits(contract.temperature) if contract.blends == "logit" else Shares("probability")


@lru_cache(maxsize=8)
def _probabilities(temperature: float) -> NDArray[np.uint8]:
    """Stored probability of every mean logit there can be, lowest first."""
    logits = np.arange(-LOGIT_LIMIT * LOGIT_STEPS, LOGIT_LIMIT * LOGIT_STEPS + 1) / LOGIT_STEPS
    table = np.rint(_STORED / (1 + np.exp(-logits / temperature))).astype(np.uint8)
    table.setflags(write=False)
    return table
