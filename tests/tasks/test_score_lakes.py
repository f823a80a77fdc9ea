"""Chips to scores, page, audit and relabelled chips, on a small set whose lakes are known."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from catalog.facts.bands import s2_index
from catalog.facts.chips import CHIP_PX, ChipBatch, ChipRecord
from catalog.facts.errors import ChipsUnusable, UnknownModel, WrongCall
from catalog.facts.evaluation import Evaluation, ScoreJob
from catalog.facts.footprints import centres_lonlat, squares_lonlat
from catalog.stores.audits import SHEET, read_audit
from catalog.stores.chips import open_chips, write_chips
from models.outlines.geodesy import area_perimeter, to_degrees
from models.segmenter.labels import label_of
from tasks.audit_labels import audited
from tasks.relabel_chips import relabelled_set
from tasks.score_lakes import scored
from tasks.write_scorecard import written

EPSG, ROOT = 32645, (-310_016, 48_160)
WATER = {"B02": 600, "B03": 700, "B04": 400, "B08": 150, "B11": 60, "B12": 40}
LAND = {"B02": 900, "B03": 1200, "B04": 1500, "B08": 2400, "B11": 3000, "B12": 2500}
REAL = [("round", 150, 150, 30), ("small", 60, 250, 7)]
"""Name, row, column and radius in pixels from the root: water in the images, outlined in the labels."""
FORGOTTEN, DREAMT = ("forgotten", 250, 60, 16), ("dreamt", 250, 250, 14)
"""Water that no outline has, and an outline without water."""


def disc(row: int, column: int, radius: int) -> shapely.Polygon:
    return shapely.Point((ROOT[1] + column) * 10.0, -(ROOT[0] + row) * 10.0).buffer(radius * 10.0)


def outlines(*lakes) -> np.ndarray:
    shapes = np.empty(len(lakes), object)
    shapes[:] = [disc(*lake[1:]) for lake in lakes]
    return shapes


@pytest.fixture(scope="module")
def chips(tmp_path_factory) -> Path:
    """Four overlapping chips of one year, over ground of 336 px."""
    origins = np.array([[ROOT[0] + dy, ROOT[1] + dx] for dy in (0, 112) for dx in (0, 112)])
    batch = ChipBatch(*(np.concatenate(parts) for parts in zip(*(arrays(*origin) for origin in origins.tolist()), strict=True)))
    out = tmp_path_factory.mktemp("chips") / "set"
    records = [record(*origin) for origin in origins.tolist()]
    write_chips(out, [(batch, records, squares_lonlat(origins, EPSG))], labels(), {"made": "by a test", "licence": "CC0-1.0"})
    return out


def arrays(y: int, x: int) -> tuple[np.ndarray, ...]:
    wet = label_of(outlines(*REAL, FORGOTTEN), (y, x)) >= 125
    s2 = np.full((1, 12, CHIP_PX, CHIP_PX), 1500, np.uint16)
    for band, value in LAND.items():
        s2[0, s2_index(band)] = np.where(wet, WATER[band], value)
    label = label_of(outlines(*REAL, DREAMT), (y, x))[None]
    dem = np.full((1, CHIP_PX, CHIP_PX), 4800, np.float32)
    s1 = np.full((1, 2, CHIP_PX, CHIP_PX), np.nan, np.float32)
    return s2, s1, dem, np.zeros(label.shape, np.uint8), label, np.ones(1, np.float32)


def record(y: int, x: int) -> ChipRecord:
    longitude, latitude = (float(degrees[0]) for degrees in centres_lonlat(np.array([[y, x]]), EPSG))
    numbers = {"lake_share": 0.1, "lakes": 3, "valid_share": 1.0, "weight": 1.0, "sane": True, "mask_px": 1, "mndwi_px": 1}
    ratios = {"mndwi_iou": 1.0, "mndwi_ratio": 1.0, "mndwi_background": 0.0}
    where = {"longitude": longitude, "latitude": latitude, "split": "test", "reason": "", "block": "1|1", "source": "test"}
    return ChipRecord(f"{y}/{x}", "earth", "hills", 2021, 2021, EPSG, y, x, **where, **numbers, **ratios)


def labels() -> gpd.GeoDataFrame:
    shapes = to_degrees(outlines(*REAL, DREAMT), EPSG)
    columns = {"ground": "earth", "region": "hills", "year": 2021, "label_year": 2021, "split": "test", "observable": True}
    table = pd.DataFrame({"lake_id": ["round", "small", "dreamt"], "class": ["cirque", "kettle", "cirque"], "hard": [False, True, False]})
    table = table.assign(hard_because=["", "small", ""], area_m2=area_perimeter(shapes)[0], **columns)
    return gpd.GeoDataFrame(table, geometry=shapes, crs=4326)


@pytest.fixture(scope="module")
def evaluation(chips, tmp_path_factory) -> Evaluation:
    return Evaluation("indices", (str(chips),), str(tmp_path_factory.mktemp("scores")), audit=10)


@pytest.fixture(scope="module")
def result(evaluation):
    return scored(evaluation, ScoreJob("indices", "test"))


def value(result, group, metric):
    return result.scored.get(group, metric).value


def test_overlapping_chips_show_a_lake_four_times_and_it_counts_once(result):
    states = sorted((row.lake_id, row.found) for row in result.scores.rows)
    assert states == [("", False), ("dreamt", False), ("round", True), ("small", True)]
    assert value(result, "all", "object_recall") == pytest.approx(2 / 3)
    assert value(result, "all", "object_precision") == pytest.approx(2 / 3)
    assert value(result, "class kettle", "object_recall") == 1
    assert value(result, "hard small", "object_recall") == 1
    assert value(result, "all", "interval_coverage") == 1


def test_pixels_count_once_per_chip(result):
    assert value(result, "wet", "iou") == pytest.approx(value(result, "all", "iou"))
    # the round lake lies on all four chips, each of the others on one
    hit = np.pi * (4 * 30**2 + 7**2)
    assert value(result, "all", "iou") == pytest.approx(hit / (hit + np.pi * (16**2 + 14**2)), abs=0.01)
    assert result.scores.chips.shores.true.sum() == pytest.approx(2 * np.pi * (30 + 7 + 14) * 0.9, rel=0.06)


def test_tables_and_page_hold_every_figure_and_need_nothing_else(evaluation, result):
    second = scored(replace(evaluation, against="indices"), ScoreJob("indices", "test", subset="S2"))
    report = written(evaluation, [result, second], 0.6)
    metrics = pd.read_parquet(Path(report.out) / "metrics.parquet")
    assert set(metrics["subset"]) == {"all", "S2"}
    assert {"group", "metric", "value", "low", "high", "blocks", "n", "unit", "split", "model"} <= set(metrics.columns)
    lakes = gpd.read_parquet(Path(report.out) / "lakes.parquet")
    assert sorted(lakes[lakes["subset"] == "all"]["state"]) == ["found", "found", "invented", "missed"]
    assert len(pq.read_table(Path(report.out) / "chips.parquet")) == 8
    page = Path(report.page).read_text()
    assert "http" not in page.replace("http://www.w3.org", "")
    assert page.count("data:image/svg+xml;base64,") >= 5
    assert page.count("data:image/png;base64,") == len(result.worst) > 0
    assert "Modalities" in page


def test_scores_are_the_same_in_every_run(evaluation, result):
    again = scored(evaluation, ScoreJob("indices", "test"))
    assert again.scored.metrics == result.scored.metrics or str(again.scored.metrics) == str(result.scored.metrics)


def test_a_missing_split_is_refused_when_asked_for_and_left_out_when_it_only_helps(evaluation):
    assert scored(evaluation, ScoreJob("indices", "val", pixels_only=True)) is None
    with pytest.raises(ChipsUnusable, match="none of split 'val'"):
        scored(replace(evaluation, split="val"), ScoreJob("indices", "val"))


def test_a_second_model_and_an_audit_are_refused_before_anything_is_predicted(evaluation):
    with pytest.raises(UnknownModel, match="'indexes'"):
        scored(replace(evaluation, against="indexes"), ScoreJob("indices", "test"))
    with pytest.raises(WrongCall, match=r"no relabel\.gpkg"):
        scored(replace(evaluation, relabel=evaluation.data[0]), ScoreJob("indices", "test"))


def test_nothing_to_ask_makes_an_empty_audit(evaluation, result, tmp_path):
    agreed = replace(result, scores=replace(result.scores, disagreements=()))
    assert audited(replace(evaluation, out=str(tmp_path)), agreed) == 0
    assert len(read_audit(tmp_path / "audit").key) == 0


def test_an_audit_is_blind_and_its_verdicts_mend_labels_and_scores(evaluation, result, chips, tmp_path):
    asked = replace(evaluation, out=str(tmp_path))
    assert audited(asked, result) == 2
    audit = read_audit(tmp_path / "audit")
    assert {(row["side"], tuple(row["lake_ids"])) for row in audit.key.to_dict("records")} == {("label", ("dreamt",)), ("prediction", ())}
    assert "label_is" not in pyogrio.read_dataframe(tmp_path / "audit" / SHEET, layer="cases").columns
    with pytest.raises(WrongCall, match="no verdict changes a label"):
        relabelled_set(str(tmp_path / "audit"), str(chips), str(tmp_path / "none"))
    review(tmp_path / "audit", audit)

    counts = relabelled_set(str(tmp_path / "audit" / SHEET), str(chips), str(tmp_path / "mended"))
    assert (counts["lake"], counts["land"]) == (1, 1)
    mended = open_chips(tmp_path / "mended")
    assert len(mended) == 4
    added = next(row["case"] for row in audit.key.to_dict("records") if row["side"] == "prediction")
    assert sorted(mended.labels["lake_id"]) == [f"audit-{added}", "round", "small"]
    after = scored(replace(asked, data=(str(tmp_path / "mended"),)), ScoreJob("indices", "test"))
    assert value(after, "all", "object_f1") == 1
    assert value(after, "all", "iou") > value(result, "all", "iou") + 0.05
    in_memory = scored(replace(asked, relabel=str(tmp_path / "audit")), ScoreJob("indices", "test", relabelled=True))
    assert in_memory.scored.split == "test relabelled"
    assert value(in_memory, "all", "iou") == pytest.approx(value(after, "all", "iou"))
    assert value(in_memory, "all", "object_f1") == 1
    with pytest.raises(WrongCall, match="already holds verdicts"):
        audited(asked, result)


def review(folder: Path, audit) -> None:
    """A reviewer who finds the model right everywhere."""
    cases = pyogrio.read_dataframe(folder / SHEET, layer="cases")
    label_is = dict(zip(audit.key["case"], audit.key["label_is"], strict=True))
    cases["verdict"] = ["b" if label_is[name] == "a" else "a" for name in cases["case"]]
    pyogrio.write_dataframe(cases, folder / SHEET, layer="cases", append=False)
