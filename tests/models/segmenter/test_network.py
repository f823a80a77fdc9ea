import itertools

import numpy as np
import pytest
import torch

from catalog.facts.cards import NetworkConfig
from catalog.facts.errors import BandsMissing
from models.segmenter.details import IndexRefiner, evidence, indices_of
from models.segmenter.network import LakeNetwork, build, parameter_count
from models.segmenter.normalise import DEM, MODALITIES, S1, S2, TERRAMIND, NetworkInput, standardise
from models.segmenter.optimizer import OptimizerOptions, parameter_groups
from models.segmenter.samples import Scenery, scenery_of

SIDE = 64


def scenery(count: int = 2, seed: int = 0) -> Scenery:
    rng = np.random.default_rng(seed)
    s2 = rng.integers(100, 4000, (count, 12, SIDE, SIDE)).astype(np.uint16)
    s1 = rng.normal(-12, 4, (count, 2, SIDE, SIDE)).astype(np.float32)
    dem = rng.normal(4000, 20, (count, SIDE, SIDE)).astype(np.float32)
    return scenery_of(s2, s1, dem, torch.device("cpu"))


def given(modalities=MODALITIES, seed: int = 0) -> NetworkInput:
    return standardise(scenery(seed=seed), TERRAMIND, modalities)


@pytest.fixture(scope="module")
def compact() -> LakeNetwork:
    torch.manual_seed(1)
    return build(NetworkConfig()).eval()


@pytest.fixture(scope="module")
def upernet() -> LakeNetwork:
    torch.manual_seed(1)
    return build(NetworkConfig(decoder="upernet", channels=32, detail=0, indices=False)).eval()


SUBSETS = [subset for size in (1, 2, 3) for subset in itertools.combinations(MODALITIES, size)]


@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_any_subset_of_modalities_gives_a_logit_per_pixel(compact, subset):
    with torch.inference_mode():
        logits = compact(given(subset))
    assert logits.shape == (2, 1, SIDE, SIDE)
    assert torch.isfinite(logits).all()


def test_every_modality_changes_the_answer(compact):
    with torch.inference_mode():
        answers = {subset: compact(given(subset)) for subset in (MODALITIES, (S1, DEM), (S2, DEM), (S2, S1))}
    whole = answers.pop(MODALITIES)
    assert all((answer - whole).abs().max() > 1e-3 for answer in answers.values())


def test_no_modality_is_refused(compact):
    with pytest.raises(BandsMissing, match="S2L2A"):
        compact(NetworkInput({}, {}, None, None))
    with pytest.raises(BandsMissing, match="at least one"):
        build(NetworkConfig(modalities=()))


def test_the_pyramid_is_built_once(upernet):
    # the published decoder builds a second pyramid on top of the neck's, and convolves 1024 bands at full resolution
    assert not upernet.decoder.scale_modules
    widths = []
    handle = upernet.decoder.fpn_bottleneck.register_forward_hook(lambda _, inputs, __: widths.append(tuple(inputs[0].shape)))
    with torch.inference_mode():
        upernet(given())
    handle.remove()
    assert widths == [(2, 4 * 32, SIDE // 4, SIDE // 4)]


def test_the_pyramid_has_strides_4_to_32(compact):
    shapes = []
    handle = compact.decoder.register_forward_hook(lambda _, inputs, __: shapes.extend(level.shape[-1] for level in inputs[0]))
    with torch.inference_mode():
        compact(given())
    handle.remove()
    assert shapes == [SIDE // 4, SIDE // 8, SIDE // 16, SIDE // 32]


def test_the_default_network_has_no_batch_statistics(compact):
    # a batch without optics would shift them for all others
    assert not [module for module in compact.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]


def test_the_index_head_starts_as_identity_and_learns():
    refiner, logits = IndexRefiner(), torch.randn(2, 1, SIDE, SIDE)
    assert torch.equal(refiner(logits, given()), logits)
    refiner(logits, given()).square().mean().backward()
    assert refiner.last.weight.grad.abs().max() > 0


def test_the_index_head_is_in_the_optimizer(compact):
    held = {id(parameter) for group in parameter_groups(compact, OptimizerOptions()) for parameter in group["params"]}
    assert all(id(parameter) in held for parameter in compact.indices.parameters())
    assert len(held) == len(list(compact.parameters()))


def test_indices_are_those_of_reflectance():
    reflectance = torch.zeros(1, 12, 1, 1)
    reflectance[0, 2], reflectance[0, 7], reflectance[0, 10] = 0.1, 0.05, 0.02
    ndwi, mndwi = indices_of(reflectance)[0, :, 0, 0]
    assert ndwi == pytest.approx(0.05 / 0.15, abs=0.01)
    assert mndwi == pytest.approx(0.08 / 0.12, abs=0.01)


def test_slopes_do_not_depend_on_the_height_of_the_ground():
    low, high = scenery(), scenery()
    high = Scenery(high.s2, high.s1, high.dem + 4000, high.s2_valid, high.s1_valid, high.dem_valid)
    first, second = (evidence(standardise(each, TERRAMIND, (DEM,))) for each in (low, high))
    assert torch.allclose(first[:, -4:], second[:, -4:], atol=2e-2)


def test_what_is_not_valid_is_zero_for_the_network():
    seen = scenery()
    seen.s2_valid[:, :, :10] = False
    holed = standardise(seen, TERRAMIND)
    assert holed.images[S2][:, :, :10].abs().max() == 0
    assert evidence(holed)[:, :15, :10].abs().max() == 0


def test_sizes_count_as_published():
    # CryoSentinel's large encoder: 302 M in blocks and 3.9 M in embeddings; its card's 1.1 B is not what is loaded
    count = parameter_count(NetworkConfig(backbone="terramind_v1_large"))
    assert 306e6 < count < 313e6
