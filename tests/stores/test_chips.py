"""Sets of chips: whole or not at all, fast at any place, and never with a leak."""

import json
import pickle
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
import zarr

from catalog.facts.chips import CHIP_LABELS, CHIPS, ChipBatch, ChipRecord
from catalog.facts.errors import ChipsUnusable, CryoatlasError, StoreNewer
from catalog.facts.footprints import overlapping_splits, squares_lonlat
from catalog.stores.chip_arrays import ARRAYS, SHARD_CHIPS
from catalog.stores.chips import open_chips, write_chips

EPSG = 32644


def record(number: int, split: str = "train", ground: str = "earth", step: int = 224) -> ChipRecord:
    y, x = -480_000, 50_000 + step * number
    return ChipRecord(
        f"chip-{ground}-{number}", ground, "here", 2021, 2022, EPSG, y, x, 81.0, 43.0, split, "", "0|0", 0.1, 1, 1.0, 0.5, True, 1, 1, 1.0,
        1.0, 0.0, "test", ("moraine",), ("frozen",),
    )  # fmt: skip


def batch(numbers: range) -> ChipBatch:
    """Chips whose every array tells their number."""
    count, size = len(numbers), (224, 224)
    value = np.array(numbers)

    def filled(shape, dtype):
        return np.broadcast_to(value.reshape(-1, *[1] * (len(shape) - 1)), shape).astype(dtype)

    return ChipBatch(
        filled((count, 12, *size), np.uint16),
        filled((count, 2, *size), np.float32),
        filled((count, *size), np.float32),
        filled((count, *size), np.uint8) % 8,
        filled((count, *size), np.uint8),
        np.full(count, 0.5, np.float32),
    )


def piece(numbers: range, **facts):
    records = [record(number, **facts) for number in numbers]
    origins = np.array([(r.origin_y_px, r.origin_x_px) for r in records])
    return batch(numbers), records, squares_lonlat(origins, EPSG)


def no_labels():
    return gpd.GeoDataFrame({name: [] for name in CHIP_LABELS.names}, geometry=[], crs=4326)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("sets") / "whole"
    return write_chips(out, [piece(range(30)), piece(range(30, 70)), piece(range(70, 75))], no_labels(), {"made": "here"})


def test_chips_come_back_at_their_place_in_any_order(whole):
    asked = np.array([74, 0, 63, 64, 5, 5, 6, 7])
    got = whole.read(asked)
    assert got.s2.shape == (8, 12, 224, 224)
    for name in ("s2", "s1", "dem", "label"):
        assert np.array_equal(getattr(got, name).reshape(8, -1)[:, -1], asked), name
    assert (got.weight == 0.5).all()
    assert whole.table["chip_id"].tolist() == [f"chip-earth-{number}" for number in range(75)]
    assert whole.table.crs == 4326


def test_our_reader_of_shards_gives_what_zarr_gives(tmp_path):
    numbers = range(66)
    chips, records, shapes = piece(numbers)
    rng = np.random.default_rng(0)
    chips.s2[:] = rng.integers(0, 9000, chips.s2.shape, np.uint16)
    chips.s1[:] = rng.normal(-12, 3, chips.s1.shape)
    # chips that hold nothing but fill have no bytes in their shard
    chips.s2[[0, 65]], chips.s1[3], chips.label[[4, 64]], chips.cause[:64] = 0, np.nan, 255, 7
    made = write_chips(tmp_path / "set", [(chips, records, shapes)], no_labels(), {})
    group = zarr.open_group(tmp_path / "set" / ARRAYS, mode="r")
    got = made.read(np.arange(66))
    for name in ("s2", "s1", "dem", "cause", "label"):
        assert np.array_equal(getattr(got, name), np.asarray(group[name][:]), equal_nan=True), name
        assert np.array_equal(getattr(got, name), getattr(chips, name), equal_nan=True), name


def test_a_place_that_is_not_there_is_refused(whole):
    with pytest.raises(IndexError, match="0 to 74"):
        whole.read(np.array([75]))


def test_shards_are_few_and_the_columns_are_those_promised(whole):
    files = [path for path in (whole.paths[0] / ARRAYS / "s2" / "c").rglob("*") if path.is_file()]
    assert len(files) == -(-75 // SHARD_CHIPS)
    assert list(whole.table.columns) == [*CHIPS.names, "geometry"]
    assert list(whole.labels.columns) == [*CHIP_LABELS.names, "geometry"]
    assert json.loads((whole.paths[0] / "set.json").read_text())["by_split"] == {"train": 75}


def test_a_worker_process_can_read(whole):
    assert whole.read(np.array([1])).s2.max() == 1
    again = pickle.loads(pickle.dumps(whole))  # noqa: S301 - our own bytes
    assert again.read(np.array([3])).s2.max() == 3


def test_an_empty_split_is_named_with_what_there_is(whole):
    assert whole.of_split("train").tolist() == list(range(75))
    with pytest.raises(ChipsUnusable, match=r"none of split 'test' \(there are 75 train\)"):
        whole.of_split("test")


def test_several_sets_read_as_one(whole, tmp_path):
    write_chips(tmp_path / "other", [piece(range(200, 203), split="val")], no_labels(), {})
    both = open_chips([whole.paths[0], tmp_path / "other"])
    assert len(both) == 78
    assert both.of_split("val").tolist() == [75, 76, 77]
    assert both.read(np.array([76, 2, 77])).s2[:, 0, 0, 0].tolist() == [201, 2, 202]


def test_a_killed_writer_leaves_no_set_and_the_next_one_starts_anew(tmp_path):
    def dying():
        yield piece(range(70))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_chips(tmp_path / "set", dying(), no_labels(), {})
    with pytest.raises(ChipsUnusable, match="never finished"):
        open_chips(tmp_path / "set")
    assert len(write_chips(tmp_path / "set", [piece(range(3))], no_labels(), {})) == 3


def test_a_finished_set_is_not_written_over(whole):
    with pytest.raises(ChipsUnusable, match="already holds"):
        write_chips(whole.paths[0], [piece(range(3))], no_labels(), {})
    assert len(open_chips(whole.paths[0])) == 75


def test_a_folder_without_a_set_and_a_newer_one_are_told_apart(tmp_path):
    with pytest.raises(ChipsUnusable, match="no set of chips here"):
        open_chips(tmp_path)
    (tmp_path / "set.json").write_text('{"schema_version": 99}')
    with pytest.raises(StoreNewer, match="99"):
        open_chips(tmp_path)


def test_a_changed_table_is_noticed(tmp_path):
    made = write_chips(tmp_path / "set", [piece(range(3))], no_labels(), {})
    made.table.iloc[:2].to_parquet(tmp_path / "set" / "chips.parquet")
    with pytest.raises(ChipsUnusable, match="not what was written"):
        open_chips(tmp_path / "set")


def test_a_damaged_shard_is_one_sentence(tmp_path):
    write_chips(tmp_path / "set", [piece(range(3))], no_labels(), {})
    for file in (tmp_path / "set" / ARRAYS / "s2" / "c").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(CryoatlasError, match="damaged"):
        open_chips(tmp_path / "set").read(np.array([0]))


def test_no_chip_at_all_is_an_error(tmp_path):
    with pytest.raises(ChipsUnusable, match="no window was worth a chip"):
        write_chips(tmp_path / "set", [], no_labels(), {})


def leaking():
    """A train chip, and a test chip half of which shows the same ground."""
    shapes = squares_lonlat(np.array([(-480_000, 50_000), (-480_000, 50_112)]), EPSG)
    return batch(range(2)), [record(0), replace(record(1), split="test")], shapes


def test_a_planted_leak_is_refused_on_write(tmp_path):
    with pytest.raises(ChipsUnusable, match=r"1 pairs, for example chip-earth-1 \(test\) and chip-earth-0 \(train\)"):
        write_chips(tmp_path / "set", [leaking()], no_labels(), {})
    with pytest.raises(ChipsUnusable):
        open_chips(tmp_path / "set")


def test_a_leak_between_stages_is_refused_on_opening(tmp_path):
    write_chips(tmp_path / "pretrain", [piece(range(4))], no_labels(), {})
    write_chips(tmp_path / "finetune", [piece(range(3, 6), split="test")], no_labels(), {})
    with pytest.raises(ChipsUnusable, match="different splits"):
        open_chips([tmp_path / "pretrain", tmp_path / "finetune"])


def test_only_shared_ground_of_used_chips_is_a_leak():
    chips = [record(0), record(0, split="val", ground="world-7"), record(1, split="test"), record(0, split="buffer")]
    origins = np.array([(r.origin_y_px, r.origin_x_px) for r in chips])
    table = gpd.GeoDataFrame(
        {name: [getattr(r, name) for r in chips] for name in ("chip_id", "ground", "split")},
        geometry=squares_lonlat(origins, EPSG),
        crs=4326,
    )
    # another world, side by side, and the buffer: none of them shares ground
    assert overlapping_splits(table) == ()
    table.loc[2, "geometry"] = shapely.affinity.translate(table.geometry[0], 0.01)
    (leak,) = overlapping_splits(table)
    assert {leak.first, leak.second} == {"chip-earth-0", "chip-earth-1"}
    assert set(leak.splits) == {"train", "test"}


def test_outlines_are_kept_where_chips_see_them_with_the_part_that_they_see(tmp_path):
    chips = piece(range(2))
    inside = chips[2][0].centroid.buffer(0.002)
    half = shapely.box(*chips[2][0].bounds)
    half = shapely.affinity.translate(half, 0, 0.5 * (half.bounds[3] - half.bounds[1]))
    shapes = [inside, half, shapely.affinity.translate(inside, 1.0), inside]
    count = len(shapes)
    columns = {"lake_id": ["in", "half", "far", "other year"], "year": [2021, 2021, 2021, 2020]}
    same = {"ground": "earth", "region": "here", "label_year": 2022, "split": "train", "class": "", "hard": False, "hard_because": ""}
    labels = gpd.GeoDataFrame(
        {**columns, **{name: [value] * count for name, value in same.items()}, "observable": True, "area_m2": 1.0},
        geometry=shapes,
        crs=4326,
    )
    kept = write_chips(tmp_path / "set", [chips], labels, {}).labels.set_index("lake_id")
    assert sorted(kept.index) == ["half", "in"]
    assert kept.covered_share["in"] == pytest.approx(1.0)
    assert kept.covered_share["half"] == pytest.approx(0.5, abs=0.03)


def test_sets_of_before_labelers_were_told_still_open_beside_newer_ones(tmp_path):
    chips = piece(range(2))
    facts = {"ground": "earth", "region": "here", "year": 2021, "label_year": 2021, "split": "train", "class": "", "hard": False}
    told = {"hard_because": "", "observable": True, "area_m2": 1.0}
    labels = gpd.GeoDataFrame(
        {"lake_id": ["a", "b"], "labeler": ["01", None]}, geometry=[shape.buffer(-1e-3) for shape in chips[2]], crs=4326
    )
    newer = write_chips(tmp_path / "newer", [chips], labels.assign(**facts, **told), {})
    assert newer.labels["labeler"].tolist() == ["01", ""]
    other = piece(range(10, 12))
    labels = gpd.GeoDataFrame({"lake_id": ["c", "d"]}, geometry=[shape.buffer(-1e-3) for shape in other[2]], crs=4326)
    older = write_chips(tmp_path / "older", [other], labels.assign(**facts, **told), {})
    assert older.labels["labeler"].tolist() == ["", ""]
    table = gpd.read_parquet(tmp_path / "older" / "labels.parquet").drop(columns="labeler")
    table.to_parquet(tmp_path / "older" / "labels.parquet")
    both = open_chips([tmp_path / "newer", tmp_path / "older"]).labels
    assert both["lake_id"].tolist() == ["a", "b", "c", "d"]
