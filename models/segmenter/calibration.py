"""Probabilities that mean what they say: one temperature for all logits, and how far off they are."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from catalog.facts.errors import ChipsUnusable

_LOWEST, _HIGHEST = 0.05, 20.0
_TOLERANCE: Final = 1e-5
BINS: Final = 15


def fit_temperature(logits: NDArray[np.floating], truth: NDArray[np.floating], weights: NDArray[np.floating] | None = None) -> float:
    """Return T such that sigmoid(logit / T) has the least negative log-likelihood, within 0.05 to 20.

    All arguments are flat over judged pixels; truth is 0..1 and may be soft. T is 1 where there is water or land only: nothing then
    keeps probabilities off 0 and 1. Raises ChipsUnusable without a pixel. From https://arxiv.org/abs/1706.04599.
    """
    values, label, share = _flat(logits, truth, weights)
    if not 0 < label @ share < share.sum():
        return 1.0

    def cost(log_temperature: float) -> float:
        scaled = values * np.exp(-log_temperature)
        # log(1 + exp(z)) - y z is the cross-entropy without a logarithm of 0
        return float((np.logaddexp(0.0, scaled) - label * scaled) @ share)

    # convex in 1 / T, so there is one valley
    found = minimize_scalar(cost, bounds=(np.log(_LOWEST), np.log(_HIGHEST)), method="bounded", options={"xatol": _TOLERANCE})
    return float(np.exp(found.x))


def ece(
    probability: NDArray[np.floating], truth: NDArray[np.floating], weights: NDArray[np.floating] | None = None, *, bins: int = BINS
) -> float:
    """Expected calibration error, 0..1: mean gap between probability and share of water over bins that hold equal mass.

    Equal mass, because nearly all pixels of a scene have a probability near 0, and bins of equal width would judge by the few others.
    Equal probabilities are never put into different bins. Raises ChipsUnusable without a pixel.
    """
    values, label, share = _flat(probability, truth, weights)
    order = np.argsort(values, kind="stable")
    values, label, share = values[order], label[order], share[order]
    # a value belongs to the bin in which its group begins
    _, first, group = np.unique(values, return_index=True, return_inverse=True)
    before = (np.cumsum(share) - share)[first][group]
    place = np.minimum((before / share.sum() * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=share * (values - label), minlength=bins)
    return float(np.abs(gaps).sum() / share.sum())


def _flat(
    values: NDArray[np.floating], truth: NDArray[np.floating], weights: NDArray[np.floating] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    flat = np.asarray(values, np.float64).ravel()
    label = np.asarray(truth, np.float64).ravel()
    share = np.ones_like(flat) if weights is None else np.asarray(weights, np.float64).ravel()
    if len(flat) == 0 or share.sum() <= 0:
        raise ChipsUnusable("No judged pixel to calibrate with: the validation split is empty or nobody labelled it; use other chips.")
    return flat, label, share
