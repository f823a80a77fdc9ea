"""Chips to what a network sees: the same pixels as in the cube, and the same batch for the same generator."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.bands import s2_index
from catalog.facts.causes import Cause
from catalog.facts.detector_cards import DetectorConfig, DetectorStatistics
from models.detector.augment import NONE, RANDOMISED
from models.detector.modalities import HALO_PX, crop, images_of, standardise
from models.detector.samples import SampleOptions, chip_arrays, training_batch, validation_windows
from models.detector.slumps import no_slumps
from models.detector.targets import TargetOptions
from tests.slump_chips import ORIGIN, blob, chips, slumps

ALL = ("rgb", "ndvi", "nir", "topo")
CONFIG = DetectorConfig(modalities=ALL, window_px=112)
NUMBERS = DetectorStatistics(
    "test", {"rgb": (0.5,) * 3, "ndvi": (0.5,), "nir": (0.5,), "topo": (0.5, 0.1)},
    {"rgb": (0.2,) * 3, "ndvi": (0.2,), "nir": (0.2,), "topo": (0.1, 0.1)},
)  # fmt: skip
ORIGINS = np.array([ORIGIN, (ORIGIN[0] + 500, ORIGIN[1])])
OWN = [slumps(blob(60, 60, 10), blob(150, 100, 10)), no_slumps()]


def drawn(seed: int = 0, options: SampleOptions | None = None, config: DetectorConfig = CONFIG):
    generator = torch.Generator().manual_seed(seed)
    return training_batch(chips(2), OWN, ORIGINS, config, NUMBERS, options or SampleOptions(RANDOMISED), generator)


def test_validation_windows_show_what_the_whole_chip_shows():
    batch = chips(2)
    found = validation_windows(batch, OWN, ORIGINS, CONFIG, NUMBERS, TargetOptions())
    assert len(found) == 8
    whole, valid = images_of(torch.from_numpy(batch.s2.astype(np.float32)), torch.from_numpy(batch.dem), ALL)
    shown, _ = standardise(whole, valid, NUMBERS)
    for number, frame in enumerate(found.frames):
        chip = number // 4
        y, x = (int(start - corner) for start, corner in zip(frame.origin_yx, ORIGINS[chip], strict=True))
        for name in ALL:
            expected = shown[name][chip, :, y : y + 112, x : x + 112]
            assert torch.allclose(found.images[name][number], expected, atol=2e-5), name
    assert [len(target) for target in found.targets] == [1, 1, 0, 0, 0, 0, 0, 0]
    assert bool(found.present.all())


def test_an_unchanged_training_window_is_a_window_of_the_chip():
    found = drawn(options=SampleOptions(NONE))
    batch = chips(2)
    for chip, frame in enumerate(found.frames):
        y, x = (int(start - corner) for start, corner in zip(frame.origin_yx, ORIGINS[chip], strict=True))
        nir = batch.s2[chip, s2_index("B08"), y : y + 112, x : x + 112] * 1e-4
        expected = ((torch.from_numpy(nir).clamp(-0.1, 0.5) + 0.1) / 0.6 - 0.5) / 0.2
        assert torch.allclose(found.images["nir"][chip, 0], expected.float(), atol=1e-5)
    assert len(found.targets[0]) >= 1


def test_a_batch_is_the_generators_alone():
    first, again, other = drawn(1), drawn(1), drawn(2)
    assert first.frames == again.frames != other.frames
    for name in ALL:
        assert torch.equal(first.images[name], again.images[name])
    assert torch.equal(first.present, again.present)
    assert all(torch.equal(a.masks, b.masks) for a, b in zip(first.targets, again.targets, strict=True))


def test_shapes_and_types_are_those_of_the_network():
    found = drawn()
    assert {name: tuple(image.shape) for name, image in found.images.items()} == {
        "rgb": (2, 3, 112, 112), "ndvi": (2, 1, 112, 112), "nir": (2, 1, 112, 112), "topo": (2, 2, 112, 112),
    }  # fmt: skip
    assert all(image.dtype == torch.float32 for image in found.images.values())
    assert all(bool(torch.isfinite(image).all()) for image in found.images.values())
    assert found.present.shape == (2, 3)
    assert found.targets[0].masks.shape[1:] == (224, 224)
    alone = drawn(config=replace(CONFIG, modalities=("nir",)))
    assert alone.present.shape == (2, 0)


def test_pixels_that_are_not_usable_are_not_shown_and_their_slumps_not_asked_for():
    batch = chips(1)
    batch.cause[:, 40:80, 40:80] = Cause.CLOUD
    batch.dem[:, 5] = np.nan
    optics, dem = chip_arrays(batch, needs_heights=True)
    assert bool(torch.isnan(optics[0, :, 40:80, 40:80]).all())
    assert int(torch.isnan(optics).sum()) == 4 * 40 * 40
    assert int(torch.isnan(dem).sum()) == 224
    found = validation_windows(batch, OWN[:1], ORIGINS[:1], CONFIG, NUMBERS, TargetOptions())
    assert bool((found.images["rgb"][0, :, 40:80, 40:80] == 0).all())
    assert not found.seen[0, 40:80, 40:80].any()
    assert [len(target) for target in found.targets] == [0, 1, 0, 0]
    assert len(found.targets[0].ignore_boxes) == 1


def test_slopes_do_not_change_with_the_scale():
    x = np.mgrid[:224, :224][1] * 10.0
    batch = replace(chips(2), dem=np.repeat((0.3 * x).astype(np.float32)[None], 2, 0))
    options = SampleOptions(replace(NONE, scale=1.0, scale_low=1.3, scale_high=1.3, dihedral=True))
    found = training_batch(batch, [no_slumps()] * 2, ORIGINS, CONFIG, NUMBERS, options, torch.Generator().manual_seed(0))
    slope = found.images["topo"][:, 1] * 0.1 + 0.1
    inner = slope[:, HALO_PX:-HALO_PX, HALO_PX:-HALO_PX]
    assert torch.allclose(inner, torch.full_like(inner, np.degrees(np.arctan(0.3)) / 90), atol=1e-3)


def test_a_window_as_large_as_the_chip_works_at_every_scale():
    config = replace(CONFIG, window_px=224)
    for scale in (0.75, 1.0, 1.33):
        options = SampleOptions(replace(NONE, scale=1.0, scale_low=scale, scale_high=scale))
        found = drawn(options=options, config=config)
        assert found.images["rgb"].shape == (2, 3, 224, 224)
        assert found.seen.float().mean() == pytest.approx(min(scale, 1) ** 2, abs=0.03)
        assert crop(found.images, 0).keys() == found.images.keys()
