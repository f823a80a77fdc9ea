import json

import pytest

from catalog.facts.errors import WeightsUnfit
from models.describer.pairs import corpus
from models.language.dialogue import IGNORED, Dialogue, TokenIds
from models.language.sentences import SEG
from models.language.tokenizer import extended, tokenizer_json, tokenizer_of, train_tokenizer
from tests.language_scenes import scene

TEXTS = corpus([scene(seed)[0] for seed in range(12)])
TOKENIZER = train_tokenizer(TEXTS, 512)
DIALOGUE = Dialogue(TOKENIZER, 4)


def encoded(text: str) -> list[int]:
    return TOKENIZER(text, add_special_tokens=False)["input_ids"]


def test_every_text_comes_back_as_it_was():
    for text in [*TEXTS, "Überall, 5 012 m; \n 湖 [SEG]"]:
        assert TOKENIZER.decode(encoded(text)) == text


def test_the_vocabulary_has_its_size_and_the_control_tokens_their_numbers():
    assert len(TOKENIZER) == 512
    assert TokenIds.of(TOKENIZER) == TokenIds(0, 1, 2, 3, 511)
    assert encoded(f"a {SEG}")[-1] == 511
    assert encoded("[37, 44]") != encoded("[38, 44]")
    assert len(encoded("2022")) == 4  # digits stand alone


def test_the_vocabulary_survives_being_written():
    again = tokenizer_of(tokenizer_json(TOKENIZER))
    assert [again(text)["input_ids"] for text in TEXTS[:50]] == [TOKENIZER(text)["input_ids"] for text in TEXTS[:50]]
    assert TokenIds.of(again) == TokenIds.of(TOKENIZER)


def test_equal_texts_give_equal_vocabularies():
    assert tokenizer_json(train_tokenizer(TEXTS, 512)) == tokenizer_json(TOKENIZER)


def test_what_is_no_vocabulary_of_a_describer_is_refused():
    with pytest.raises(WeightsUnfit, match="cannot be read"):
        tokenizer_of("{}")
    content = json.loads(tokenizer_json(TOKENIZER))
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] != SEG]
    with pytest.raises(WeightsUnfit, match=r"\[SEG\]"):
        tokenizer_of(json.dumps(content))


def test_a_published_vocabulary_gets_the_marks_that_it_lacks():
    plain = train_tokenizer(TEXTS, 400, added=())
    size = len(plain)
    assert len(extended(plain)) == size + 1
    assert TokenIds.of(plain).seg == size


def test_only_answers_are_learned():
    tokens = DIALOGUE.learned(["Is there a lake?", "Why?"], [f"Yes. {SEG}", "No, and this is a longer answer."])
    for row, answer in enumerate([f"Yes. {SEG}", "No, and this is a longer answer."]):
        learned = [int(number) for number in tokens.labels[row] if number != IGNORED]
        assert learned == DIALOGUE.answer(answer)
        assert DIALOGUE.text(learned) == answer
        assert (tokens.ids[row] == DIALOGUE.ids.image).sum() == 4
    assert (tokens.labels[tokens.attention == 0] == IGNORED).all()


def test_questions_alone_end_at_one_place():
    tokens = DIALOGUE.asked(["Is there a lake?", "Why?"])
    assert tokens.attention[:, -1].all()
    assert (tokens.labels == IGNORED).all()
    assert tokens.ids[1, : int((tokens.attention[1] == 0).sum())].eq(DIALOGUE.ids.pad).all()


def test_a_mark_of_segmentation_in_a_question_marks_nothing():
    assert DIALOGUE.ids.seg not in DIALOGUE.prompt(f"Draw {SEG} here {SEG}")


def test_an_answer_is_read_up_to_its_end():
    ids = DIALOGUE.answer(f"Three lakes. {SEG}")
    assert DIALOGUE.text([*ids, *ids]) == f"Three lakes. {SEG}"
