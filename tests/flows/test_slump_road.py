"""What a user gets from the road of slumps, with a detector that knows the truth: what is wrong then is the road's fault."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import duckdb
import numpy as np
import pytest
import shapely

from catalog.facts.causes import State
from catalog.facts.errors import WrongCall
from catalog.facts.options import MapOptions, SearchOptions, SlumpOptions
from catalog.facts.records import RegionYearReport
from catalog.facts.schemas import PROVENANCE_KEYS, SCHEMA_VERSION, require
from catalog.facts.slump_schemas import SLUMP_COUNTS, SLUMP_COUNTS_H3, SLUMPS
from catalog.stores import ledger
from catalog.stores.files import write_atomic
from catalog.stores.selections import read_choices
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_features, read_provenance, read_table
from flows.map_region import map_region
from flows.score_region import score_region
from flows.track_region import track_region
from models.scores.features import match
from simulator.make import make
from tests.oracle import oracle_of
from tests.small_world import SMALL_TUNDRA, World

REGION, YEARS, YEAR, EPSG = "demo_arctic", (2021, 2022), 2021, 32610
ALL_SCENES = MapOptions(search=SearchOptions(max_tile_cloud_share=1.0, max_tile_snow_share=1.0))
Map = Callable[..., RegionYearReport]


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


@pytest.fixture(scope="module")
def run(tundra: World, known, prefect_server: None) -> Map:
    def mapped(store: Path, year: int = YEAR, options: MapOptions = ALL_SCENES, catalog: str = "") -> RegionYearReport:
        return map_region(tundra.region, year, catalog or tundra.catalog, str(store), f"oracle-{year}", options)

    return mapped


@pytest.fixture(scope="module")
def mapped(run: Map, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Both years mapped and tracked; tests only read it."""
    root = tmp_path_factory.mktemp("store")
    for year in YEARS:
        report = run(root, year)
        assert not report.failures, report.failures
    track_region(REGION, str(root), "slumps")
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
    assert len(years[0] & years[1]) >= len(years[0]) - 1
    rows = read_table(mapped.tracks("slumps", REGION, "tracks")).to_pylist()
    assert {row["feature_id"] for row in rows} == years[0] | years[1]


def test_the_score_against_the_truth_is_that_of_one_who_knows(tundra, mapped):
    card = score_region(REGION, list(YEARS), str(mapped.root), str(tundra.root / "truth" / "slumps"), "slumps")
    # the second year hides a slump at the rim in cloud
    assert [year.headline.precision for year in card.years] == [1, 1]
    assert card.years[0].headline.recall == 1


def test_a_second_run_writes_nothing(run, copied):
    before = {path: path.stat().st_mtime_ns for path in copied.root.rglob("*") if path.is_file()}
    reports = [run(copied.root, year) for year in YEARS]
    assert sum(stage.written for report in reports for stage in report.stages) == 0
    assert {path: path.stat().st_mtime_ns for path in copied.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kind", ["instances", "features", "inventory", "counts"])
def test_a_product_that_is_gone_is_made_again_byte_for_byte(run, copied, kind):
    before = products(copied)
    for path in (copied.root / kind).rglob("*.parquet"):
        path.unlink()
    for year in YEARS:
        assert not run(copied.root, year, catalog="stored").failures
    assert products(copied) == before


def test_a_deleted_ledger_is_rebuilt_from_the_receipts(run, copied):
    shutil.rmtree(copied.root / "ledger")
    assert sum(stage.written for stage in run(copied.root).stages) == 0


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


def test_the_size_of_tiles_changes_nothing(run, tmp_path):
    signatures = []
    for chips in (1, 3, 10):
        folder = tmp_path / str(chips)
        write_atomic(folder / "store.json", json.dumps({"schema_version": SCHEMA_VERSION, "chips_per_tile": chips}).encode())
        assert not run(folder).failures
        signatures.append(signature(open_store(str(folder))))
    assert len(signatures[0][0]) >= 5
    assert signatures[0] == signatures[1] == signatures[2]


def test_another_threshold_lists_others_and_detects_nothing_again(run, copied):
    options = MapOptions(search=ALL_SCENES.search, slumps=SlumpOptions(threshold=0.95))
    report = run(copied.root, options=options)
    written = {stage.stage: stage.written for stage in report.stages}
    assert written["detect"] == written["merge"] == 0
    assert written["inventory"] == written["counts"] == 1
    assert len(inventory(copied)) == 0
    assert counts(copied)["count"] == 0
    states = {o.unit.stage: o.state for o in ledger.find_all(copied, REGION, YEAR)}
    assert states["merge"] == State.DONE
    assert states["inventory"] == State.EMPTY


def test_a_year_whose_scenes_are_all_refused_is_unobserved_and_no_slump_vanishes(run, copied):
    used = {choice.scene.id for choice in read_choices(copied.scenes(REGION, 2022)) if choice.scene.sensor != "dem"}
    options = MapOptions(search=SearchOptions(1, 1, refuse=tuple(sorted(used))))
    run(copied.root, 2022, options)
    assert len(inventory(copied, 2022)) == 0
    row = counts(copied, 2022)
    assert row["count"] is None
    assert row["per_100_km2"] is None
    assert row["observed_km2"] == row["observed_share"] == 0
    assert row["range_missing_because"] == "no ground was observed"
    states = {o.unit.stage: o.state for o in ledger.find_all(copied, REGION, 2022) if o.unit.tile == "region"}
    assert {states[stage] for stage in ("merge", "inventory", "counts")} == {State.UNOBSERVED}
    track_region(REGION, str(copied.root), "slumps")
    rows = [row for row in read_table(copied.tracks("slumps", REGION, "tracks")).to_pylist() if row["year"] == 2022]
    assert {row["state"] for row in rows} == {"unobserved"}
    assert not read_table(copied.tracks("slumps", REGION, "events")).num_rows


def test_a_model_of_the_other_target_is_refused_before_any_pixel_is_read(tundra, known, prefect_server, tmp_path):
    with pytest.raises(WrongCall, match="holds slumps, and indices maps lakes: use slumps-tiny"):
        map_region(tundra.region, YEAR, tundra.catalog, str(tmp_path / "store"), "indices")
    assert not list((tmp_path / "store").rglob("*.zarr"))
