"""A network as a detector of the pipeline: what it is shown, and that a window's answer depends on the window alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.causes import Cause
from catalog.facts.detector_cards import DetectorCard, DetectorConfig, DetectorStatistics
from catalog.facts.errors import GpuOutOfMemory, UnknownModel, WeightsUnfit, WrongCall
from models.detector.contract import Detector, check
from models.detector.detector import VERSION, TrainedDetector
from models.detector.loading import network_of, trained_detector
from models.detector.network import build
from models.detector.registry import detector_named
from models.segmenter.contract import WindowBatch

STATISTICS = DetectorStatistics(
    "a test",
    {"rgb": (0.3, 0.3, 0.3), "nir": (0.5,), "topo": (0.5, 0.1)},
    {"rgb": (0.1, 0.1, 0.1), "nir": (0.2,), "topo": (0.1, 0.1)},
)
CONFIG = DetectorConfig(
    backbone="mvitv2_nano",
    modalities=("rgb", "nir", "topo"),
    window_px=64,
    channels=32,
    head_convolutions=1,
    head_width=32,
    mask_convolutions=1,
    proposals=20,
)
CARD = DetectorCard("nano", "1", "Nano", "CC0-1.0", "nothing", "nobody", "1" * 64, CONFIG, STATISTICS, 32, score_floor=0.0)
SIDE = 84


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    # a fresh fusion gives the first modality alone
    return {
        name: tensor + 0.1 * torch.randn_like(tensor) if "fusion" in name else tensor for name, tensor in build(CONFIG).state_dict().items()
    }


@pytest.fixture(scope="module")
def detector(tensors) -> TrainedDetector:
    return trained_detector(CARD, tensors)


def batch(count: int, seed: int = 0) -> WindowBatch:
    rng = np.random.default_rng(seed)
    cause = np.where(rng.random((count, SIDE, SIDE)) < 0.1, Cause.CLOUD, Cause.USABLE).astype(np.uint8)
    s2 = rng.integers(500, 4000, (count, 12, SIDE, SIDE)).astype(np.uint16)
    dem = rng.normal(100, 5, (count, SIDE, SIDE)).astype(np.float32)
    return WindowBatch(np.zeros((count, 2), np.int64), cause, s2=s2, dem=dem)


def part(whole: WindowBatch, places: list[int]) -> WindowBatch:
    return WindowBatch(whole.origins_yx[places], whole.cause[places], s2=whole.s2[places], dem=whole.dem[places])


def same(one, other) -> bool:
    return len(one) == len(other) and all((getattr(one, name) == getattr(other, name)).all() for name in ("boxes", "scores", "masks"))


def test_it_is_a_detector_with_the_contract_of_its_card(detector):
    assert isinstance(detector, Detector)
    contract = detector.contract
    assert (contract.window_px, contract.stride_px, contract.halo_px, contract.up, contract.read_px) == (64, 32, 10, 2, 84)
    assert contract.bands("s2") == ("B02", "B03", "B04", "B08")
    assert contract.bands("dem") == ()
    assert detector.version == f"1.{VERSION}"
    check(contract, {"s2": ("B02", "B03", "B04", "B08")})


def test_answers_have_their_shapes_and_lie_in_the_window(detector):
    for found in detector.predict(batch(2)):
        assert len(found) > 0
        assert found.boxes.shape == (len(found), 4)
        assert found.masks.shape == (len(found), 28, 28)
        assert found.boxes.dtype == found.scores.dtype == found.masks.dtype == np.float32
        assert found.boxes.min() >= 0
        assert found.boxes.max() <= 128
        assert (np.diff(found.scores) <= 0).all()
        assert 0 <= found.masks.min() <= found.masks.max() <= 1


def test_a_window_gets_the_same_bytes_in_any_batch_and_nothing_is_remembered(detector):
    whole = batch(3)
    together = detector.predict(whole)
    for place in (2, 0, 1):
        (alone,) = detector.predict(part(whole, [place]))
        assert same(alone, together[place])
    assert all(same(a, b) for a, b in zip(detector.predict(part(whole, [1, 2, 0])), [together[1], together[2], together[0]], strict=True))


def test_what_lies_under_clouds_or_outside_the_region_is_not_looked_at(detector):
    whole = batch(1)
    before = detector.predict(whole)
    changed = WindowBatch(whole.origins_yx, whole.cause, s2=whole.s2.copy(), dem=whole.dem.copy())
    changed.s2[:, :, (whole.cause == Cause.CLOUD)[0]] = 9000
    assert same(detector.predict(changed)[0], before[0])
    outside = whole.cause.copy()
    outside[:, :30] = Cause.OUTSIDE_REGION
    one, other = whole.dem.copy(), whole.dem.copy()
    other[:, :30] = 5000
    answers = [detector.predict(WindowBatch(whole.origins_yx, outside, s2=whole.s2, dem=dem))[0] for dem in (one, other)]
    assert same(*answers)
    assert not same(answers[0], before[0])


def test_terrain_in_the_halo_is_seen_but_nothing_is_found_there(detector):
    whole = batch(1)
    other = whole.dem.copy()
    other[:, :10] += 300
    raised = detector.predict(WindowBatch(whole.origins_yx, whole.cause, s2=whole.s2, dem=other))[0]
    assert not same(raised, detector.predict(whole)[0])
    bright = whole.s2.copy()
    bright[:, :, :10] = 9000
    assert same(detector.predict(WindowBatch(whole.origins_yx, whole.cause, s2=bright, dem=whole.dem))[0], detector.predict(whole)[0])


def test_it_runs_without_elevation(detector):
    whole = batch(1)
    (found,) = detector.predict(WindowBatch(whole.origins_yx, whole.cause, s2=whole.s2))
    assert np.isfinite(found.scores).all()


def test_scores_below_the_floor_are_not_kept(tensors):
    whole = batch(1)
    (every,) = trained_detector(CARD, tensors).predict(whole)
    floor = float(np.median(every.scores))
    (kept,) = trained_detector(replace(CARD, score_floor=floor), tensors).predict(whole)
    assert len(kept) == (every.scores >= floor).sum() < len(every)


def test_a_network_in_training_is_left_alone(tensors):
    network = build(CONFIG).train()
    TrainedDetector(network, CARD)
    assert network.training


class Tight:
    """Takes the place of `detect` of a network; memory holds only so many windows."""

    def __init__(self, detect, most: int) -> None:
        self.detect, self.most, self.tried = detect, most, list[int]()

    def __call__(self, images, valid):
        count = len(next(iter(images.values())))
        self.tried.append(count)
        if count > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.detect(images, valid)


def test_full_memory_halves_the_pass_for_good_and_every_window_is_answered_once(tensors, detector, monkeypatch):
    tight = trained_detector(CARD, tensors)
    tight.windows_per_pass = 4
    memory = Tight(tight._network.detect, most=1)
    monkeypatch.setattr(tight._network, "detect", memory)
    whole = batch(3)
    assert all(same(a, b) for a, b in zip(tight.predict(whole), detector.predict(whole), strict=True))
    assert memory.tried == [4, 2, 1, 1, 1]
    assert tight.windows_per_pass == 1


def test_one_window_that_does_not_fit_is_an_error_with_a_way_out(tensors, monkeypatch):
    tight = trained_detector(CARD, tensors)
    monkeypatch.setattr(tight._network, "detect", Tight(tight._network.detect, most=0))
    with pytest.raises(GpuOutOfMemory, match="--cpu-fallback"):
        tight.predict(batch(1))


def test_tensors_fit_all_or_none(tensors):
    some = dict(list(tensors.items())[1:])
    with pytest.raises(WeightsUnfit, match="1 missing"):
        network_of(CARD, some)
    with pytest.raises(WeightsUnfit, match="1 unexpected"):
        network_of(CARD, tensors | {"more": torch.zeros(1)})


def test_statistics_that_cannot_be_are_refused(tensors):
    wrong = replace(STATISTICS, mean=STATISTICS.mean | {"nir": (2400.0,)})
    with pytest.raises(WeightsUnfit, match=r"means 0\.1 to 2400.*0 to 1.*Measure them again"):
        network_of(replace(CARD, statistics=wrong), tensors)


def test_a_device_that_is_not_here_and_a_name_that_nobody_knows(tensors):
    with pytest.raises(WrongCall, match="'tpu' was asked for"):
        trained_detector(CARD, tensors, "tpu")
    with pytest.raises(UnknownModel, match="did you mean 'slumps-tiny'"):
        detector_named("slump-tiny", lambda _: (CARD, tensors), shipped=("slumps-tiny",))
