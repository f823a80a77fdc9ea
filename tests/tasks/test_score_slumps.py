"""Chips to scores of slumps, with a detector that knows the truth."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
import torch

from catalog.facts.causes import Cause
from catalog.facts.chips import CHIP_PX, ChipBatch, ChipRecord
from catalog.facts.detector_cards import DetectorCard, DetectorConfig, DetectorStatistics
from catalog.facts.errors import ChipsUnusable
from catalog.facts.footprints import centres_lonlat, squares_lonlat
from catalog.facts.slump_evaluation import SlumpEvaluation, SlumpJob
from catalog.stores.checkpoints import write_weights
from catalog.stores.chips import open_chips, write_chips
from models.detector.contract import DetectorContract, WindowInstances, nothing_found
from models.detector.network import build
from models.detector.targets import Frame, burnt
from models.outlines.geodesy import area_perimeter, to_degrees
from models.scores.chip_scenes import ChipScenes, calibrated_on, scenes_of
from models.scores.slump_metrics import scored, slump_metrics
from models.scores.slump_results import SlumpResult, window_metrics
from models.segmenter.contract import ModalityNeed, WindowBatch
from tasks.score_slumps import result_of, subsets_of
from tasks.write_slump_scores import written

EPSG, ROOT = 32608, (-750_064, 50_176)
SIDE = 448
SLUMPS = [
    ("large", 60, 70, 14),
    ("across", 112, 224, 9),
    ("tall", 224, 110, 11),
    ("small", 300, 300, 3),
    ("hidden", 390, 390, 9),
    ("old", 390, 60, 10),
]
"""Name, row, column and radius in pixels from the root."""
CARD = DetectorCard(
    name="oracle",
    version="1",
    title="",
    licence="CC0-1.0",
    trained_on="the truth",
    citation="",
    sha256="0" * 64,
    network=DetectorConfig(window_px=112, modalities=("rgb",)),
    statistics=DetectorStatistics("", {"rgb": (0.5,) * 3}, {"rgb": (0.2,) * 3}),
    stride_px=56,
)


def disc(row: int, column: int, radius: int) -> shapely.Polygon:
    return shapely.Point((ROOT[1] + column) * 10.0, -(ROOT[0] + row) * 10.0).buffer(radius * 10.0)


class Oracle:
    """Finds the outlines that it was given, wherever a window shows a tenth of a hectare of one."""

    name, version, sha256, licence, card = "oracle", "1", "0" * 64, "CC0-1.0", CARD

    def __init__(self, outlines: list[shapely.Polygon], scores: list[float] | None = None) -> None:
        self.outlines = np.array(outlines, object)
        self.scores = [0.9] * len(outlines) if scores is None else scores
        self.contract = DetectorContract((ModalityNeed("s2", ("B04",), "1e-4"),), 112, 56, 10, 2, 4)
        self.windows = 0

    def predict(self, batch: WindowBatch) -> list[WindowInstances]:
        self.windows += len(batch)
        return [self._in(tuple((origin + 10).tolist())) for origin in batch.origins_yx]

    def _in(self, origin: tuple[int, int]) -> WindowInstances:
        placed = Frame(origin, 112, 2).placed(self.outlines)
        pieces = shapely.intersection(placed, shapely.box(0, 0, 224, 224))
        found = [place for place in range(len(pieces)) if pieces[place].area > 40]
        if not found:
            return nothing_found()
        boxes = shapely.bounds(pieces[found]).astype(np.float32)
        masks = [self._mask(pieces[place], box) for place, box in zip(found, boxes, strict=True)]
        return WindowInstances(boxes, np.array([self.scores[place] for place in found], np.float32), np.stack(masks))

    @staticmethod
    def _mask(piece: shapely.Geometry, box: np.ndarray) -> np.ndarray:
        x0, y0, x1, y1 = box.tolist()
        scaled = shapely.transform(piece, lambda xy: (xy - [x0, y0]) * [28 / (x1 - x0), 28 / (y1 - y0)])
        return burnt(scaled, 28).astype(np.float32)


@pytest.fixture(scope="module")
def chips(tmp_path_factory) -> Path:
    """Nine overlapping chips of one year, over ground of 448 px; a cloud hides one slump."""
    origins = np.array([[ROOT[0] + dy, ROOT[1] + dx] for dy in (0, 112, 224) for dx in (0, 112, 224)])
    batch = ChipBatch(*(np.concatenate(parts) for parts in zip(*(arrays(*origin) for origin in origins.tolist()), strict=True)))
    out = tmp_path_factory.mktemp("chips") / "set"
    write_chips(
        out, [(batch, [record(*origin) for origin in origins.tolist()], squares_lonlat(origins, EPSG))], labels(), {"licence": "CC0-1.0"}
    )
    return out


@pytest.fixture(scope="module")
def one_chip(tmp_path_factory) -> Path:
    origins = np.array([ROOT])
    out = tmp_path_factory.mktemp("chips") / "one"
    write_chips(out, [(ChipBatch(*arrays(*ROOT)), [record(*ROOT)], squares_lonlat(origins, EPSG))], labels(), {"licence": "CC0-1.0"})
    return out


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A small network that knows nothing yet."""
    torch.manual_seed(0)
    config = DetectorConfig(
        "mvitv2_nano", ("rgb", "nir"), window_px=112, channels=32, head_convolutions=1, head_width=32, mask_convolutions=1, proposals=20
    )
    statistics = DetectorStatistics("a test", {"rgb": (0.4,) * 3, "nir": (0.4,)}, {"rgb": (0.1,) * 3, "nir": (0.1,)})
    card = replace(CARD, name="nano", network=config, statistics=statistics, threshold=0.02)
    folder = tmp_path_factory.mktemp("weights")
    write_weights(folder, build(config).state_dict(), card)
    return folder


def arrays(y: int, x: int) -> tuple[np.ndarray, ...]:
    rows, columns = np.mgrid[:CHIP_PX, :CHIP_PX]
    cloud = (rows + y - ROOT[0] > 370) & (columns + x - ROOT[1] > 370)
    cause = np.where(cloud, Cause.CLOUD, Cause.USABLE).astype(np.uint8)[None]
    s2, dem = np.full((1, 12, CHIP_PX, CHIP_PX), 1500, np.uint16), np.full((1, CHIP_PX, CHIP_PX), 80, np.float32)
    return s2, np.full((1, 2, CHIP_PX, CHIP_PX), np.nan, np.float32), dem, cause, np.zeros(cause.shape, np.uint8), np.ones(1, np.float32)


def record(y: int, x: int) -> ChipRecord:
    longitude, latitude = (float(degrees[0]) for degrees in centres_lonlat(np.array([[y, x]]), EPSG))
    numbers = {"lake_share": 0.1, "lakes": 3, "valid_share": 1.0, "weight": 1.0, "sane": True, "mask_px": 1, "mndwi_px": 1}
    ratios = {"mndwi_iou": 1.0, "mndwi_ratio": 1.0, "mndwi_background": 0.0}
    where = {"longitude": longitude, "latitude": latitude, "split": "test", "reason": "", "block": f"{y}|1", "source": "test"}
    return ChipRecord(f"{y}/{x}", "world", "banks", 2021, 2021, EPSG, y, x, **where, **numbers, **ratios)


def labels() -> gpd.GeoDataFrame:
    shapes = to_degrees(np.array([disc(*slump[1:]) for slump in SLUMPS], object), EPSG)
    names = [slump[0] for slump in SLUMPS]
    columns = {"ground": "world", "region": "banks", "year": 2021, "label_year": 2021, "split": "test", "observable": True}
    table = pd.DataFrame({"lake_id": names, "class": "thaw_slump", "hard": False})
    table["hard_because"] = ["recovering" if name == "old" else "" for name in names]
    for name, value in columns.items():
        table[name] = value
    table["area_m2"] = area_perimeter(shapes)[0]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=4326)


def result(seen: ChipScenes, threshold: float = 0.5) -> SlumpResult:
    scores = scored(seen.scenes, threshold, seen.block_km2)
    metrics = (*slump_metrics(scores), *window_metrics(seen.units, seen.unit_blocks, len(seen.block_km2)))
    return SlumpResult("oracle", "test", "all", metrics, {"model": "oracle"}, scores, seen.blocks, seen.windows)


def truth() -> list[shapely.Polygon]:
    return [disc(*slump[1:]) for slump in SLUMPS]


def test_who_knows_the_truth_finds_every_slump_once(chips: Path):
    oracle = Oracle(truth())
    found = result(scenes_of(open_chips(chips), oracle, "test"))
    states = {row.slump_id: row.state for row in found.scores.rows}
    assert states == dict.fromkeys(("large", "across", "tall", "small"), "found")
    for group, name in [
        ("all", "AP50"),
        ("all", "recall"),
        ("all", "precision"),
        ("all", "boundary_f_10m"),
        ("windows", "AP50"),
        ("windows", "AR"),
    ]:
        metric = found.get(group, name)
        assert metric is not None
        assert metric.value > 0.99 or (group, name) == ("windows", "AR"), name
    assert found.get("all", "duplicates_share").value == 0
    assert abs(found.get("all", "area_bias_share").value) < 0.03
    # each window of the lattice once, though up to four chips show it; under the cloud nobody looked
    assert oracle.windows == found.windows == 7 * 7


def test_ground_that_was_not_clear_is_not_counted_as_looked_at(chips: Path):
    seen = scenes_of(open_chips(chips), Oracle([]), "test")
    cloud = (SIDE - 371) ** 2
    assert seen.block_km2.sum() == pytest.approx((SIDE**2 - cloud) * 1e-4)
    found = result(seen)
    assert [row.state for row in found.scores.rows] == ["missed"] * 4
    assert found.get("all", "recall").value == 0


def test_a_false_slump_costs_precision_but_not_on_ground_that_is_not_asked_about(chips: Path):
    outlines = [*truth(), disc(200, 350, 8)]
    found = result(scenes_of(open_chips(chips), Oracle(outlines), "test"))
    assert found.get("all", "precision").value == pytest.approx(4 / 5)
    assert [row.state for row in found.scores.rows].count("invented") == 1


def test_tables_and_page_are_written(chips: Path, tmp_path: Path):
    seen = scenes_of(open_chips(chips), Oracle([*truth(), disc(200, 350, 8)], [0.9, 0.8, 0.7, 0.3, 0.9, 0.9, 0.6]), "test")
    evaluation = SlumpEvaluation("oracle", (str(chips),), str(tmp_path / "scores"), against="other")
    ours, theirs = result(seen), result(scenes_of(open_chips(chips), Oracle(truth()[:2]), "test"))
    named = SlumpResult(
        "other", *(getattr(theirs, name) for name in ("split", "subset", "metrics", "facts", "scores", "blocks", "windows"))
    )
    report = written(evaluation, [ours, named])
    figures = pq.read_table(tmp_path / "scores" / "metrics.parquet").to_pandas()
    assert set(figures["model"]) == {"oracle", "other", "oracle minus other"}
    slumps = gpd.read_parquet(tmp_path / "scores" / "slumps.parquet")
    own = slumps[slumps["model"] == "oracle"]
    assert sorted(own["state"]) == ["found", "found", "found", "invented", "missed"]
    across = own[own["slump_id"] == "across"].geometry.iloc[0]
    assert across.intersection(to_degrees(np.array([truth()[1]], object), EPSG)[0]).area == pytest.approx(across.area, rel=1e-6)
    page = Path(report.page).read_text()
    assert "oracle minus other" in page
    assert "recall of slumps &lt; 0.5 ha" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    twins = written(evaluation, [ours, replace(ours, scores=theirs.scores)])
    assert {row["model"] for row in twins.figures} == {"oracle", "oracle (against)", "oracle minus oracle (against)"}
    assert all(row["value"] is None or np.isfinite(row["value"]) for row in report.figures)


def test_a_calibration_and_a_threshold_are_drawn_from_chips(chips: Path):
    oracle = Oracle([*truth(), disc(200, 350, 8)], [0.9, 0.8, 0.7, 0.6, 0.9, 0.9, 0.3])
    calibration, threshold, f1 = calibrated_on(open_chips(chips), oracle, "test", "chips of a test")
    assert calibration.true == (True, True, True, True, False)
    assert len(calibration.truth_m2) == 4
    assert max(calibration.truth_block) < len(calibration.observed_km2)
    assert (threshold, f1) == (pytest.approx(0.6, abs=1e-5), 1.0)


def test_a_detector_is_scored_without_each_of_its_auxiliaries(one_chip: Path, weights: Path):
    evaluation = SlumpEvaluation(str(weights), (str(one_chip),), "nowhere", subsets=True)
    subsets = subsets_of(evaluation)
    assert subsets == ("all", "without nir", "shuffled")
    results = [result_of(evaluation, SlumpJob(str(weights), subset)) for subset in subsets]
    assert [found.subset for found in results] == list(subsets)
    assert {found.windows for found in results} == {9}
    assert results[0].facts["listed from score"] == "0.020"
    assert subsets_of(replace(evaluation, subsets=False)) == ("all",)


def test_chips_without_outlines_are_refused(chips: Path):
    sets = open_chips(chips)
    sets.table["lakes"] = -1
    with pytest.raises(ChipsUnusable, match="no outlines"):
        scenes_of(sets, Oracle([]), "test")
