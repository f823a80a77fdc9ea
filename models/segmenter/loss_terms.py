"""Terms of the loss: each is 0 where the prediction equals the label, hard or soft, and never below; all but BCE and Lovász end at 1.

A term takes float32 tensors of (B, 1, y, x) that are 0 where a pixel is not judged. Where the published form is not 0 at a soft label
that is met exactly (2 * p * y of Dice, BCE), the form used here equals it for labels of 0 and 1 and is 0 for the soft label too:
https://arxiv.org/abs/2303.16296 for the overlaps, https://arxiv.org/abs/2006.04388 for the focal term.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import softplus

_IMAGE: Final = (1, 2, 3)
_SMOOTH: Final = 1.0
"""One pixel, so that an image without water and without prediction has an overlap of one."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A batch as the terms read it; pixels that are not judged hold 0 everywhere and so carry no gradient."""

    logits: Tensor
    probability: Tensor
    label: Tensor
    judged: Tensor
    """(B, 1, y, x) bool."""
    weight: Tensor
    """(B,), trust in the label of each chip."""


def judgement_of(logits: Tensor, label: Tensor, judged: Tensor, weight: Tensor) -> Judgement:
    """Cut a batch to its judged pixels, in float32 whatever precision the network ran in."""
    clean = torch.where(judged, logits.float(), 0.0)
    return Judgement(
        clean, torch.where(judged, clean.sigmoid(), 0.0), torch.where(judged, label.float().clamp(0.0, 1.0), 0.0), judged, weight.float()
    )


def positive_weight(batch: Judgement, cap: float) -> Tensor:
    """Judged dry pixels per judged lake pixel, within 1..cap; soft labels count by their coverage."""
    water = batch.label.sum()
    return ((batch.judged.sum() - water) / water.clamp_min(1e-6)).clamp(1.0, cap)


def cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Binary cross-entropy of each pixel less the entropy of its label, so that a soft label that is met costs nothing."""
    # xlogy is 0 at 0, where a product with a logarithm is NaN
    entropy: Tensor = -torch.special.xlogy(label, label) - torch.special.xlogy(1 - label, 1 - label)
    value: Tensor = label * softplus(-logits) + (1 - label) * softplus(logits) - entropy
    return value.clamp_min(0.0)


def weighted_cross_entropy(batch: Judgement, water_weight: Tensor, smoothing: float) -> Tensor:
    """(B, 1, y, x), cross-entropy in which a lake pixel counts `water_weight` times, and a shore pixel by its coverage."""
    label = torch.where(batch.judged, batch.label * (1 - smoothing) + smoothing / 2, 0.0)
    # a weight on the pixel, not on one half of its sum: the minimum of a shore pixel stays at its coverage
    values = (1 + (water_weight - 1) * batch.label) * cross_entropy(batch.logits, label)
    return torch.where(batch.judged, values, 0.0)


def hardest_mean(values: Tensor, batch: Judgement, keep: float, floor: int) -> Tensor:
    """Mean of the hardest judged pixels of the whole batch: K = min(N, max(floor, ceil(keep * N))) of N."""
    trusted = (values * batch.weight[:, None, None, None]).flatten()
    count = batch.judged.sum()
    kept = (keep * count).ceil().clamp_min(floor).minimum(count)
    ranked = torch.where(batch.judged.flatten(), trusted, -1.0).sort(descending=True).values
    # ranks instead of topk: K depends on the data and would stop the accelerator to be read
    among = torch.arange(len(ranked), device=ranked.device) < kept
    return torch.where(among, ranked, 0.0).sum() / kept.clamp_min(1)


def focal(batch: Judgement, alpha: float, gamma: float) -> Tensor:
    """Mean over judged pixels of alpha_t |y - p|^gamma CE, which for labels of 0 and 1 is the focal loss."""
    share = alpha * batch.label + (1 - alpha) * (1 - batch.label)
    # a power below 2 has no slope at 0
    distance = (batch.label - batch.probability).abs().clamp_min(1e-8)
    values = share * distance**gamma * cross_entropy(batch.logits, batch.label)
    return _pixel_mean(torch.where(batch.judged, values, 0.0), batch)


def dice(batch: Judgement) -> Tensor:
    """1 - Dice of every image, then their mean."""
    missed = (batch.probability - batch.label).abs().sum(_IMAGE)
    total = (batch.probability + batch.label).sum(_IMAGE)
    return image_mean(missed / (total + _SMOOTH), batch)


def tversky(batch: Judgement, alpha: float, beta: float) -> Tensor:
    """1 - Tversky of every image, then their mean; alpha weighs false water, beta missed water."""
    hit = torch.minimum(batch.probability, batch.label).sum(_IMAGE)
    false = (batch.probability - batch.label).clamp_min(0.0).sum(_IMAGE)
    missed = (batch.label - batch.probability).clamp_min(0.0).sum(_IMAGE)
    wrong = alpha * false + beta * missed
    return image_mean(wrong / (hit + wrong + _SMOOTH), batch)


def generalised_dice(batch: Judgement) -> Tensor:
    """1 - Dice over lake and background weighted by 1 / share^2 in every image (https://arxiv.org/abs/1707.03237), then their mean.

    The weights are of shares, the larger one is scaled to 1 and nothing is added to or clamped in the fraction, so an image and the
    same image at twice its size have the same loss; a class without a pixel takes the weight of the other.
    """
    water, dry = batch.label.sum(_IMAGE), torch.where(batch.judged, 1 - batch.label, 0.0).sum(_IMAGE)
    rarer = torch.minimum(water, dry)
    balanced = rarer < 1.0
    for_water = torch.where(balanced, 1.0, (rarer / water.clamp_min(1e-6)) ** 2)
    for_dry = torch.where(balanced, 1.0, (rarer / dry.clamp_min(1e-6)) ** 2)
    # |p - y| is the same on lake and background
    missed = (batch.probability - batch.label).abs().sum(_IMAGE) * (for_water + for_dry)
    background = torch.where(batch.judged, 1 - batch.probability, 0.0).sum(_IMAGE)
    total = for_water * (batch.probability.sum(_IMAGE) + water) + for_dry * (background + dry)
    return image_mean(missed / torch.where(total > 0, total, 1.0), batch)


def lovasz_hinge(batch: Judgement) -> Tensor:
    """Lovász hinge of every image (https://arxiv.org/abs/1705.08790), then their mean; a lake is where the label reaches a half.

    The margin of a pixel is 1, or the logit of its label where that is nearer: nothing asks for certainty about a shore pixel.
    """
    water = (batch.label >= 0.5).float() * batch.judged
    margin = torch.logit(batch.label, eps=1e-6).abs().clamp_max(1.0)
    errors = torch.where(batch.judged, margin - batch.logits * (2 * water - 1), -1.0).flatten(1)  # (B, y * x)
    ranked, order = errors.sort(dim=1, descending=True)
    slope = _jaccard_slope(water.flatten(1).gather(1, order))
    return image_mean((ranked.relu() * slope).sum(1), batch)


def boundary(batch: Judgement, distance: Tensor, clip_px: float) -> Tensor:
    """Mean over judged pixels of |p - y| times the distance from the shore, clipped and scaled to 0..1.

    For labels of 0 and 1 this is the boundary loss (https://arxiv.org/abs/1812.07032) less its least value, so it cannot fall below 0.
    """
    far = torch.where(batch.judged, distance.float().abs().clamp_max(clip_px) / clip_px, 0.0)
    return _pixel_mean(far * (batch.probability - batch.label).abs(), batch)


def image_mean(values: Tensor, batch: Judgement) -> Tensor:
    """Mean over the images with a judged pixel of a (B,) value times the trust in the image; 0 with a gradient when there is none."""
    seen = batch.judged.any(dim=3).any(dim=2).any(dim=1)
    return torch.where(seen, values * batch.weight, 0.0).sum() / seen.sum().clamp_min(1)


def _pixel_mean(values: Tensor, batch: Judgement) -> Tensor:
    return (values.sum(_IMAGE) * batch.weight).sum() / batch.judged.sum().clamp_min(1)


def _jaccard_slope(water: Tensor) -> Tensor:
    """(B, n), how much each further wrong pixel, hardest first, adds to the Jaccard loss."""
    total = water.sum(1, keepdim=True)
    intersection = total - water.cumsum(1)
    union = total + (1 - water).cumsum(1)
    jaccard = 1 - intersection / union.clamp_min(1.0)
    return torch.cat([jaccard[:, :1], jaccard[:, 1:] - jaccard[:, :-1]], dim=1)
