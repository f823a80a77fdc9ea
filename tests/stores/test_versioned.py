"""Files that several programs write at once: one wins, nobody's change gets lost, and a killed one blocks nobody."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from catalog.facts.errors import StoreNotWritable
from catalog.stores import versioned
from catalog.stores.versioned import create_only, delete_if, read_versioned, replace_if

COUNT = """
    import os, sys
    from catalog.stores.objects import place
    from catalog.stores.versioned import create_only, read_versioned, replace_if

    path, added, me = place(sys.argv[1]), 0, f" by {os.getpid()}".encode()
    print("ready", flush=True)
    sys.stdin.readline()
    while added < int(sys.argv[2]):
        found = read_versioned(path)
        if found is None:
            added += create_only(path, b"1" + me) is not None
        else:
            added += replace_if(path, str(int(found[0].split()[0]) + 1).encode() + me, found[1]) is not None
"""
"""Adds one to a number as often as told, beside others that do the same."""

_DIE_LOCKED = """
    import os, signal, sys
    from pathlib import Path
    from catalog.stores import versioned

    def die(path, content):
        os.kill(os.getpid(), signal.SIGKILL)

    versioned.write_atomic = die
    path = Path(sys.argv[1])
    versioned.replace_if(path, b"never", versioned.read_versioned(path)[1])
"""

_DIE_LINKED = """
    import os, signal, sys
    from pathlib import Path
    from catalog.stores import versioned

    link = os.link

    def die(source, target):
        link(source, target)
        os.kill(os.getpid(), signal.SIGKILL)

    os.link = die
    versioned.create_only(Path(sys.argv[1]), b"mine")
"""


def _start(program: str, path: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(program), str(path), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_a_file_is_created_once_and_changed_only_as_it_was_read(tmp_path):
    path = tmp_path / "deep" / "lease.json"
    assert read_versioned(path) is None
    first = create_only(path, b"one")
    assert first is not None
    assert create_only(path, b"other") is None
    assert read_versioned(path) == (b"one", first)
    second = replace_if(path, b"two", first)
    assert second not in (None, first)
    assert replace_if(path, b"three", first) is None
    assert not delete_if(path, first)
    assert read_versioned(path) == (b"two", second)
    assert delete_if(path, second)
    assert read_versioned(path) is None
    assert replace_if(path, b"three", second) is None
    assert not delete_if(path, second)
    assert [entry.name for entry in path.parent.iterdir()] == [".lock"]


def test_two_processes_at_one_file_lose_no_change(tmp_path):
    path = tmp_path / "count"
    counting = [_start(COUNT, path, "50") for _ in range(2)]
    for process in counting:
        assert process.stdout.readline() == "ready\n"
    for process in counting:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in counting:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert path.read_bytes().startswith(b"100 ")


def test_one_killed_with_the_lock_in_hand_blocks_nobody(tmp_path):
    path = tmp_path / "lease.json"
    version = create_only(path, b"one")
    killed = _start(_DIE_LOCKED, path)
    assert killed.wait(timeout=120) == -signal.SIGKILL
    assert read_versioned(path) == (b"one", version)
    assert replace_if(path, b"two", version) is not None


def test_one_killed_while_it_creates_leaves_a_whole_file(tmp_path):
    path = tmp_path / "lease.json"
    killed = _start(_DIE_LINKED, path)
    assert killed.wait(timeout=120) == -signal.SIGKILL
    found = read_versioned(path)
    assert found is not None
    assert found[0] == b"mine"
    assert delete_if(path, found[1])
    assert create_only(path, b"next") is not None


def test_a_file_system_without_links_still_creates_once(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    assert create_only(tmp_path / "lease.json", b"one") is not None
    assert create_only(tmp_path / "lease.json", b"two") is None
    assert (tmp_path / "lease.json").read_bytes() == b"one"


def test_a_file_system_without_locks_is_refused_with_the_way_out(tmp_path, monkeypatch):
    def refuse(file, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    version = create_only(tmp_path / "lease.json", b"one")
    monkeypatch.setattr(versioned.fcntl, "flock", refuse)
    with pytest.raises(StoreNotWritable, match="gives no locks"):
        replace_if(tmp_path / "lease.json", b"two", version)


def test_a_lock_that_never_comes_free_is_named(tmp_path, monkeypatch):
    version = create_only(tmp_path / "lease.json", b"one")
    monkeypatch.setattr(versioned, "_PATIENCE_S", 0.0)
    with (tmp_path / ".lock").open("ab") as file:
        versioned.fcntl.flock(file, versioned.fcntl.LOCK_EX)
        with pytest.raises(StoreNotWritable, match=r"holds the lock .*\.lock"):
            replace_if(tmp_path / "lease.json", b"two", version)
    assert replace_if(tmp_path / "lease.json", b"two", version) is not None
