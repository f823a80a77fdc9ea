"""Answers come from generated words; masks carry the features that they are; nothing is invented."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.facts.errors import WrongCall
from models.referrer.answering import Answer, Drawing, answer, drawn_from
from models.referrer.asking import View, by_rule, by_sight
from models.referrer.evaluation import Question, _other, evaluate, figures, questions_of, score, summary
from models.referrer.features import FeatureMap
from models.referrer.marks import GROUP, plain
from models.referrer.network import Referrer
from models.referrer.pairs import fixed_pairs
from models.referrer.scenes import images_together
from models.referrer.sources import features_of_labels
from tests.referred_scenes import RECIPE, SMALL, dialogue, network, scenes


def ground() -> FeatureMap:
    labels = np.zeros((60, 60), np.int32)
    labels[5:20, 5:20], labels[5:15, 40:50], labels[40:55, 40:55] = 1, 2, 3
    return features_of_labels(labels, ("clear lake", "milky lake", "glacier"), 30.0)


def scripted(text: str) -> Referrer:
    """A network that says what it is told to, and draws with its own weights."""
    own, words = network(), dialogue()
    # what stands behind the end is never read
    row = torch.tensor([[*words.answer(text), *words.mark_ids, words.ids.end]])
    own.llava.generate = lambda **_: row
    return own


def said(text: str, phrases=("the glacier",), kinds=None, known: FeatureMap | None = None):
    return by_sight(scripted(text), dialogue(), View(scenes(1)[0].image, known), phrases, kinds)


def test_rules_find_features_and_say_when_there_is_none():
    found, none, both, unread, every = by_rule(
        ["the biggest lake", "the thaw slump", "the lake", "the lake that grew since 2018", "all lakes"], ground()
    )
    assert (found.outcome, [each.number for each in found.features]) == ("found", [1])
    assert found.mask.sum() == 225
    assert found.bounds_lbrt_px == (5, 20, 20, 5)
    assert (none.outcome, none.text, none.mask.any()) == ("none", "There is no thaw slump.", False)
    assert (both.outcome, len(both.features)) == ("ambiguous", 2)
    assert unread.outcome == "unreadable"
    assert not unread.mask.any()
    assert (every.outcome, every.mask.sum()) == ("found", 325)
    assert {each.way for each in (found, none, both, unread, every)} == {"rule"}


def test_a_network_that_sees_nothing_says_so_and_draws_nothing():
    (none,) = said("There is no glacier.")
    assert (none.outcome, none.way, none.text, none.mask.any()) == ("none", "sight", "There is no glacier.", False)


@pytest.mark.parametrize("text", [f"Sure, it is {GROUP}.", f"Sure, they are {GROUP} and {GROUP[:-6]}.", "Sure."])
def test_another_number_of_masks_than_of_phrases_is_not_dealt_out(text):
    found = said(text, ("the glacier", "the lake"))
    assert [each.outcome for each in found] == ["mismatch", "mismatch"]
    assert not any(each.mask.any() for each in found)


def test_a_class_that_the_caller_names_is_the_row_that_is_read():
    (found,) = said(f"Sure, it is {GROUP}.", kinds=("snow patch",))
    assert found.outcome in ("found", "none")
    own = answer(scripted(f"Sure, it is {GROUP}."), dialogue(), scenes(1)[0].image[None], [(0, "Where?")], kinds=["snow patch"])
    assert own[0].drawings[0].row == 4
    assert len(own[0].drawings) == 1
    free = answer(scripted(f"Sure, it is {GROUP}."), dialogue(), scenes(1)[0].image[None], [(0, "Where?")])
    assert free[0].drawings[0].row == 7  # nobody is sure of anything before training


def test_masks_that_are_features_carry_them(monkeypatch):
    known = ground()

    def drawing(numbers, *, more: float = 0.0) -> Answer:
        mask = known.instances.mask(numbers).astype(np.float32)
        mask[30:, :30] = more
        return Answer("Sure.", (Drawing(mask, "glacier", 5, 0.5),), broken=False, path="generated")

    for numbers, more, expected in (((3,), 0.0, [3]), ((1, 2), 0.0, [1, 2]), ((3,), 1.0, [])):
        answers = [drawing(numbers, more=more)]
        monkeypatch.setattr("models.referrer.asking.answer", lambda *_, own=answers, **__: own)
        (found,) = by_sight(network(), dialogue(), View(scenes(1)[0].image, known), ["the glacier"])
        assert (found.outcome, [each.number for each in found.features]) == ("found", expected)
        assert found.mask.shape == (60, 60)
        assert found.score == pytest.approx(0.5)


def test_questions_that_an_answer_has_no_room_for_are_refused():
    view = View(scenes(1)[0].image)
    with pytest.raises(WrongCall, match="1 to 4"):
        by_sight(network(), dialogue(), view, ["the lake"] * 5)
    with pytest.raises(WrongCall, match="one for each"):
        by_sight(network(), dialogue(), view, ["the lake", "the glacier"], ["lake"])


def test_generated_words_are_the_likeliest_ones_of_the_same_network():
    own, words = network(seed=11), dialogue()
    scene = scenes(2)[1]
    question = "[segment] Segment the glacier."
    (found,) = answer(own, words, scene.image[None], [(0, question)], longest=5)
    with torch.inference_mode():
        ids = words.prompt(question)
        for _ in range(5):
            tokens = words.padded([ids])
            states = own.states(own.see(scene.image[None]), torch.tensor([0]), tokens)
            ids = [*ids, int(own.words(states)[0, -1].argmax())]
    start = len(words.prompt(question))
    kept = [number for number in ids[start:] if number not in (words.ids.image, words.ids.pad)]
    assert found.text == words.text(kept)
    assert found.path == "generated"


def test_answers_do_not_depend_on_what_is_asked_beside_them():
    own, words = network(seed=12), dialogue()
    images = images_together(scenes(2))
    asked = [(0, "[segment] Segment the glacier."), (1, "[caption] What does the scene show, and how many lakes are there?")]
    together = answer(own, words, images, asked, longest=6)
    alone = [answer(own, words, images, [each], longest=6)[0] for each in asked]
    assert [each.text for each in together] == [each.text for each in alone]


def test_scores_of_a_perfect_answer_and_of_none():
    scene = next(each for each in scenes(8) if len(each.ground.kinds) >= 3)
    questions = [Question(scene, pair) for pair in fixed_pairs(scene.told(), 2, held_out=True)]

    def perfect(question: Question) -> Answer:
        pair = question.pair
        drawings = tuple(
            Drawing(scene.target(numbers, 64)[0].numpy(), word, 0, 1.0) for numbers, word in zip(pair.targets, pair.words, strict=False)
        )
        return Answer(pair.answer, drawings, broken=False, path="generated")

    best = summary([score(question, perfect(question)) for question in questions], "generated")
    assert (best.miou, best.ciou, best.counted, best.refused, best.refused_wrongly, best.class_right) == (1, 1, 1, 1, 0, 1)
    assert set(best.exact.values()) == {1.0}
    worst = summary([score(question, Answer("Well.", (), broken=False, path="generated")) for question in questions], "generated")
    assert (worst.miou, worst.ciou, worst.counted, worst.refused, worst.refused_wrongly) == (0, 0, 0, 0, 0)
    assert set(worst.exact.values()) == {0.0}
    swapped = [
        replace(perfect(question), drawings=perfect(question).drawings[::-1]) for question in questions if len(question.pair.targets) == 2
    ]
    two = [question for question in questions if len(question.pair.targets) == 2]
    assert all(score(question, own).masks[0].iou < 0.1 for question, own in zip(two, swapped, strict=True))


def test_scores_of_true_words_are_named_so_and_hold_no_words():
    questions = questions_of(scenes(2), 3, held_out=True)
    numbers = figures(evaluate(network(), dialogue(), questions, path="teacher_forced"), "val")
    assert all(name.startswith("val_teacher_forced_") for name in numbers)
    assert not any("exact" in name or "refused" in name for name in numbers)
    given = [question for question in questions if question.pair.targets][:1]
    (own,) = drawn_from(network(), dialogue(), given[0].scene.image[None], [(0, given[0].pair.question)], [given[0].pair.answer])
    assert own.path == "teacher_forced"
    assert len(own.drawings) == len(given[0].pair.targets)


@pytest.mark.parametrize("control", ["no_memory", "other_rows"])
def test_controls_put_the_memory_back(control):
    own = network(seed=13)
    kept = own.memory.bank.detach().clone()
    questions = [each for each in questions_of(scenes(2), 3, held_out=True) if each.pair.targets][:2]
    plainly = evaluate(own, dialogue(), questions, path="teacher_forced")
    without = evaluate(own, dialogue(), questions, path="teacher_forced", control=control)
    assert torch.equal(own.memory.bank, kept)
    assert plainly.questions == without.questions == 2


def test_a_question_of_another_scene_is_another_question():
    questions = questions_of(scenes(6), 3, held_out=True)
    for place, mine in enumerate(questions):
        other = questions[_other(questions, place)]
        assert other.pair.task == mine.pair.task
        if mine.pair.targets and other is not mine:
            assert other.scene is not mine.scene
            assert len(other.pair.targets) == len(mine.pair.targets)


def test_words_are_compared_without_their_masks():
    assert plain(f"Sure,  it is {GROUP}.") == "sure, it is <mask>."
    assert plain("Sure, it is [SEG0][SEG1].") != plain(f"Sure, it is {GROUP}.")
    assert RECIPE.network == SMALL
