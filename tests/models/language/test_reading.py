"""What is learned on the side of what questions mean, and questions with words left out."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.language.dialogue import IGNORED, Tokens
from models.language.reading import Pointing, Reading, before_answers, worn


def test_only_what_is_known_counts():
    torch.manual_seed(0)
    reading, states = Reading(8, (3, 2)), torch.randn(4, 8)
    known = torch.tensor([[0, 1], [1, IGNORED], [2, IGNORED], [0, IGNORED]])
    logits = reading.heads(states)
    first = torch.nn.functional.cross_entropy(logits[:, :3], known[:, 0])
    second = torch.nn.functional.cross_entropy(logits[:1, 3:], known[:1, 1])
    assert float(reading.loss(states, known).detach()) == pytest.approx(float((first + second).detach()), rel=1e-5)


def test_nothing_known_is_no_loss_and_no_gradient():
    reading, states = Reading(8, (3,)), torch.randn(4, 8, requires_grad=True)
    loss = reading.loss(states, torch.full((4, 1), IGNORED))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert not states.grad.any()


def test_pointing_at_what_is_meant_has_little_loss_and_none_is_counted_for_nothing():
    pointing = Pointing(4, 4)
    with torch.no_grad():
        pointing.asked.weight.copy_(20 * torch.eye(4))
        pointing.asked.bias.zero_()
    patches = torch.eye(4).expand(3, 4, 4)
    meant = torch.tensor([[1.0, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 0]])
    right = torch.tensor([[1.0, 0, 0, 0], [0, 1, 1, 0], [9, 9, 9, 9]])
    least = 0.5 * float(torch.log(torch.tensor(2.0)))  # of the row that means two, among the rows that mean any
    assert float(pointing.loss(right, patches, meant).detach()) == pytest.approx(least, abs=1e-3)
    assert float(pointing.loss(right.flip(1), patches, meant).detach()) > 3
    assert float(pointing.loss(right[2:], patches[2:], meant[2:]).detach()) == 0


def test_the_state_before_an_answer_is_that_of_the_last_token_of_its_question():
    labels = torch.full((2, 6), IGNORED)
    labels[0, 3:5], labels[1, 5:] = 7, 7
    tokens = Tokens(torch.zeros_like(labels), torch.ones_like(labels), labels, torch.zeros_like(labels, dtype=torch.bool))
    states = torch.arange(12.0).reshape(2, 6, 1)
    assert before_answers(states, tokens).flatten().tolist() == [2.0, 10.0]


@given(seed=st.integers(0, 10_000), share=st.floats(0, 0.99))
def test_what_a_question_asks_about_is_never_left_out(seed, share):
    phrasing = "Please tell me how many lakes the {quadrant} holds."
    words = worn(phrasing, np.random.default_rng(seed), share).split()
    assert "{quadrant}" in words
    assert len(words) > 1
    rest = iter(phrasing.split())
    assert all(word in rest for word in words)  # in their order


def test_whole_questions_stay_whole():
    assert worn("Count the lakes.", np.random.default_rng(1), 0.0) == "Count the lakes."
