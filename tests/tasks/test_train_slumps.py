"""Chips in a folder to weights of a detector in a folder, stage by stage, with the smallest network there is."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import torch

from catalog.facts.chips import CHIP_LABELS, ChipBatch, ChipRecord
from catalog.facts.errors import RecipeWrong, WrongCall
from catalog.facts.footprints import squares_lonlat
from catalog.stores import training_runs
from catalog.stores.chips import write_chips
from catalog.stores.weights import read_detector
from models.detector.loading import trained_detector
from models.detector.recipe import DetectorRecipe, StageOptions
from models.detector.training import DROPS, rate_factor
from models.outlines.geodesy import to_degrees
from tasks.calibrate_slumps import calibrate
from tasks.train_slumps import train

EPSG = 32608
ORIGINS = np.array([(-751_072, 50_176), (-751_072, 50_400)])
SMALL = {
    "network.backbone": "mvitv2_nano", "network.modalities": ["rgb", "nir"], "network.window_px": 64, "network.channels": 32,
    "network.head_width": 64, "network.mask_convolutions": 1, "network.proposals_training": 20, "network.proposals": 10,
    "network.rois_per_image": 8, "unimodal.steps": 2, "unimodal.batch_size": 1, "unimodal.warmup": 1, "unimodal.validate_every": 1,
    "fusion.steps": 3, "fusion.batch_size": 1, "fusion.warmup": 1, "fusion.validate_every": 1, "validation_windows": 2,
}  # fmt: skip


def chip_set(folder, split: str, ground: str, seed: int) -> str:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:224, :224]
    mud = np.stack([(rows - 90) ** 2 + (columns - 90) ** 2 < 15**2] * 2)
    s2 = np.where(mud[:, None], 1500, 500) + rng.integers(0, 60, (2, 12, 224, 224))
    batch = ChipBatch(
        s2.astype(np.uint16),
        np.full((2, 2, 224, 224), np.nan, np.float32),
        np.full((2, 224, 224), 100, np.float32),
        np.zeros((2, 224, 224), np.uint8),
        (250 * mud).astype(np.uint8),
        np.ones(2, np.float32),
    )
    records = [
        ChipRecord(
            f"chip-{ground}-{number}", ground, "here", 2021, 2021, EPSG, int(y), int(x), -134.0, 67.5, split, "", "0|0", 0.01, 1, 1.0, 1.0,
            True, 1, 1, 1.0, 1.0, 0.0, "test", (), (),
        )
        for number, (y, x) in enumerate(ORIGINS)
    ]  # fmt: skip
    discs = np.array([shapely.Point((x + 90.5) * 10, -(y + 90.5) * 10).buffer(150) for y, x in ORIGINS], object)
    columns_of = {
        "lake_id": ["a", "b"],
        "ground": ground,
        "region": "here",
        "year": 2021,
        "label_year": 2021,
        "split": split,
        "class": "active",
    }
    rest = {"hard": False, "hard_because": "", "observable": True, "area_m2": 70_000.0, "labeler": ""}
    labels = gpd.GeoDataFrame(pd.DataFrame(columns_of | rest), geometry=to_degrees(discs, EPSG), crs=4326)
    assert set(CHIP_LABELS.names) - set(labels.columns) == {"covered_share"}
    write_chips(folder, [(batch, records, squares_lonlat(ORIGINS, EPSG))], labels, {"made": "here"})
    return str(folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("chips")
    return [chip_set(root / "train", "train", "one", 1), chip_set(root / "val", "val", "two", 2)]


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return train("tiny-demo", data, str(out), SMALL, "cpu"), out


def test_every_stage_is_judged_and_the_last_one_is_kept(trained) -> None:
    report, _ = trained
    assert [(point["stage"], point["step"]) for point in report.history] == [
        ("unimodal rgb", 1.0), ("unimodal rgb", 2.0), ("unimodal nir", 1.0), ("unimodal nir", 2.0),
        ("fusion", 1.0), ("fusion", 2.0), ("fusion", 3.0),
    ]  # fmt: skip
    card, tensors = read_detector(report.weights)
    assert card.network.modalities == ("rgb", "nir")
    assert "2 chips of 1 regions" in card.trained_on
    assert trained_detector(card, tensors).contract.window_px == 64


def test_backbones_of_the_fusion_are_those_that_learned_alone(trained) -> None:
    report, out = trained
    fused = read_detector(report.weights)[1]
    for name in ("rgb", "nir"):
        alone = max(training_runs.candidates(out / "stages" / f"unimodal-{name}"), key=lambda found: (found["score"], found["step"]))
        held = [key for key in fused if key.startswith(f"backbones.{name}.")]
        assert held
        assert all(torch.equal(fused[key], alone["weights"][key]) for key in held)


def test_a_training_that_was_stopped_ends_as_one_that_was_not(trained, data, tmp_path, monkeypatch) -> None:
    whole = read_detector(trained[0].weights)[1]
    put, calls = training_runs.put_state, []

    def stop_after_the_fifth(folder, state, fingerprint):
        put(folder, state, fingerprint)
        calls.append(folder)
        if len(calls) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(training_runs, "put_state", stop_after_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        train("tiny-demo", data, str(tmp_path), SMALL, "cpu")
    monkeypatch.undo()
    again = train("tiny-demo", data, str(tmp_path), SMALL, "cpu")
    assert again.history == trained[0].history
    resumed = read_detector(again.weights)[1]
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_folder_of_another_recipe_is_refused(trained, data) -> None:
    with pytest.raises(RecipeWrong, match="another recipe or other chips"):
        train("tiny-demo", data, str(trained[1]), SMALL | {"seed": 5}, "cpu")


def test_a_recipe_that_contradicts_itself_is_refused_before_anything_is_read(tmp_path) -> None:
    for changes, words in (
        ({"network.window_px": 100}, "multiple of 32"),
        ({"network.stacked": True}, "nothing to stage"),
        ({"backbones_from": {"topo": "x"}}, "does not look at"),
        ({"network.sizes": 3}, "network.sizes"),
    ):
        with pytest.raises(RecipeWrong, match=words):
            train("tiny-demo", [str(tmp_path)], str(tmp_path), SMALL | changes, "cpu")


def test_lake_weights_do_not_start_a_detector(data, tmp_path) -> None:
    with pytest.raises(WrongCall, match="lakes-tiny"):
        train("tiny-demo", data, str(tmp_path), SMALL | {"start_from": "lakes-tiny"}, "cpu")


def test_the_card_is_calibrated_on_the_split_that_was_kept_for_it(trained, data) -> None:
    report, _ = trained
    found = calibrate(report.weights, data, "val", "cpu")
    card = read_detector(report.weights)[0]
    assert found.truths == len(card.calibration.truth_m2) == 2
    assert "split val" in card.calibration.source
    assert card.threshold == pytest.approx(found.threshold, abs=1e-6)


def test_the_rate_warms_up_and_drops_twice() -> None:
    stage = DetectorRecipe("a", "b", unimodal=StageOptions(100, warmup=10)).stages()[0]
    factors = [rate_factor(step, stage) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[10:77] == [1.0] * 67
    assert factors[int(DROPS[0] * 100) + 1] == pytest.approx(0.1)
    assert factors[-1] == pytest.approx(0.01)


def test_one_modality_or_one_image_of_all_needs_no_stages() -> None:
    recipe = DetectorRecipe("a", "b")
    assert [stage.name for stage in recipe.stages()] == ["unimodal rgb", "unimodal ndvi", "unimodal nir", "fusion"]
    whole = DetectorRecipe("a", "b", mode="end_to_end", polish=StageOptions(5))
    assert [stage.name for stage in whole.stages()] == ["whole", "polish"]
