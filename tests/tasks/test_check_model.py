"""A model is whole, verified and able to map before any pixel is read."""

from pathlib import Path

import pytest

from catalog.facts.cards import NetworkConfig, WeightsCard
from catalog.facts.detector_cards import DetectorCard, DetectorConfig, DetectorStatistics
from catalog.facts.errors import UnknownModel, WeightsMissing, WeightsUnfit, WrongCall
from catalog.facts.records import Job
from catalog.stores.checkpoints import write_weights
from tasks.check_model import check_model

JOB = Job("khumbu", 2021, "lakes", "store")


def check(job: Job, model: str, cache: Path) -> str:
    return check_model.fn(job, model, cache)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from models.segmenter.network import build  # noqa: PLC0415 - terratorch takes seconds

    made = tmp_path_factory.mktemp("weights") / "plain"
    config = NetworkConfig()
    card = WeightsCard("plain", "1", "Plain", "CC0-1.0", "nothing", "nobody", "", config)
    write_weights(made, build(config).state_dict(), card, storage="float16")
    return made


def test_a_name_stays_a_name(tmp_path: Path) -> None:
    assert check(JOB, "indices", tmp_path) == "indices"


def test_weights_become_the_path_of_their_file(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert check(JOB, "./plain", tmp_path) == str(folder / "weights.safetensors")
    assert (folder / "weights.safetensors").stat().st_size < 30e6


@pytest.mark.parametrize(("model", "error"), [("indexes", UnknownModel), ("./nowhere", WeightsMissing), ("hf://half", WrongCall)])
def test_what_is_not_there_ends_before_any_pixel_is_read(model: str, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        check(JOB, model, tmp_path)


def test_damaged_weights_end_before_any_pixel_is_read(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "weights.safetensors").open("r+b") as opened:
        opened.seek(-2, 2)
        opened.write(b"\0\1")
    with pytest.raises(WeightsUnfit, match="was promised"):
        check(JOB, str(tmp_path), tmp_path)


def test_a_network_of_elevation_alone_cannot_map(folder: Path, tmp_path: Path) -> None:
    from models.segmenter.network import build  # noqa: PLC0415 - terratorch takes seconds

    config = NetworkConfig(modalities=("DEM",))
    card = WeightsCard("ground", "1", "Ground", "CC0-1.0", "nothing", "nobody", "", config)
    write_weights(tmp_path, build(config).state_dict(), card)
    with pytest.raises(WeightsUnfit, match="look at DEM alone"):
        check(JOB, str(tmp_path), tmp_path)


def test_slumps_are_not_mapped_by_a_network_of_lakes(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match="holds slumps, and plain maps lakes"):
        check(Job("tundra", 2021, "slumps", "store"), str(folder), tmp_path)


def test_lakes_are_not_mapped_by_a_detector_of_slumps_and_weights_of_slumps_map_slumps(tmp_path: Path) -> None:
    from models.detector.network import build  # noqa: PLC0415 - torchvision takes seconds

    config = DetectorConfig("mvitv2_nano", ("rgb",), window_px=64, channels=32, head_convolutions=1, head_width=32, mask_convolutions=1)
    statistics = DetectorStatistics("a test", {"rgb": (0.3, 0.3, 0.3)}, {"rgb": (0.1, 0.1, 0.1)})
    card = DetectorCard("scars", "1", "Scars", "CC0-1.0", "nothing", "nobody", "", config, statistics, 32)
    write_weights(tmp_path, build(config).state_dict(), card)
    with pytest.raises(WrongCall, match="khumbu holds lakes, and scars maps slumps: use lakes-tiny"):
        check(JOB, str(tmp_path), tmp_path)
    assert check(Job("tundra", 2021, "slumps", "store"), str(tmp_path), tmp_path) == str(tmp_path / "weights.safetensors")


@pytest.mark.parametrize("model", ["indices", "lakes-tiny"])
def test_names_know_what_they_map(model: str, tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match=f"tundra holds slumps, and {model} maps lakes: use slumps-tiny"):
        check(Job("tundra", 2021, "slumps", "store"), model, tmp_path)


def test_without_a_name_the_default_of_the_target_is_meant(tmp_path: Path) -> None:
    assert check_model.fn(JOB, None, tmp_path) == "lakes-tiny"
