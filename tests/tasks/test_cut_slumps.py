"""Chips of slumps from a cube of the Arctic, and the same set for the tools of others."""

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from catalog.facts.chips import CutOptions
from catalog.facts.detector_cards import DetectorConfig
from catalog.facts.errors import WrongCall
from catalog.facts.schemas import SURFACE
from catalog.stores import cubes
from catalog.stores.chips import open_chips, read_card
from catalog.stores.jobs import create_job, mapped_tiles
from catalog.stores.store import open_store
from models.detector.modalities import measure_statistics
from models.detector.samples import chip_arrays, images_of_optics, validation_windows
from models.detector.slumps import SlumpOptions, slumps_of_chips
from models.detector.targets import TargetOptions
from models.outlines.geodesy import to_degrees
from tasks.cut_chips import cut

YEAR = 2021
WEST, SOUTH = -134.6, 68.02
OPTIONS = CutOptions(split="train", ground="a tundra", min_valid_share=0.1)
MIDDLE = (516_000.0, 7_546_000.0)
"""Metres of zone 8, in the middle of the region."""


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A region of slumps of two by one chips in tiles of one chip; dem tells the column of every pixel."""
    root = tmp_path_factory.mktemp("store")
    (root / "store.json").write_text(json.dumps({"schema_version": 1, "chips_per_tile": 1}))
    corners = to_degrees(np.array([shapely.box(MIDDLE[0] - 2400, MIDDLE[1] - 1300, MIDDLE[0] + 2400, MIDDLE[1] + 1300)], object), 32608)
    place = root / "tundra.geojson"
    gpd.GeoDataFrame({"name": ["tundra"], "target": ["slumps"]}, geometry=corners, crs=4326).to_file(place)
    job = create_job(str(place), YEAR, str(root), None)
    assert job.target == "slumps"
    tiles = mapped_tiles(job)
    cube = cubes.open_cube(open_store(str(root)).cube(job.region, YEAR, 32608), tiles, SURFACE)
    for tile in tiles:
        cubes.write_tile(cube, tile, surface(tile))
    return root


def surface(tile) -> dict[str, np.ndarray]:
    y, x = tile.origin_yx_px
    shape = (tile.size_px, tile.size_px)
    arrays = {spec.name: np.full(((len(spec.bands),) if spec.bands else ()) + shape, spec.fill, spec.dtype) for spec in SURFACE}
    arrays["s2"][:] = (1000 + (y + np.arange(tile.size_px)) % 3000)[:, None]
    arrays["dem"][:] = np.arange(x, x + tile.size_px) % 500
    arrays["cause"][:] = 0
    return arrays


def slump(dx: float, dy: float, radius: float) -> shapely.Geometry:
    return shapely.Point(MIDDLE[0] + dx, MIDDLE[1] + dy).buffer(radius)


@pytest.fixture(scope="module")
def labels(tmp_path_factory) -> str:
    """Rows as in ARTS: three slumps, one of them a stabilised scar, a box, and a negative."""
    shapes = [slump(0, 0, 60), slump(300, 200, 25), slump(-600, 100, 50), shapely.box(*slump(700, -300, 40).bounds), slump(-300, -300, 80)]
    frame = gpd.GeoDataFrame(
        {
            "UID": list("abcde"),
            "BaseMapDate": "2021-07-01,2021-08-20",
            "TrainClass": ["Positive"] * 4 + ["Negative"],
            "LabelType": ["Polygon"] * 3 + ["BoundingBox", "Polygon"],
            "StabilizedRTS": ["", "", "z", "", ""],
        },
        geometry=to_degrees(np.array(shapes, object), 32608),
        crs=4326,
    )
    path = tmp_path_factory.mktemp("labels") / "arts.gpkg"
    frame.to_file(path)
    return str(path)


@pytest.fixture(scope="module")
def chips(store, labels, tmp_path_factory):
    out = tmp_path_factory.mktemp("sets") / "slumps"
    cut(str(store), "tundra", [YEAR], labels, str(out), OPTIONS)
    return open_chips(out)


def test_a_set_knows_its_target_and_keeps_the_outlines_of_every_kind(chips):
    assert read_card(chips.paths[0])["target"] == "slumps"
    assert dict(zip(chips.labels["lake_id"], chips.labels["class"], strict=True)) == {
        "a": "", "b": "", "c": "stabilised", "d": "unclear", "e": "negative",
    }  # fmt: skip
    assert chips.labels["area_m2"].to_numpy()[:2] == pytest.approx([np.pi * 60**2, np.pi * 25**2], rel=0.01)


def test_boxes_and_negatives_are_not_burnt_into_labels(chips):
    burnt = chips.read(np.arange(len(chips))).label.astype(float)
    burnt[burnt == 255] = 0
    whole = np.flatnonzero(shapely.contains(chips.table.geometry.to_numpy(), chips.labels.union_all().envelope))
    assert whole.size
    expected = np.pi * (60**2 + 25**2 + 50**2) / 100
    assert burnt[whole].sum((1, 2)) / 250 == pytest.approx(np.full(whole.size, expected), rel=0.02)


def test_a_small_slump_makes_a_positive(store, labels, chips, tmp_path):
    counts = cut(str(store), "tundra", [YEAR], labels, str(tmp_path / "few"), replace(OPTIONS, negatives=0.0))
    few = open_chips(tmp_path / "few").table
    assert counts.left_out["no slump, and not among the negatives kept"] == len(chips) - len(few)
    assert 0 < len(few) < len(chips)
    assert few["lake_share"].min() < 0.002


def test_the_filter_of_lakes_is_refused(store, labels, tmp_path):
    with pytest.raises(WrongCall, match="judges lakes"):
        cut(str(store), "tundra", [YEAR], labels, str(tmp_path / "sane"), replace(OPTIONS, only_sane=True))


def test_windows_of_the_set_show_their_slumps(chips):
    some = np.flatnonzero(chips.table["lakes"].to_numpy() >= 2)[:4]
    table = chips.table.iloc[some]
    own = slumps_of_chips(table, chips.labels, SlumpOptions())
    batch = chips.read(some)
    config = DetectorConfig(modalities=("rgb", "nir", "topo"), window_px=112)
    optics, dem = chip_arrays(batch, needs_heights=True)
    statistics = measure_statistics([images_of_optics(optics, dem, config.modalities)], "the set")
    origins = table[["origin_y_px", "origin_x_px"]].to_numpy(np.int64)
    found = validation_windows(batch, own, origins, config, statistics, TargetOptions())
    assert len(found) == 4 * len(some)
    assert sum(len(target) for target in found.targets) >= len(some)
    assert any(len(target.ignore_boxes) for target in found.targets)
    for target, frame in zip(found.targets, found.frames, strict=True):
        for box in target.boxes:
            middle = (box[:2] + box[2:]).numpy() / 4
            x, y = (frame.origin_yx[1] + middle[0]) * 10, -(frame.origin_yx[0] + middle[1]) * 10
            near = min(np.hypot(x - MIDDLE[0] - dx, y - MIDDLE[1] - dy) for dx, dy in ((0, 0), (300, 200)))
            assert near < 40
    assert all(len(one.lures) <= 1 for one in own)
