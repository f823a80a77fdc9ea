"""What `plan` answers to wrong words, before it measures or asks anything."""

import pytest

import commands.plan
from catalog.facts.unit_costs import SHIPPED
from catalog.stores.calibrations import read_calibration, write_calibration


@pytest.fixture(autouse=True)
def kept(monkeypatch, tmp_path):
    def measure() -> None:
        raise AssertionError("measured, though the call was wrong")

    monkeypatch.setattr(commands.plan, "measure_here", measure)
    monkeypatch.setenv("CRYOATLAS_CALIBRATION", str(tmp_path / "calibration.json"))
    return tmp_path / "calibration.json"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "needs --region, --years and --catalog"),
        (("--calibrate", "--region", "pamir"), "needs --region, --years and --catalog"),
        (("--calibrate", "--region", "pamr", "--years", "2023", "--catalog", "cdse"), "pamir"),
        (("--calibrate", "--region", "pamir", "--years", "20-23", "--catalog", "cdse"), "2018-2023"),
        (("--calibrate", "--from-store", "somewhere"), "name one of them"),
        (("--from-store", "no-such-folder"), "no store here"),
        (("--from-store", "no-such-folder", "--price-gb", "inf"), "--price-gb"),
        (("--calibrate", "--price-cpu-hour", "-1"), "--price-cpu-hour"),
        (("--calibrate", "--line-mb-s", "0"), "--line-mb-s"),
    ],
)
def test_wrong_words_end_with_two_and_the_way_out(cryoatlas, words, told):
    said = cryoatlas("plan", *words)
    assert said.code == 2
    assert told in said.err


def test_a_file_that_is_no_calibration_says_how_to_make_one(cryoatlas, kept):
    kept.write_text("{}")
    said = cryoatlas("plan", "--region", "pamir", "--years", "2023", "--catalog", "nowhere.json")
    assert said.code == 2
    assert "calibration.json is not a calibration" in said.err
    assert "--calibrate" in said.err


def test_a_calibration_is_kept_and_shown(cryoatlas, kept, monkeypatch):
    monkeypatch.setattr(commands.plan, "measure_here", lambda: SHIPPED)
    said = cryoatlas("plan", "--calibrate")
    assert said.code == 0
    assert "lakes-tiny, per window of 224 px" in said.out
    assert read_calibration(kept).tile_s == SHIPPED.tile_s


def test_without_a_file_the_shipped_figures_hold(kept):
    assert read_calibration(kept) is SHIPPED
    write_calibration(kept, SHIPPED)
    assert read_calibration(kept).models["slumps-tiny"] == SHIPPED.models["slumps-tiny"]


def test_a_cluster_elsewhere_is_not_measured_here(cryoatlas, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("CRYOATLAS_CLUSTER", "tcp://10.0.0.1:8786")
    said = cryoatlas("plan", "--calibrate")
    assert said.code == 2
    assert "--from-store" in said.err
