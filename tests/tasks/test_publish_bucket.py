"""A publication in a bucket: the files of one in a folder, whole releases only, and one writer at a time."""

import json

import pytest

from catalog.facts.errors import LeaseBusy, StoreNotWritable, WrongCall
from catalog.stores import uploads
from catalog.stores.objects import place
from catalog.stores.publications import open_publication
from catalog.stores.uploads import put_document, upload
from catalog.stores.versioned import create_only
from tests.made_store import made_store
from tests.publishing import COLLECTION, bytes_of, publish, remap, shrink
from tests.s3_server import BUCKET, s3_server

_OURS = (".cryoatlas-lock", ".cryoatlas-lease")
"""What keeps a second writer out."""


class Stopped(Exception):
    """Ends a call where a kill would."""


@pytest.fixture(scope="module")
def server():
    with s3_server() as running:
        yield running


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return made_store(tmp_path_factory.mktemp("store"), years=(2021,))


def objects_of(dest) -> dict[str, bytes]:
    return {path.relative_to(dest).as_posix(): path.read_bytes() for path, _ in dest.listed() if path.name not in _OURS}


def files_of(dest) -> dict[str, bytes]:
    return {name: content for name, content in bytes_of(dest).items() if name not in _OURS}


def test_a_publication_in_a_bucket_is_that_of_a_folder_and_grows_like_it(server, tmp_path):
    store = made_store(tmp_path / "store", years=(2021,))
    folder, bucket = tmp_path / "public", place(f"s3://{BUCKET}/public")
    for dest in (folder, bucket):
        assert publish(store, dest, years=(2021,)).release == "2026.1"
    assert objects_of(bucket) == files_of(folder)
    before = {path: path.e_tag() for path, _ in bucket.listed()}
    assert publish(store, bucket, years=(2021,)).release == ""
    assert {path: path.e_tag() for path, _ in bucket.listed() if path.name not in _OURS}.items() <= before.items()
    remap(store, 2021, run="2", change=shrink)
    for dest in (folder, bucket):
        assert publish(store, dest, years=(2021,), reason="Smaller.").release == "2026.2"
    assert objects_of(bucket) == files_of(folder)


def test_a_call_that_ends_before_the_manifest_has_published_nothing_and_the_next_starts_over(server, store, monkeypatch):
    dest = place(f"s3://{BUCKET}/killed")

    def stop(path, content):
        raise Stopped

    monkeypatch.setattr(uploads, "create_only", stop)
    with pytest.raises(Stopped):
        publish(store, dest, years=(2021,))
    monkeypatch.undo()
    releases = open_publication(str(dest)).releases(COLLECTION)
    leftover = releases / "2026.1" / "leftover.txt"
    leftover.write_bytes(b"of the killed call")
    assert not (dest / "catalog.json").is_file()
    assert publish(store, dest, years=(2021,)).release == "2026.1"
    assert not leftover.is_file()
    assert json.loads((dest / "catalog.json").read_bytes())["links"]


def test_a_call_that_ends_after_the_manifest_is_finished_by_the_next(server, store):
    dest = place(f"s3://{BUCKET}/visible")

    def reached(step):
        if step == "visible":
            raise Stopped

    with pytest.raises(Stopped):
        publish(store, dest, years=(2021,), reached=reached)
    report = publish(store, dest, years=(2021,))
    assert (report.release, report.finished) == ("", (f"{COLLECTION} 2026.1",))


def test_two_calls_cannot_show_the_same_release(server, tmp_path):
    dest = place(f"s3://{BUCKET}/twice/releases/2026.1")
    (tmp_path / "release.json").write_bytes(b"{}")
    upload(tmp_path, dest, {}, "release.json")
    (tmp_path / "release.json").write_bytes(b'{"of": "another"}')
    with pytest.raises(WrongCall, match="appeared while this call made it"):
        upload(tmp_path, dest, {}, "release.json")
    assert (dest / "release.json").read_bytes() == b"{}"


def test_a_catalog_that_another_wrote_in_between_is_not_overwritten(server, monkeypatch):
    path = place(f"s3://{BUCKET}/pointer/catalog.json")
    put_document(path, b"one")
    read = uploads.read_versioned

    def read_then_lose(path):
        found = read(path)
        path.write_bytes(b"theirs")
        return found

    monkeypatch.setattr(uploads, "read_versioned", read_then_lose)
    with pytest.raises(LeaseBusy, match="Publish again"):
        put_document(path, b"two")
    assert path.read_bytes() == b"theirs"


def test_a_call_waits_for_another_that_publishes_and_names_it(server, store, monkeypatch):
    dest = place(f"s3://{BUCKET}/busy")
    publish(store, dest, years=(2021,))
    monkeypatch.setattr(uploads, "_WAIT_S", 0.0)
    with uploads.writing_alone(dest, "release.json"), pytest.raises(LeaseBusy):
        publish(store, dest, years=(2021,))


def test_objects_of_others_are_refused_and_left_alone(server):
    create_only(place(f"s3://{BUCKET}/foreign/thesis.tex"), b"years of work")
    with pytest.raises(WrongCall, match=r"thesis\.tex"):
        open_publication(f"s3://{BUCKET}/foreign")


def test_a_destination_that_refuses_the_keys_is_told(server):
    server.answer = lambda method, path: 403
    try:
        with pytest.raises(StoreNotWritable, match="AWS_ACCESS_KEY_ID"):
            open_publication(f"s3://{BUCKET}/refused")
    finally:
        server.answer = lambda method, path: None
