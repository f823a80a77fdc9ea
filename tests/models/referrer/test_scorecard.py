"""Figures of a referrer on answers made by hand: what each counts, and what it must not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.referrer_evaluation import LAKE_PHRASES, OTHER_ORDER
from catalog.facts.spoken_evaluation import BY_RULE, TEACHER_FORCED
from models.referrer.answering import Answer, Drawing
from models.referrer.by_rule import answered_by_rule
from models.referrer.evaluation import Question, answered, questions_of
from models.referrer.examples import EXAMPLES, chosen, example_of
from models.referrer.measures import box_in, measure, overlap_of
from models.referrer.scorecard import ReferredPass, gain, pass_of
from models.referrer.trials import in_other_order, memory_change, unmoved
from tests.referred_scenes import dialogue, network, scenes

SIZE = 64
QUESTIONS = questions_of(scenes(14), 0, held_out=True)
SEVERAL = in_other_order(QUESTIONS)


def true_answer(question: Question) -> Answer:
    pair = question.pair
    drawings = tuple(
        Drawing(question.scene.target(numbers, SIZE)[0].numpy(), word, 0, 1.0)
        for numbers, word in zip(pair.targets, pair.words, strict=False)
    )
    return Answer(pair.answer, drawings, broken=False, path="generated")


def silent(_: Question) -> Answer:
    return Answer("Well.", (), broken=False, path="generated")


def scored(
    say: Callable[[Question], Answer] = true_answer, subset: str = "generated", questions: tuple[Question, ...] = QUESTIONS
) -> ReferredPass:
    return pass_of("oracle", subset, [measure(each, say(each), SIZE) for each in questions])


def value(one: ReferredPass, group: str, name: str) -> float:
    found = one.get(group, name)
    assert found is not None, (group, name)
    return found.value


def test_true_answers_are_right_in_every_figure():
    one = scored()
    for figure in one.metrics:
        if figure.metric in ("refused_wrongly", "expected_bias", "expected_error"):
            assert figure.value == 0, figure
        elif figure.metric not in ("exact_commonest", "score_error"):
            assert figure.value == 1, figure
    groups = {figure.group for figure in one.metrics}
    assert {"isolated", "pair", "together", "1 referent", "2 referents", "small", "large", "class lake", "boxes", LAKE_PHRASES} <= groups
    masks = one.get("all", "miou")
    assert masks.n == sum(len(each.pair.targets) for each in QUESTIONS)
    assert masks.blocks == 14
    assert sum(one.get(size, "miou").n for size in ("small", "medium", "large")) == masks.n


def test_a_silent_network_is_right_about_nothing():
    one = scored(silent)
    for group, name in (("all", "miou"), ("all", "ciou"), ("all", "counted"), ("all", "refused"), ("words", "exact"), ("boxes", "miou")):
        assert value(one, group, name) == 0
    assert one.get("all", "class_right") is None, "nothing was drawn"
    assert 0 < value(one, "words", "exact_commonest") < 1


def test_masks_in_the_wrong_order_score_less():
    swapped = scored(lambda each: replace(true_answer(each), drawings=true_answer(each).drawings[::-1]))
    assert value(swapped, "1 referent", "miou") == 1
    assert value(swapped, "2 referents", "miou") < 0.1
    assert value(swapped, "all", "counted") == 1


def test_another_order_of_phrases_is_another_order_of_masks():
    kept = {(each.scene.scene_id, each.pair.phrasing, frozenset(each.pair.targets)): each.pair for each in QUESTIONS}
    assert SEVERAL
    for each in SEVERAL:
        before = kept[each.scene.scene_id, each.pair.phrasing, frozenset(each.pair.targets)]
        assert each.pair.targets == (*before.targets[1:], before.targets[0])
        assert each.pair.phrases == (*before.phrases[1:], before.phrases[0])
        places = [each.pair.question.lower().find(phrase) for phrase in each.pair.phrases]
        assert min(places) >= 0
        assert each.pair.answer == before.answer
    assert value(scored(subset=OTHER_ORDER, questions=tuple(SEVERAL)), "several referents", "miou") == 1
    (apart,) = unmoved(QUESTIONS, [(each, true_answer(each)) for each in SEVERAL], SIZE)
    assert apart.value < 0.1
    deaf = [
        (each, true_answer(replace(each, pair=replace(each.pair, targets=(each.pair.targets[-1], *each.pair.targets[:-1])))))
        for each in SEVERAL
    ]
    (same,) = unmoved(QUESTIONS, deaf, SIZE)
    assert same.value == 1


def test_gains_are_differences_of_the_same_scenes():
    ours, theirs = (scored(say).measured for say in (true_answer, silent))
    none = {figure.metric: figure for figure in gain(ours, ours, subset="generated") if figure.group == "all"}
    assert (none["miou_gain"].value, none["miou_gain"].low, none["miou_gain"].high) == (0, 0, 0)
    whole = {(figure.group, figure.metric): figure.value for figure in gain(ours, theirs, subset="generated")}
    assert whole["all", "miou_gain"] == whole["all", "ciou_gain"] == whole["words", "exact_gain"] == 1
    assert ("all", "class_right_gain") not in whole, "of no mask of theirs"


def test_true_words_are_no_merit():
    names = {(figure.group, figure.metric) for figure in scored(subset=TEACHER_FORCED).metrics}
    assert ("all", "miou") in names
    assert not {name for _, name in names} & {"counted", "refused", "refused_wrongly", "exact"}


def test_a_rule_is_asked_about_lakes_alone_and_finds_what_it_knows():
    asked = tuple(each for each in QUESTIONS if each.pair.task == "segment" and set(each.pair.words) == {"lake"})
    one = scored(lambda each: answered_by_rule(each, each.scene.ground, SIZE), BY_RULE, asked)
    assert value(one, LAKE_PHRASES, "miou") == value(one, LAKE_PHRASES, "refused") == 1
    assert {figure.group for figure in one.metrics} <= {LAKE_PHRASES, f"{LAKE_PHRASES}, no ice"}


@pytest.mark.parametrize(
    ("text", "box"),
    [("{<10><20><30><40>}", (10, 20, 30, 40)), ("It is { <1> <2> <3> <4> }.", (1, 2, 3, 4)), ("{<10><20><30>}", None), ("", None)],
)
def test_boxes_are_read(text, box):
    assert box_in(text) == box


def test_overlap_of_boxes():
    assert overlap_of((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(50 / 150)
    assert overlap_of((0, 0, 10, 10), (10, 0, 20, 10)) == 0
    assert overlap_of((10, 10, 0, 0), (0, 0, 10, 10)) == 0
    assert overlap_of(None, (0, 0, 10, 10)) == 0


def test_emptying_an_empty_memory_changes_nothing_and_emptying_a_full_one_does():
    own, words = network(seed=3), dialogue()
    some = [each for each in QUESTIONS if each.pair.targets][:6]

    def changes() -> dict[str, float]:
        with_it, without = (list(answered(own, words, some, path="teacher_forced", control=control)) for control in ("none", "no_memory"))
        return {figure.metric: figure.value for figure in memory_change(some, with_it, without)}

    with torch.no_grad():
        own.memory.bank.normal_()
    full = changes()
    assert full["logit_change"] > full["probability_change"] > 0
    with torch.no_grad():
        own.memory.bank.zero_()
    assert changes() == {"probability_change": 0, "logit_change": 0}


def test_examples_are_of_several_kinds_and_no_scene_is_shown_twice():
    some = chosen(QUESTIONS)
    assert len(some) == len({each.scene.scene_id for each in some}) <= EXAMPLES
    assert some == chosen(QUESTIONS)
    assert {len(each.pair.targets) for each in some} >= {0, 1, 2, 3}
    for each in some:
        shown = example_of(measure(each, true_answer(each), SIZE), true_answer(each), np.zeros((3, 8, 8), np.uint16))
        assert [mask.phrase for mask in shown.masks] == list(each.pair.phrases)
        assert [mask.iou for mask in shown.masks] == [1.0] * len(each.pair.targets) + [None] * each.pair.absent
