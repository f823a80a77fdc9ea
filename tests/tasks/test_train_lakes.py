"""Chips in a folder to weights in a folder, with the smallest network there is."""

import geopandas as gpd
import numpy as np
import pytest
import torch

from catalog.facts.chips import CHIP_LABELS, ChipBatch, ChipRecord
from catalog.facts.errors import ChipsUnusable, RecipeWrong, WrongCall
from catalog.facts.footprints import squares_lonlat
from catalog.stores import training_runs
from catalog.stores.chips import write_chips
from catalog.stores.weights import read_weights
from models.segmenter.loading import trained_model
from tasks.train_lakes import device_named, train

EPSG = 32644
SMALL = {
    "network.channels": 16, "network.detail": 8, "steps.total": 2, "steps.warmup": 1, "steps.batch_size": 1, "steps.validate_every": 1,
    "steps.crop_px": 64, "selection.chips": 1, "selection.members": 2, "optimizer.learning_rate": 1e-4,
}  # fmt: skip


def chip_set(folder, split: str, ground: str, seed: int, *, seen: bool = True):
    rng = np.random.default_rng(seed)
    count, size = 2, (224, 224)
    water = np.zeros((count, *size), bool)
    water[:, 60:140, 60:140] = True
    s2 = np.where(water[:, None], 300, 2500) + rng.integers(0, 200, (count, 12, *size))
    s1 = np.where(water[:, None], -22.0, -9.0) + rng.normal(0, 1, (count, 2, *size))
    batch = ChipBatch(
        s2.astype(np.uint16) if seen else np.zeros_like(s2, np.uint16),
        s1.astype(np.float32) if seen else np.full_like(s1, np.nan, np.float32),
        np.full((count, *size), 4000, np.float32),
        np.zeros((count, *size), np.uint8),
        (250 * water).astype(np.uint8),
        np.ones(count, np.float32),
    )
    origins = np.array([(-480_000, 50_000), (-480_000, 50_224)])
    records = [
        ChipRecord(
            f"chip-{ground}-{number}", ground, "here", 2021, 2021, EPSG, int(y), int(x), 81.0, 43.0, split, "", "0|0", 0.13, 1,
            1.0 if seen else 0.0, 1.0, True, 1, 1, 1.0, 1.0, 0.0, "test", (), (),
        )
        for number, (y, x) in enumerate(origins)
    ]  # fmt: skip
    labels = gpd.GeoDataFrame({name: [] for name in CHIP_LABELS.names}, geometry=[], crs=4326)
    write_chips(folder, [(batch, records, squares_lonlat(origins, EPSG))], labels, {"made": "here"})
    return str(folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("chips")
    return [chip_set(root / "train", "train", "one", 1), chip_set(root / "val", "val", "two", 2)]


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return out, train("tiny-demo", data, str(out), SMALL, "cpu")


def test_a_recipe_and_chips_become_weights_that_map(trained):
    _, report = trained
    card, tensors = read_weights(report.weights)
    assert card.figures["val_iou"] == pytest.approx(report.figures["val_iou"], abs=1e-4)
    assert "2 chips of 1 regions" in card.trained_on
    assert card.temperature > 0
    assert 300 < card.statistics.s2_mean[0] < 2700
    assert trained_model(card, tensors, "cpu").sha256 == card.sha256


def test_a_finished_run_is_not_trained_again(trained, data):
    out, report = trained
    again = train("tiny-demo", data, str(out), SMALL, "cpu")
    assert again.history == report.history
    assert again.steps == 2


def test_the_folder_of_another_run_is_refused(trained, data):
    out, _ = trained
    with pytest.raises(RecipeWrong, match="another recipe"):
        train("tiny-demo", data, str(out), SMALL | {"seed": 7}, "cpu")


def test_only_the_best_candidates_are_kept(tmp_path):
    for step, score in ((1, 0.3), (2, 0.5), (3, 0.4)):
        training_runs.put_candidate(tmp_path, step, score, {"w": torch.tensor([float(step)])}, keep=2)
    assert [found["step"] for found in training_runs.candidates(tmp_path)] == [2, 3]


def test_a_half_written_state_is_named(tmp_path):
    training_runs.put_state(tmp_path, {"step": 1}, "x")
    path = tmp_path / training_runs.STATE
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(Exception, match="Delete it to start"):
        training_runs.find_state(tmp_path, "x")


def test_chips_that_no_sensor_saw_cannot_teach(data, tmp_path):
    blind = chip_set(tmp_path / "blind", "train", "three", 3, seen=False)
    with pytest.raises(ChipsUnusable, match="no sensor saw"):
        train("tiny-demo", [blind, data[1]], str(tmp_path / "out"), SMALL, "cpu")


def test_an_empty_split_is_named(data, tmp_path):
    with pytest.raises(ChipsUnusable, match="none of split 'val'"):
        train("tiny-demo", [data[0]], str(tmp_path / "out"), SMALL, "cpu")


def test_a_device_that_is_not_here_is_refused():
    with pytest.raises(WrongCall, match="No device"):
        device_named("abacus")


@pytest.mark.slow
def test_shipped_weights_go_on_with_chips_of_a_region(data, tmp_path):
    short = {
        "start_from": "lakes-tiny",
        "steps.total": 5,
        "steps.warmup": 1,
        "steps.batch_size": 1,
        "steps.validate_every": 5,
        "steps.crop_px": 64,
    }
    report = train("finetune-region", data, str(tmp_path), short, "cpu")
    card, _ = read_weights(report.weights)
    shipped, _ = read_weights("lakes-tiny")
    assert card.network == shipped.network
    assert card.statistics == shipped.statistics
