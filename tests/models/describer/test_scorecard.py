"""Figures of a describer on answers made by hand: what each counts, and what it must not."""

from collections.abc import Callable

import numpy as np
import pytest

from models.describer.answering import Answer, lakes_drawn
from models.describer.evaluation import Question, questions_of
from models.describer.examples import chosen, clauses
from models.describer.measures import Measured, lakes_meant, measure
from models.describer.scorecard import DescribedPass, gain, pass_of
from models.describer.trials import caught, overlaps, two_quadrants
from models.language.parse import read
from models.language.sentences import SEG
from tests.described_scenes import scenes

SCENES = scenes(10, first=40, most_lakes=6)
QUESTIONS = questions_of(SCENES, 0, held_out=True)
COUNTED = [question for question in QUESTIONS if question.pair.family == "count"]


def answer_of(question: Question, text: str | None = None) -> Answer:
    mask = question.scene.target(question.pair.lakes)[0].numpy()
    return Answer(question.pair.answer if text is None else text, mask, "generated")


def scored(questions: list[Question], say: Callable[[Question], str] | None = None, subset: str = "generated") -> DescribedPass:
    return pass_of("oracle", subset, [measure(each, answer_of(each, say(each) if say else None)) for each in questions])


def value(one: DescribedPass, group: str, name: str) -> float:
    found = one.get(group, name)
    assert found is not None, (group, name)
    return found.value


def few_lakes(family: str) -> Question:
    """A scene with two to five lakes, none of them in the center."""
    return next(q for q in QUESTIONS if q.pair.family == family and 1 < len(q.scene.lakes) < 6 and not q.scene.facts().within("center"))


def test_true_answers_are_right_in_every_figure():
    one = scored(QUESTIONS)
    for group, name in (("all", "lake_iou"), ("whole", "mean_iou"), ("all", "f1"), ("all", "f1_per_answer"), ("referring", "iou_per_answer"),
                        ("all", "count_exact"), ("up to 5 lakes", "count_exact"), ("all", "quadrant_f1"), ("all", "positions_right"),
                        ("all", "factual"), ("verified", "factual"), ("all", "claims_kept"), ("size <0.1 km2", "recall")):  # fmt: skip
        assert value(one, group, name) == 1, (group, name)
    for name in ("count_mae", "hallucinated", "omitted", "claims_corrected", "claims_dropped"):
        assert value(one, "all", name) == 0, name
    assert value(one, "all", "count_majority") < 1
    assert all(each.low <= each.value <= each.high for each in one.metrics if np.isfinite(each.low))


def test_a_count_off_by_one_is_wrong_and_mended():
    def more(question: Question) -> str:
        words = ("one glacial lake", *(f"{word} glacial lakes" for word in ("two", "three", "four", "five", "six", "seven")))
        return f"There are {words[len(question.scene.lakes)]}. {SEG}"

    one = scored(COUNTED, more)
    assert value(one, "all", "count_exact") == 0
    assert value(one, "all", "count_mae") == 1
    assert value(one, "all", "factual") == 0
    assert value(one, "all", "claims_corrected") == 1
    assert value(one, "verified", "factual") == 1


def test_a_text_without_a_count_is_no_right_count():
    one = scored(COUNTED, lambda _: f"It is a fine day. {SEG}")
    assert value(one, "all", "count_exact") == 0
    assert one.get("all", "count_mae") is None


def test_a_moved_lake_is_invented_at_one_place_and_left_out_at_the_other():
    question = few_lakes("list")
    count = len(question.scene.lakes)
    first, *others = question.pair.answer.replace(f" {SEG}", "").split(". ")
    moved = " ".join(f"{each.rstrip('.')}." for each in ("A glacial lake in the center", *others))
    assert first not in moved or first in others
    one = scored([question], lambda _: moved)
    assert value(one, "all", "hallucinated") == pytest.approx(1 / count)
    assert value(one, "all", "omitted") == pytest.approx(1 / count)
    assert value(one, "all", "positions_right") == pytest.approx(1 - 1 / count)
    assert value(one, "all", "quadrant_f1") == pytest.approx(1 - 1 / count)
    assert value(one, "verified", "positions_right") == 1
    assert value(one, "all", "claims_dropped") == pytest.approx(1 / count)


def test_a_lake_left_out_is_no_false_statement():
    question = few_lakes("list")
    count = len(question.scene.lakes)
    one = scored([question], lambda each: ". ".join(each.pair.answer.replace(f" {SEG}", "").split(". ")[1:]))
    assert value(one, "all", "omitted") == pytest.approx(1 / count)
    assert value(one, "all", "hallucinated") == 0
    assert value(one, "all", "factual") == 1
    assert value(one, "all", "quadrant_f1") == pytest.approx(2 * (count - 1) / (2 * count - 1))


def test_describing_nothing_leaves_everything_out():
    question = few_lakes("describe")
    assert value(scored([question], lambda _: "There are no glacial lakes."), "all", "omitted") == 1


def test_an_invented_lake_is_counted_by_the_lakes_of_its_scene():
    question = few_lakes("describe")
    count = len(question.scene.lakes)
    one = scored([question], lambda each: each.pair.answer.replace(f" {SEG}", "") + " A small one in the center.")
    assert value(one, f"{count} lakes", "hallucinated") == pytest.approx(1 / (count + 1))
    assert value(one, "all", "omitted") == 0


def test_a_network_that_draws_nothing_is_right_about_empty_quadrants_alone():
    referring = [question for question in QUESTIONS if question.pair.family == "refer_quadrant"]
    empty = sum(not question.pair.lakes for question in referring)
    nothing = [measure(each, Answer("", np.zeros((64, 64), np.float32), "generated")) for each in referring]
    one = pass_of("silent", "generated", nothing)
    assert value(one, "referring", "iou_per_answer") == pytest.approx(empty / len(referring))
    assert value(one, "referring to lakes", "iou_per_answer") == 0


def test_small_and_large_lakes_have_recalls_of_their_own():
    question = few_lakes("describe")
    largest = int(np.argmax(question.scene.lakes.areas_m2)) + 1
    mask = question.scene.target((largest,))[0].numpy()
    one = pass_of("large ones", "generated", [measure(question, Answer(question.pair.answer, mask, "generated"))])
    found = [metric for metric in one.metrics if metric.group.startswith("size ")]
    assert sum(metric.value * metric.n for metric in found) == pytest.approx(1)
    assert sum(metric.n for metric in found) == len(question.scene.lakes)


def test_words_and_mask_agree_when_both_show_as_many_lakes():
    mask = np.zeros((64, 64), bool)
    mask[4:10, 4:10] = mask[30:40, 30:40] = True
    mask[60, 60] = True  # a single pixel is no lake
    assert lakes_drawn(mask) == 2
    assert lakes_meant(read("There are two glacial lakes.")) == 2
    assert lakes_meant(read("One in the top left, near the center. One in the center.")) == 2
    assert lakes_meant(read("There are three glacial lakes in the top left.")) == 3
    assert lakes_meant(read("The largest glacial lake lies in the center.")) == 1
    assert lakes_meant(read("Yes, glacial lakes can be seen.")) is None
    question = few_lakes("count")
    drawn = [
        Answer(text, mask.astype(np.float32), "generated") for text in ("There are two glacial lakes.", "There are nine glacial lakes.")
    ]
    assert value(pass_of("m", "generated", [measure(question, each) for each in drawn]), "all", "agreement") == 0.5


def test_given_words_are_labelled_and_score_masks_alone():
    one = scored(QUESTIONS, subset="teacher_forced")
    assert one.subset == "teacher_forced"
    assert {each.metric for each in one.metrics} == {"lake_iou", "mean_iou", "f1", "f1_per_answer", "iou_per_answer", "recall"}


def test_without_a_language_path_only_questions_about_all_lakes_are_compared():
    whole = [question for question in QUESTIONS if question.pair.family in ("count", "describe")]
    one = scored(whole, subset="constant_prompt")
    assert {each.group.split()[0] for each in one.metrics} == {"whole", "size"}
    difference = list(gain(scored(QUESTIONS), one))
    assert [(each.metric, each.value) for each in difference] == [("lake_iou_gain", 0)]


def test_masks_of_two_quadrants_are_compared_where_both_are_drawn():
    pairs = two_quadrants(SCENES)
    assert len(pairs) == 2 * len({question.scene.scene_id for question in pairs}) > 4
    own = {(each.group, each.metric): each.value for each in overlaps(pairs, [answer_of(each) for each in pairs])}
    assert own == {("two quadrants", "overlap"): pytest.approx(0, abs=0.05), ("two quadrants", "both_drawn"): 1}
    full = Answer("", np.ones((64, 64), np.float32), "generated")
    assert [each.value for each in overlaps(pairs, [full] * len(pairs))] == [1, 1]
    none = Answer("", np.zeros((64, 64), np.float32), "generated")
    # masks that are not drawn do not overlap, and that is no merit
    assert [(each.metric, each.value) for each in overlaps(pairs, [none] * len(pairs))] == [("both_drawn", 0)]


def test_every_mistake_in_a_true_answer_is_caught():
    found = {each.group: each for each in caught(QUESTIONS)}
    assert {"injected count off by one", "injected lake moved", "injected lake invented", "injected size changed"} <= set(found)
    assert {group: each.value for group, each in found.items() if each.value < 1} == {}
    assert found["injected"].n == sum(each.n for group, each in found.items() if group != "injected")


def test_examples_are_the_first_scene_of_each_number_of_lakes():
    picked = chosen(QUESTIONS)
    counts = [len(question.scene.lakes) for question in picked]
    assert counts == sorted({len(scene.lakes) for scene in SCENES})[:8]
    assert all(next(s for s in SCENES if len(s.lakes) == count) is q.scene for count, q in zip(counts, picked, strict=True))


def test_clauses_of_an_answer_are_marked_one_by_one():
    question = few_lakes("describe")
    words = "There are nine glacial lakes. Yes, glacial lakes can be seen. A dozen lakes in the center. What a view."
    assert [each.state for each in clauses(question, answer_of(question, words))] == ["false", "true", "unread", "silent"]


def test_measured_answers_hold_the_verified_text_checked_again():
    each: Measured = measure(few_lakes("count"), answer_of(few_lakes("count"), "There are nine glacial lakes."))
    assert (each.verified.corrected, each.after.true, each.after.total) == (1, 1, 1)
    assert each.scored.checked.true == 0
