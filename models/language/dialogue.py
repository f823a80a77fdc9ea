"""A question about an image, and its answer, as the numbers that a language model reads; only answers are learned.

Source: LLaVA's prompt (Liu et al. 2023). The released GLACIA also learns to say the question and the padding; labels here count the
answer alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from catalog.facts.scene_facts import QUADRANTS
from models.language.sentences import SEG
from models.language.slots import FAR, NEAR, NUMBERS
from models.language.tokenizer import BEGIN, END, IMAGE, PAD

IGNORED: Final = -100
"""Label of a token that no loss counts."""
TELLS: Final = re.compile(rf"\d|\b(?:{'|'.join((*NUMBERS, *QUADRANTS, NEAR, FAR))}|yes|small\w*|medium|large\w*|grown|shrunk|fewer|more)\b")
"""Words that an image decides; all others are manners of speaking."""


@dataclass(frozen=True, slots=True)
class TokenIds:
    """Numbers of the control tokens in a vocabulary."""

    pad: int
    begin: int
    end: int
    image: int
    seg: int
    """The first mark of segmentation."""

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerFast, mark: str = SEG) -> "TokenIds":
        """Look them up."""
        found = [tokenizer.convert_tokens_to_ids(token) for token in (PAD, BEGIN, END, IMAGE, mark)]
        return cls(*(int(number) for number in found))


@dataclass(frozen=True, slots=True)
class Tokens:
    """N texts of one length."""

    ids: Tensor
    """(N, length)."""
    attention: Tensor
    """(N, length), 1 where there is text, 0 where there is padding."""
    labels: Tensor
    """(N, length), ids of answers, `IGNORED` elsewhere."""
    telling: Tensor
    """(N, length), true for tokens of answers that tell a number, a size or a position."""

    def to(self, device: torch.device) -> "Tokens":
        """Move to a device."""
        return Tokens(self.ids.to(device), self.attention.to(device), self.labels.to(device), self.telling.to(device))


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How questions and answers become numbers for one network."""

    tokenizer: PreTrainedTokenizerFast
    image_tokens: int
    """Placeholders that an image takes."""
    marks: tuple[str, ...] = (SEG,)
    """Marks of segmentation of the system."""

    @property
    def ids(self) -> TokenIds:
        """Control tokens."""
        return TokenIds.of(self.tokenizer, self.marks[0])

    @property
    def mark_ids(self) -> tuple[int, ...]:
        """Numbers of the marks."""
        return tuple(int(self.tokenizer.convert_tokens_to_ids(mark)) for mark in self.marks)

    def prompt(self, question: str) -> list[int]:
        """Return what stands before an answer: the image, then the question. Marks of segmentation in a question are words, not marks."""
        ids = self.ids
        for mark in self.marks:
            question = question.replace(mark, "")
        text = f"\nUSER: {question}\nASSISTANT:"
        return [ids.begin, *([ids.image] * self.image_tokens), *self._encoded(text)]

    def answer(self, text: str) -> list[int]:
        """Return an answer with its end."""
        return [*self._encoded(f" {text}"), self.ids.end]

    def text(self, answer: Sequence[int]) -> str:
        """Read an answer back up to its end; marks of segmentation stay."""
        ids = self.ids
        kept = list(answer)
        kept = kept[: kept.index(ids.end)] if ids.end in kept else kept
        plain = self.tokenizer.decode(
            [number for number in kept if number not in (ids.pad, ids.image, ids.begin)], skip_special_tokens=False
        )
        return " ".join(str(plain).replace(self.marks[0], f" {self.marks[0]}").split())

    def learned(self, questions: Sequence[str], answers: Sequence[str]) -> Tokens:
        """Questions with the answers that are to be learned, padded on the right."""
        pairs = [(self.prompt(question), self.answer(answer)) for question, answer in zip(questions, answers, strict=True)]
        tokens = self.padded([[*prompt, *answer] for prompt, answer in pairs], [len(prompt) for prompt, _ in pairs])
        for row, (prompt, _), answer in zip(tokens.telling, pairs, answers, strict=True):
            told = self._telling(answer)
            row[len(prompt) : len(prompt) + len(told)] = torch.tensor(told)
        return tokens

    def asked(self, questions: Sequence[str]) -> Tokens:
        """Questions alone, padded on the left, so that the answers begin at one place."""
        return self.padded([self.prompt(question) for question in questions], left=True)

    def padded(self, rows: Sequence[Sequence[int]], unlearned: Sequence[int] | None = None, *, left: bool = False) -> Tokens:
        """Pad rows of ids to one length; labels are the ids from place `unlearned` of each row on, none without."""
        length, pad = max((len(row) for row in rows), default=0), self.ids.pad
        ids, attention = torch.full((len(rows), length), pad), torch.zeros((len(rows), length), dtype=torch.long)
        labels = torch.full((len(rows), length), IGNORED)
        for number, row in enumerate(rows):
            start = length - len(row) if left else 0
            place = slice(start, start + len(row))
            ids[number, place], attention[number, place] = torch.tensor(row), 1
            if unlearned is not None:
                labels[number, start + unlearned[number] : start + len(row)] = torch.tensor(row[unlearned[number] :])
        return Tokens(ids, attention, labels, torch.zeros_like(ids, dtype=torch.bool))

    def _telling(self, answer: str) -> list[bool]:
        """For every token of an answer whether it is part of a word that tells a number, a size or a position."""
        text = f" {answer}"
        spans = [match.span() for match in TELLS.finditer(text.lower())]
        offsets = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        return [any(start < last and first < end for first, last in spans) for start, end in offsets]

    def _encoded(self, text: str) -> list[int]:
        encoded: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return encoded
