"""Stores on an object store, against an S3 server on loopback: the same primitives, conditions, and errors that say the way out."""

import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from catalog.facts.causes import State
from catalog.facts.errors import ProductDamaged, SourceUnavailable, StoreNewer, StoreNotWritable, WrongCall
from catalog.facts.grids import Tile
from catalog.facts.records import Outcome, Unit
from catalog.facts.schemas import SURFACE
from catalog.stores import buckets, conditions, cubes, ledger
from catalog.stores.files import checksum, looks_like, read_each, size_of, stamp_of, sweep_partials, write_atomic, write_if_changed
from catalog.stores.objects import local_path, place
from catalog.stores.store import open_store
from catalog.stores.versioned import create_only, delete_if, read_versioned, replace_if
from tests.s3_server import BUCKET, s3_server
from tests.stores.test_versioned import COUNT


@pytest.fixture(scope="module")
def server():
    with s3_server() as running:
        yield running


@pytest.fixture
def folder(server, request):
    server.requests.clear()
    server.answer = lambda method, path: None
    yield place(f"s3://{BUCKET}/some folder/{request.node.name}")
    server.answer = lambda method, path: None


def test_an_object_is_a_path_with_its_url_as_text(folder):
    path = folder / "regions" / "hma.geojson"
    assert str(path) == f"s3://{BUCKET}/some folder/{folder.name}/regions/hma.geojson"
    assert place(str(path)) == path == pickle.loads(pickle.dumps(path))  # noqa: S301
    assert hash(place(str(path))) == hash(path)
    assert path.relative_to(folder).as_posix() == "regions/hma.geojson"
    assert (path.name, path.stem, path.with_suffix(".refused.json").name) == ("hma.geojson", "hma", "hma.refused.json")
    assert path.is_relative_to(folder)
    assert not folder.is_relative_to(Path.home())


def test_an_object_is_read_and_written_as_a_file_is(folder):
    path = folder / "a" / "file.bin"
    assert (size_of(path), stamp_of(path), path.is_file(), path.exists()) == (None, None, False, False)
    promise = write_atomic(path, b"lake")
    first = stamp_of(path)
    assert (path.read_bytes(), size_of(path), checksum(path)) == (b"lake", 4, promise)
    assert looks_like(path, promise)
    with path.open("rb") as file:
        assert file.read() == b"lake"
    write_if_changed(path, b"pond")
    assert stamp_of(path) != first
    assert (folder / "a").is_dir()
    assert not (folder / "a").is_file()
    assert sweep_partials(folder) == 0
    path.unlink()
    path.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError, match=r"file\.bin does not exist"):
        path.read_bytes()


def test_an_equal_object_is_not_written_again(folder, server):
    write_atomic(folder / "file.bin", b"lake")
    write_if_changed(folder / "file.bin", b"lake")
    assert server.requests["PUT"] == 1


def test_objects_are_listed_as_folders_are(folder, tmp_path):
    for root in (folder, tmp_path):
        for name in (
            "regions/a.geojson",
            "regions/b.refused.json",
            "x/year=2020/part.parquet",
            "x/year=2021/part.parquet",
            "x/y/z.parquet",
        ):
            write_atomic(root / name, name.encode())
    for pattern in ("regions/*.geojson", "x/year=*/part.parquet", "*/*", "x/[!y]*/*.parquet", "regions/a.geojson", "none/*", "none"):
        there = [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.glob(pattern))]
        assert [path.relative_to(folder).as_posix() for path in folder.glob(pattern)] == there
    assert [path.name for path in folder.rglob("*.parquet")] == ["z.parquet", "part.parquet", "part.parquet"]
    assert [path.name for path in folder.iterdir()] == ["regions", "x"]


def test_many_objects_are_asked_for_together(folder, server):
    paths = [folder / f"{number}.json" for number in range(40)]
    for path in paths[:-1]:
        path.write_bytes(path.name.encode())
    server.requests.clear()
    assert read_each(paths) == [*(path.name.encode() for path in paths[:-1]), None]
    assert dict(server.requests) == {"GET": 40}
    assert len(folder.listed()) == 39
    assert server.requests["LIST"] == 1


def test_a_library_that_opens_files_itself_cannot_take_an_object_for_one(folder):
    with pytest.raises(TypeError, match="no file of this machine"):
        open(folder / "file.bin", "wb")  # noqa: PTH123, SIM115
    with pytest.raises(OSError, match="written whole"):
        (folder / "file.bin").open("wb")


def test_an_object_is_created_once_and_changed_only_as_it_was_read(folder):
    path = folder / "lease.json"
    assert read_versioned(path) is None
    first = create_only(path, b"one")
    assert first is not None
    assert create_only(path, b"other") is None
    assert read_versioned(path) == (b"one", first)
    second = replace_if(path, b"two", first)
    assert second not in (None, first)
    assert replace_if(path, b"three", first) is None
    assert not delete_if(path, first)
    assert delete_if(path, second)
    assert not delete_if(path, second)
    assert read_versioned(path) is None
    assert replace_if(path, b"three", second) is None
    assert create_only(path, b"four") is not None
    assert path.read_bytes() == b"four"


def test_a_version_of_an_object_that_is_gone_is_no_version(folder):
    path = folder / "lease.json"
    version = create_only(path, b"one")
    path.unlink()
    assert replace_if(path, b"two", version) is None
    assert not delete_if(path, version)


def test_a_write_whose_answer_got_lost_is_found_to_be_ours(folder):
    path = folder / "lease.json"
    version = create_only(path, b"mine")
    assert create_only(path, b"mine") == version
    assert replace_if(path, b"next", version) == replace_if(path, b"next", version) != version


def test_two_processes_at_one_object_lose_no_change(folder):
    path = folder / "count"
    command = [sys.executable, "-c", textwrap.dedent(COUNT), str(path), "20"]
    root = Path(__file__).parents[2]
    counting = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(2)]
    for process in counting:
        assert process.stdout.readline() == "ready\n"
    for process in counting:
        process.communicate("go\n", timeout=120)
        assert process.returncode == 0
    assert path.read_bytes().startswith(b"40 ")


def test_a_service_that_writes_in_spite_of_a_condition_is_refused(folder, monkeypatch):
    write_atomic(folder / "store.json", b"{}")
    conditions.refuse_unconditional(folder / "store.json", b"{}")
    monkeypatch.setattr(conditions, "_put", lambda path, content, mode: "any")
    with pytest.raises(StoreNotWritable, match="whether its conditions"):
        conditions.refuse_unconditional(folder / "store.json", b"{}")


def test_a_store_is_made_once_and_opened_by_its_url(folder, server):
    with pytest.raises(WrongCall, match="no store here"):
        open_store(str(folder))
    made = open_store(str(folder), create=True)
    card = made.card().read_bytes()
    assert open_store(f"{folder}/", create=True) == made == open_store(str(made.root)) == pickle.loads(pickle.dumps(made))  # noqa: S301
    assert made.card().read_bytes() == card
    assert made.relative(made.lease("hma", 2021)) == "leases/hma/2021.json"
    assert server.requests["DELETE"] == 0


def test_a_store_of_a_newer_program_is_refused(folder):
    write_atomic(folder / "store.json", b'{"schema_version": 999}')
    with pytest.raises(StoreNewer, match="Upgrade"):
        open_store(str(folder))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://no-such-bucket/store", r"no bucket s3://no-such-bucket\. Make it"),
        ("ftp://host/store", "no object store is called ftp://. Give s3://, gs://, az:// or a path"),
        ("s3://", "a bucket is missing"),
        ("az://container/store", "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_a_wrong_url_says_what_is_right(server, url, words, monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    for create in (False, True):
        with pytest.raises(WrongCall, match=words):
            open_store(url, create=create)


def test_refused_keys_name_the_variables(folder, server):
    server.answer = lambda method, path: 403
    with pytest.raises(StoreNotWritable, match=r"access is refused \(AccessDenied\)\. Set AWS_ACCESS_KEY_ID"):
        open_store(str(folder), create=True)


def test_a_store_that_may_only_be_read_is_told_before_work_begins(folder, server):
    open_store(str(folder), create=True)
    server.answer = lambda method, path: 403 if method == "PUT" else None
    assert open_store(str(folder)).card().is_file()
    with pytest.raises(StoreNotWritable, match="access is refused"):
        open_store(str(folder), create=True)


def test_a_server_that_does_not_answer_is_told_soon(folder, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    buckets.bucket_of.cache_clear()
    try:
        with pytest.raises(SourceUnavailable, match=r"no answer .*AWS_ENDPOINT_URL"):
            open_store(str(folder))
    finally:
        buckets.bucket_of.cache_clear()


def test_a_throttled_request_is_tried_again(folder, server):
    refusals = iter([503, 503])
    server.answer = lambda method, path: next(refusals, None) if method == "PUT" else None
    write_atomic(folder / "file.bin", b"lake")
    assert (folder / "file.bin").read_bytes() == b"lake"
    assert server.requests["PUT"] == 3


def test_urls_of_other_clouds_open_their_buckets(monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    buckets.bucket_of.cache_clear()
    assert {scheme: type(place(f"{scheme}://bucket/store").bucket).__name__ for scheme in ("gs", "az")} == {
        "gs": "GCSStore",
        "az": "AzureStore",
    }
    buckets.bucket_of.cache_clear()


def test_a_cube_in_a_bucket_is_that_of_a_folder_and_a_shard_one_request(folder, server, tmp_path):
    tile, rng = Tile(32643, 33, 219, chips=1), np.random.default_rng(0)
    sizes = {spec.name: (*((len(spec.bands),) if spec.bands else ()), tile.size_px, tile.size_px) for spec in SURFACE}
    arrays = {spec.name: rng.integers(1, 200, sizes[spec.name]).astype(spec.dtype) for spec in SURFACE}
    for root in (tmp_path, folder):
        cube = cubes.open_cube(root / "32643.zarr", [tile], SURFACE)
        server.requests.clear()
        cubes.write_tile(cube, tile, arrays)
        window = cubes.read_window(cubes.read_cube(root / "32643.zarr", SURFACE), "s2", (*tile.origin_yx_px, 50, 60))
        assert np.array_equal(window, arrays["s2"][:, :50, :60])
    assert server.requests["PUT"] == len(SURFACE)
    theirs = {path.relative_to(folder).as_posix(): path.read_bytes() for path, _ in folder.listed()}
    assert theirs == {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert cubes.lazy_cube(folder / "32643.zarr").sizes["x"] == tile.size_px


def test_a_damaged_shard_in_a_bucket_is_told(folder):
    tile = Tile(32643, 33, 219, chips=1)
    cube = cubes.open_cube(folder / "32643.zarr", [tile], SURFACE)
    for file in cubes.shard_files(cube, tile):
        file.write_bytes(b"no shard")
    with pytest.raises(ProductDamaged, match=f"s3://{BUCKET}.*audit --checksums"):
        cubes.read_window(cube, "s2", (*tile.origin_yx_px, 50, 60))


def test_records_of_a_region_year_are_listed_and_then_read_once_each(folder, server):
    store = open_store(str(folder), create=True)
    for number in range(12):
        product = store.outlines("lakes", "hma", 2021, f"tile{number}")
        write_atomic(product, b"runs")
        unit = Unit("hma", 2021, f"tile{number}", "outline")
        ledger.put(store, Outcome(unit, State.DONE, "f", outputs=ledger.receipts_for(store, [product])))
    server.requests.clear()
    found = ledger.find_all(store, "hma", 2021)
    assert dict(server.requests) == {"LIST": 2, "GET": 12}
    assert ledger.absent_among(store, found) == []
    assert server.requests["HEAD"] == 12
    store.outlines("lakes", "hma", 2021, "tile3").unlink()
    (store.ledger("hma", 2021) / "tile3.outline.json").unlink()
    (store.ledger("hma", 2021) / "tile4.outline.json").unlink()
    assert ledger.find(store, Unit("hma", 2021, "tile3", "outline")) is None
    assert ledger.find(store, Unit("hma", 2021, "tile4", "outline")) == found[[o.unit.tile for o in found].index("tile4")]


def test_what_is_kept_on_this_machine_only_refuses_a_url():
    with pytest.raises(WrongCall, match=r"'s3://bucket/chips'.*Give a path"):
        local_path("s3://bucket/chips")
