"""What a user gets from the road of slumps, with a detector that knows the truth: what is wrong then is the road's fault."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np
import pytest
import shapely

from catalog.facts.causes import Cause, State
from catalog.facts.detector_cards import Calibration
from catalog.facts.errors import UnknownModel, WrongCall
from catalog.facts.grids import parse_tile
from catalog.facts.options import TRACKING, MapOptions, SearchOptions, SlumpOptions
from catalog.facts.records import Job, StageReport
from catalog.facts.schemas import PROVENANCE_KEYS, SCHEMA_VERSION, SURFACE, require
from catalog.facts.slump_schemas import SLUMP_COUNTS, SLUMP_COUNTS_H3, SLUMPS
from catalog.stores import cubes, ledger
from catalog.stores.files import write_atomic
from catalog.stores.jobs import mapped_tiles
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_features, read_provenance, read_table
from models.scores.features import match
from simulator.make import make
from tasks.build_surfaces import build_surfaces
from tasks.check_model import check_model
from tasks.choose_scenes import choose_scenes
from tasks.count_region import count_region
from tasks.detect_region import detect_region
from tasks.look_at_scenes import look_at_scenes
from tasks.merge_instances import merge_instances
from tasks.open_job import open_job
from tasks.score_inventory import score_inventory
from tasks.search_scenes import search_scenes
from tasks.track_features import track_features
from tasks.write_slumps import write_slumps
from tests.oracle import oracle_of
from tests.small_world import SMALL_TUNDRA, World

REGION, YEARS, YEAR, EPSG = "demo_arctic", (2021, 2022), 2021, 32610
ALL_SCENES = MapOptions(search=SearchOptions(max_tile_cloud_share=1.0, max_tile_snow_share=1.0))


@pytest.fixture(scope="module")
def tundra(tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("tundra")
    make(SMALL_TUNDRA, YEARS, root)
    return World(root)


@pytest.fixture(scope="module")
def known(tundra: World):
    """The oracle of each year by the name `oracle-<year>`."""
    from models.detector import registry  # noqa: PLC0415

    oracles = {f"oracle-{year}": oracle_of(tundra.slumps(year), EPSG) for year in YEARS}
    patch = pytest.MonkeyPatch()
    patch.setattr(registry, "DETECTORS", MappingProxyType({name: lambda oracle=oracle: oracle for name, oracle in oracles.items()}))
    yield oracles
    patch.undo()


class InTurn:
    """A pool that works on one tile after the other."""

    def each(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        for item in items:
            yield item, function(item)


def surfaces(tundra: World, store: Path, year: int = YEAR) -> Job:
    """The stages before slumps, without a server."""
    job = open_job.fn(tundra.region, year, str(store), None)
    candidates = search_scenes.fn(job, tundra.catalog, ALL_SCENES.search)
    look_at_scenes.fn(job, candidates, ALL_SCENES.search, InTurn())
    choose_scenes.fn(job, candidates, ALL_SCENES.search)
    build_surfaces.fn(job, ALL_SCENES.surface, InTurn())
    return job


def slumps(store: Path, year: int = YEAR, options: SlumpOptions | None = None) -> dict[str, StageReport]:
    """The stages of slumps in the order of the flow, without a server."""
    job, model, options = Job(REGION, year, "slumps", str(store)), f"oracle-{year}", options or SlumpOptions()
    stages = (
        detect_region.fn(job, model),
        merge_instances.fn(job, model, options),
        write_slumps.fn(job, model, options, TRACKING["slumps"]),
        count_region.fn(job, model, options),
    )
    return {stage.stage: stage for stage in stages}


@pytest.fixture(scope="module")
def mapped(tundra: World, known, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Both years mapped and tracked; tests only read it."""
    root = tmp_path_factory.mktemp("store")
    for year in YEARS:
        surfaces(tundra, root, year)
        assert not any(stage.failures for stage in slumps(root, year).values())
    track_features.fn(REGION, "slumps", str(root), TRACKING["slumps"])
    return open_store(str(root))


@pytest.fixture
def copied(mapped: Store, tmp_path: Path) -> Store:
    shutil.copytree(mapped.root, tmp_path / "store", copy_function=shutil.copy2)
    return open_store(str(tmp_path / "store"))


def inventory(store: Store, year: int = YEAR):
    return read_features(store.inventory("slumps", REGION, year))


def counts(store: Store, year: int = YEAR):
    (row,) = read_table(store.counts("slumps", REGION, year)).to_pylist()
    return row


def products(store: Store) -> dict[str, bytes]:
    kinds = ("instances", "features", "identity", "inventory", "counts", "tracks", "events")
    files = (path for kind in kinds for path in (store.root / kind).rglob("*") if path.is_file() and path.suffix != ".lock")
    return {store.relative(path): path.read_bytes() for path in sorted(files)}


def test_what_the_detector_knows_is_in_the_inventory_once_and_with_its_area(tundra, mapped):
    for year in YEARS:
        truth, found = tundra.slumps(year), inventory(mapped, year)
        truth = truth[(truth.observed_share > 0.9) & ~truth.edge]
        pairs = match(found.geometry.to_numpy(), truth.geometry.to_numpy(), criterion="iou", threshold=0.7)
        assert len(pairs.truth) == len(truth) >= 5
        assert found.area_m2.to_numpy()[pairs.predicted].sum() == pytest.approx(truth.area_m2.to_numpy()[pairs.truth].sum(), rel=0.05)
        low, high = (found[name].to_numpy()[pairs.predicted] for name in ("area_low_m2", "area_high_m2"))
        assert np.mean((low <= truth.area_m2.to_numpy()[pairs.truth]) & (truth.area_m2.to_numpy()[pairs.truth] <= high)) >= 0.8


def test_the_slump_in_the_corner_of_four_tiles_is_one(tundra, mapped):
    truth = tundra.slumps(YEAR)
    (slump,) = truth[truth.id == "slump-corner"].geometry
    found = inventory(mapped).geometry.to_numpy()
    assert (shapely.area(shapely.intersection(found, slump)) > 0.05 * slump.area).sum() == 1


def test_inventory_and_counts_have_their_schemas_and_provenance_and_open_elsewhere(mapped):
    path = mapped.inventory("slumps", REGION, YEAR)
    require(read_table(path), SLUMPS, where="test")
    require(read_table(mapped.counts("slumps", REGION, YEAR)), SLUMP_COUNTS, where="test")
    require(read_table(mapped.counts("slumps", REGION, YEAR, cells=True)), SLUMP_COUNTS_H3, where="test")
    for product in (path, mapped.counts("slumps", REGION, YEAR)):
        assert set(read_provenance(product)) >= PROVENANCE_KEYS
        assert read_provenance(product)["model"].startswith("oracle 1")
    assert duckdb.read_parquet(str(path)).aggregate("count(*)").fetchone() == (len(inventory(mapped)),)
    assert inventory(mapped).slump_id.is_unique
    assert inventory(mapped).slump_id.str.fullmatch(r"RTS\d{6}W\d{5}N[a-z]*").all()
    assert inventory(mapped).geometry.is_valid.all()


def test_counts_are_of_the_ground_that_was_seen_and_cells_add_up(tundra, mapped):
    row, cells = counts(mapped), read_table(mapped.counts("slumps", REGION, YEAR, cells=True)).to_pylist()
    assert row["count"] == row["detections"] == len(inventory(mapped))
    assert row["count_low"] is None
    assert row["range_missing_because"] == "the model has no calibration"
    ground = 16 * 2.24**2 / 4
    assert 0.9 * ground < row["observed_km2"] <= ground * 1.001
    assert 0.9 < row["observed_share"] <= 1
    assert sum(cell["count"] for cell in cells) == pytest.approx(row["count"])
    assert sum(cell["observed_km2"] for cell in cells) == pytest.approx(row["observed_km2"])
    assert row["per_100_km2"] == pytest.approx(100 * row["count"] / row["observed_km2"])


def test_names_are_kept_through_the_years_and_tracks_follow_them(mapped):
    years = [set(inventory(mapped, year).slump_id) for year in YEARS]
    # two slumps at the rim are hidden in the second year, and no slump is born
    assert years[1] < years[0]
    assert len(years[1]) >= 5
    rows = read_table(mapped.tracks("slumps", REGION, "tracks")).to_pylist()
    assert {row["feature_id"] for row in rows} == years[0] | years[1]


def test_the_score_against_the_truth_is_that_of_one_who_knows(tundra, mapped):
    card = score_inventory.fn(REGION, "slumps", list(YEARS), str(mapped.root), str(tundra.root / "truth" / "slumps"))
    # the second year hides a slump at the rim in cloud
    assert [year.headline.precision for year in card.years] == [1, 1]
    assert card.years[0].headline.recall == 1


def test_a_second_run_writes_nothing_but_the_record_of_itself(known, copied):
    before = {path: path.stat().st_mtime_ns for path in copied.root.rglob("*") if path.is_file() and path.parent != copied.root / "runs"}
    assert sum(stage.written for year in YEARS for stage in slumps(copied.root, year).values()) == 0
    assert {
        path: path.stat().st_mtime_ns for path in copied.root.rglob("*") if path.is_file() and path.parent != copied.root / "runs"
    } == before


@pytest.mark.parametrize("kind", ["instances", "features", "inventory", "counts"])
def test_a_product_that_is_gone_is_made_again_byte_for_byte(known, copied, kind):
    before = products(copied)
    for path in (copied.root / kind).rglob("*.parquet"):
        path.unlink()
    for year in YEARS:
        assert not any(stage.failures for stage in slumps(copied.root, year).values())
    assert products(copied) == before


def test_a_deleted_ledger_is_rebuilt_from_the_receipts(known, copied):
    shutil.rmtree(copied.root / "ledger")
    assert sum(stage.written for stage in slumps(copied.root).values()) == 0


def test_only_the_tiles_near_a_changed_surface_are_looked_at_again(known, copied):
    (outcome,) = (o for o in ledger.find_all(copied, REGION, YEAR) if o.unit.stage == "surface" and o.unit.tile == "32610-0023-0356")
    ledger.retire(copied, outcome.unit)
    written = slumps(copied.root)
    # the tile itself is forgotten, and its three neighbours are looked at again without it
    assert written["detect"].written == 3
    assert sum(written["detect"].states.values()) == 3
    assert counts(copied)["observed_share"] < 0.8


def signature(store: Store):
    frame = inventory(store).sort_values("slump_id")
    columns = [
        "slump_id",
        "area_m2",
        "area_low_m2",
        "area_high_m2",
        "score",
        "members",
        "votes_share",
        "boundary_sd_m",
        "observed_share",
        "looks",
    ]
    row = counts(store)
    numbers = row["count"], round(row["observed_km2"], 9), round(row["observed_share"], 9)
    return [*zip(shapely.to_wkb(shapely.normalize(frame.geometry.to_numpy())), *(frame[c] for c in columns), strict=True)], numbers


@pytest.mark.slow
def test_the_size_of_tiles_changes_nothing(tundra, known, tmp_path):
    signatures = []
    for chips in (1, 3, 10):
        folder = tmp_path / str(chips)
        write_atomic(folder / "store.json", json.dumps({"schema_version": SCHEMA_VERSION, "chips_per_tile": chips}).encode())
        surfaces(tundra, folder)
        assert not any(stage.failures for stage in slumps(folder).values())
        signatures.append(signature(open_store(str(folder))))
    assert len(signatures[0][0]) >= 5
    assert signatures[0] == signatures[1] == signatures[2]


def test_another_threshold_lists_others_and_detects_nothing_again(known, copied):
    written = {name: stage.written for name, stage in slumps(copied.root, options=SlumpOptions(threshold=0.95)).items()}
    assert written == {"detect": 0, "merge": 0, "inventory": 1, "counts": 1}
    assert len(inventory(copied)) == 0
    assert counts(copied)["count"] == 0
    states = {o.unit.stage: o.state for o in ledger.find_all(copied, REGION, YEAR)}
    assert states["merge"] == State.DONE
    assert states["inventory"] == State.EMPTY


def test_a_year_in_which_nothing_was_seen_is_unobserved_and_no_slump_vanishes(known, copied):
    cover(copied, 2022)
    slumps(copied.root, 2022)
    assert len(inventory(copied, 2022)) == 0
    row = counts(copied, 2022)
    assert row["count"] is None
    assert row["per_100_km2"] is None
    assert row["observed_km2"] == row["observed_share"] == 0
    assert row["range_missing_because"] == "no ground was observed"
    states = {o.unit.stage: o.state for o in ledger.find_all(copied, REGION, 2022) if o.unit.tile == "region"}
    assert {states[stage] for stage in ("merge", "inventory", "counts")} == {State.UNOBSERVED}
    track_features.fn(REGION, "slumps", str(copied.root), TRACKING["slumps"])
    rows = [row for row in read_table(copied.tracks("slumps", REGION, "tracks")).to_pylist() if row["year"] == 2022]
    assert {row["state"] for row in rows} == {"unobserved"}
    assert not read_table(copied.tracks("slumps", REGION, "events")).num_rows


def cover(store: Store, year: int) -> None:
    """Put a cloud over every surface of a year, as if no scene had been clear."""
    for outcome in ledger.find_all(store, REGION, year):
        if outcome.unit.stage == "surface":
            tile, path = parse_tile(outcome.unit.tile), store.cube(REGION, year, EPSG)
            cube = cubes.open_cube(path, mapped_tiles(Job(REGION, year, "slumps", str(store.root)), EPSG), SURFACE)
            window = (*tile.origin_yx_px, tile.size_px, tile.size_px)
            arrays = {spec.name: cubes.read_window(cube, spec.name, window) for spec in SURFACE}
            arrays["cause"] = np.where(arrays["cause"] == Cause.USABLE, Cause.CLOUD, arrays["cause"]).astype(np.uint8)
            files = cubes.write_tile(cube, tile, arrays)
            ledger.put(store, replace(outcome, outputs=ledger.receipts_for(store, files), fingerprint="covered"))


def test_the_year_before_tells_what_a_slump_is(mapped):
    assert set(inventory(mapped).status) == {"unknown"}
    later = inventory(mapped, 2022)
    again = later.slump_id.isin(inventory(mapped).slump_id)
    assert set(later.status[again]) <= {"stable", "growing"}
    assert later.growth_m2_per_year[again & (later.observed_share > 0.9)].gt(0).mean() > 0.5
    assert later.headwall_retreat_m[again & (later.observed_share > 0.9)].notna().any()


def test_a_changed_year_changes_what_follows_it(known, copied):
    before = inventory(copied, 2022)
    slumps(copied.root, 2021, SlumpOptions(threshold=0.95))
    written = {name: stage.written for name, stage in slumps(copied.root, 2022).items()}
    assert written == {"detect": 0, "merge": 0, "inventory": 1, "counts": 0}
    after = inventory(copied, 2022)
    assert list(after.slump_id) == list(before.slump_id)
    # whether ground of one look was observed enough to call a slump new is not for this test
    assert set(after.status) <= {"new", "unknown"}


def test_a_calibrated_detector_gives_probabilities_and_a_range(tundra, known, copied, monkeypatch):
    from models.detector import registry  # noqa: PLC0415

    rng, blocks = np.random.default_rng(0), 40
    block, true = np.repeat(np.arange(blocks), 5), rng.random(200) < 0.8
    calibration = Calibration(
        "a test",
        score=tuple(np.where(true, rng.uniform(0.5, 1, 200), rng.uniform(0.3, 0.9, 200)).tolist()),
        true=tuple(true.tolist()),
        detection_block=tuple(block.tolist()),
        predicted_m2=(20_000.0,) * 200,
        matched_m2=tuple(np.where(true, 20_000.0, 0.0).tolist()),
        truth_block=tuple(block.tolist()),
        truth_m2=(20_000.0,) * 200,
        truth_score=tuple(np.where(rng.random(200) < 0.7, 0.9, -1.0).tolist()),
        observed_km2=(5.0,) * blocks,
    )
    sure = oracle_of(tundra.slumps(YEAR), EPSG, calibration=calibration)
    monkeypatch.setattr(registry, "DETECTORS", MappingProxyType({"oracle-2021": lambda: sure}))
    assert slumps(copied.root)["detect"].written == 0
    found, row = inventory(copied), counts(copied)
    assert found.probability.between(0.5, 1).all()
    assert found.tier.isin(["high", "medium"]).all()
    assert row["count_low"] <= row["count"] <= row["count_high"]
    assert row["count"] > len(found)
    assert row["detector_recall"] == pytest.approx(0.7, abs=0.1)
    assert row["range_missing_because"] is None


def test_a_failure_to_read_weights_ends_before_any_pixel_is_read(tundra, known, tmp_path):
    job = open_job.fn(tundra.region, YEAR, str(tmp_path / "store"), None)
    with pytest.raises(UnknownModel, match="No model is called 'oracel'"):
        check_model.fn(job, "oracel", tmp_path)
    with pytest.raises(WrongCall, match="demo_arctic holds slumps, and indices maps lakes: use slumps-tiny"):
        check_model.fn(job, "indices", tmp_path)
    assert check_model.fn(job, f"oracle-{YEAR}", tmp_path) == f"oracle-{YEAR}"
