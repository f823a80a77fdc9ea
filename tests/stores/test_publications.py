"""Where a release may go, and that nobody sees half of one."""

import json

import pytest

from catalog.facts.errors import ProductDamaged, StoreNewer, WrongCall
from catalog.stores.files import checksum_of
from catalog.stores.publications import collections_in, manifests_of, open_publication, staged, writing


def unwatched(_):
    return None


@pytest.mark.parametrize("location", ["https://example.org/public", "ftp://example.org/public"])
def test_what_is_no_object_store_is_refused_with_the_way_out(location):
    with pytest.raises(WrongCall, match="Give s3://, gs://, az:// or a path"):
        open_publication(location)


def test_a_folder_with_files_of_others_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(WrongCall, match=r"thesis\.tex"):
        open_publication(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_store_is_no_place_for_a_release(tmp_path):
    (tmp_path / "store.json").write_text('{"schema_version": 1}')
    with pytest.raises(WrongCall, match="no `cryoatlas publish` wrote"):
        open_publication(str(tmp_path))


def test_a_file_is_no_place_for_a_release(tmp_path):
    (tmp_path / "public").write_text("")
    with pytest.raises(WrongCall, match="is a file"):
        open_publication(str(tmp_path / "public"))


def test_a_newer_layout_is_refused(tmp_path):
    (tmp_path / ".cryoatlas-publication").write_text('{"publication_version": 99}')
    with pytest.raises(StoreNewer, match="Upgrade"):
        open_publication(str(tmp_path))


def test_opening_writes_nothing_and_a_publication_is_known_again(tmp_path):
    publication = open_publication(str(tmp_path / "public"))
    assert not publication.root.exists()
    with writing(publication):
        pass
    assert open_publication(f"file://{tmp_path}/public") == publication


def test_what_a_killed_call_left_is_swept_and_what_it_began_is_ours(tmp_path):
    (tmp_path / ".cryoatlas-publication.abc.partial").write_text("{")
    publication = open_publication(str(tmp_path))
    leftover = publication.release("cryoatlas-lakes-toy", ".staging-2026.1-0")
    (leftover / "year=2021").mkdir(parents=True)
    (leftover / "release.json").write_text(json.dumps({"sequence": 1}))
    with writing(publication):
        assert collections_in(publication) == ()
        assert manifests_of(publication, "cryoatlas-lakes-toy") == ()
    assert not leftover.exists()
    assert not list(tmp_path.glob("*.partial"))


def test_a_release_appears_whole_with_what_was_written(tmp_path):
    place = tmp_path / "releases" / "2026.1"
    (tmp_path / "table").write_bytes(b"rows")
    with staged(place, unwatched) as staging:
        files = {"year=2021/lakes.parquet": staging.copy(tmp_path / "table", "year=2021/lakes.parquet")}
        files["README.md"] = staging.write("README.md", b"words")
        assert not place.exists()
        staging.appear(files)
    assert {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()} == set(files)
    assert files["README.md"] == checksum_of(b"words")
    assert [path.name for path in place.parent.iterdir()] == ["2026.1"]


def test_a_file_that_does_not_read_back_keeps_the_release_from_appearing(tmp_path):
    place = tmp_path / "releases" / "2026.1"
    with pytest.raises(ProductDamaged, match="read back"), staged(place, unwatched) as staging:
        staging.appear({"README.md": staging.write("README.md", b"words"), "lost.parquet": checksum_of(b"")})
    assert list(place.parent.iterdir()) == []


def test_a_source_that_is_not_what_was_promised_is_refused(tmp_path):
    (tmp_path / "table").write_bytes(b"rows")
    with pytest.raises(ProductDamaged, match="audit --checksums"), staged(tmp_path / "r", unwatched) as staging:
        staging.copy(tmp_path / "table", "lakes.parquet", promised=checksum_of(b"other rows"))
