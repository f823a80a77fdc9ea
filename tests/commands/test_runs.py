"""What users meet when something is wrong: one sentence, the right exit code, the way out; and what the other commands tell."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from catalog.stores.selections import read_choices
from simulator.make import make
from tests.small_world import SMALLEST, World

YEAR = 2021


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    root = tmp_path_factory.mktemp("world")
    make(SMALLEST, [YEAR], root)
    return World(root)


@pytest.fixture(scope="module")
def store(world, prefect_server, tmp_path_factory) -> Path:
    from catalog.facts.options import MapOptions  # noqa: PLC0415
    from commands.running import run_annual  # noqa: PLC0415 - Prefect reads the environment when it is imported

    root = tmp_path_factory.mktemp("store")
    run_annual([world.region], [YEAR], world.catalog, str(root), "indices", MapOptions(), None)
    return root


def one_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.startswith("error:")]
    assert len(lines) == 1, text
    return lines[0]


def arguments(world: World, store: Path, **changed: object) -> list[object]:
    options = {"region": world.region, "years": YEAR, "catalog": world.catalog, "store": store, "model": "indices"} | changed
    return ["run", *(part for name, value in options.items() for part in (f"--{name}", value))]


def test_an_unknown_region_exits_2_with_the_nearest_name(cryoatlas, world, prefect_server, tmp_path):
    said = cryoatlas(*arguments(world, tmp_path / "s", region="ile_alatu"))
    assert said.code == 2
    assert "did you mean 'ile_alatau'" in one_line(said.err)
    assert not (tmp_path / "s").exists()


def test_inverted_years_exit_2(cryoatlas, world, tmp_path):
    said = cryoatlas(*arguments(world, tmp_path, years="2023-2018"))
    assert said.code == 2
    assert "2018-2023" in one_line(said.err)


def test_an_unreachable_catalog_exits_3(cryoatlas, world, prefect_server, tmp_path):
    said = cryoatlas(*arguments(world, tmp_path / "s", catalog="http://127.0.0.1:9/stac"))
    assert said.code == 3
    assert "http://127.0.0.1:9/stac" in one_line(said.err)


def test_a_catalog_path_that_is_not_there_exits_2(cryoatlas, world, prefect_server, tmp_path):
    said = cryoatlas(*arguments(world, tmp_path / "s", catalog=tmp_path / "nothing"))
    assert said.code == 2
    assert "nothing" in one_line(said.err)


def test_a_catalog_without_a_scene_in_season_exits_3(cryoatlas, world, prefect_server, tmp_path):
    said = cryoatlas(*arguments(world, tmp_path / "s", years=2016))
    assert said.code == 3
    assert "no Sentinel-1 or -2 scene" in one_line(said.err)


def test_a_region_in_metres_exits_2(cryoatlas, world, prefect_server, tmp_path):
    content = json.loads(Path(world.region).read_text())
    content["geometry"] = {"type": "Polygon", "coordinates": [[[500000, 4.9e6], [510000, 4.9e6], [510000, 4.91e6], [500000, 4.9e6]]]}
    (tmp_path / "metres.geojson").write_text(json.dumps(content))
    said = cryoatlas(*arguments(world, tmp_path / "s", region=tmp_path / "metres.geojson"))
    assert said.code == 2
    assert "EPSG:4326" in one_line(said.err)


def test_a_store_that_is_a_file_exits_2(cryoatlas, world, prefect_server, tmp_path):
    (tmp_path / "file").write_text("")
    said = cryoatlas(*arguments(world, tmp_path / "file"))
    assert said.code == 2
    assert "--store" in one_line(said.err)


def test_a_store_that_cannot_be_made_exits_2(cryoatlas, world, prefect_server):
    said = cryoatlas(*arguments(world, Path("/proc/cryoatlas")))
    assert said.code == 2
    assert "/proc/cryoatlas" in one_line(said.err)


def test_a_store_of_a_newer_schema_exits_2(cryoatlas, tmp_path):
    (tmp_path / "store.json").write_text('{"schema_version": 99}')
    said = cryoatlas("audit", "--store", tmp_path)
    assert said.code == 2
    assert "Upgrade" in one_line(said.err)


def test_an_unknown_model_exits_2(cryoatlas, world, prefect_server, tmp_path):
    said = cryoatlas(*arguments(world, tmp_path / "s", model="indexes"))
    assert said.code == 2
    assert "'indices'" in one_line(said.err)


def test_a_region_of_slumps_is_refused_by_a_model_of_water(cryoatlas, world, prefect_server, tmp_path):
    content = json.loads(Path(world.region).read_text())
    content["properties"] |= {"target": "slumps", "name": "slumps_here"}
    (tmp_path / "slumps.geojson").write_text(json.dumps(content))
    said = cryoatlas(*arguments(world, tmp_path / "s", region=tmp_path / "slumps.geojson"))
    assert said.code == 2
    assert "slumps" in one_line(said.err)


def test_a_broken_file_fails_its_tiles_names_the_scene_and_leaves_the_rest(cryoatlas, world, store, tmp_path):
    shutil.copytree(world.root, tmp_path / "world")
    broken = World(tmp_path / "world")
    used = next(c.scene for c in read_choices(store / "scenes" / "demo_hma" / f"{YEAR}.parquet") if c.used and c.scene.sensor == "s2")
    path = tmp_path / "world" / Path(used.assets["B08"].href).relative_to(world.root)
    path.write_bytes(path.read_bytes()[:3000])
    said = cryoatlas(*arguments(broken, tmp_path / "s"))
    assert said.code == 3
    assert "--refuse" in said.err
    assert "Resume with: cryoatlas run" in said.err
    audit = cryoatlas("audit", "--store", tmp_path / "s")
    assert audit.code == 3
    assert "mend: cryoatlas backfill" in audit.out
    scene = said.err.split("--refuse ")[1].split()[0].rstrip(".;")
    again = cryoatlas(*arguments(broken, tmp_path / "s"), "--refuse", scene)
    assert again.code == 0, again.err
    assert cryoatlas("audit", "--store", tmp_path / "s").code == 0
    remembered = cryoatlas(*arguments(broken, tmp_path / "s"))
    assert remembered.code == 0, remembered.err


@pytest.mark.slow
def test_a_full_disk_exits_3_and_a_rerun_completes(cryoatlas, world, prefect_server, tmp_path):
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "from commands.main import run\n"
        "run(sys.argv[1:])\n"
    )
    environment = os.environ | {"PREFECT_API_URL": str(PREFECT_API_URL.value())}
    command = [sys.executable, "-c", script, *(str(part) for part in arguments(world, tmp_path / "s"))]
    root = Path(__file__).resolve().parents[2]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=root)
    assert ended.returncode == 3, ended.stderr
    assert "no space left" in one_line(ended.stderr)
    assert cryoatlas(*arguments(world, tmp_path / "s")).code == 0


def test_audit_of_a_complete_store_exits_0_and_says_so(cryoatlas, store):
    said = cryoatlas("audit", "--store", store, "--checksums")
    assert said.code == 0
    assert "Complete" in said.out


def test_audit_names_a_changed_byte_and_the_command_that_mends_it(cryoatlas, store, tmp_path):
    shutil.copytree(store, tmp_path / "s")
    shard = next(path for path in (tmp_path / "s" / "probability").rglob("c/*/*") if path.is_file())
    whole = shard.read_bytes()
    content = bytearray(whole)
    content[len(content) // 2] ^= 255
    shard.write_bytes(bytes(content))
    assert cryoatlas("audit", "--store", tmp_path / "s").code == 0
    said = cryoatlas("audit", "--store", tmp_path / "s", "--checksums")
    assert said.code == 3
    assert "damaged" in said.out
    (mend,) = (line.removeprefix("  mend: cryoatlas ") for line in said.out.splitlines() if line.startswith("  mend: "))
    assert cryoatlas(*shlex.split(mend), "--reason", "a bad disk").code == 0
    assert shard.read_bytes() == whole
    (receipt,) = (tmp_path / "s" / "backfills").glob("*.json")
    tile = json.loads(receipt.read_bytes())["units"][0]["unit"]["tile"]
    told = json.loads(cryoatlas("explain", "--store", tmp_path / "s", "--tile", tile, "--year", YEAR, "--json").out)
    assert [(again["stage"], again["reason"], again["became"]) for again in told["backfills"]] == [("segment", "a bad disk", "done")]


def test_audit_names_every_tile_that_a_killed_run_did_not_reach(cryoatlas, store, tmp_path):
    shutil.copytree(store, tmp_path / "s")
    lost = [path for path in (tmp_path / "s").rglob("*.json") if path.name.split(".")[1:2] in (["segment"], ["outline"], ["inventory"])]
    for path in lost:
        path.unlink()
    said = cryoatlas("audit", "--store", tmp_path / "s")
    assert said.code == 3
    assert "not yet" in said.out
    surfaces = [path.name.split(".")[0] for path in (tmp_path / "s" / "ledger").rglob("*.surface.json")]
    assert all(f"segment {tile} missing" in said.out for tile in surfaces)


def test_explain_tells_used_and_refused_scenes(cryoatlas, store):
    tile = next((store / "ledger" / "demo_hma" / str(YEAR)).glob("*.surface.json")).name.split(".")[0]
    told = json.loads(cryoatlas("explain", "--store", store, "--tile", tile, "--year", YEAR, "--json").out)
    assert {scene["used"] for scene in told["scenes"]} == {"yes", "no"}
    assert all(scene["because"] for scene in told["scenes"] if scene["used"] == "no")
    assert [stage[0] for stage in told["stages"]] == ["look", "outline", "scenes", "segment", "surface"]


def test_explain_of_an_unknown_tile_exits_2(cryoatlas, store):
    assert cryoatlas("explain", "--store", store, "--tile", "32643-0001-0001", "--year", YEAR).code == 2
    assert cryoatlas("explain", "--store", store, "--tile", "here", "--year", YEAR).code == 2


def test_plan_counts_without_reading(cryoatlas, world):
    (planned,) = json.loads(cryoatlas("plan", "--region", world.region, "--years", YEAR, "--catalog", world.catalog, "--json").out)
    assert planned["tiles"] >= 2
    assert planned["optical_per_tile"] > 0
    assert 0 < planned["read_gb"] < 1


def test_track_shows_states_per_year(cryoatlas, store, prefect_server):
    said = cryoatlas("track", "--store", store, "--region", "demo_hma")
    assert said.code == 0
    assert "present" in said.out


def test_an_inventory_is_exported_for_qgis(cryoatlas, store, tmp_path):
    assert cryoatlas("export", "--store", store, "--region", "demo_hma", "--year", YEAR, "--out", tmp_path / "l.gpkg").code == 0
    assert (tmp_path / "l.gpkg").stat().st_size > 10_000
    assert cryoatlas("export", "--store", store, "--region", "demo_hma", "--year", 1, "--out", tmp_path / "l.gpkg").code == 2
