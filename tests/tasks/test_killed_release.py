"""A call that is killed leaves the old release whole, and the next call finishes or starts over."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.stores.store import Store
from tests.made_store import made_store
from tests.publishing import COLLECTION, bytes_of, publish, remap, shrink
from tests.stac_documents import faults_of


def steps_of(store: Store, dest: Path, **options) -> list[str]:
    steps: list[str] = []
    publish(store, dest, reached=steps.append, **options)
    return steps


KILLED = """
import os, signal, sys
from pathlib import Path
import tests.tasks.test_killed_release as these
from catalog.stores.store import open_store

store, first, out = open_store(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
for chosen in map(int, sys.argv[4:]):
    dest = out / str(chosen)
    these.shutil.copytree(first, dest)
    child = os.fork()
    if child == 0:
        count = 0
        def reached(step):
            global count
            if count == chosen:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
        these.publish(store, dest, years=(2021,), reached=reached, reason="Killed.")
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), chosen
"""


@pytest.mark.slow
def test_killed_at_any_step_the_old_release_is_whole_and_the_next_call_finishes(tmp_path):
    store, first = made_store(tmp_path / "store", years=(2021,)), tmp_path / "first"
    publish(store, first, years=(2021,))
    remap(store, 2021, run="2", change=shrink)
    shutil.copytree(first, tmp_path / "whole")
    steps = steps_of(store, tmp_path / "whole", years=(2021,), reason="Killed.")
    visible = steps.index("visible")
    chosen = [3, visible - 1, *range(visible, len(steps) - 1)]
    arguments = [sys.executable, "-c", KILLED, store.root, first, tmp_path / "killed", *chosen]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    ended = subprocess.run([str(part) for part in arguments], capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 0, ended.stderr
    for step in chosen:
        dest = tmp_path / "killed" / str(step)
        assert faults_of(dest) == [], steps[step]
        for name, content in bytes_of(first).items():
            if name.endswith((".parquet", "release.json")) and name.count("/") > 1:
                assert (dest / name).read_bytes() == content
        appeared = (dest / COLLECTION / "releases" / "2026.2").is_dir()
        assert appeared == (step >= visible), steps[step]
        report = publish(store, dest, years=(2021,), reason="Killed.")
        assert report.release == ("" if appeared else "2026.2"), steps[step]
        assert bytes_of(dest) == bytes_of(tmp_path / "whole"), steps[step]
        assert bool(report.finished) == (visible <= step < steps.index(f"collection {COLLECTION}")), steps[step]
