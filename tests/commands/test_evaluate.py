"""What the words of `cryoatlas evaluate` answer; the scores themselves are tested with their task."""

import pytest

from commands.main import run


def test_what_is_not_built_says_so(capsys):
    with pytest.raises(SystemExit) as stopped:
        run(["evaluate", "embed", "--weights", "w", "--data", "d"])
    assert stopped.value.code == 2
    assert "later release" in capsys.readouterr().err


@pytest.mark.parametrize(("target", "weights"), [("lakes", "indices"), ("slumps", "no-such-detector")])
def test_chips_that_are_not_there_are_a_wrong_call(target, weights, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(["evaluate", target, "--weights", weights, "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "no set of chips here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_relabelling_needs_an_audit(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(["chips", "relabel", "--audit", str(tmp_path), "--data", str(tmp_path), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "no relabel.gpkg" in capsys.readouterr().err
