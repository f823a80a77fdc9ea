from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.describer_cards import TINY
from models.describer.answering import Answer
from models.describer.evaluation import (
    CONSTANT,
    Question,
    evaluate,
    figures,
    overlap_of_quadrants,
    questions_of,
    score,
    scored,
    summary,
)
from models.describer.network import build
from models.describer.phrasings import PHRASINGS
from models.language.sentences import SEG
from tests.described_scenes import dialogue, scenes

SCENES = scenes(10, first=40, most_lakes=6)
QUESTIONS = questions_of(SCENES, 0, held_out=True)


def mask_of(question: Question) -> np.ndarray:
    return question.scene.target(question.pair.lakes)[0].numpy()


def oracle(question: Question) -> Answer:
    return Answer(question.pair.answer, mask_of(question), "generated")


def test_true_answers_score_one():
    scores = summary([score(question, oracle(question)) for question in QUESTIONS], "generated")
    for name in ("lake_iou", "mean_iou", "referring_iou", "count_exact", "positions", "factual"):
        assert getattr(scores, name) == 1, name
    assert (scores.hallucinated, scores.omitted) == (0, 0)
    assert set(scores.hallucinated_by_count.values()) == {0.0}
    assert scores.text.rouge_l == pytest.approx(1)
    assert (scores.text.exact, scores.questions) == (1, len(QUESTIONS))
    assert set(scores.by_family.values()) == {1.0}


def test_masks_of_all_lakes_fail_the_referring_questions():
    everything = [Answer(q.pair.answer, q.scene.target(range(1, 9))[0].numpy(), "generated") for q in QUESTIONS]
    scores = summary([score(question, own) for question, own in zip(QUESTIONS, everything, strict=True)], "generated")
    assert scores.by_family["describe"] == 1
    assert scores.referring_iou < 0.7


def test_answers_about_another_scene_are_found_out():
    of_describe = [question for question in QUESTIONS if question.pair.family == "describe" and question.pair.lakes]
    shifted = of_describe[1:] + of_describe[:1]
    scores = summary(
        [score(q, Answer(other.pair.answer, mask_of(other), "generated")) for q, other in zip(of_describe, shifted, strict=True)],
        "generated",
    )
    assert scores.factual < 0.7
    assert scores.hallucinated > 0.2
    assert scores.lake_iou < 0.2
    assert len(scores.hallucinated_by_count) > 1


def test_mean_iou_is_that_of_lake_and_background():
    question = next(q for q in QUESTIONS if q.pair.lakes)
    truth = mask_of(question) >= 0.5
    nothing = summary([score(question, Answer("", np.zeros_like(truth, np.float32), "generated"))], "generated")
    assert nothing.lake_iou == 0
    assert nothing.mean_iou == pytest.approx((1 - truth.mean()) / 2)


def test_the_path_is_in_every_name_and_given_words_are_no_merit():
    results = [score(question, oracle(question)) for question in QUESTIONS]
    assert all(name.startswith("test_generated_") for name in figures(summary(results, "generated"), "test"))
    forced = figures(summary(results, "teacher_forced"), "test")
    assert set(forced) == {f"test_teacher_forced_{kind}_iou" for kind in ("lake", "mean", "referring")}


def test_questions_are_fixed_and_in_phrasings_that_training_never_saw():
    assert [q.pair for q in questions_of(SCENES, 0, held_out=True)] == [q.pair for q in QUESTIONS]
    assert all(question.pair.held_out for question in QUESTIONS)
    assert {q.pair.family for q in questions_of(SCENES, 0, held_out=True, families=("count",))} == {"count"}


@pytest.mark.parametrize("control", ["none", "other_question", "constant_question", "blind"])
def test_controls_take_away_what_they_say(control):
    torch.manual_seed(0)
    own = dialogue()
    network = build(TINY, own.ids, len(own.tokenizer))
    few = QUESTIONS[:3]
    found = list(scored(network, own, few, control=control, longest=3))
    assert [each.reference for each in found] == [question.pair.answer for question in few]
    assert evaluate(network, own, few, path="teacher_forced").path == "teacher_forced"


def test_a_described_lake_too_many_is_counted_by_the_lakes_of_its_scene():
    described = [question for question in QUESTIONS if question.pair.family == "describe"]
    lakes = {q.scene.scene_id: q.scene.facts().lakes for q in described}
    question = next(q for q in described if 0 < len(lakes[q.scene.scene_id]) < 5 and not q.scene.facts().within("center"))
    count = len(lakes[question.scene.scene_id])
    more = question.pair.answer.replace(f" {SEG}", "") + " A small one in the center."
    result = summary([score(question, replace(oracle(question), text=more))], "generated")
    assert result.hallucinated_by_count == {count: pytest.approx(1 / (count + 1))}


def test_the_constant_question_is_one_of_the_phrasings():
    assert CONSTANT in PHRASINGS["describe"]


def test_a_constant_prompt_draws_the_same_for_every_question():
    torch.manual_seed(0)
    own = dialogue()
    constant = build(replace(TINY, decoder=replace(TINY.decoder, prompt="constant")), own.ids, len(own.tokenizer))
    # so that the mask of fresh weights is not empty
    torch.nn.init.constant_(constant.decoder.head[-1].bias, 0.2)
    asked = ("Segment only the top left.", "Segment only the bottom right.")
    assert overlap_of_quadrants(constant, own, SCENES[0], asked) == 1
    silent = build(TINY, own.ids, len(own.tokenizer))
    assert overlap_of_quadrants(silent, own, SCENES[0], asked) == 0  # fresh words hold no mark, so there is no mask
