"""What a detector sees: physical values, the same whatever the year, and never a number where nothing was measured."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.facts.bands import S2_NAMES, s2_index
from catalog.facts.detector_cards import DetectorStatistics
from catalog.facts.errors import BandsMissing, ChipsUnusable, WeightsUnfit
from models.detector.modalities import HALO_PX, crop, images_of, in_cube_order, measure_statistics, optics_of, standardise
from models.surface.optical import harmonise
from models.surface.terrain import slope_deg

ALL = ("rgb", "ndvi", "nir", "topo")


def counts(**bands: float) -> torch.Tensor:
    """One window of 4 x 4 with the same count everywhere; bands that are not named have none."""
    s2 = torch.zeros((1, 12, 4, 4))
    for name, value in bands.items():
        s2[:, s2_index(name)] = value
    return s2


def hills(size: int = 60, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] * 10.0
    return torch.from_numpy((300 + 8 * np.sin(x / 90) + 5 * np.cos(y / 70) + rng.normal(0, 0.2, (size, size))).astype(np.float32))[None]


def test_values_are_reflectance_clipped_to_0_1():
    images, valid = images_of(counts(B02=500, B03=800, B04=1100, B08=2000), None, ("rgb", "ndvi", "nir"))
    assert images["rgb"][0, :, 0, 0].tolist() == pytest.approx([0.21 / 0.6, 0.18 / 0.6, 0.15 / 0.6])
    assert float(images["nir"][0, 0, 0, 0]) == pytest.approx(0.3 / 0.6)
    assert float(images["ndvi"][0, 0, 0, 0]) == pytest.approx((0.9 / 3.1 + 1) / 2)
    assert all(bool(there.all()) for there in valid.values())
    bright, _ = images_of(counts(B02=9000, B03=9000, B04=9000, B08=9000), None, ("rgb", "nir"))
    assert float(bright["rgb"].max()) == 1.0


def test_a_camera_of_four_bands_is_enough():
    image = torch.arange(1, 8).float()[None, :, None, None].expand(1, 7, 4, 4) * 300
    names = ("B02", "B03", "B04", "B08", "pan", "B11", "B12")
    whole = in_cube_order(image, names)
    assert whole.shape == (1, len(S2_NAMES), 4, 4)
    images, valid = images_of(whole, None, ALL)
    expected, _ = images_of(counts(B02=300, B03=600, B04=900, B08=1200), None, ALL)
    assert all(torch.equal(images[name], expected[name]) for name in ALL)
    assert bool(valid["rgb"].all())
    assert not valid["topo"].any()


def test_bands_in_another_order_or_of_other_units_are_an_error():
    with pytest.raises(BandsMissing, match="there is no B08"):
        in_cube_order(torch.ones((1, 3, 4, 4)), ("B04", "B03", "B02"))
    with pytest.raises(BandsMissing, match="name every band once"):
        in_cube_order(torch.ones((1, 4, 4, 4)), ("B02", "B03", "B04"))
    with pytest.raises(ChipsUnusable, match="in the order B01, B02"):
        optics_of(torch.ones((1, 4, 8, 8)) * 800)
    with pytest.raises(ChipsUnusable, match="not reflectance"):
        images_of(torch.full((1, 12, 4, 4), 0.12), None, ("rgb",))
    # the darkest water there is has counts of 1
    assert bool(images_of(torch.ones((1, 12, 4, 4)), None, ("rgb",))[1]["rgb"].all())


def test_statistics_of_other_images_are_an_error():
    images, valid = images_of(counts(B02=500, B03=800, B04=1100, B08=2000), None, ("rgb", "nir"))
    fitting = DetectorStatistics("test", {"rgb": (0.3,) * 3, "nir": (0.4,)}, {"rgb": (0.1,) * 3, "nir": (0.1,)})
    assert standardise(images, valid, fitting)[0]["nir"].shape == (1, 1, 4, 4)
    with pytest.raises(WeightsUnfit, match="0 channels of 'nir'"):
        standardise(images, valid, DetectorStatistics("test", {"rgb": (0.3,) * 3}, {"rgb": (0.1,) * 3}))
    with pytest.raises(WeightsUnfit, match="1 channels of 'rgb'"):
        standardise(images, valid, DetectorStatistics("test", {"rgb": (0.3,), "nir": (0.4,)}, {"rgb": (0.1,), "nir": (0.1,)}))
    in_counts = DetectorStatistics("test", {"rgb": (900.0,) * 3, "nir": (2000.0,)}, {"rgb": (300.0,) * 3, "nir": (600.0,)})
    with pytest.raises(WeightsUnfit, match="measure them after"):
        standardise(images, valid, in_counts)
    with pytest.raises(WeightsUnfit, match="'heat' is not known"):
        images_of(counts(B04=1), None, ("heat",))


def test_what_was_not_measured_is_0_after_standardising_and_an_auxiliary_without_a_pixel_is_absent():
    s2 = counts(B02=500, B03=800, B04=1100, B08=2000).repeat(2, 1, 1, 1)
    s2[0, :, 0] = 0
    s2[1, s2_index("B08")] = 0
    images, valid = images_of(s2, None, ("rgb", "ndvi", "nir"))
    numbers = {"rgb": (0.1, 0.2, 0.3), "ndvi": (0.9,), "nir": (0.9,)}
    shown, present = standardise(images, valid, DetectorStatistics("test", numbers, numbers))
    assert all(bool((image[0, :, 0] == 0).all()) for image in shown.values())
    assert bool((shown["rgb"][:, :, 1:] != 0).all())
    assert present.tolist() == [[True, True], [False, False]]
    assert bool((shown["nir"][1] == 0).all())


def test_dark_ground_has_no_ndvi():
    images, valid = images_of(counts(B02=500, B03=800, B04=40, B08=50), None, ("rgb", "ndvi"))
    assert bool(valid["rgb"].all())
    assert not valid["ndvi"].any()
    assert float(images["ndvi"].max()) == 0.0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_ndvi_of_one_surface_is_the_same_before_and_after_the_offset_of_2022(seed):
    rng = np.random.default_rng(seed)
    ground = rng.uniform(0.01, 0.45, (12, 16, 16))
    before = np.rint(ground * 10_000).astype(np.uint16)
    after = np.rint(ground * 10_000 + 1000).astype(np.uint16)
    ndvi = [
        images_of(torch.from_numpy(harmonise(raw, offset).astype(np.float32))[None], None, ("ndvi",))[0]["ndvi"] * 2 - 1
        for raw, offset in ((before, 0), (after, 1000), (after, 0))
    ]
    assert float((ndvi[0] - ndvi[1]).abs().max()) < 0.005
    # and the test would see an offset that is still in
    assert float((ndvi[0] - ndvi[2]).abs().max()) > 0.1


def test_relief_stands_above_its_circle_and_slope_is_the_grounds():
    dem = hills()
    images, valid = images_of(torch.ones((1, 12, 60, 60)), dem, ("topo",))
    inner = slice(HALO_PX + 5, -HALO_PX - 5)
    assert bool(valid["topo"].all())
    y, x = np.mgrid[-10:11, -10:11]
    circle = y**2 + x**2 <= 100
    expected = float(dem[0, 30, 30] - dem[0, 20:41, 20:41][torch.from_numpy(circle)].mean())
    assert (float(images["topo"][0, 0, 30, 30]) - 0.5) * 100 == pytest.approx(expected, abs=1e-3)
    smooth = torch.from_numpy((300 + 0.2 * np.mgrid[:60, :60][1] * 10.0).astype(np.float32))[None]
    slope = images_of(torch.ones((1, 12, 60, 60)), smooth, ("topo",))[0]["topo"][0, 1] * 90
    horn = slope_deg(smooth[0].numpy(), 10.0)
    assert torch.allclose(slope, torch.full_like(slope, math.degrees(math.atan(0.2))), atol=1e-3)  # the rim too
    assert np.allclose(slope[inner, inner], horn[inner, inner], atol=1e-3)


def test_a_window_with_its_halo_has_the_relief_of_the_whole_ground():
    dem = hills(80)
    whole, known = images_of(torch.ones((1, 12, 80, 80)), dem, ("topo",))
    part = dem[:, 20:64, 10:54]
    cut, _ = images_of(torch.ones((1, 12, 44, 44)), part, ("topo",))
    inner = crop(cut, HALO_PX)["topo"]
    assert torch.allclose(inner, whole["topo"][:, :, 30:54, 20:44], atol=2e-6)
    assert crop(known, HALO_PX)["topo"].shape == (1, 60, 60)


def test_heights_that_are_unknown_leave_a_hole_and_spoil_nothing_else():
    dem = hills()
    holed = dem.clone()
    holed[:, 20:23, 20:23] = math.nan
    images, valid = images_of(torch.ones((1, 12, 60, 60)), holed, ("topo",))
    assert bool(torch.isfinite(images["topo"]).all())
    assert not valid["topo"][0, 20:23, 20:23].any()
    assert int((~valid["topo"]).sum()) == 9
    whole, _ = images_of(torch.ones((1, 12, 60, 60)), dem, ("topo",))
    assert float((images["topo"] - whole["topo"])[0, 0][valid["topo"][0]].abs().max()) < 0.005


def test_statistics_are_those_of_the_valid_pixels_of_all_batches():
    rng = np.random.default_rng(3)
    s2 = torch.from_numpy(rng.integers(200, 3000, (6, 12, 9, 9))).float()
    s2[0, :, :5] = 0
    batches = [images_of(s2[:2], None, ("rgb", "nir")), images_of(s2[2:], None, ("rgb", "nir"))]
    found = measure_statistics(batches, "six windows")
    values = (s2[:, s2_index("B08")][s2[:, s2_index("B08")] > 0] * 1e-4 + 0.1) / 0.6
    assert found.mean["nir"][0] == pytest.approx(float(values.mean()), abs=1e-5)
    assert found.std["nir"][0] == pytest.approx(float(values.std(unbiased=False)), abs=1e-5)
    assert found.source == "six windows"
    with pytest.raises(ChipsUnusable, match="No valid pixel of topo in nowhere"):
        measure_statistics([images_of(s2, None, ("rgb", "topo"))], "nowhere")


def test_another_look_at_the_same_modality_shares_its_statistics():
    images, valid = images_of(counts(B02=500, B03=800, B04=1100, B08=2000), None, ("rgb", "rgb:2"))
    found = measure_statistics([(images, valid)], "one")
    shown, present = standardise(images, valid, found)
    assert torch.equal(shown["rgb"], shown["rgb:2"])
    assert set(found.mean) == {"rgb"}
    assert present.tolist() == [[True]]
