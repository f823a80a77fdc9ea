"""What a user gets from the main road, and what a second run does."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyogrio
import pytest
import shapely

from catalog.facts.causes import State
from catalog.facts.options import MapOptions, OutlineOptions, SearchOptions, TrackOptions
from catalog.facts.records import Job
from catalog.facts.schemas import LAKES, PROVENANCE_KEYS, SCHEMA_VERSION, require
from catalog.stores import ledger
from catalog.stores.files import write_atomic
from catalog.stores.selections import read_choices
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_features, read_provenance, read_table
from commands.exports import write_geopackage
from flows.annual import annual
from flows.map_region import map_region
from flows.score_region import score_region
from flows.track_region import track_region
from models.scores.features import match
from tasks.measure_features import measure_features
from tasks.write_inventory import write_inventory

REGION = "demo_hma"
YEAR = 2021
SEAM_DEG = 78.0
"""Between the zones 43 and 44."""
ALL_SCENES = MapOptions(search=SearchOptions(max_tile_cloud_share=1.0, max_tile_snow_share=1.0))
"""A tile's own cloudiness decides which scenes it takes; with all scenes taken, tiles of any size have the same."""


def inventory(store: Store, year: int = YEAR):
    return read_features(store.inventory("lakes", REGION, year))


def test_large_easy_lakes_are_found_with_their_area(world, mapped):
    truth = world.truth(YEAR)
    asked = truth[(truth.area_m2 >= 5000) & ~truth.hard & ~truth.edge]
    found = inventory(mapped)
    pairs = match(found.geometry.to_numpy(), asked.geometry.to_numpy(), criterion="iou", threshold=0.5)
    assert len(asked) >= 5
    assert len(pairs.truth) >= 0.9 * len(asked)
    predicted, true = found.area_m2.to_numpy()[pairs.predicted], asked.area_m2.to_numpy()[pairs.truth]
    assert predicted.sum() == pytest.approx(true.sum(), rel=0.08)
    low, high = (found[name].to_numpy()[pairs.predicted] for name in ("area_low_m2", "area_high_m2"))
    assert np.mean((low <= true) & (true <= high)) >= 0.9


def test_a_lake_across_four_tiles_is_one_feature(world, mapped):
    truth = world.truth(YEAR)
    (lake,) = truth[truth.id == "corner"].geometry
    assert_is_one_feature(mapped, lake)


def test_every_lake_across_the_zone_seam_is_one_feature(world, mapped):
    truth = world.truth(YEAR)
    crossing = truth[(truth.bounds.minx < SEAM_DEG) & (truth.bounds.maxx > SEAM_DEG) & (truth.area_m2 >= 5000) & ~truth.hard]
    assert len(crossing)
    for lake in crossing.geometry:
        assert_is_one_feature(mapped, lake)


def assert_is_one_feature(mapped, lake):
    touching = inventory(mapped)
    touching = touching[shapely.area(shapely.intersection(touching.geometry.to_numpy(), lake)) > 0.05 * lake.area]
    assert len(touching) == 1


def test_features_never_overlap(mapped):
    shapes = inventory(mapped).geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes, predicate="overlaps")
    assert left.size == right.size == 0
    assert shapely.is_valid(shapes).all()


def test_the_inventory_has_its_schema_and_provenance_and_opens_elsewhere(mapped):
    path = mapped.inventory("lakes", REGION, YEAR)
    require(read_table(path), LAKES, where="test")
    assert set(read_provenance(path)) >= PROVENANCE_KEYS
    count = duckdb.read_parquet(str(path)).aggregate("count(*), min(area_m2) > 0").fetchone()
    assert count == (len(inventory(mapped)), True)
    assert inventory(mapped).lake_id.is_unique
    assert inventory(mapped).lake_id.str.fullmatch(r"GL\d{6}E\d{5}N[a-z]*").all()


def test_the_geopackage_opens_in_gdal_with_the_same_rows(mapped, tmp_path):
    target = tmp_path / "lakes.gpkg"
    write_geopackage(mapped, "lakes", REGION, YEAR, target)
    frame = pyogrio.read_dataframe(target)
    assert len(frame) == len(inventory(mapped))
    assert frame.crs.to_epsg() == 4326
    assert set(frame.lake_id) == set(inventory(mapped).lake_id)


def test_every_tile_has_a_coverage_row_that_adds_up(mapped):
    rows = read_table(mapped.coverage(REGION, YEAR)).to_pylist()
    assert len(rows) == 6
    for row in rows:
        shares = [row[name] or 0.0 for name in ("observed_share", "cloud_share", "snow_ice_share", "shadow_share", "no_scene_share")]
        assert sum(shares) == pytest.approx(1.0, abs=1e-3)


def test_every_refused_scene_has_its_reason(mapped):
    rows = duckdb.read_parquet(str(mapped.scenes(REGION, YEAR))).project("used, refused_because").fetchall()
    assert {used for used, _ in rows} == {True, False}
    assert all(bool(reason) != used for used, reason in rows)
    reasons = {reason for _, reason in rows}
    assert {"older baseline", "other orbit direction"} <= reasons


def test_tracks_join_the_years_by_name(mapped):
    years = [set(inventory(mapped, year).lake_id) for year in (2021, 2022)]
    shared = years[0] & years[1]
    assert len(shared) >= 0.7 * min(len(names) for names in years)
    rows = read_table(mapped.tracks("lakes", REGION, "tracks")).to_pylist()
    assert {row["feature_id"] for row in rows} == years[0] | years[1]
    assert {row["year"] for row in rows} == {2021, 2022}


def test_a_second_run_writes_nothing_but_the_record_of_itself(world, copied):
    before = {path: path.stat().st_mtime_ns for path in copied.root.rglob("*") if path.is_file() and path.parent != copied.root / "runs"}
    reports = annual([world.region], [2021, 2022], world.catalog, str(copied.root), model="indices")
    assert sum(stage.written for report in reports for stage in report.stages) == 0
    after = {path: path.stat().st_mtime_ns for path in copied.root.rglob("*") if path.is_file() and path.parent != copied.root / "runs"}
    assert after == before


def test_a_run_is_replayed_without_the_catalog(copied, products):
    before = products(copied)
    report = map_region(REGION, YEAR, "stored", str(copied.root), model="indices")
    assert not report.failures
    assert products(copied) == before


def test_an_inventory_with_missing_ground_says_so_and_no_longer_once_it_is_there(world, copied, products):
    before, job = products(copied), Job(REGION, YEAR, "lakes", str(copied.root))
    look = next(outcome for outcome in ledger.find_all(copied, REGION, YEAR) if outcome.unit.stage == "look")
    ledger.put(copied, replace(look, state=State.FAILED, message="the catalog was away"))
    measure_features(job, OutlineOptions())
    write_inventory(job, TrackOptions())
    assert read_provenance(copied.inventory("lakes", REGION, YEAR))["complete"] is False
    map_region(world.region, YEAR, world.catalog, str(copied.root), model="indices")
    assert read_provenance(copied.inventory("lakes", REGION, YEAR))["complete"] is True
    assert products(copied) == before


def test_a_deleted_ledger_is_rebuilt_from_the_receipts(world, copied, products):
    before = products(copied)
    shutil.rmtree(copied.root / "ledger")
    report = map_region(world.region, YEAR, world.catalog, str(copied.root), model="indices")
    assert sum(stage.written for stage in report.stages) == 0
    assert products(copied) == before


def test_a_damaged_product_is_made_again_byte_for_byte(world, copied, products):
    before = products(copied)
    shard = next(path for path in (copied.root / "cubes").rglob("s2/c/0/*/*") if path.is_file())
    shard.write_bytes(shard.read_bytes()[:1000])
    (copied.inventory("lakes", REGION, YEAR)).unlink()
    for year in (2021, 2022):
        map_region(world.region, year, world.catalog, str(copied.root), model="indices")
    assert products(copied) == before


def reordered(world, folder: Path) -> str:
    """The same static catalog with every list of links reversed."""
    shutil.copytree(world.catalog, folder / "catalog")
    for path in (folder / "catalog").rglob("*.json"):
        content = json.loads(path.read_text())
        if "links" in content:
            content["links"] = content["links"][::-1]
            path.write_text(json.dumps(content))
    return str(folder / "catalog")


def signature(store: Store, year: int = YEAR):
    """Geometry and figures of every lake, whatever tile they were mapped on."""
    frame = inventory(store, year).sort_values("lake_id")
    columns = ["lake_id", "area_m2", "area_low_m2", "area_high_m2", "elevation_m", "probability", "observed_share", "looks", "utm_epsg"]
    return [*zip(shapely.to_wkb(shapely.normalize(frame.geometry.to_numpy())), *(frame[c] for c in columns), strict=True)]


@pytest.mark.slow
def test_the_order_of_scenes_changes_nothing(world, mapped, tmp_path):
    catalog = reordered(world, tmp_path)
    map_region(world.region, YEAR, catalog, str(tmp_path / "store"), model="indices")
    assert signature(open_store(str(tmp_path / "store"))) == signature(mapped)


@pytest.mark.slow
def test_the_size_of_tiles_changes_nothing(world, prefect_server, tmp_path):
    signatures = []
    for chips in (1, 3, 10):
        folder = tmp_path / str(chips)
        write_atomic(folder / "store.json", json.dumps({"schema_version": SCHEMA_VERSION, "chips_per_tile": chips}).encode())
        report = map_region(world.region, YEAR, world.catalog, str(folder), options=ALL_SCENES, model="indices")
        assert not report.failures
        signatures.append(signature(open_store(str(folder))))
    assert len(signatures[0]) >= 5
    assert signatures[0] == signatures[1] == signatures[2]


def test_a_changed_threshold_computes_outlines_again_and_nothing_before(world, copied):
    options = MapOptions(outline=OutlineOptions(threshold=0.6))
    report = map_region(world.region, YEAR, world.catalog, str(copied.root), options=options, model="indices")
    written = {stage.stage: stage.written for stage in report.stages}
    assert written["surface"] == written["segment"] == written["scenes"] == 0
    assert written["outline"] > 0
    assert written["features"] == written["inventory"] == 1


def test_a_year_whose_scenes_are_all_refused_is_unobserved_and_no_lake_vanishes(world, copied):
    used = {choice.scene.id for choice in read_choices(copied.scenes(REGION, 2022)) if choice.scene.sensor != "dem"}
    options = MapOptions(search=SearchOptions(refuse=tuple(sorted(used))))
    map_region(world.region, 2022, world.catalog, str(copied.root), options=options, model="indices")
    assert len(inventory(copied, 2022)) == 0
    (outcome,) = (o for o in ledger.find_all(copied, REGION, 2022) if o.unit.stage == "inventory")
    assert outcome.state == State.UNOBSERVED
    track_region(REGION, str(copied.root))
    rows = [row for row in read_table(copied.tracks("lakes", REGION, "tracks")).to_pylist() if row["year"] == 2022]
    assert {row["state"] for row in rows} == {"unobserved"}
    assert not read_table(copied.tracks("lakes", REGION, "events")).num_rows


def test_the_score_against_the_truth_is_good_and_counts_every_lake(world, mapped):
    card = score_region(REGION, [2021, 2022], str(mapped.root), str(world.root / "truth" / "lakes"))
    for year in card.years:
        assert year.features == len(inventory(mapped, year.year))
        assert year.headline.recall >= 0.9
        assert year.headline.precision >= 0.9
    assert set(card.events.happened) >= set(card.events.found)


def test_states_are_told_apart(mapped):
    outcomes = ledger.find_all(mapped, REGION, YEAR)
    assert {outcome.state for outcome in outcomes} <= {State.DONE, State.EMPTY}
    assert all(ledger.verified(mapped, outcome) for outcome in outcomes)
