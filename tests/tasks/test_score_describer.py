"""A describer of a few steps, scored end to end: tables, page, controls, and scenes that it has seen."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from catalog.facts.describer_evaluation import DescriberEvaluation
from catalog.facts.errors import ChipsUnusable, WrongCall
from catalog.facts.seen_data import refuse_seen, seeds_of
from catalog.stores.weights import read_describer
from commands.main import run
from tasks.score_describer import result_of
from tasks.train_describer import train
from tasks.write_describer_scores import written

FEW = {
    "steps.total": 2, "steps.pretext": 0, "steps.words": 0, "steps.warmup": 1, "steps.scenes": 2, "steps.validate_every": 2, "steps.validation_scenes": 1, "steps.longest": 4,
    "pairs.referring": 1, "pairs.others": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def nano(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("nano")
    return train("tiny-demo", ["simulated:0-9"], str(folder), FEW, "cpu").weights


@pytest.fixture(scope="module")
def without_language(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("constant")
    return train("tiny-demo", ["simulated:0-9"], str(folder), FEW | {"network.decoder.prompt": "constant"}, "cpu").weights


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_figures_answers_and_page_are_written(nano, without_language, tmp_path):
    evaluation = DescriberEvaluation(nano, ("simulated:500-502",), str(tmp_path), against=without_language)
    result = result_of(evaluation)
    assert [one.subset for one in result.passes] == [
        "generated", "other_question", "constant_question", "blind", "teacher_forced", "by_rule", "constant_prompt",
    ]  # fmt: skip
    report = written(evaluation, result)
    rows = {(row["model"], row["subset"], row["group"], row["metric"]): row for row in report.figures}
    # fresh weights say nothing that is true, and the template does
    assert rows["describe-tiny", "generated", "all", "count_exact"]["value"] == 0
    assert rows["water index and template", "by_rule", "all", "count_exact"]["value"] > 0.6
    assert rows["verification", "injected", "injected", "caught"]["value"] == 1
    assert ("describe-tiny minus describe-tiny (against)", "generated", "whole", "lake_iou_gain") in rows
    of_forced = {metric for (_, subset, _, metric) in rows if subset == "teacher_forced"}
    assert of_forced <= {"lake_iou", "mean_iou", "f1", "f1_per_answer", "iou_per_answer", "recall"}
    answers = pq.read_table(tmp_path / "answers.parquet").to_pylist()
    assert {row["scene_id"] for row in answers} == {f"simulated-{seed}" for seed in (500, 501, 502)}
    assert {row["family"] for row in answers if row["subset"] == "constant_prompt"} <= {"count", "list", "presence", "describe", "change"}
    page = Path(report.page).read_text(encoding="utf-8")
    assert "teacher_forced" in page
    assert page.count("data:image/png") == len(result.examples) > 0


def test_scenes_that_weights_have_seen_are_refused(nano, tmp_path):
    with pytest.raises(WrongCall, match="trained or chosen on seeds 0 to 9, so that 8 to 9 say nothing"):
        result_of(DescriberEvaluation(nano, ("simulated:8-20",), str(tmp_path)))
    card = read_describer(nano)[0]
    assert card.data == ("simulated:0-9",)
    refuse_seen(card, ["simulated:10-20", "some/folder"])
    # cards that are older than the field tell it in words
    with pytest.raises(WrongCall, match="name seeds from 10 on"):
        refuse_seen(replace(card, data=()), ["simulated:5-20"])


@pytest.mark.slow
def test_data_of_the_weights_that_a_training_started_from_stay_on_the_card(nano, tmp_path):
    later = train("tiny-demo", ["simulated:20-29"], str(tmp_path), FEW | {"start_from": nano}, "cpu").weights
    assert read_describer(later)[0].data == ("simulated:0-9", "simulated:20-29")


@pytest.mark.parametrize("data", ["simulated:5", "simulated:9-2", "simulated:a-b"])
def test_seeds_that_are_none_are_refused(data):
    with pytest.raises(ChipsUnusable, match="names no simulated chips"):
        seeds_of(data)


def test_the_command_writes_a_page_and_prints_figures_for_machines(nano, tmp_path, prefect_server, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(["evaluate", "describe", "--weights", nano, "--data", "simulated:500-501", "--out", str(tmp_path), "--no-controls", "--json"])
    assert stopped.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert {row["subset"] for row in report["figures"]} == {"generated", "by_rule", "injected"}
    page = Path(report["page"]).read_text(encoding="utf-8")
    assert "published on other data" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    answers = pq.read_table(tmp_path / "answers.parquet").to_pylist()
    assert {row["scene_id"] for row in answers} == {"simulated-500", "simulated-501"}


def test_the_command_refuses_what_was_seen_in_one_sentence(nano, tmp_path, prefect_server, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(["evaluate", "describe", "--weights", nano, "--data", "simulated:0-9", "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "was trained or chosen on seeds 0 to 9" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
