"""A set of slumps as others read it: loaded by pycocotools, with the masks that training sees."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from pycocotools.coco import COCO
from typer.testing import CliRunner

from catalog.facts.causes import Cause
from catalog.facts.chips import ChipRecord
from catalog.facts.errors import WrongCall
from catalog.facts.footprints import squares_lonlat
from catalog.stores.chips import open_chips, write_chips
from commands.main import app
from models.detector.coco import run_lengths
from models.detector.slumps import SlumpOptions, slumps_of_chips
from models.detector.targets import Frame, TargetOptions, target_of
from models.outlines.geodesy import to_degrees
from tasks.export_chips import export_coco
from tests.slump_chips import ORIGIN, blob, chips

EPSG = 32608
ORIGINS = np.array([ORIGIN, (ORIGIN[0] + 224, ORIGIN[1]), (ORIGIN[0] + 4480, ORIGIN[1])])
RING = blob(150, 100, 20).difference(blob(150, 100, 9))
SHAPES = [blob(60, 60, 10), RING, blob(190, 190, 8), blob(20, 215, 30), blob(100, 4530, 6)]
"""Two slumps in the first chip, a scar at rest, one over the edge to the second chip, one in a chip of another split."""


def record(number: int) -> ChipRecord:
    y, x = (int(value) for value in ORIGINS[number])
    split = "val" if number == 2 else "train"
    return ChipRecord(
        f"earth/here/2021/{number}", "earth", "here", 2021, 2021, EPSG, y, x, -135.0, 63.0, split, "", "0|0", 0.1, 1, 1.0, 1.0, True, 1, 1,
        1.0, 1.0, 0.0, "test",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "slumps"
    facts = {"ground": "earth", "region": "here", "year": 2021, "label_year": 2021, "split": "train", "hard": False, "hard_because": ""}
    labels = gpd.GeoDataFrame({"lake_id": list("abcde")}, geometry=to_degrees(np.array(SHAPES, object), EPSG), crs=4326)
    labels = labels.assign(**facts, **{"class": ["", "", "stabilised", "", ""]}, observable=True, area_m2=1.0)
    batch = chips(3)
    batch.cause[0, :10] = Cause.CLOUD
    pieces = [(batch, [record(number) for number in range(3)], squares_lonlat(ORIGINS, EPSG))]
    write_chips(out, pieces, labels, {"target": "slumps", "made": "for a test", "licence": "CC0-1.0", "attribution": "us"})
    return out


def test_pycocotools_reads_the_masks_that_training_sees(folder, tmp_path):
    counts = export_coco(str(folder), str(tmp_path), "png", TargetOptions())
    assert [(count.split, count.images, count.slumps, count.crowds) for count in counts] == [("train", 2, 4, 1), ("val", 1, 1, 0)]
    coco = COCO(str(tmp_path / "annotations" / "instances_train.json"))
    found = open_chips(folder)
    own = slumps_of_chips(found.table, found.labels, SlumpOptions())
    for image in coco.loadImgs(coco.getImgIds()):
        place = image["id"] - 1
        target = target_of(own[place], Frame(tuple(map(float, ORIGINS[place])), 224, 1), TargetOptions())
        sure = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]], iscrowd=False))
        assert len(sure) == len(target)
        for annotation, mask, box in zip(sure, target.masks.numpy(), target.boxes.numpy(), strict=True):
            drawn = coco.annToMask(annotation)
            assert (drawn != mask).sum() <= 0.06 * mask.sum() + 4  # polygons of COCO are drawn by rules of its own
            assert annotation["area"] == pytest.approx(mask.sum(), rel=0.03)
            left, top, width, height = annotation["bbox"]
            assert np.allclose((left, top, left + width, top + height), box, atol=1)
        crowds = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]], iscrowd=True))
        drawn = np.any([coco.annToMask(crowd) for crowd in crowds], axis=0) if crowds else np.zeros((224, 224), bool)
        assert np.array_equal(drawn & ~(target.masks.numpy() >= 0.5).any(0), target.ignore.numpy())


def test_a_slump_over_an_edge_is_cut_for_each_chip(folder, tmp_path):
    export_coco(str(folder), str(tmp_path), "png", TargetOptions())
    coco = COCO(str(tmp_path / "annotations" / "instances_train.json"))
    parts = [a for a in coco.dataset["annotations"] if a["bbox"][0] == 0]
    assert {part["image_id"] for part in parts} == {1, 2}
    whole = shapely.intersection(SHAPES[3], shapely.box(ORIGIN[1] * 10, -1e9, 1e9, 1e9)).area / 100
    assert sum(part["area"] for part in parts) == pytest.approx(whole, rel=1e-3)


def test_pictures_are_there_and_say_where_they_lie(folder, tmp_path):
    for pictures in ("png", "tif"):
        export_coco(str(folder), str(tmp_path / pictures), pictures, TargetOptions())
        content = json.loads((tmp_path / pictures / "annotations" / "instances_train.json").read_text())
        image = content["images"][0]
        assert (image["width"], image["height"], image["epsg"]) == (224, 224, EPSG)
        path = tmp_path / pictures / "images" / "train" / image["file_name"]
        assert image["transform"] == [10, 0, ORIGIN[1] * 10, 0, -10, -ORIGIN[0] * 10]
        with rasterio.open(path) as file:
            array = file.read()
            assert array.shape == ((3 if pictures == "png" else 4), 224, 224)
            assert (array[:, :10] == 0).all()
            assert (array[:, 10:] > 0).all()
            if pictures == "tif":
                assert list(file.transform)[:6] == image["transform"]
                assert file.crs.to_epsg() == EPSG
                assert np.array_equal(array[3, 10:], chips(3).s2[0, 7, 10:])
    assert content["licenses"][0]["name"] == "CC0-1.0"


def test_a_rerun_writes_nothing(folder, tmp_path):
    export_coco(str(folder), str(tmp_path), "png", TargetOptions())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert len(before) == 5
    export_coco(str(folder), str(tmp_path), "png", TargetOptions())
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


def test_sets_of_lakes_are_refused(tmp_path):
    labels = gpd.GeoDataFrame({"lake_id": []}, geometry=[], crs=4326)
    pieces = [(chips(1), [record(0)], squares_lonlat(ORIGINS[:1], EPSG))]
    write_chips(tmp_path / "lakes", pieces, labels, {"target": "lakes"})
    with pytest.raises(WrongCall, match="a set of lakes"):
        export_coco(str(tmp_path / "lakes"), str(tmp_path / "out"), "png", TargetOptions())


def test_run_lengths_begin_with_what_is_not_set():
    mask = np.array([[True, False], [True, True], [False, False]])
    assert run_lengths(mask) == {"size": [3, 2], "counts": [0, 2, 2, 1, 1]}
    assert run_lengths(np.zeros((3, 2), bool))["counts"] == [6]
    assert run_lengths(np.ones((3, 2), bool))["counts"] == [0, 6]


def test_the_command_says_what_it_wrote(folder, tmp_path):
    result = CliRunner().invoke(app, ["chips", "export", "--format", "coco", "--data", str(folder), "--out", str(tmp_path), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)[0] == {"split": "train", "images": 2, "slumps": 4, "crowds": 1}
