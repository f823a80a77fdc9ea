"""A release appears whole or not at all, says what it is, and takes the place of another only with a reason."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import geopandas as gpd
import pystac
import pytest

from catalog.facts.causes import State
from catalog.facts.errors import ProductDamaged, Unpublishable, WrongCall
from catalog.facts.publication import Order
from catalog.facts.records import Outcome
from catalog.facts.releases import PublishOptions
from catalog.stores import ledger
from catalog.stores.jobs import unit_of
from catalog.stores.selections import read_choices, read_found, write_choices
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_provenance, read_table
from tasks.write_release import write_release
from tests.made_store import REGION, TILE, YEARS, job_of, made_store, map_year
from tests.publishing import COLLECTION, DAY, bytes_of, item_of, publish, remap, shrink
from tests.stac_documents import documents_of, faults_of


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Store:
    return made_store(tmp_path_factory.mktemp("made") / "store")


@pytest.fixture
def store(made, tmp_path) -> Store:
    """A copy that a test may change."""
    shutil.copytree(made.root, tmp_path / "store", copy_function=shutil.copy2)
    return open_store(str(tmp_path / "store"))


@pytest.fixture(scope="module")
def first(made, tmp_path_factory) -> Path:
    """A publication with one release of all years; tests only read it."""
    dest = tmp_path_factory.mktemp("first") / "public"
    publish(made, dest)
    return dest


def test_the_catalog_is_valid_stac_and_every_file_is_what_its_item_says(first):
    assert len(documents_of(first)) == 1 + 1 + len(YEARS) + 2
    assert faults_of(first) == []


def test_a_fault_in_the_catalog_would_be_seen(first, tmp_path):
    shutil.copytree(first, tmp_path / "public")
    (tmp_path / "public" / COLLECTION / "releases" / "2026.1" / "year=2020" / "coverage.parquet").write_bytes(b"other")
    (tmp_path / "public" / COLLECTION / "releases" / "2026.1" / "releases.parquet").unlink()
    assert [fault.split(": ")[1] for fault in faults_of(tmp_path / "public")] == [
        "asset releases is not what it says",
        "asset coverage is not what it says",
    ]


def test_tables_are_those_of_the_store_byte_for_byte(made, first):
    folder = first / COLLECTION / "releases" / "2026.1"
    for year in YEARS:
        assert (folder / f"year={year}" / "lakes.parquet").read_bytes() == made.inventory("lakes", REGION, year).read_bytes()
        assert (folder / f"year={year}" / "scenes.parquet").read_bytes() == made.scenes(REGION, year).read_bytes()
    for name in ("tracks", "events", "changes", "trends", "totals", "total_changes", "region_trends", "change_shapes"):
        assert (folder / f"{name}.parquet").read_bytes() == made.tracks("lakes", REGION, name).read_bytes()


def test_readers_get_all_years_with_their_year(first):
    files = f"{first}/{COLLECTION}/releases/2026.1/*/lakes.parquet"
    rows = duckdb.read_parquet(files, hive_partitioning=True).aggregate("year, count(*)", "year").order("year").fetchall()
    assert rows == [(year, 4) for year in YEARS]
    with Path(files.replace("*", "year=2021")).open("rb") as file:
        assert gpd.read_parquet(file).crs.to_epsg() == 4326


def test_pystac_reads_the_catalog_and_its_assets(first):
    items = {item.id: item for item in pystac.Catalog.from_file(str(first / "catalog.json")).get_items(recursive=True)}
    item = items[f"{REGION}-2021-2026.1"]
    assert {"lakes", "coverage", "scenes", "tracks", "totals", "columns", "citation", "licence", "attribution"} <= item.assets.keys()
    assert Path(item.assets["tracks"].get_absolute_href()).is_file()
    assert item.assets["lakes"].extra_fields["table:row_count"] == 4
    described = {column["name"]: column["description"] for column in item.assets["lakes"].extra_fields["table:columns"]}
    assert described["area_m2"].startswith("geodesic area")
    assert described["geometry"]


def test_an_item_leads_to_every_scene_that_was_used_and_to_its_model(made, first):
    item = item_of(first, 2021, "2026.1")
    derived = [link["href"] for link in item["links"] if link["rel"] == "derived_from"]
    assert derived == [f"https://catalog.example/collections/sentinel-2-l2a/items/S2-2021-{day:02d}" for day in (1, 11)]
    assert (item["properties"]["start_datetime"], item["properties"]["end_datetime"]) == ("2021-08-01T05:30:00Z", "2021-08-11T05:30:00Z")
    (model,) = [link["href"] for link in item["links"] if link["rel"] == "model"]
    card = json.loads((first / COLLECTION / "releases" / "2026.1" / "year=2021" / model).read_text())
    assert card["properties"]["mlm:name"] == "indices"
    assert item["properties"]["processing:software"]["indices"] == "1"


def test_the_words_of_a_release_say_what_is_in_it(first):
    folder = first / COLLECTION / "releases" / "2026.1"
    readme = (folder / "README.md").read_text()
    assert "Complete:" in readme
    assert all(f"| {year} | 3 |" in readme for year in YEARS)
    assert "date-released: '2026-03-01'" in (folder / "CITATION.cff").read_text()
    assert "Copernicus Sentinel data 2020-2022 (Sentinel-2)" in (folder / "ATTRIBUTION.txt").read_text()
    assert "McFeeters" in (folder / "ATTRIBUTION.txt").read_text()
    assert "by/4.0" in (folder / "LICENCE.txt").read_text()
    assert "`lake_id`" in (folder / "columns.md").read_text()


def test_equal_content_is_not_published_twice(made, first, tmp_path):
    shutil.copytree(first, tmp_path / "public")
    before = bytes_of(tmp_path / "public")
    report = publish(made, tmp_path / "public", date=date(2027, 1, 1), reason="again")
    assert report.release == ""
    assert report.unchanged == tuple(f"{REGION}-{year}-2026.1" for year in YEARS)
    assert bytes_of(tmp_path / "public") == before


def test_two_publications_of_one_store_are_the_same_bytes(made, first, tmp_path):
    publish(made, tmp_path / "public")
    assert bytes_of(tmp_path / "public") == bytes_of(first)


def test_a_year_of_its_own_adds_to_what_is_there_without_a_reason(made, tmp_path):
    publish(made, tmp_path / "public", years=(2020, 2021))
    report = publish(made, tmp_path / "public", years=(2021, 2022))
    assert (report.release, report.items, report.unchanged) == ("2026.2", (f"{REGION}-2022-2026.2",), (f"{REGION}-2021-2026.1",))
    assert faults_of(tmp_path / "public") == []


def test_changed_features_take_the_place_of_published_ones_only_with_a_reason(store, first, tmp_path):
    dest = tmp_path / "public"
    shutil.copytree(first, dest)
    remap(store, 2021, run="2", change=shrink)
    before = bytes_of(dest)
    with pytest.raises(WrongCall, match="--reason"):
        publish(store, dest)
    assert bytes_of(dest) == before
    report = publish(store, dest, reason="A better shoreline.")
    assert report.supersedes == tuple(f"{REGION}-{year}-2026.1" for year in YEARS)
    old, new = item_of(dest, 2021, "2026.1"), item_of(dest, 2021, "2026.2")
    assert old["properties"]["deprecated"]
    assert not new["properties"]["deprecated"]
    assert new["properties"]["cryoatlas:reason"] == "A better shoreline."
    links = {link["rel"]: link["href"] for link in old["links"]}
    folder = dest / COLLECTION / "releases" / "2026.1" / "year=2021"
    assert (folder / links["successor-version"]).resolve() == (folder / links["latest-version"]).resolve()
    assert json.loads((folder / links["successor-version"]).read_text())["id"] == f"{REGION}-2021-2026.2"
    assert {link["rel"] for link in new["links"]} >= {"predecessor-version"}
    assert faults_of(dest) == []
    changed = {name for name, content in bytes_of(dest).items() if name in before and before[name] != content}
    assert {Path(name).name for name in changed} <= {f"{REGION}-{year}-2026.1.json" for year in YEARS} | {
        "collection.json",
        "releases.parquet",
    }


def test_a_chain_of_three_leads_to_the_latest(store, first, tmp_path):
    dest = tmp_path / "public"
    shutil.copytree(first, dest)
    for run in ("2", "3"):
        remap(store, 2022, run=run, change=shrink)
        publish(store, dest, years=(2022,), reason=f"run {run}")
    folder = dest / COLLECTION / "releases" / "2026.1" / "year=2022"
    links = {link["rel"]: (folder / link["href"]).name for link in item_of(dest, 2022, "2026.1")["links"] if "version" in link["rel"]}
    assert links == {"successor-version": f"{REGION}-2022-2026.2.json", "latest-version": f"{REGION}-2022-2026.3.json"}
    assert not item_of(dest, 2021, "2026.1")["properties"]["deprecated"]
    table = read_table(dest / COLLECTION / "releases" / "2026.3" / "releases.parquet").to_pylist()
    assert [(row["release"], row["reason"], row["supersedes"]) for row in table] == [
        ("2026.1", "", []),
        ("2026.2", "run 2", [f"{REGION}-2022-2026.1"]),
        ("2026.3", "run 3", [f"{REGION}-2022-2026.2"]),
    ]
    assert faults_of(dest) == []


def test_other_provenance_leaves_the_payload_as_it_is(store, first, tmp_path):
    dest = tmp_path / "public"
    shutil.copytree(first, dest)
    remap(store, 2021, run="2")
    assert (
        read_provenance(store.inventory("lakes", REGION, 2021))["run_id"]
        != item_of(first, 2021, "2026.1")["properties"]["cryoatlas:fingerprint"][:12]
    )
    with pytest.raises(WrongCall, match="its features are the same"):
        publish(store, dest)
    publish(store, dest, reason="New provenance.")
    old, new = (item_of(dest, 2021, release)["properties"] for release in ("2026.1", "2026.2"))
    assert old["cryoatlas:payload_sha256"] == new["cryoatlas:payload_sha256"]
    assert old["cryoatlas:fingerprint"] != new["cryoatlas:fingerprint"]


def test_names_that_changed_are_in_the_crosswalk(store, first, tmp_path):
    dest = tmp_path / "public"
    shutil.copytree(first, dest)

    def rename(columns):
        columns["lake_id"][2] = "GL077999E43000N"

    remap(store, 2022, run="2", change=rename)
    publish(store, dest, years=(2022,), reason="Renamed.")
    rows = read_table(dest / COLLECTION / "releases" / "2026.2" / "year=2022" / "crosswalk.parquet").to_pylist()
    assert [(row["old_id"], row["new_id"]) for row in rows if row["relation"] != "kept"] == [("GL077002E43000N", "GL077999E43000N")]
    assert {(row["old_release"], row["new_release"]) for row in rows} == {("2026.1", "2026.2")}


def test_a_failed_unit_is_refused_with_the_command_that_mends_it(store, tmp_path):
    ledger.put(store, Outcome(unit_of(job_of(store, 2021), TILE.id, "surface"), State.FAILED, "1", "read_failed", "B08 cannot be decoded"))
    with pytest.raises(Unpublishable) as refused:
        publish(store, tmp_path / "public")
    assert f"2021 surface {TILE.id} failed: B08 cannot be decoded" in str(refused.value)
    assert f"cryoatlas backfill --store {store.root} --region {REGION} --years 2021" in str(refused.value)
    assert refused.value.exit_code == 3
    assert not (tmp_path / "public").exists()


def test_holes_may_be_published_and_are_stated(store, tmp_path):
    ledger.put(store, Outcome(unit_of(job_of(store, 2021), TILE.id, "surface"), State.FAILED, "1", "read_failed", "B08 cannot be decoded"))
    report = publish(store, tmp_path / "public", allow_partial=True)
    assert [(gap.year, gap.tile, gap.cause, gap.km2) for gap in report.gaps] == [(2021, TILE.id, "failed", 10.0)]
    item = item_of(tmp_path / "public", 2021, "2026.1")["properties"]
    assert item["cryoatlas:holes"][0]["message"] == "B08 cannot be decoded"
    assert not item["cryoatlas:complete"]
    assert item_of(tmp_path / "public", 2020, "2026.1")["properties"]["cryoatlas:complete"]
    assert "**Not complete.**" in (tmp_path / "public" / COLLECTION / "releases" / "2026.1" / "README.md").read_text()
    assert faults_of(tmp_path / "public") == []


def test_an_inventory_that_was_changed_by_hand_is_refused(store, tmp_path):
    path = store.inventory("lakes", REGION, 2021)
    shutil.copyfile(store.inventory("lakes", REGION, 2020), path)
    with pytest.raises(Unpublishable, match="2021"):
        publish(store, tmp_path / "public")


def test_tracks_older_than_the_inventory_are_refused(store, tmp_path):
    map_year(job_of(store, 2021), run="2", grown_m=20.0)
    with pytest.raises(Unpublishable, match="an inventory was made anew after the tables through the years"):
        publish(store, tmp_path / "public")


def test_a_year_that_nobody_mapped_is_a_wrong_call(made, tmp_path):
    with pytest.raises(WrongCall, match="2019"):
        publish(made, tmp_path / "public", years=(2019, 2020))


def test_the_name_of_a_release_is_given_once(store, first, tmp_path):
    shutil.copytree(first, tmp_path / "public")
    remap(store, 2021, run="2")
    with pytest.raises(WrongCall, match="never changes"):
        publish(store, tmp_path / "public", release="2026.1", reason="again")


def test_a_publication_inside_the_store_is_refused(made):
    with pytest.raises(WrongCall, match="inside each other"):
        write_release.fn(Order(REGION, YEARS, str(made.root), str(made.root / "public"), PublishOptions(DAY)))


def test_a_copy_that_is_not_what_the_ledger_says_never_appears(store, tmp_path):
    damaged = store.inventory("lakes", REGION, 2021)

    def spoil(step):
        if step.startswith("copied year=2020/lakes"):
            damaged.write_bytes(damaged.read_bytes() + b" ")

    with pytest.raises(ProductDamaged, match="audit --checksums"):
        publish(store, tmp_path / "public", reached=spoil)
    assert not list((tmp_path / "public" / COLLECTION / "releases").iterdir())


def test_what_people_found_out_about_the_accuracy_goes_along(store, first, tmp_path):
    dest = tmp_path / "public"
    shutil.copytree(first, dest)
    accuracy = store.accuracy("lakes", REGION, 2021)
    accuracy.parent.mkdir(parents=True)
    accuracy.write_text('{"users_accuracy": 0.9}')
    report = publish(store, dest, reason="A sample was checked.")
    assert report.items == (f"{REGION}-2021-2026.2",)
    assert report.unchanged == (f"{REGION}-2020-2026.1", f"{REGION}-2022-2026.1")
    assert item_of(dest, 2021, "2026.2")["assets"]["accuracy"]["href"] == "./accuracy.json"
    assert faults_of(dest) == []


def test_scenes_of_a_catalog_of_files_are_found_in_the_table_of_scenes(store, tmp_path):
    path = store.scenes(REGION, 2021)
    choices = [replace(choice, scene=replace(choice.scene, provider="static")) for choice in read_choices(path)]
    items = {("static", found.item["collection"], found.item["id"]): found.item | {"links": []} for found in read_found(path)}
    write_choices(path, choices, items)
    publish(store, tmp_path / "public", years=(2021,))
    derived = [link["href"] for link in item_of(tmp_path / "public", 2021, "2026.1")["links"] if link["rel"] == "derived_from"]
    assert derived == ["./scenes.parquet#S2-2021-01", "./scenes.parquet#S2-2021-11"]
    assert faults_of(tmp_path / "public") == []


@pytest.mark.network
def test_every_document_and_its_extensions_pass_the_stac_validator(first):
    stac_validator = pytest.importorskip("stac_validator.stac_validator")
    for name in documents_of(first):
        validate = stac_validator.StacValidate(str(first / name))
        validate.run()
        assert validate.message[0]["valid_stac"], validate.message
