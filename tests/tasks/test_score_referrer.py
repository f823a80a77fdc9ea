"""A referrer of a few steps, scored end to end: tables, page, controls, and scenes that it has seen."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from catalog.facts.errors import ChipsUnusable, WrongCall
from catalog.facts.referrer_evaluation import CONTROLS, ReferrerEvaluation
from catalog.facts.score_schemas import METRICS, REFERRED_SCORES
from catalog.stores.weights import read_referrer
from commands.main import run
from models.referrer.answering import Answer, Drawing
from models.referrer.evaluation import Question
from tasks import score_referrer
from tasks.score_referrer import result_of
from tasks.train_referrer import train
from tasks.write_referrer_scores import written

STAGE = {"warmup": 0, "learning_rate": 1e-3, "pairs": {"segment": 1, "talk": 1, "most": 2}}
FEW = {"stages": [STAGE | {"steps": 2}], "steps.scenes": 2, "steps.validate_every": 2, "steps.validation_scenes": 1, "steps.longest": 3}


@pytest.fixture(scope="module")
def nano(tmp_path_factory: pytest.TempPathFactory) -> str:
    return train("tiny-demo", ["simulated:0-9"], str(tmp_path_factory.mktemp("nano")), FEW, "cpu").weights


def all_knowing(
    _network: object, _dialogue: object, questions: Sequence[Question], *, control: str = "none", **_: object
) -> Iterator[Answer]:
    """True answers; those to another scene's question draw nothing."""
    for each in questions:
        named = zip(each.pair.targets, each.pair.words, strict=False)
        drawings = tuple(Drawing(each.scene.target(numbers, 64)[0].numpy(), word, 0, 1.0) for numbers, word in named)
        yield Answer(each.pair.answer, drawings if control == "none" else (), broken=False, path="generated")


def test_figures_answers_and_page_are_written(nano, tmp_path, monkeypatch):
    monkeypatch.setattr(score_referrer, "answered", all_knowing)
    evaluation = ReferrerEvaluation(nano, ("simulated:500-511",), str(tmp_path), against=nano)
    result = result_of(evaluation)
    assert [one.subset for one in result.passes] == ["generated", "other_order", *CONTROLS, "teacher_forced", "by_rule", "generated"]
    report = written(evaluation, result)
    rows = {(row["model"], row["subset"], row["group"], row["metric"]): row["value"] for row in report.figures}
    assert rows["refer-tiny", "generated", "all", "miou"] == rows["refer-tiny", "generated", "words", "exact"] == 1
    assert rows["refer-tiny", "other_question", "all", "miou"] == 0
    assert rows["refer-tiny, no_memory minus as asked", "no_memory", "all", "miou_gain"] == -1
    assert rows["refer-tiny minus refer-tiny (against)", "generated", "all", "ciou_gain"] == 0
    assert 0.2 < rows["water index and rule", "by_rule", "lake phrases", "miou"] < 1
    assert pq.read_schema(tmp_path / "metrics.parquet").names == METRICS.names
    answers = pq.read_table(tmp_path / "answers.parquet")
    assert answers.schema.names == REFERRED_SCORES.names
    own = [row for row in answers.to_pylist() if (row["model"], row["subset"]) == ("refer-tiny", "generated")]
    masks = [row for row in own if row["place"]]
    assert {row["iou"] for row in masks} == {1.0}
    assert len(own) - len(masks) == sum(not each.question.pair.targets for each in result.passes[0].measured)
    page = Path(report.page).read_text(encoding="utf-8")
    assert page.count("data:image/png") == len(result.examples) > 4
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "84.25 / 89.82" in page.split("not comparable with ours")[1], "published figures stand in a table of their own"
    assert "84.25" not in page.split("not comparable with ours")[0]


def test_scenes_that_weights_have_seen_are_refused(nano, tmp_path):
    with pytest.raises(WrongCall, match="trained or chosen on seeds 0 to 9, so that 8 to 9 say nothing"):
        result_of(ReferrerEvaluation(nano, ("simulated:8-20",), str(tmp_path)))
    with pytest.raises(WrongCall, match="trained or chosen on seeds 0 to 9"):
        result_of(ReferrerEvaluation(nano, ("simulated:500-501", "simulated:9-10"), str(tmp_path)))
    assert read_referrer(nano)[0].data == ("simulated:0-9",)


def test_scenes_without_anything_to_point_at_are_no_data(nano, tmp_path):
    with pytest.raises(ChipsUnusable, match="none of 2 scenes"):
        result_of(ReferrerEvaluation(nano, ("simulated:500-501",), str(tmp_path), min_area_m2=1e9))


def test_the_command_writes_a_page_and_prints_figures_for_machines(nano, tmp_path, prefect_server, capsys, monkeypatch):
    monkeypatch.setattr(score_referrer, "LONGEST", 4)
    with pytest.raises(SystemExit) as stopped:
        run(["evaluate", "refer", "--weights", nano, "--data", "simulated:500-502", "--out", str(tmp_path), "--no-controls", "--json"])
    assert stopped.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert {row["subset"] for row in report["figures"]} == {"generated", "by_rule"}
    # fresh weights draw nothing in four words
    assert next(row for row in report["figures"] if (row["group"], row["metric"]) == ("all", "miou"))["value"] == 0
    assert all(Path(name).is_file() for name in report["files"])


def test_the_command_refuses_what_was_seen_in_one_sentence(nano, tmp_path, prefect_server, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(["evaluate", "refer", "--weights", nano, "--data", "simulated:0-9", "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "was trained or chosen on seeds 0 to 9" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
