"""Any model of water asked about chips, so that all are scored on the same pixels."""

from collections.abc import Callable, Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalog.facts.chips import ChipBatch
from models.segmenter.contract import ELEVATION, OPTICAL, RADAR, InputContract, Segmenter, WindowBatch, sight_of

Floats = NDArray[np.float32]
EVERY: Final = (OPTICAL, RADAR, ELEVATION)
"""Arrays of a chip that a model may look at."""
Answer = Callable[[ChipBatch, NDArray[np.int64]], tuple[Floats, Floats]]
"""Chips and their origins (N, 2) to calibrated probability and spread, both (N, y, x); NaN where the model gives no probability."""


def answer_of(model: Segmenter, modalities: Collection[str] = EVERY) -> Answer:
    """Ask a segmenter about chips as the pipeline asks it about windows; what it cannot see it does not answer.

    Of the arrays `modalities` names only those are shown: the others are as if no sensor had delivered them.
    """

    def answer(batch: ChipBatch, origins_yx: NDArray[np.int64]) -> tuple[Floats, Floats]:
        s2, s1, dem = (getattr(batch, name) if name in modalities else None for name in EVERY)
        shown = WindowBatch(origins_yx, batch.cause, s2, s1, dem)
        prediction = model.predict(shown)
        probability = _probability(prediction.answer, model.contract)
        usable = np.stack([sight_of(model.contract, shown.window(place)).usable for place in range(len(batch))])
        spread = np.zeros_like(probability) if prediction.spread is None else np.nan_to_num(prediction.spread)
        return np.where(usable, probability, np.float32(np.nan)), spread

    return answer


def _probability(answer: Floats, contract: InputContract) -> Floats:
    if contract.blends == "probability":
        return answer.astype(np.float32)
    return (1 / (1 + np.exp(-answer.astype(np.float64) / contract.temperature))).astype(np.float32)


def seen_of(batch: ChipBatch) -> NDArray[np.bool_]:
    """Pixels (N, y, x) that a sensor saw: those are judged, whatever a model looks at."""
    seen: NDArray[np.bool_] = (batch.s2 != 0).any(axis=1) | np.isfinite(batch.s1).all(axis=1)
    return seen
