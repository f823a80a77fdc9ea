"""Masks of boxes: the way from a slump to a target and back keeps its shape and its area."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torchvision.models.detection.roi_heads import paste_masks_in_image, project_masks_on_boxes

from models.detector.masks import mask_loss, mask_targets
from models.detector.paste import paste
from tests.models.detector.drawn_slumps import target_of_masks

SIDE = 64


@pytest.mark.parametrize("side", [6, 8, 16, 40])
def test_a_mask_comes_back_as_it_was(side: int) -> None:
    masks = _blobs(side, 60)
    target = target_of_masks(masks)
    cells = mask_targets(target.masks, torch.arange(len(masks)), target.boxes)
    back = paste(cells.numpy(), target.boxes.numpy(), (0, 0), (SIDE, SIDE)) >= 0.5
    likeness, bias = _likeness_and_bias(back, masks)
    assert likeness >= 0.96
    assert abs(bias) <= 0.03


def test_the_stock_way_inflates_a_slump_of_eight_pixels_by_a_fifth() -> None:
    masks = _blobs(8, 60)
    target = target_of_masks(masks)
    inclusive = target.boxes - torch.tensor([0.0, 0.0, 1.0, 1.0])  # as masks_to_boxes has them
    cells = project_masks_on_boxes(target.masks, inclusive, torch.arange(len(masks)), 28)
    back = paste_masks_in_image(cells[:, None], inclusive, (SIDE, SIDE))[:, 0].numpy() >= 0.5
    likeness, bias = _likeness_and_bias(back, masks)
    assert likeness < 0.9
    assert bias > 0.1


@pytest.mark.parametrize("shift", [0.25, 0.5, 3.4])
def test_a_box_between_pixels_covers_the_pixels_whose_middle_it_holds(shift: float) -> None:
    box = np.array([[10 + shift, 20 + shift, 18 + shift, 30 + shift]], np.float32)
    pasted = paste(np.ones((1, 28, 28), np.float32), box, (0, 0), (SIDE, SIDE))[0]
    middles = np.arange(SIDE) + 0.5
    inside = lambda low, high: (middles > low) & (middles < high)  # noqa: E731
    assert np.array_equal(pasted > 0.5, inside(box[0, 1], box[0, 3])[:, None] & inside(box[0, 0], box[0, 2])[None])


def test_pasting_is_bilinear_sampling_in_continuous_coordinates() -> None:
    rng = np.random.default_rng(0)
    masks, boxes = rng.random((3, 28, 28), np.float32), np.array([[3.2, 7.9, 41.1, 30.4], [20, 20, 28, 28], [0, 0, 64, 64]], np.float32)
    middles = torch.arange(SIDE) + 0.5
    for mask, box, pasted in zip(masks, boxes, paste(masks, boxes, (0, 0), (SIDE, SIDE)), strict=True):
        x, y = ((middles - box[low]) / (box[low + 2] - box[low]) * 2 - 1 for low in (0, 1))
        grid = torch.stack([x[None].expand(SIDE, -1), y[:, None].expand(-1, SIDE)], -1)[None].float()
        sampled = functional.grid_sample(torch.tensor(mask)[None, None], grid, padding_mode="border", align_corners=False)[0, 0]
        inside = (x.abs() < 1)[None] & (y.abs() < 1)[:, None]
        assert np.allclose(pasted, torch.where(inside, sampled, 0.0).numpy(), atol=1e-5)


def test_a_part_of_the_ground_is_cut_from_the_whole() -> None:
    masks, boxes = (
        np.random.default_rng(0).random((2, 28, 28), np.float32),
        np.array([[3.2, 7.9, 41.1, 30.4], [30, 20, 60, 60]], np.float32),
    )
    whole = paste(masks, boxes, (0, 0), (SIDE, SIDE))
    assert np.array_equal(paste(masks, boxes, (12, 25), (20, 30)), whole[:, 12:32, 25:55])
    assert paste(masks[:0], boxes[:0], (0, 0), (8, 8)).shape == (0, 8, 8)


def test_targets_keep_the_doubt_of_the_labelers() -> None:
    masks = torch.zeros((1, SIDE, SIDE))
    masks[0, 10:30, 10:20], masks[0, 10:30, 20:30] = 1.0, 0.5
    cells = mask_targets(masks, torch.zeros(1, dtype=torch.int64), torch.tensor([[10.0, 10.0, 30.0, 30.0]]))[0]
    assert torch.allclose(cells[2:-2, 2:12], torch.ones(())) and torch.allclose(cells[2:-2, 16:-2], torch.tensor(0.5))


def test_the_loss_of_no_masks_is_zero_and_of_uncertain_ones_smaller() -> None:
    logits, wanted = torch.randn((2, 28, 28), generator=torch.Generator().manual_seed(0)), torch.ones((2, 28, 28))
    assert float(mask_loss(logits[:0], wanted[:0], torch.zeros(0))) == 0
    whole = float(mask_loss(logits, wanted, torch.ones(2)))
    assert float(mask_loss(logits, wanted, torch.full((2,), 0.25))) == pytest.approx(whole / 4)


def _blobs(side: int, count: int) -> NDArray[np.bool_]:
    """Uneven shapes of about `side` pixels at odd places."""
    rng = np.random.default_rng(side)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    drawn = []
    for _ in range(count):
        cy, cx = SIDE / 2 + rng.uniform(-0.5, 0.5, 2)
        radius = side / 2 * (0.85 + 0.15 * np.sin(np.arctan2(y - cy, x - cx) * rng.integers(2, 5) + rng.uniform(0, 6)))
        drawn.append(np.hypot(y - cy, x - cx) <= radius)
    return np.stack(drawn)


def _likeness_and_bias(back: NDArray[np.bool_], masks: NDArray[np.bool_]) -> tuple[float, float]:
    axes = (1, 2)
    likeness = (back & masks).sum(axes) / (back | masks).sum(axes)
    return float(likeness.mean()), float((back.sum(axes) / masks.sum(axes)).mean() - 1)
