"""A network run in passes gives the same logits whatever fits a pass, undoes its flips, and is shown only what a window holds."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from catalog.facts.errors import GpuOutOfMemory
from models.segmenter.normalise import DEM, MODALITIES, S1, S2, TERRAMIND, NetworkInput
from models.segmenter.passes import FLIPS, NOTHING_SEEN, InferenceOptions, Passes, averaged
from models.segmenter.samples import Scenery, scenery_of

SIDE = 32
ON_CPU = torch.device("cpu")


class Seen(list[tuple[frozenset[str], int]]):
    """Which modalities came with how many images; copies of a network write into the same list."""

    def __deepcopy__(self, memo: dict[int, object]) -> "Seen":
        return self


class Small(nn.Module):
    """A convolution over whatever modalities are given; fails like a full memory above `limit` images."""

    def __init__(self, limit: int = 1000, error: type[Exception] = torch.OutOfMemoryError) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.of = nn.ModuleDict({name: nn.Conv2d(bands, 1, 5, padding=2) for name, bands in ((S2, 12), (S1, 2), (DEM, 1))})
        self.limit, self.error, self.seen = limit, error, Seen()

    def forward(self, given: NetworkInput) -> Tensor:
        count = len(next(iter(given.images.values())))
        if count > self.limit:
            raise self.error("not enough memory")
        self.seen.append((frozenset(given.images), count))
        logits: Tensor = torch.stack([self.of[name](image) for name, image in given.images.items()]).sum(dim=0)
        return logits


class Ramp(nn.Module):
    """Answers with where a pixel lies in the image, whatever the image shows."""

    def forward(self, given: NetworkInput) -> Tensor:
        images = next(iter(given.images.values()))
        place = torch.arange(SIDE * SIDE, dtype=images.dtype).reshape(1, 1, SIDE, SIDE)
        return place.expand(len(images), 1, SIDE, SIDE)


def scenery(count: int = 3, seed: int = 0) -> Scenery:
    rng = np.random.default_rng(seed)
    s2 = rng.integers(1, 6000, (count, 12, SIDE, SIDE)).astype(np.uint16)
    s1 = rng.normal(-12, 4, (count, 2, SIDE, SIDE)).astype(np.float32)
    return scenery_of(s2, s1, rng.normal(4000, 300, (count, SIDE, SIDE)).astype(np.float32), ON_CPU)


def blinded(seen: Scenery, window: int, *, s2: bool = False, s1: bool = False, dem: bool = False) -> Scenery:
    """The scenery without some modalities of one window."""

    def without(array: Tensor) -> Tensor:
        array = array.clone()
        array[window] = 0
        return array

    for name, gone in (("s2", s2), ("s1", s1), ("dem", dem)):
        if gone:
            seen = replace(seen, **{name: without(getattr(seen, name)), f"{name}_valid": without(getattr(seen, f"{name}_valid"))})
    return seen


def one_by_one(network: nn.Module, seen: Scenery) -> Tensor:
    single = Passes(network, InferenceOptions(dtype="float32", flips=False, images_per_pass=1))
    return single.members(seen, TERRAMIND, MODALITIES)[0]


def flipped(seen: Scenery, dims: tuple[int, ...]) -> Scenery:
    return Scenery(*(getattr(seen, name).flip(dims) for name in ("s2", "s1", "dem", "s2_valid", "s1_valid", "dem_valid")))


def test_the_mean_over_flips_is_the_mean_of_four_single_passes_turned_back() -> None:
    seen, network = scenery(), Small().eval()
    members = Passes(network, InferenceOptions(dtype="float32")).members(seen, TERRAMIND, MODALITIES)
    single = torch.stack([one_by_one(network, flipped(seen, dims) if dims else seen).flip(dims) for dims in FLIPS])
    torch.testing.assert_close(members, single, atol=1e-5, rtol=0)
    mean, spread = averaged(members, 1.7)
    torch.testing.assert_close(mean, single.mean(dim=0), atol=1e-5, rtol=0)
    np.testing.assert_allclose(spread, np.std(torch.sigmoid(single / 1.7).numpy(), axis=0), atol=1e-5)
    assert 0 <= spread.min() < spread.max() <= 0.5


def test_flips_go_through_the_network_together() -> None:
    network = Small().eval()
    Passes(network, InferenceOptions(dtype="float32", images_per_pass=8)).members(scenery(4), TERRAMIND, MODALITIES)
    assert network.seen == [(frozenset(MODALITIES), 8)] * 2


def test_every_flip_is_undone_at_its_own_place() -> None:
    members = Passes(Ramp(), InferenceOptions(dtype="float32")).members(scenery(1), TERRAMIND, MODALITIES)[:, 0]
    ramp = torch.arange(SIDE * SIDE, dtype=torch.float32).reshape(SIDE, SIDE)
    for member, wanted in zip(members, (ramp, ramp.fliplr(), ramp.flipud(), ramp.flip(0, 1)), strict=True):
        assert torch.equal(member, wanted)


@dataclass(frozen=True)
class Case:
    images: int
    flips: bool


@pytest.mark.parametrize("case", [Case(1, False), Case(2, False), Case(5, False), Case(4, True), Case(8, True), Case(3, True)])
def test_logits_do_not_depend_on_what_fits_a_pass(case: Case) -> None:
    seen, network = scenery(5), Small().eval()
    whole = Passes(network, InferenceOptions(dtype="float32", flips=case.flips, images_per_pass=20)).members(seen, TERRAMIND, MODALITIES)
    parts = Passes(network, InferenceOptions(dtype="float32", flips=case.flips, images_per_pass=case.images))
    torch.testing.assert_close(parts.members(seen, TERRAMIND, MODALITIES), whole, atol=1e-5, rtol=0)


def test_the_last_pass_has_the_shape_of_the_others() -> None:
    network = Small().eval()
    Passes(network, InferenceOptions(dtype="float32", flips=False, images_per_pass=2)).members(scenery(5), TERRAMIND, MODALITIES)
    assert [count for _, count in network.seen] == [2, 2, 2]


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError])
@pytest.mark.parametrize("flips", [True, False])
def test_full_memory_halves_the_pass_for_good_and_changes_nothing(error: type[Exception], flips: bool) -> None:
    seen, network = scenery(9), Small(limit=2, error=error).eval()
    passes = Passes(network, InferenceOptions(dtype="float32", flips=flips, images_per_pass=16))
    members = passes.members(seen, TERRAMIND, MODALITIES)
    assert passes.images == 2
    roomy = Passes(Small().eval(), InferenceOptions(dtype="float32", flips=flips)).members(seen, TERRAMIND, MODALITIES)
    torch.testing.assert_close(members, roomy, atol=1e-5, rtol=0)


def test_one_image_that_does_not_fit_is_an_error_with_a_way_out() -> None:
    with pytest.raises(GpuOutOfMemory, match="smaller network"):
        Passes(Small(limit=0), InferenceOptions(dtype="float32")).members(scenery(), TERRAMIND, MODALITIES)


def test_an_error_that_is_not_of_memory_is_not_retried() -> None:
    passes = Passes(Small(limit=0, error=RuntimeError), InferenceOptions(dtype="float32"))
    with pytest.raises(RuntimeError, match="not enough memory"):
        passes.members(scenery(), TERRAMIND, MODALITIES)
    assert passes.images == 4


def test_a_modality_that_a_window_lacks_is_not_shown_for_that_window_alone() -> None:
    network = Small().eval()
    seen = blinded(scenery(4), 1, s2=True)
    members = Passes(network, InferenceOptions(dtype="float32", flips=False, images_per_pass=4)).members(seen, TERRAMIND, MODALITIES)
    assert sorted((sorted(names), count) for names, count in network.seen) == [(["DEM", "S1GRD"], 4), (sorted(MODALITIES), 4)]
    network.seen.clear()
    torch.testing.assert_close(members[0], one_by_one(network, seen), atol=1e-5, rtol=0)
    assert [names for names, _ in network.seen].count(frozenset({S1, DEM})) == 1


def test_a_window_without_anything_is_finite_and_dry() -> None:
    seen = blinded(scenery(3), 2, s2=True, s1=True, dem=True)
    members = Passes(Small().eval(), InferenceOptions(dtype="float32")).members(seen, TERRAMIND, MODALITIES)
    assert torch.isfinite(members).all()
    assert (members[:, 2] == NOTHING_SEEN).all()


def test_holes_within_a_window_leave_no_nan() -> None:
    rng = np.random.default_rng(2)
    s1 = rng.normal(-12, 4, (2, 2, SIDE, SIDE)).astype(np.float32)
    s1[:, :, :9] = np.nan
    dem = np.full((2, SIDE, SIDE), np.nan, np.float32)
    dem[:, 20:] = 3000
    seen = scenery_of(np.zeros((2, 12, SIDE, SIDE), np.uint16), s1, dem, ON_CPU)
    assert torch.isfinite(Passes(Small(), InferenceOptions()).members(seen, TERRAMIND, MODALITIES)).all()


def test_a_network_in_training_stays_in_training_and_in_its_format() -> None:
    network = Small().train()
    Passes(network, InferenceOptions(dtype="bfloat16")).members(scenery(), TERRAMIND, MODALITIES)
    assert network.training
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
