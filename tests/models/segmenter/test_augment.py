"""Changed chips stay physical: what is not valid leaks nowhere, labels follow their pixels, and a lake lies flat."""

from collections import Counter
from dataclasses import fields, replace

import pytest
import torch

from catalog.facts.bands import s2_index
from catalog.facts.errors import RecipeWrong
from models.segmenter.augment import PRESETS, AugmentOptions, ModalityOptions, PlaceOptions, ValueOptions, augment, modalities_for_step
from models.segmenter.augment_lakes import paste_lakes
from models.segmenter.augment_places import flip, mosaic, punch_holes, rescale, rescaled, turn
from models.segmenter.augment_values import change_heights, change_radar, change_reflectance
from models.segmenter.samples import Samples

SIDE = 32
NEVER = PlaceOptions(flip=0, quarter_turns=0, scale=0, paste=0, mosaic=0, s2_holes=0, s1_holes=0)
CALM = ValueOptions(1.0, gain=0, brightness=0, haze=0, radar_gain_db=0, speckle_looks=0, dem_offset_m=0, dem_noise_m=0)
NAMES = tuple(f.name for f in fields(Samples))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ground(count: int = 4, side: int = SIDE, seed: int = 0) -> Samples:
    """Dry chips with every pixel valid and judged, and values that name their place."""
    generator = seeded(seed)
    everywhere = torch.ones(count, 1, side, side, dtype=torch.bool)
    return Samples(
        s2=torch.rand(count, 12, side, side, generator=generator) * 0.4 + 0.05,
        s1=torch.randn(count, 2, side, side, generator=generator) * 2 - 12,
        dem=torch.rand(count, 1, side, side, generator=generator) * 200 + 4000,
        s2_valid=everywhere,
        s1_valid=everywhere,
        dem_valid=everywhere,
        label=torch.zeros(count, 1, side, side),
        judged=everywhere,
        weight=torch.ones(count),
    )


def with_lake(samples: Samples, chip: int, rows: slice = slice(8, 16), columns: slice = slice(10, 20)) -> Samples:
    label = samples.label.clone()
    label[chip, :, rows, columns] = 1.0
    return replace(samples, label=label)


def with_gaps(samples: Samples, seed: int = 5) -> Samples:
    """Samples with random invalid pixels that hold 0, as the records promise."""
    generator = seeded(seed)
    valid = {name: torch.rand(samples.label.shape, generator=generator) < 0.8 for name in ("s2", "s1", "dem")}
    judged = samples.judged & (valid["s2"] | valid["s1"])
    values = {name: torch.where(mask, getattr(samples, name), 0.0) for name, mask in valid.items()}
    masks = {f"{name}_valid": mask for name, mask in valid.items()}
    return replace(samples, **values, **masks, judged=judged, label=torch.where(judged, samples.label, 0.0))


def same(first: Samples, second: Samples) -> bool:
    return all(torch.equal(getattr(first, name), getattr(second, name)) for name in NAMES)


def require_sound(samples: Samples) -> None:
    for name in ("s2", "s1", "dem"):
        values, valid = getattr(samples, name), getattr(samples, f"{name}_valid")
        assert torch.isfinite(values).all(), name
        assert (torch.where(valid, 0.0, values) == 0).all(), name
    assert not (samples.judged & ~(samples.s2_valid | samples.s1_valid)).any()
    assert (samples.label >= 0).all()
    assert (samples.label <= 1).all()
    assert (samples.label[~samples.judged] == 0).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_recipe_keeps_shapes_types_and_soundness(preset: str) -> None:
    before = with_gaps(with_lake(with_lake(ground(6), 0), 3))
    for seed in range(12):
        after = augment(before, PRESETS[preset], seeded(seed))
        require_sound(after)
        for name in NAMES:
            assert getattr(after, name).shape == getattr(before, name).shape, name
            assert getattr(after, name).dtype == getattr(before, name).dtype, name


def test_what_comes_in_stays_as_it_was_and_the_generator_decides() -> None:
    before = with_gaps(with_lake(ground(6), 0))
    copy = before.each(torch.clone)
    first, second = augment(before, PRESETS["domain-randomised"], seeded(3)), augment(before, PRESETS["domain-randomised"], seeded(3))
    assert same(before, copy)
    assert same(first, second)
    assert not same(first, augment(before, PRESETS["domain-randomised"], seeded(4)))


def test_with_no_chance_nothing_changes() -> None:
    before = with_gaps(with_lake(ground(), 0))
    assert same(augment(before, AugmentOptions(ValueOptions(probability=0), NEVER), seeded()), before)


def test_mirroring_takes_every_array_along() -> None:
    before = with_gaps(with_lake(ground(), 0))
    assert same(flip(before, replace(NEVER, flip=1.0), seeded()), before.each(lambda array: array.flip((-1, -2))))


def test_a_half_of_the_chips_is_mirrored_along_an_axis() -> None:
    ramp = torch.arange(SIDE, dtype=torch.float32).expand(400, 1, SIDE, SIDE)
    after = flip(replace(ground(400), dem=ramp), replace(NEVER, flip=0.5), seeded())
    assert (after.dem[:, 0, 0, 0] > 0).float().mean().item() == pytest.approx(0.5, abs=0.07)


def test_turns_are_quarters_of_all_arrays() -> None:
    before = with_gaps(with_lake(ground(60), 0))
    after = turn(before, replace(NEVER, quarter_turns=1.0), seeded())
    found = Counter[int]()
    for chip in range(60):
        counts = [k for k in range(4) if torch.equal(after.s2[chip], before.s2[chip].rot90(k, (-2, -1)))]
        assert len(counts) == 1
        found[counts[0]] += 1
        for name in ("s1_valid", "label", "judged", "dem"):
            assert torch.equal(getattr(after, name)[chip], getattr(before, name)[chip].rot90(counts[0], (-2, -1)))
    assert found[0] == 0
    assert min(found[k] for k in (1, 2, 3)) > 8


def test_chips_that_are_not_square_are_turned_by_a_half() -> None:
    before = ground().each(lambda array: array[..., :20])
    after = turn(before, replace(NEVER, quarter_turns=1.0), seeded())
    assert same(after, before.each(lambda array: array.flip((-1, -2))))


def test_a_gain_is_one_number_of_reflectance_per_band_and_chip() -> None:
    before = ground()
    after = change_reflectance(before, replace(CALM, gain=0.1), seeded())
    ratio = after.s2 / before.s2
    assert ratio.amin((2, 3)) == pytest.approx(ratio.amax((2, 3)), rel=1e-4)
    assert (ratio - 1).abs().max().item() <= 0.1 + 1e-4
    assert ratio.mean((2, 3)).std().item() > 0.03


def test_brightness_is_one_number_for_all_bands() -> None:
    before = ground()
    ratio = (change_reflectance(before, replace(CALM, brightness=0.2), seeded()).s2 / before.s2).flatten(1)
    assert ratio.amin(1) == pytest.approx(ratio.amax(1), rel=1e-4)
    assert ratio.std(0).max().item() > 0.02


def test_haze_adds_most_to_blue_and_leaves_a_count_at_least() -> None:
    before = replace(ground(50), s2=torch.full((50, 12, SIDE, SIDE), 2e-4))
    after = change_reflectance(before, replace(CALM, haze=0.03), seeded())
    added = (after.s2 - before.s2)[:, :, 0, 0]
    hazy = added[:, s2_index("B02")] > 0.005
    assert hazy.any()
    assert (added[hazy, s2_index("B02")] > 2 * added[hazy, s2_index("B08")]).all()
    assert (added[hazy, s2_index("B12")] < 0.1 * added[hazy, s2_index("B02")]).all()
    assert added.max().item() <= 0.03 * 1.25
    assert after.s2.min().item() == pytest.approx(1e-4)


def test_a_band_that_a_catalog_lacks_stays_missing() -> None:
    before = ground()
    s2 = before.s2.clone()
    s2[:, 9] = 0.0
    after = change_reflectance(replace(before, s2=s2), replace(CALM, gain=0.1, haze=0.05), seeded())
    assert (after.s2[:, 9] == 0).all()


def test_radar_is_shifted_by_decibels_per_polarization() -> None:
    before = ground()
    shift = change_radar(before, replace(CALM, radar_gain_db=2.0), seeded()).s1 - before.s1
    assert shift.amin((2, 3)) == pytest.approx(shift.amax((2, 3)), abs=1e-4)
    assert 0.3 < shift.abs().max().item() <= 2.0 + 1e-4


def test_speckle_keeps_the_power_and_grows_with_fewer_looks() -> None:
    before = replace(ground(40), s1=torch.full((40, 2, SIDE, SIDE), -10.0))
    spreads = []
    for looks in (4.0, 20.0):
        power = torch.pow(10.0, change_radar(before, replace(CALM, speckle_looks=looks), seeded()).s1 / 10) / 0.1
        assert power.mean().item() == pytest.approx(1.0, abs=0.01)
        spreads.append(power.var(dim=(1, 2, 3)).max().item())
        assert spreads[-1] == pytest.approx(1 / looks, rel=0.15)
    assert spreads[0] > spreads[1]


def test_heights_are_lifted_together_and_roughened_by_the_noise() -> None:
    before = ground()
    lifted = change_heights(before, replace(CALM, dem_offset_m=500.0), seeded()).dem - before.dem
    assert lifted.amin((1, 2, 3)) == pytest.approx(lifted.amax((1, 2, 3)), abs=2e-3)
    assert 50 < lifted.abs().max().item() <= 500
    rough = change_heights(before, replace(CALM, dem_noise_m=2.0), seeded()).dem - before.dem
    assert rough.std().item() == pytest.approx(2.0, rel=0.05)


def test_what_is_not_valid_has_no_say_at_another_scale() -> None:
    before = with_gaps(with_lake(ground(), 0))
    scale = torch.tensor([0.6, 0.85, 1.2, 1.7])
    poisoned = replace(
        before, **{name: torch.where(getattr(before, f"{name}_valid"), getattr(before, name), 1e6) for name in ("s2", "s1", "dem")}
    )
    poisoned = replace(poisoned, label=torch.where(before.judged, before.label, 1.0))
    clean, other = rescaled(before, scale), rescaled(poisoned, scale)
    assert same(clean, other)
    require_sound(clean)
    for chip in range(4):
        inside = before.s2[chip, 0][before.s2_valid[chip, 0]]
        values = clean.s2[chip, 0][clean.s2_valid[chip, 0]]
        assert values.min() >= inside.min() - 1e-6
        assert values.max() <= inside.max() + 1e-6


def test_scale_one_is_the_same_chip() -> None:
    before = with_gaps(with_lake(ground(), 0))
    assert same(rescaled(before, torch.ones(4)), before)
    assert same(rescale(before, replace(NEVER, scale=1.0, scale_low=1.0, scale_high=1.0), seeded()), before)


def test_only_some_chips_get_another_scale() -> None:
    before = with_gaps(with_lake(ground(40), 0))
    after = rescale(before, replace(NEVER, scale=0.5, scale_low=0.7, scale_high=0.9), seeded())
    assert 8 < sum(same_chip(after, before, chip) for chip in range(40)) < 32
    require_sound(after)


def test_around_a_smaller_chip_nothing_is_valid_or_judged() -> None:
    after = rescaled(ground(1), torch.tensor([0.5]))
    edge = torch.ones(1, 1, SIDE, SIDE, dtype=torch.bool)
    edge[..., 8:24, 8:24] = False
    for name in ("s2_valid", "s1_valid", "dem_valid", "judged"):
        assert not getattr(after, name)[edge].any(), name
        assert getattr(after, name)[~edge].all(), name


def test_the_area_of_a_lake_grows_with_the_square_of_the_scale() -> None:
    before = with_lake(ground(4), 0, slice(11, 20), slice(12, 21))
    before = replace(before, label=before.label[:1].expand(4, -1, -1, -1), judged=before.judged)
    scale = torch.tensor([0.7, 0.9, 1.15, 1.4])
    after = rescaled(before, scale)
    assert after.label.sum((1, 2, 3)) == pytest.approx(81 * scale**2, rel=1e-4)
    assert ((after.label > 0.01) & (after.label < 0.99)).any()  # coverage of the shore, not nearest neighbour


def test_slopes_stay_at_another_scale() -> None:
    ramp = torch.arange(SIDE, dtype=torch.float32).expand(2, 1, SIDE, SIDE) * 10 + 4000
    after = rescaled(replace(ground(2), dem=ramp), torch.tensor([0.7, 1.5]))
    for chip in range(2):
        inner = after.dem[chip, 0, 10:22, 10:22]
        assert (inner[:, 1:] - inner[:, :-1]) == pytest.approx(torch.full((12, 11), 10.0), abs=0.15)


def pasted(before: Samples, seed: int = 0) -> Samples:
    return paste_lakes(before, replace(NEVER, paste=1.0), seeded(seed))


def test_a_lake_reaches_chips_without_one_in_all_sensors() -> None:
    before = with_lake(ground(2), 0)
    after = pasted(before)
    lake = before.label[0, 0] == 1
    assert torch.equal(after.label[1, 0][lake], torch.ones(int(lake.sum())))
    assert torch.equal(after.s2[1][:, lake], before.s2[0][:, lake])
    assert torch.equal(after.s1[1][:, lake], before.s1[0][:, lake])
    assert same_chip(after, before, 0)  # no other chip has a lake to give


def same_chip(first: Samples, second: Samples, chip: int) -> bool:
    return all(torch.equal(getattr(first, name)[chip], getattr(second, name)[chip]) for name in NAMES)


def test_the_rim_of_a_pasted_lake_fades_over_two_pixels() -> None:
    before = replace(
        with_lake(ground(2), 0), s2=torch.cat([torch.full((1, 12, SIDE, SIDE), 0.3), torch.full((1, 12, SIDE, SIDE), 0.0 + 0.1)])
    )
    row = pasted(before).s2[1, 0, 12, 5:12]
    assert row == pytest.approx(torch.tensor([0.1, 0.1, 0.1, 0.1 + 0.2 / 3, 0.1 + 0.4 / 3, 0.3, 0.3]), abs=1e-5)


def test_the_ground_under_a_pasted_lake_is_flat_at_the_lowest_height_there() -> None:
    before = with_lake(with_lake(ground(2), 0), 0, slice(22, 30), slice(24, 31))
    after = pasted(before)
    for rows, columns in ((slice(8, 16), slice(10, 20)), (slice(22, 30), slice(24, 31))):
        flat = after.dem[1, 0, rows, columns]
        assert (flat == before.dem[1, 0, rows, columns].min()).all()
    assert not torch.equal(after.dem[1, 0, 8:16, 10:20].amin(), after.dem[1, 0, 22:30, 24:31].amin())
    assert torch.equal(after.dem[1, 0, :5], before.dem[1, 0, :5])


def test_a_lake_that_is_there_is_not_pushed_back_by_the_shore_of_another() -> None:
    before = with_lake(with_lake(ground(2), 0, slice(8, 16), slice(10, 20)), 1, slice(8, 16), slice(20, 30))
    after = pasted(before)
    assert (after.label[1, 0, 8:16, 10:30] == 1).all()
    assert (after.label >= before.label).all()


def test_pasting_changes_nothing_of_what_is_valid() -> None:
    before = with_gaps(with_lake(with_lake(ground(6), 0), 3))
    after = pasted(before)
    for name in ("s2_valid", "s1_valid", "dem_valid"):
        assert torch.equal(getattr(after, name), getattr(before, name))
    require_sound(after)


def test_a_lake_without_radar_is_not_put_where_radar_sees() -> None:
    before = with_lake(ground(2), 0)
    s1_valid = before.s1_valid.clone()
    s1_valid[0, :, :, :15] = False
    before = replace(before, s1_valid=s1_valid, s1=torch.where(s1_valid, before.s1, 0.0))
    after = pasted(before)
    assert (after.label[1, 0, 8:16, 15:20] == 1).all()
    assert (after.label[1, 0, 8:16, 10:13] == 0).all()
    assert torch.equal(after.s1[1, :, :, :13], before.s1[1, :, :, :13])


def test_without_a_giver_nothing_is_pasted() -> None:
    assert same(pasted(ground()), ground())
    few = with_lake(ground(2), 0, slice(0, 5), slice(0, 6))  # 30 pixels are too few
    assert same(pasted(few), few)
    alone = with_lake(ground(1), 0)
    assert same(pasted(alone), alone)


def test_a_pasted_lake_is_judged_where_the_label_was_not_known_and_its_unknown_shore_is_not() -> None:
    before = with_lake(ground(2), 0)
    judged = before.judged.clone()
    judged[1, :, 8:12] = False
    judged[0, :, :, 9] = False
    after = pasted(replace(before, judged=judged))
    assert after.judged[1, 0, 8:16, 10:20].all()
    assert torch.equal(after.s2[1, :, :, 9], before.s2[1, :, :, 9])


def test_a_mosaic_is_made_of_four_chips_at_their_own_places() -> None:
    numbers = torch.arange(1, 9, dtype=torch.float32)[:, None, None, None]
    place = torch.arange(SIDE * SIDE, dtype=torch.float32).reshape(1, 1, SIDE, SIDE) / 10_000
    before = replace(ground(8), s2=(numbers + place).expand(-1, 12, -1, -1), weight=numbers.flatten() / 8)
    after = mosaic(before, replace(NEVER, mosaic=1.0), seeded())
    for chip in range(8):
        sources = after.s2[chip, 0].floor()
        assert len(sources.unique()) == 4
        assert (after.s2[chip, 0] - sources) == pytest.approx(place[0, 0], abs=1e-4)
        assert after.weight[chip].item() == pytest.approx((sources / 8).mean().item(), rel=1e-5)
    require_sound(after)


def test_the_quarters_of_a_mosaic_meet_at_one_level() -> None:
    before = ground(8)
    before = replace(before, dem=before.dem + torch.arange(8.0)[:, None, None, None] * 1000)
    after = mosaic(before, replace(NEVER, mosaic=1.0), seeded())
    assert (after.dem.amax((1, 2, 3)) - after.dem.amin((1, 2, 3))).max().item() < 300


def test_a_mosaic_needs_four_chips_and_leaves_the_others_alone() -> None:
    assert same(mosaic(ground(3), replace(NEVER, mosaic=1.0), seeded()), ground(3))
    before = with_gaps(with_lake(ground(40), 0))
    after = mosaic(before, replace(NEVER, mosaic=0.5), seeded())
    kept = [same_chip(after, before, chip) for chip in range(40)]
    assert 8 < sum(kept) < 32


def test_gaps_take_values_away_and_judgement_where_nothing_sees() -> None:
    before = with_lake(ground(20), 0)
    after = punch_holes(before, replace(NEVER, s2_holes=1.0, s1_holes=1.0), seeded())
    require_sound(after)
    for name in ("s2_valid", "s1_valid"):
        shares = (~getattr(after, name)).float().mean((1, 2, 3))
        assert shares.max().item() > 0.3
        assert shares.max().item() < 0.9
    assert torch.equal(after.judged, after.s2_valid | after.s1_valid)
    assert torch.equal(after.dem, before.dem)


def test_clouds_alone_leave_the_label_to_the_radar() -> None:
    before = with_lake(ground(8), 0)
    after = punch_holes(before, replace(NEVER, s2_holes=1.0), seeded())
    assert torch.equal(after.judged, before.judged)
    assert torch.equal(after.label, before.label)
    assert (~after.s2_valid).any()


def test_modalities_are_drawn_by_the_table_and_never_empty_or_heights_alone() -> None:
    options = AugmentOptions(modalities=ModalityOptions(without_s2=0.2, without_s1=0.15, without_dem=0.1, only_s2=0.1, only_s1=0.05))
    generator = seeded()
    drawn = Counter(modalities_for_step(generator, options) for _ in range(8000))
    expected = {
        frozenset({"S1GRD", "DEM"}): 0.2,
        frozenset({"S2L2A", "DEM"}): 0.15,
        frozenset({"S2L2A", "S1GRD"}): 0.1,
        frozenset({"S2L2A"}): 0.1,
        frozenset({"S1GRD"}): 0.05,
        frozenset({"S2L2A", "S1GRD", "DEM"}): 0.4,
    }
    assert set(drawn) == set(expected)
    for modalities, chance in expected.items():
        assert drawn[modalities] / 8000 == pytest.approx(chance, abs=0.02)


def test_a_network_without_radar_is_always_shown_optics() -> None:
    generator, options = seeded(), AugmentOptions(modalities=ModalityOptions(0.5, 0.0, 0.0, 0.0, 0.5))
    shown = {modalities_for_step(generator, options, ("S2L2A", "DEM")) for _ in range(50)}
    assert shown == {frozenset({"S2L2A", "DEM"})}


def test_presets_get_stronger_from_region_to_domain_randomised() -> None:
    order = [PRESETS[name] for name in ("region", "finetune", "pretrain", "domain-randomised")]
    gains = [options.values.gain for options in order]
    spans = [options.places.scale_high - options.places.scale_low for options in order]
    assert gains == sorted(gains)
    assert spans == sorted(spans)
    assert PRESETS["pretrain"].places.mosaic == 0.15
    assert PRESETS["finetune"].places.paste == 0.2


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (ValueOptions, {"probability": 1.5}),
        (PlaceOptions, {"scale_low": 0.0}),
        (PlaceOptions, {"mosaic_jitter": 0.5}),
        (ModalityOptions, {"only_s1": 0.9}),
    ],
)
def test_options_out_of_range_are_refused(kind: type, wrong: dict[str, float]) -> None:
    with pytest.raises(RecipeWrong):
        kind(**wrong)
