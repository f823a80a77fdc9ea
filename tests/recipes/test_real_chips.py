"""The real scenes that are trained on: dry where somebody knows it, unknown where nobody outlined water, none that is kept for testing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from catalog.facts.chips import LABEL_IGNORE
from catalog.stores.chips import ChipSet, open_chips, read_card

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def chips(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ChipSet:
    out = tmp_path_factory.mktemp("real") / "chips"
    command = [sys.executable, str(ROOT / "recipes" / "real_chips.py"), "--data", str(shared_data), "--out", str(out)]
    subprocess.run(command, check=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"})
    return open_chips(out)


def test_no_scene_that_is_kept_for_testing_is_trained_on(chips: ChipSet) -> None:
    assert set(chips.table["source"]) == {
        "s1_s2_dem_tiles/worldcereal_s1s2dem_12months.nc",
        "s1_s2_dem_tiles/bigearthnet_s1_river_33UUP",
    }
    assert set(chips.table["split"]) == {"train"}
    kept = [name for name, why in read_card(chips.paths[0])["decisions"].items() if why.startswith("kept for testing")]
    assert len(kept) == 3


def test_fields_are_dry_and_the_dark_river_is_unknown(chips: ChipSet) -> None:
    batch = chips.read(np.arange(len(chips)))
    known = batch.label != LABEL_IGNORE
    assert (batch.label[known] == 0).all()
    river = chips.table["region"].str.startswith("inn").to_numpy()
    assert river.sum() == 2
    dark = batch.s1[river, 0] < -22
    assert dark.mean() > 0.02
    assert known[river][dark].mean() < 0.02
    assert 0.05 < known[river].mean() < 0.28
    assert known[~river].mean() == pytest.approx(100 * 100 / 224**2, rel=1e-6)


def test_radar_and_reflectance_are_in_stored_units(chips: ChipSet) -> None:
    batch = chips.read(np.arange(len(chips)))
    assert -16 < np.nanmedian(batch.s1[:, 0]) < -6
    seen = batch.s2[:, 3][batch.s2[:, 3] > 0]
    assert 200 < np.median(seen) < 2500
    assert 100 < np.nanmin(batch.dem) < np.nanmax(batch.dem) < 200
