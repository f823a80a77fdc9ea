"""Worlds on disk become chips once, and their cubes go."""

import runpy
import sys
from pathlib import Path

import pytest

from catalog.stores.chips import open_chips
from simulator.make import make
from tests.small_world import SMALLEST

SCRIPT = Path(__file__).resolve().parents[2] / "recipes" / "worlds_to_chips.py"
YEARS = (2019, 2022)


@pytest.mark.usefixtures("prefect_server")
def test_a_world_becomes_chips_of_every_year_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(SMALLEST, YEARS, tmp_path / "worlds" / SMALLEST.name, workers=1)
    (tmp_path / "worlds" / "half-made").mkdir()
    folders = [f"--{name}={tmp_path / name}" for name in ("worlds", "store", "chips")]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *folders, "--pattern=*", "--split=val"])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert SMALLEST.name in capsys.readouterr().out

    chips = open_chips(tmp_path / "chips" / SMALLEST.name)
    assert set(chips.table["year"]) == set(YEARS)
    assert set(chips.table["split"]) == {"val"}
    assert set(chips.table["ground"]) == {SMALLEST.name}
    assert (chips.table["valid_share"] >= 0.6).all()
    assert chips.table["lake_share"].max() > 0
    assert not list((tmp_path / "store" / "cubes").glob("*"))

    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert SMALLEST.name not in capsys.readouterr().out
