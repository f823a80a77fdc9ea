"""The place of the store is full, refuses, breaks or is slow: the run stops with one sentence, and the same store is completed later."""

import shutil
import subprocess

import pytest

from tests.faults.mishaps import Mishap
from tests.faults.running import command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FULL = 'mount -t tmpfs -o size=$1 tmpfs "$2" && cp -a "$3/." "$2" && shift 3 && { "$@"; code=$?; cp -a "$STORE/." "$KEPT"; exit $code; }'
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
OWN_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]


@pytest.fixture(scope="module")
def may_mount():
    """Skips where a process may not have mounts of its own."""
    if (
        shutil.which("unshare") is None
        or subprocess.run([*OWN_MOUNTS, "mount -t tmpfs tmpfs /tmp"], check=False, capture_output=True).returncode
    ):
        pytest.skip("this system gives no process mounts of its own: `unshare --user --mount` is refused")


def test_a_full_file_system(undisturbed, may_mount, store, tmp_path, mended, monkeypatch):
    place, kept = tmp_path / "place", tmp_path / "kept"
    place.mkdir()
    kept.mkdir()
    monkeypatch.setenv("STORE", str(place))
    monkeypatch.setenv("KEPT", str(kept))
    ended = command(undisturbed.arguments(place), inside=[*OWN_MOUNTS, FULL, "sh", "1500k", str(place), str(store)])
    assert ended.code == 3, ended
    assert "no space left" in ended.error
    shutil.copytree(kept, place, dirs_exist_ok=True)
    mended(place)


def test_a_file_system_that_is_mounted_read_only(undisturbed, may_mount, store, here, same):
    ended = command(undisturbed.arguments(store), inside=[*OWN_MOUNTS, READ_ONLY, "sh", str(store)])
    assert ended.code == 2, ended
    assert "Read-only file system" in ended.error
    assert here(undisturbed.arguments(store)).code == 0
    same(store)


@pytest.mark.parametrize(("error", "code"), [("EROFS", 2), ("ENOSPC", 3), ("EIO", 3)])
def test_a_store_that_breaks_in_the_middle(undisturbed, store, mended, error, code):
    ended = command(undisturbed.arguments(store), Mishap(error, "write", f"^{store}/", nth=120))
    assert ended.code == code, ended
    assert str(store) in ended.error
    mended(store)


def test_a_slow_store_gives_the_same(undisturbed, store, same, monkeypatch):
    monkeypatch.setenv("CRYOATLAS_LEASE_S", "4")
    ended = command(undisturbed.arguments(store), Mishap("slow", "write", f"^{store}/"))
    assert ended.code == 0, ended
    same(store)
