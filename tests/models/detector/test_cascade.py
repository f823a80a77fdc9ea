"""Boxes: which are slumps at which stage, what is not asked about, and the codes of boxes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from models.detector.cascade import OVERLAPS, WEIGHTS, BoxCascade
from models.detector.matching import BACKGROUND, NOT_ASKED, SLUMP, BoxCode, clip, ignored_share, join, match, match_anchors, sample
from models.detector.pooling import level_of, pool
from models.detector.proposals import STRIDES, Proposed, anchors_of
from models.detector.targets import Target
from tests.models.detector.drawn_slumps import NANO, target_of_masks

SIDE = 128
SLUMP_BOX = (40, 40, 80, 80)


def test_each_stage_asks_for_a_better_overlap() -> None:
    truth = join([_target(SLUMP_BOX)], torch.device("cpu"))
    # a box as high as the slump and narrower by the same corner has its share of the width as IoU
    boxes = torch.tensor([[40.0, 40.0, 40 + 40 * iou, 80.0] for iou in (0.45, 0.55, 0.65, 0.75)])
    found = [int((match(boxes, _zeros(boxes), truth, overlap).label == SLUMP).sum()) for overlap in OVERLAPS]
    assert found == [3, 2, 1]


def test_stages_see_the_boxes_that_the_one_before_moved_and_no_new_ones() -> None:
    torch.manual_seed(0)
    cascade = BoxCascade(replace(NANO, rois_per_image=16))
    for number, head in enumerate(cascade.heads):
        torch.nn.init.zeros_(head.code.weight)
        # 40 px wide: moved right by 2 px, then by 1 px
        head.code.bias.data = torch.tensor([WEIGHTS[number][0] * (0.05, 0.025, 0.0)[number], 0, 0, 0])
    truth = join([_target(SLUMP_BOX)], torch.device("cpu"))
    proposed = Proposed(torch.tensor([[50.0, 40.0, 90.0, 80.0]]), torch.zeros(1, dtype=torch.int64))
    _, stages = cascade.losses(_levels(), proposed, truth)
    assert [stage.boxes[:, 0].tolist() for stage in stages] == [
        pytest.approx([50, 40]),
        pytest.approx([52, 42]),
        pytest.approx([53, 43]),
    ]
    assert [stage.label.tolist() for stage in stages] == [[SLUMP, SLUMP], [BACKGROUND, SLUMP], [BACKGROUND, SLUMP]]


def test_scores_are_the_mean_of_what_the_stages_say() -> None:
    torch.manual_seed(0)
    cascade = BoxCascade(NANO).eval()
    proposed = Proposed(torch.tensor([[20.0, 20.0, 60.0, 50.0], [70.0, 30.0, 90.0, 60.0]]), torch.zeros(2, dtype=torch.int64))
    levels = _levels()
    boxes, said = proposed.boxes, []
    with torch.no_grad():
        given, scores, _ = cascade.detect(levels, proposed)
        for number, code in enumerate(cascade.codes):
            logits, codes = cascade.judge(number, levels, boxes, proposed.image)
            said.append(logits.softmax(1)[:, 1])
            boxes, _ = clip(code.decode(codes, boxes), SIDE)
    assert torch.allclose(scores, torch.stack(said).mean(0), atol=1e-6)
    assert torch.allclose(given, boxes, atol=1e-5)


def test_features_hear_a_third_of_every_stage() -> None:
    torch.manual_seed(0)
    cascade = BoxCascade(NANO)
    boxes, image = torch.tensor([[20.0, 20.0, 60.0, 50.0]]), torch.zeros(1, dtype=torch.int64)
    levels = [level.requires_grad_() for level in _levels()]
    cascade.judge(0, levels, boxes, image)[0].sum().backward()
    heard = levels[0].grad
    assert heard is not None
    again = [level.detach().requires_grad_() for level in levels]
    cascade.heads[0](pool(again, boxes, image, 7))[0].sum().backward()
    assert torch.allclose(3 * heard, again[0].grad, atol=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_codes_of_boxes_lead_back_to_them(weights: tuple[float, float, float, float]) -> None:
    corners = torch.rand((50, 2, 2), generator=torch.Generator().manual_seed(0)) * 60
    boxes, references = (torch.cat([low, low + 4 + size], 1) for low, size in (corners.unbind(1), corners.flip(0).unbind(1)))
    code = BoxCode(weights)
    assert float((code.decode(code.encode(boxes, references), references) - boxes).abs().max()) < 1e-4


def test_boxes_that_cover_nothing_are_dropped_and_no_box_at_all_is_no_error() -> None:
    _, covers = clip(torch.tensor([[5.0, 5.0, 5.0, 9.0], [-9.0, 0.0, -2.0, 9.0], [0.0, 0.0, 3.0, 3.0]]), SIDE)
    assert covers.tolist() == [False, False, True]
    torch.manual_seed(0)
    cascade = BoxCascade(NANO)
    nothing = Proposed(torch.zeros((0, 4)), torch.zeros(0, dtype=torch.int64))
    losses, _ = cascade.losses(_levels(), nothing, join([_target()], torch.device("cpu")))
    assert all(float(loss.detach()) == 0 for loss in losses.values())
    assert [len(part) for part in cascade.eval().detect(_levels(), nothing)] == [0, 0, 0]


def test_what_lies_on_ignored_ground_is_neither_right_nor_wrong() -> None:
    ground = np.zeros((SIDE, SIDE), bool)
    ground[:, 90:] = True
    target = replace(_target(SLUMP_BOX, ignore=ground), ignore_boxes=torch.tensor([[0.0, 0.0, 20.0, 20.0]]))
    boxes = torch.tensor(
        [[80.0, 0, 100, 20], [79.0, 0, 100, 20], [40.0, 40, 80, 80], [5.0, 5, 15, 15], [10.0, 10, 30, 30], [88.5, 3, 92, 9]]
    )
    assert ignored_share(boxes, target).tolist() == pytest.approx([0.5, 10 / 21, 0, 1, 0.25, 2 / 3.5], abs=1e-5)
    truth = join([target], torch.device("cpu"))
    labels = match(boxes, _zeros(boxes), truth, 0.5).label.tolist()
    assert labels == [NOT_ASKED, BACKGROUND, SLUMP, NOT_ASKED, BACKGROUND, NOT_ASKED]
    drawn = sample(match(boxes, _zeros(boxes), truth, 0.5).label, _zeros(boxes), 1, 16, 0.25)
    assert sorted(drawn.tolist()) == [1, 2, 4]
    anchors = match_anchors(boxes, truth, 0, (0.3, 0.7)).label.tolist()
    assert anchors == labels


def test_a_slump_on_ignored_ground_is_still_a_slump() -> None:
    target = _target(SLUMP_BOX, ignore=np.ones((SIDE, SIDE), bool))
    boxes = torch.tensor([list(map(float, SLUMP_BOX))])
    assert match(boxes, _zeros(boxes), join([target], torch.device("cpu")), 0.5).label.tolist() == [SLUMP]


def test_boxes_are_matched_to_slumps_of_their_own_window() -> None:
    truth = join([_target(), _target((0, 0, 20, 20), SLUMP_BOX)], torch.device("cpu"))
    boxes = torch.tensor([list(map(float, SLUMP_BOX))] * 2)
    matches = match(boxes, torch.tensor([0, 1]), truth, 0.5)
    assert matches.label.tolist() == [BACKGROUND, SLUMP]
    assert matches.index[1] == 1


def test_every_slump_has_an_anchor_however_small() -> None:
    anchors = torch.cat(anchors_of((16, 32, 64, 128, 256), SIDE))
    truth = join([_target((61, 61, 65, 65))], torch.device("cpu"))
    assert int((match_anchors(anchors, truth, 0, (0.3, 0.7)).label == SLUMP).sum()) > 0


def test_anchors_lie_at_their_true_strides() -> None:
    levels = anchors_of((16, 32, 64, 128, 256), 224)
    assert [len(level) for level in levels] == [3 * side**2 for side in (56, 28, 14, 7, 4)]
    for level, stride in zip(levels, STRIDES, strict=True):
        middles = ((level[:, 0] + level[:, 2]) / 2).unique()
        assert torch.equal(middles.diff(), torch.full((len(middles) - 1,), float(stride)))


def test_small_boxes_are_pooled_from_fine_levels_and_where_they_are() -> None:
    sides = torch.tensor([8.0, 111.0, 113.0, 225.0, 500.0])
    assert level_of(torch.stack([sides * 0, sides * 0, sides, sides], 1)).tolist() == [0, 0, 1, 2, 3]
    ramp = (torch.arange(32) + 0.5).repeat(32, 1)[None, None] * 4  # the x of every cell, network px
    boxes = torch.tensor([[20.0, 40.0, 48.0, 68.0], [60.0, 8.0, 74.0, 22.0]])
    pooled = pool([ramp, ramp, ramp, ramp], boxes, _zeros(boxes), 7)
    assert pooled[0, 0, 0].tolist() == pytest.approx([22, 26, 30, 34, 38, 42, 46], abs=1e-4)
    assert pooled[1, 0, 3].tolist() == pytest.approx([61, 63, 65, 67, 69, 71, 73], abs=1e-4)


def _levels() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn((1, NANO.channels, SIDE // stride, SIDE // stride), generator=generator) for stride in STRIDES[:4]]


def _target(*boxes: tuple[int, int, int, int], ignore: np.ndarray | None = None) -> Target:
    masks = np.zeros((len(boxes), SIDE, SIDE), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = True
    return target_of_masks(masks, ignore=ignore)


def _zeros(boxes: Tensor) -> Tensor:
    return torch.zeros(len(boxes), dtype=torch.int64)
