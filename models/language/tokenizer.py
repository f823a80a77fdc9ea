"""Words to numbers and back, learned from the texts themselves and without any download.

Byte-level BPE: every text can be written, and comes back as it was. Digits stand alone, so that numbers are regular. The control
tokens have the same numbers in every vocabulary.
"""

from collections.abc import Sequence
from typing import Final

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from catalog.facts.errors import WeightsUnfit
from models.language.sentences import SEG

PAD, BEGIN, END, IMAGE = "<pad>", "<s>", "</s>", "<image>"
_SPECIAL: Final = (PAD, BEGIN, END, IMAGE)
VISION_START, VISION_END = "<|vision_start|>", "<|vision_end|>"
"""Around the placeholders of an image, for the systems that are built on Qwen2-VL; they ask for them among the `added` tokens."""


def train_tokenizer(texts: Sequence[str], size: int, added: Sequence[str] = (SEG,)) -> PreTrainedTokenizerFast:
    """Learn a vocabulary of at most `size` tokens from texts; `added` tokens are never torn apart and count among them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(added),
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text.replace(SEG, "") for text in texts], trainer)
    return _wrapped(tokenizer, added)


def tokenizer_of(content: str, added: Sequence[str] = (SEG,), system: str = "describer") -> PreTrainedTokenizerFast:
    """Read a vocabulary from the JSON that `tokenizer_json` gave; raises WeightsUnfit for anything else, or without the `added` tokens."""
    tokenizer = _parsed(content)
    missing = [token for token in (*_SPECIAL, *added) if tokenizer.token_to_id(token) is None]
    if missing:
        raise WeightsUnfit(f"The vocabulary has no {', '.join(missing)}: it is not one of a {system}. Fetch tokenizer.json again.")
    return _wrapped(tokenizer, ())


def published_tokenizer(content: str) -> PreTrainedTokenizerFast:
    """Read the vocabulary of a published language model, whose begin and end are `<s>` and `</s>`; `extended` adds what it lacks."""
    return PreTrainedTokenizerFast(tokenizer_object=_parsed(content), bos_token=BEGIN, eos_token=END, clean_up_tokenization_spaces=False)


def tokenizer_json(tokenizer: PreTrainedTokenizerFast) -> str:
    """Content of `tokenizer.json`."""
    return str(tokenizer.backend_tokenizer.to_str(pretty=False))


def extended(tokenizer: PreTrainedTokenizerFast, added: Sequence[str] = (SEG,)) -> PreTrainedTokenizerFast:
    """Add the control tokens that a published vocabulary lacks; returns the same tokenizer."""
    tokenizer.add_tokens([token for token in (PAD, IMAGE, *added) if token not in tokenizer.get_vocab()], special_tokens=True)
    tokenizer.pad_token = PAD
    return tokenizer


def _parsed(content: str) -> Tokenizer:
    try:
        return Tokenizer.from_str(content)
    except Exception as error:  # the library raises nothing narrower
        raise WeightsUnfit(f"The vocabulary cannot be read ({error}): fetch weights, card and tokenizer.json again, together.") from error


def _wrapped(tokenizer: Tokenizer, added: Sequence[str]) -> PreTrainedTokenizerFast:
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BEGIN, eos_token=END, clean_up_tokenization_spaces=False
    )
    if added:
        wrapped.add_tokens(list(added), special_tokens=True)
    return wrapped
