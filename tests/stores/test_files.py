import errno
import os

import pytest

from catalog.facts.errors import StoreFull, StoreLost, StoreNotWritable
from catalog.stores.files import checksum, checksum_of, looks_like, storage_errors, sweep_partials, write_atomic, write_if_changed


def test_a_written_file_is_whole_and_its_checksum_is_that_of_its_bytes(tmp_path):
    promise = write_atomic(tmp_path / "deep" / "file.bin", b"lake")
    assert (tmp_path / "deep" / "file.bin").read_bytes() == b"lake"
    assert promise == checksum_of(b"lake") == checksum(tmp_path / "deep" / "file.bin")
    assert looks_like(tmp_path / "deep" / "file.bin", promise)


def test_a_truncated_file_does_not_look_like_its_promise(tmp_path):
    promise = write_atomic(tmp_path / "file.bin", b"lake")
    (tmp_path / "file.bin").write_bytes(b"lak")
    assert not looks_like(tmp_path / "file.bin", promise)
    assert not looks_like(tmp_path / "other.bin", promise)


def test_an_equal_file_is_left_untouched(tmp_path):
    path = tmp_path / "file.bin"
    write_atomic(path, b"lake")
    os.utime(path, ns=(1, 1))
    write_if_changed(path, b"lake")
    assert path.stat().st_mtime_ns == 1
    write_if_changed(path, b"pond")
    assert path.read_bytes() == b"pond"


def test_what_a_killed_writer_left_is_swept(tmp_path):
    write_atomic(tmp_path / "file.bin", b"lake")
    (tmp_path / "0.a1b2.partial").write_bytes(b"ha")
    assert sweep_partials(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]


@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        (errno.ENOSPC, StoreFull, "no space left"),
        (errno.EDQUOT, StoreFull, "no space left"),
        (errno.EROFS, StoreNotWritable, "may write to"),
        (errno.EIO, StoreLost, "Input/output error. Look at the disk or the mount"),
        (errno.ESTALE, StoreLost, "the mount behind it"),
    ],
)
def test_errors_of_the_disk_say_the_way_out(tmp_path, code, expected, words):
    with pytest.raises(expected, match=words), storage_errors(tmp_path):
        raise OSError(code, os.strerror(code))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk_is_recognised_from_a_real_write(tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(StoreFull), storage_errors(tmp_path), (tmp_path / "full").open("wb", buffering=0) as file:
        file.write(b"x")
