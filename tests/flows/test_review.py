"""Edits, diff and samples on the mapped world: only the last stage runs again, causes are found, the reviewer's truth is in the intervals."""

import json
from types import SimpleNamespace

import pytest

from catalog.facts.edits import Edit
from catalog.facts.options import MapOptions, SearchOptions
from catalog.stores import ledger
from catalog.stores.edits import write_edits
from catalog.stores.samples import read_sample
from catalog.stores.tables import read_features, read_table
from commands.main import run
from flows.annual import annual
from tests.sample_reviewer import answer

pytestmark = pytest.mark.slow
YEARS = (2021, 2022)
YEAR = YEARS[-1]


@pytest.fixture
def cryoatlas(capsys):
    """Run a command; its exit code and what it printed."""

    def call(*arguments):
        capsys.readouterr()
        try:
            run([str(argument) for argument in arguments])
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return SimpleNamespace(code=code, **capsys.readouterr()._asdict())

    return call


def region_of(store):
    return next((store.root / "regions").glob("*.geojson")).stem


def test_applying_an_edit_runs_the_inventory_and_the_tracks_and_nothing_else(copied, mapped, cryoatlas):
    region = region_of(copied)
    name = read_features(copied.inventory("lakes", region, YEAR)).nlargest(1, "area_m2").lake_id.iloc[0]
    write_edits(copied, "lakes", region, [Edit(1, "reject", YEAR, name, "a test", "A", "2026-01-01")])
    before = {o.unit: o for year in YEARS for o in ledger.find_all(copied, region, year)}
    said = cryoatlas("edits", "apply", "--store", copied.root, "--region", region, "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["written"] == [YEAR]
    after = {o.unit: o for year in YEARS for o in ledger.find_all(copied, region, year)}
    assert {(u.stage, u.year) for u in after if after[u] != before[u]} == {("inventory", YEAR)}
    tracks = read_table(copied.tracks("lakes", region, "tracks")).to_pylist()
    assert [row["state"] for row in tracks if row["feature_id"] == name and row["year"] == YEAR] != ["present"]
    report = json.loads(cryoatlas("diff", mapped.root, copied.root, "--region", region, "--year", YEAR, "--json").out)
    assert report["kinds"]["lost"]["features"] == 1
    assert report["causes"]["edits"]["features"] == 1


def test_a_refused_date_explains_every_difference(world, copied, mapped, cryoatlas):
    region = region_of(copied)
    scenes = read_table(copied.scenes(region, YEAR), ["id", "used"]).to_pylist()
    used = sorted({row["id"] for row in scenes if row["used"] and row["id"].startswith("S2")}, key=lambda name: name.split("_")[2])
    days = sorted({name.split("_")[2][:8] for name in used})
    refused = tuple(row["id"] for row in scenes if row["id"].startswith("S2") and row["id"].split("_")[2][:8] in days[1::2])
    options = MapOptions(search=SearchOptions(refuse=tuple(sorted(set(refused)))))
    annual([world.region], [YEAR], "stored", str(copied.root), "indices", options)
    report = json.loads(cryoatlas("diff", mapped.root, copied.root, "--region", region, "--year", YEAR, "--json").out)
    assert sum(report["kinds"][kind]["features"] for kind in ("changed", "added", "lost")) > 0
    assert report["causes"]["unexplained"]["features"] == 0
    assert set(report["causes"]) <= {"options", "neighbourhood", "unexplained"}
    assert abs(report["unexplained_residual_m2"]) < 1.0


def test_a_reviewer_who_knows_the_truth_makes_a_statement_about_it(world, copied, cryoatlas, tmp_path):
    region, out = region_of(copied), tmp_path / "checks"
    arguments = ("--store", copied.root, "--region", region, "--year", YEAR, "--size", 12, "--cells", 4, "--out", out)
    said = cryoatlas("sample", "export", *arguments)
    assert said.code == 0, said.err
    assert {picture.stem for picture in out.glob("*.png")} == set(read_sample(out).key["case"])
    answer(out / "sample.gpkg", world.truth(YEAR), least_area_m2=5_000)
    assert cryoatlas("sample", "score", out).code == 0
    assert copied.accuracy("lakes", region, YEAR).is_file()
    assert cryoatlas("sample", "export", *arguments).code == 2
