"""The loss that networks are trained with: a weighted sum of terms, each over judged pixels only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from catalog.facts.errors import RecipeWrong
from models.segmenter import loss_terms
from models.segmenter.loss_terms import Judgement

_STRICT: Final[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class TermWeights:
    """Share of each term in the sum; a term of weight 0 is not computed."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    bce: float = 0.5
    focal: float = 1.0
    dice: float = 1.0
    generalised_dice: float = 0.0
    tversky: float = 0.5
    boundary: float = 0.5
    lovasz: float = 0.3

    def __post_init__(self) -> None:
        """Raise RecipeWrong for a negative weight, or when no term is left."""
        values = {f.name: float(getattr(self, f.name)) for f in fields(self)}
        negative = [f"{name} = {value:g}" for name, value in values.items() if value < 0]
        if negative or not any(values.values()):
            raise RecipeWrong(
                f"Weights of the loss are {', '.join(negative) or 'all 0'}: give every term a weight of 0 or more, and one above 0."
            )


@dataclass(frozen=True, slots=True)
class LossOptions:
    """What the terms weigh and where they are cut."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT
    weights: TermWeights = field(default_factory=TermWeights)
    tversky_alpha: float = 0.25
    """Cost of false water."""
    tversky_beta: float = 0.75
    """Cost of missed water."""
    ohem_keep: float = 0.5
    """Share of the judged pixels of a batch, the hardest, that BCE is the mean of; 1 keeps all."""
    ohem_floor: int = 4096
    """Pixels that are kept at least."""
    positive_weight_cap: float = 100.0
    smoothing: float = 0.0
    """Labels of BCE are drawn this much towards a half."""
    boundary_clip_px: float = 20.0
    focal_alpha: float = 0.25
    focal_gamma: float = 2.0

    def __post_init__(self) -> None:
        """Raise RecipeWrong for a value out of its range."""
        limits = {
            "tversky_alpha": (0.0, float("inf")),
            "tversky_beta": (0.0, float("inf")),
            "ohem_keep": (1e-6, 1.0),
            "ohem_floor": (0, float("inf")),
            "positive_weight_cap": (1.0, float("inf")),
            "smoothing": (0.0, 0.999),
            "boundary_clip_px": (1e-3, float("inf")),
            "focal_alpha": (0.0, 1.0),
            "focal_gamma": (1.0, float("inf")),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise RecipeWrong(f"Option {name} of the loss is {value:g}: choose a value from {low:g} to {high:g}.")


@dataclass(frozen=True, slots=True)
class LossParts:
    """One loss, and what it is made of."""

    total: Tensor
    parts: Mapping[str, Tensor]
    """Term -> its value before its weight; only terms that count."""
    positive_weight: Tensor
    """What a lake pixel weighed in BCE."""


def composite(
    logits: Tensor, label: Tensor, judged: Tensor, weight: Tensor, options: LossOptions, distance: Tensor | None = None
) -> LossParts:
    """Sum the terms over judged pixels, each image by its weight.

    logits, label (0..1) and judged (bool) are (B, 1, y, x), weight is (B,). `distance` of `signed_distance` is computed here when
    the boundary term needs it and it is not given. A batch without a judged pixel gives 0, with a gradient of 0.
    """
    batch = loss_terms.judgement_of(logits, label, judged, weight)
    water_weight = loss_terms.positive_weight(batch, options.positive_weight_cap).detach()
    if distance is None and options.weights.boundary > 0:
        distance = signed_distance(label, judged)
    parts = _parts(batch, options, water_weight, distance)
    total = sum((getattr(options.weights, name) * value for name, value in parts.items()), start=batch.logits.sum() * 0.0)
    return LossParts(total, parts, water_weight)


def _parts(batch: Judgement, options: LossOptions, water_weight: Tensor, distance: Tensor | None) -> dict[str, Tensor]:
    weights, parts = options.weights, {}
    if weights.bce > 0:
        values = loss_terms.weighted_cross_entropy(batch, water_weight, options.smoothing)
        parts["bce"] = loss_terms.hardest_mean(values, batch, options.ohem_keep, options.ohem_floor)
    if weights.focal > 0:
        parts["focal"] = loss_terms.focal(batch, options.focal_alpha, options.focal_gamma)
    if weights.dice > 0:
        parts["dice"] = loss_terms.dice(batch)
    if weights.generalised_dice > 0:
        parts["generalised_dice"] = loss_terms.generalised_dice(batch)
    if weights.tversky > 0:
        parts["tversky"] = loss_terms.tversky(batch, options.tversky_alpha, options.tversky_beta)
    if weights.boundary > 0 and distance is not None:
        parts["boundary"] = loss_terms.boundary(batch, distance, options.boundary_clip_px)
    if weights.lovasz > 0:
        parts["lovasz"] = loss_terms.lovasz_hinge(batch)
    return parts


def signed_distance(label: Tensor, judged: Tensor) -> Tensor:
    """Pixels from the shore, outside above 0 and inside below, for label and judged of (B, 1, y, x); computed on the CPU.

    A pixel is inside from a coverage of a half on. The shore lies midway between two pixels, so the least distance is a half.
    Without any lake the distance is +inf, without any dry pixel -inf; pixels that are not judged hold 0 and end no lake.
    """
    inside = ((label >= 0.5) & judged).cpu().numpy()[:, 0]
    outside = ((label < 0.5) & judged).cpu().numpy()[:, 0]
    distances = np.stack([_distance_to(water, dry) - _distance_to(dry, water) for water, dry in zip(inside, outside, strict=True)])
    return torch.from_numpy(distances[:, None]).to(label.device)


def _distance_to(target: NDArray[np.bool_], of: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance of each pixel in `of` to the nearest in `target`, less the half pixel to its edge; 0 elsewhere."""
    if not of.any():
        return np.zeros(of.shape, np.float32)
    if not target.any():
        return np.where(of, np.inf, 0.0).astype(np.float32)
    far = ndimage.distance_transform_edt(~target).astype(np.float32) - np.float32(0.5)
    return np.where(of, far, np.float32(0.0))
