"""An archive in CryoSentinel's layout becomes a set under our split."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from catalog.facts.footprints import overlapping_splits
from catalog.facts.splits import split_of
from catalog.stores.chips import open_chips
from models.segmenter.archived import NOWHERE, label_year_of
from models.segmenter.cutting import FOREIGN_LAKE, NEAR_EDGE
from tasks.import_shards import convert

TRAIN, TEST, NEAR = (43.08, 77.15), (42.9998, 76.7119), (43.054, 76.985)
"""Points of the published test vectors; the last is near another block."""


def row(name: str, place: tuple[float, float] | None, lake_id: str = "", wet: int = 0) -> dict:
    mask = np.zeros((224, 224), np.uint8)
    mask[:wet] = 1
    s2 = np.full((12, 224, 224), 2000, np.uint16)
    s2[10, :wet] = 100  # B11 of water
    arrays = {"s2": s2, "s1": np.full((2, 224, 224), -9, np.float32), "dem": np.full((224, 224), 4000, np.int16), "mask": mask}
    facts = {"chip_id": name, "split": "val", "lake_id": lake_id}
    if place:
        facts |= {"lat": place[0], "lon": place[1]}
    for key, array in arrays.items():
        facts |= {f"{key}_bytes": array.tobytes(), f"{key}_shape": list(array.shape)}
    return facts


def write(folder: Path, rows: list[dict], region: str, year: int) -> None:
    place = folder / region / str(year)
    place.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), place / "shard_0000.parquet")


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    write(folder, [row("a", TRAIN, wet=20), row("b", TEST), row("c", NEAR)], "ile_alatau", 2021)
    # the catch-all region of the archive shows the same ground under another name
    write(folder, [row("a", TRAIN, "L1", wet=20), row("d", (43.075, 77.151), "L1"), row("e", TEST, "L1")], "hma_other", 2017)
    write(folder, [row("legacy", None, wet=5)], "pamir", 2022)
    convert(str(folder), str(folder / "set"))
    return open_chips(folder / "set")


def test_splits_are_ours_and_theirs_is_kept_for_diagnostics(imported):
    table = imported.table.set_index("chip_id")
    assert table.split["ile_alatau/2021/a"] == "train"
    assert table.split["ile_alatau/2021/b"] == "test"
    assert set(table["lake_split"]) == {"val"}
    for record in table[table["reason"] == ""].itertuples():
        assert record.split == split_of(record.latitude, record.longitude)
    assert overlapping_splits(imported.table) == ()


def test_reasons_of_the_buffer_are_told(imported):
    table = imported.table.set_index("chip_id")
    assert table.reason["ile_alatau/2021/c"] == NEAR_EDGE
    assert table.split["hma_other/2017/e"] == "buffer", "its lake has more chips in train"
    assert table.reason["hma_other/2017/e"] == FOREIGN_LAKE
    assert table.reason["pamir/2022/legacy"] == NOWHERE
    assert table.split["pamir/2022/legacy"] == "buffer"


def test_pixels_labels_and_weights_arrive(imported):
    place = int(np.flatnonzero(imported.table["chip_id"] == "ile_alatau/2021/a")[0])
    batch = imported.read(np.array([place]))
    assert (batch.label[0, :20] == 250).all()
    assert not batch.label[0, 20:].any()
    assert (batch.s2[0, 10, :20] == 100).all()
    assert (batch.s1 == -9).all()
    record = imported.table.iloc[place]
    assert record.lake_share == pytest.approx(20 / 224)
    assert record.sane
    assert record.mask_px == 20 * 224
    assert record.epsg == 32643
    assert record.geometry.centroid.distance(shapely.Point(TRAIN[1], TRAIN[0])) < 1e-4


def test_labels_have_the_year_of_their_inventory():
    assert [label_year_of(year) for year in (2017, 2018, 2019, 2021, 2023)] == [2016, 2016, 2022, 2022, 2022]


def test_a_label_of_another_year_weighs_less(imported):
    weights = imported.table.set_index("chip_id").weight
    assert weights["pamir/2022/legacy"] == 1
    assert weights["hma_other/2017/a"] == weights["ile_alatau/2021/a"] == pytest.approx(2 ** (-1 / 3))
