"""Scores of text against one reference, computed without any download.

ROUGE by Google's implementation (with Porter stems). METEOR by NLTK, whose synonyms would have to be fetched: here words match when
they, or their Porter stems, are equal, and the score is never to be given as the full METEOR.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nltk.stem.porter import PorterStemmer
from nltk.translate.meteor_score import single_meteor_score
from rouge_score.rouge_scorer import RougeScorer

from models.language.sentences import SEG

METEOR_NAME: Final = "METEOR (exact+stem)"
"""Name of the second metric in every table."""


@dataclass(frozen=True, slots=True)
class TextScores:
    """Means over texts, 0..1."""

    rouge_1: float
    rouge_2: float
    rouge_l: float
    meteor: float
    """Exact and stem matches only."""
    exact: float
    """Share of texts that are the reference, word by word."""
    texts: int


class _NoSynonyms:
    """A thesaurus without entries: METEOR's third stage then finds nothing."""

    def synsets(self, word: str) -> list[object]:  # noqa: ARG002 - NLTK's signature
        return []


def rouge(text: str, reference: str) -> tuple[float, float, float]:
    """F1 of ROUGE-1, ROUGE-2 and ROUGE-L."""
    scores = _scorer().score(_plain(reference), _plain(text))
    return scores["rouge1"].fmeasure, scores["rouge2"].fmeasure, scores["rougeL"].fmeasure


def meteor(text: str, reference: str) -> float:
    """METEOR with exact and stem matches; 0 where either text is empty."""
    hypothesis, truth = _words(text), _words(reference)
    if not hypothesis or not truth:
        return 0.0
    return float(single_meteor_score(truth, hypothesis, stemmer=PorterStemmer(), wordnet=_NoSynonyms()))


def score_texts(texts: Sequence[str], references: Sequence[str]) -> TextScores:
    """Mean scores of texts, each against its own reference; zeros for no text."""
    count = len(texts)
    if not count:
        return TextScores(0, 0, 0, 0, 0, 0)
    rouges = [rouge(text, reference) for text, reference in zip(texts, references, strict=True)]
    sums = [sum(column) / count for column in zip(*rouges, strict=True)]
    meteors = [meteor(text, reference) for text, reference in zip(texts, references, strict=True)]
    same = [_words(text) == _words(reference) for text, reference in zip(texts, references, strict=True)]
    return TextScores(sums[0], sums[1], sums[2], sum(meteors) / count, sum(same) / count, count)


def _plain(text: str) -> str:
    return text.replace(SEG, " ")


def _words(text: str) -> list[str]:
    spaced = "".join(letter if letter.isalnum() or letter.isspace() else f" {letter} " for letter in _plain(text).lower())
    return spaced.split()


@lru_cache(maxsize=1)
def _scorer() -> RougeScorer:
    return RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
