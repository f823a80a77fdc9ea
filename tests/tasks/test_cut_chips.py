"""Chips from cubes and outlines: the right pixels, the right split, and nothing dropped in silence."""

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely

from catalog.facts.chips import CutOptions
from catalog.facts.errors import ChipsUnusable, GridMismatch, WrongCall
from catalog.facts.footprints import overlapping_splits, squares_lonlat
from catalog.facts.schemas import SURFACE
from catalog.facts.splits import BLOCKS, block_splits_of, splits_of
from catalog.stores import cubes
from catalog.stores.chips import open_chips
from catalog.stores.jobs import create_job, mapped_tiles
from catalog.stores.store import open_store
from models.describer.pairs import mask_of
from models.segmenter.cutting import FOREIGN_LAKE, NEAR_EDGE
from models.segmenter.lake_sides import sided
from tasks.cut_chips import cut
from tasks.write_pairs import write_pairs

YEAR, LATITUDE = 2021, 43.125
BLOCKED = CutOptions(ground="a world")


def edge_of_train_and_test() -> float:
    """Longitude of an edge between a train block in the west and a test block in the east."""
    edges = np.arange(510, 600) * BLOCKS.size_deg
    row = np.full(len(edges), LATITUDE)
    west, east = (block_splits_of(row, edges + side * BLOCKS.size_deg / 2) for side in (-1, 1))
    return float(edges[(west == "train") & (east == "test")][0])


EDGE = edge_of_train_and_test()


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """Cubes around that edge in tiles of one chip; dem tells the global column of every pixel."""
    root = tmp_path_factory.mktemp("store")
    (root / "store.json").write_text(json.dumps({"schema_version": 1, "chips_per_tile": 1}))
    job = create_job(f"{EDGE - 0.06},{LATITUDE - 0.012},{EDGE + 0.06},{LATITUDE + 0.012}", YEAR, str(root), None)
    opened = open_store(str(root))
    for epsg in sorted({tile.epsg for tile in mapped_tiles(job)}):
        tiles = mapped_tiles(job, epsg)
        cube = cubes.open_cube(opened.cube(job.region, YEAR, epsg), tiles, SURFACE)
        for tile in tiles:
            cubes.write_tile(cube, tile, surface(tile))
    return root


def surface(tile) -> dict[str, np.ndarray]:
    y, x = tile.origin_yx_px
    columns = np.broadcast_to(np.arange(x, x + tile.size_px), (tile.size_px, tile.size_px))
    shape = (tile.size_px, tile.size_px)
    arrays = {spec.name: np.full(((len(spec.bands),) if spec.bands else ()) + shape, spec.fill, spec.dtype) for spec in SURFACE}
    arrays["s2"][:] = (1000 + (y + np.arange(tile.size_px)) % 5000)[:, None]
    arrays["dem"][:] = columns
    arrays["cause"][:] = 0
    return arrays


def region(store: Path) -> str:
    return next((store / "regions").glob("*.geojson")).stem


def lakes(folder: Path, *shapes: shapely.Geometry, **columns) -> str:
    path = folder / "lakes.parquet"
    gpd.GeoDataFrame({"id": [f"L{i}" for i in range(len(shapes))], **columns}, geometry=list(shapes), crs=4326).to_parquet(path)
    return str(path)


def pond(longitude: float, radius_deg: float = 0.0015) -> shapely.Geometry:
    return shapely.affinity.scale(shapely.Point(longitude, LATITUDE).buffer(radius_deg), 1 / np.cos(np.radians(LATITUDE)), 1)


def run(store: Path, labels: str, out: Path, options: CutOptions = BLOCKED):
    return cut(str(store), region(store), [YEAR], labels, str(out), replace(options, label_year=YEAR))


def test_chips_hold_the_pixels_of_their_place(store, tmp_path):
    run(store, lakes(tmp_path, pond(EDGE - 0.05)), tmp_path / "set")
    found = open_chips(tmp_path / "set")
    batch = found.read(np.arange(len(found)))
    x, y = found.table["origin_x_px"].to_numpy(), found.table["origin_y_px"].to_numpy()
    assert len(found) > 10
    inside = np.isfinite(batch.dem[:, 0, 0])
    assert np.array_equal(batch.dem[inside, 0, 0], x[inside])
    assert np.array_equal(batch.s2[inside, 3, 0, 0], 1000 + y[inside] % 5000)
    assert (x % 112 == 0).all()
    assert (y % 112 == 0).all()


def test_labels_lie_where_their_outline_lies(store, tmp_path):
    lake = pond(EDGE - 0.05)
    run(store, lakes(tmp_path, lake), tmp_path / "set")
    found = open_chips(tmp_path / "set")
    area_px = found.labels["area_m2"].iloc[0] / 100
    whole = shapely.contains(found.table.geometry.to_numpy(), lake)
    assert whole.any()
    for number in np.flatnonzero(whole):
        label = found.read(np.array([number])).label[0].astype(float)
        label[label == 255] = 0
        assert label.sum() / 250 == pytest.approx(area_px, rel=0.01)
        rows, columns = np.indices(label.shape)
        record = found.table.iloc[number]
        middle = [float((axis * label).sum() / label.sum()) + 0.5 for axis in (rows, columns)]
        square = squares_lonlat(np.array([[record.origin_y_px, record.origin_x_px]]), record.epsg)[0]
        west, south, east, north = square.bounds
        assert west + middle[1] / 224 * (east - west) == pytest.approx(lake.centroid.x, abs=4e-4)
        assert north - middle[0] / 224 * (north - south) == pytest.approx(LATITUDE, abs=3e-4)


def test_chips_of_both_sides_share_no_ground_and_reasons_are_told(store, tmp_path):
    counts = run(store, lakes(tmp_path, pond(EDGE - 0.05), pond(EDGE + 0.05)), tmp_path / "set")
    table = open_chips(tmp_path / "set").table
    assert counts.by_split.keys() == {"train", "test", "buffer"}
    assert overlapping_splits(table) == ()
    assert (table["longitude"][table["split"] == "train"] < EDGE).all()
    assert (table["longitude"][table["split"] == "test"] > EDGE).all()
    expected = splits_of(table["latitude"].to_numpy(), table["longitude"].to_numpy())
    assert (table["split"] == expected).all()
    assert set(table["reason"][table["split"] == "buffer"]) == {NEAR_EDGE}
    labels = open_chips(tmp_path / "set").labels.set_index("lake_id")
    assert (labels.split["L0"], labels.split["L1"]) == ("train", "test")


def test_a_lake_over_the_edge_stands_on_one_side_only(store, tmp_path):
    # two thirds of a long lake lie in the train block; its tail reaches chips of the test block
    long = shapely.box(EDGE - 0.05, LATITUDE - 0.002, EDGE + 0.03, LATITUDE + 0.002)
    run(store, lakes(tmp_path, long), tmp_path / "set")
    found = open_chips(tmp_path / "set")
    assert found.labels["split"].tolist() == ["train"]
    touched = found.table[shapely.intersects(found.table.geometry.to_numpy(), long)]
    assert set(touched["split"]) == {"train", "buffer"}
    foreign = touched[touched["reason"] == FOREIGN_LAKE]
    assert len(foreign) > 0
    assert (foreign["longitude"] > EDGE).all()


def test_a_world_may_be_declared_whole(store, tmp_path):
    run(store, lakes(tmp_path, pond(EDGE)), tmp_path / "set", replace(BLOCKED, split="val"))
    found = open_chips(tmp_path / "set")
    assert len(found.of_split("val")) == len(found)
    assert set(found.table["reason"]) == {"declared val as a whole"}
    assert set(found.labels["split"]) == {"val"}


def test_negatives_are_drawn_by_their_name(store, tmp_path):
    labels = lakes(tmp_path, pond(EDGE - 0.05))
    everything = run(store, labels, tmp_path / "all")
    none = run(store, labels, tmp_path / "none", replace(BLOCKED, negatives=0.0))
    some = [run(store, labels, tmp_path / name, replace(BLOCKED, negatives=0.5)) for name in ("one", "two")]
    assert none.chips < some[0].chips < everything.chips
    assert (open_chips(tmp_path / "none").table["lake_share"] >= 0.002).all()
    one, two = (open_chips(tmp_path / name).table["chip_id"].tolist() for name in ("one", "two"))
    assert one == two
    assert everything.chips - none.chips == none.left_out["dry, and not among the negatives kept"]


def test_the_filter_is_reported_and_leaves_test_chips_alone(store, tmp_path):
    # optics show no water anywhere, so the filter refuses every lake
    labels = lakes(tmp_path, pond(EDGE - 0.05, 0.003), pond(EDGE + 0.05, 0.003))
    run(store, labels, tmp_path / "all")
    reported = open_chips(tmp_path / "all").table
    refused = reported[~reported["sane"]]
    assert {"train", "test"} <= set(refused["split"])
    assert (refused["mndwi_iou"] == 0).all()
    run(store, labels, tmp_path / "sane", replace(BLOCKED, only_sane=True))
    kept = open_chips(tmp_path / "sane").table
    assert kept["sane"][kept["split"] == "train"].all()
    assert (kept["split"] == "test").sum() == (reported["split"] == "test").sum()


def test_inventories_get_a_band_and_worlds_none(store, tmp_path):
    labels = lakes(tmp_path, pond(EDGE - 0.05))
    shares = {}
    for ground in ("a world", "earth"):
        run(store, labels, tmp_path / ground, replace(BLOCKED, ground=ground))
        found = open_chips(tmp_path / ground)
        wet = np.flatnonzero(found.table["valid_share"].to_numpy() == 1)
        shares[ground] = (found.read(wet).label == 255).mean()
    assert shares["a world"] == 0
    assert 0 < shares["earth"] < 0.01


def test_hard_lakes_and_old_labels_are_told(store, tmp_path):
    labels = lakes(tmp_path, pond(EDGE - 0.05), **{"class": ["turbid"], "hard": [True], "hard_because": ["small;shadowed"], "year": [2018]})
    cut(str(store), region(store), [YEAR], labels, str(tmp_path / "set"), BLOCKED)
    table = open_chips(tmp_path / "set").table
    wet = table[table["lakes"] == 1].iloc[0]
    assert (list(wet["classes"]), list(wet["hard_classes"])) == (["turbid"], ["shadowed", "small"])
    assert set(table["label_year"]) == {2018}
    assert table["weight"].to_numpy() == pytest.approx(0.5)


def test_ground_that_no_sensor_saw_is_left_out_or_ignored(store, tmp_path):
    counts = run(store, lakes(tmp_path, pond(EDGE - 0.05)), tmp_path / "set", replace(BLOCKED, min_valid_share=0.3))
    found = open_chips(tmp_path / "set")
    partly = np.flatnonzero(found.table["valid_share"].between(0.3, 0.9).to_numpy())
    assert counts.left_out["too little was seen"] > 0
    batch = found.read(partly)
    assert partly.size
    assert (batch.label[~batch.s2.any(axis=1)] == 255).all()


def test_wrong_calls_are_one_sentence(store, tmp_path):
    labels = lakes(tmp_path, pond(EDGE))
    with pytest.raises(WrongCall, match="is not in"):
        cut(str(store), "elsewhere", [YEAR], labels, str(tmp_path / "a"), replace(BLOCKED, label_year=YEAR))
    with pytest.raises(GridMismatch, match="no cube here"):
        cut(str(store), region(store), [2019], labels, str(tmp_path / "b"), replace(BLOCKED, label_year=YEAR))
    with pytest.raises(WrongCall, match="Stride 0"):
        run(store, labels, tmp_path / "c", replace(BLOCKED, stride_px=0))
    with pytest.raises(ChipsUnusable, match="no such file"):
        run(store, str(tmp_path / "none.gpkg"), tmp_path / "d")
    with pytest.raises(ChipsUnusable, match="no outline of 2021 lies near region"):
        run(store, lakes(tmp_path, pond(10.0)), tmp_path / "e")
    with pytest.raises(ChipsUnusable, match="no window was worth a chip"):
        run(store, lakes(tmp_path, pond(EDGE + 0.3)), tmp_path / "f", replace(BLOCKED, negatives=0.0))


def test_a_lake_that_grows_over_an_edge_keeps_its_side_in_every_year():
    # its middle moves from the test block in the east to the train block in the west
    small, grown = (shapely.box(EDGE + west, LATITUDE, EDGE + 0.02, LATITUDE + 0.01) for west in (0.005, -0.05))
    other = pond(EDGE + 0.06)
    table = gpd.GeoDataFrame({"area_m2": [1.0, 5.0, 0.5]}, geometry=[small, grown, other], crs=4326)
    assert sided(table, BLOCKED)["split"].tolist() == ["train", "train", "test"]
    assert sided(table, replace(BLOCKED, split="val"))["split"].tolist() == ["val"] * 3


def test_chips_become_questions_whose_masks_are_their_lakes(store, tmp_path):
    run(store, lakes(tmp_path, pond(EDGE - 0.05)), tmp_path / "set")
    families = write_pairs(str(tmp_path / "set"), str(tmp_path / "pairs.parquet"))
    rows = pq.read_table(tmp_path / "pairs.parquet").to_pylist()
    chips = open_chips(tmp_path / "set")
    assert sum(families.values()) == len(rows)
    assert {row["chip_id"] for row in rows} == set(chips.table.loc[chips.table["split"] != "buffer", "chip_id"])
    labels = dict(zip(chips.table["chip_id"], chips.read(np.arange(len(chips))).label, strict=True))
    for row in rows:
        mask, wet = mask_of(row["mask_runs"], (224, 224)), (labels[row["chip_id"]] >= 125) & (labels[row["chip_id"]] != 255)
        assert not (mask & ~wet).any()
        assert ("[SEG]" in row["answer"]) == bool(row["instance_ids"]) == mask.any()
    assert any(row["instance_ids"] for row in rows)
    assert any(not row["instance_ids"] for row in rows)
