"""From validated weights to the ones that are kept: the best, or a soup where it is better."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.segmenter.averaging import greedy_soup, uniform_soup
from models.segmenter.fit import Weights
from models.segmenter.recipe import SelectionOptions

Score = Callable[[Weights], float]
Settle = Callable[[Weights], Weights]
"""Recomputes what averaging leaves wrong: the statistics of normalization layers."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Weights that were validated, by step."""

    step: int
    score: float
    weights: Weights


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is kept, and how each way of choosing scored."""

    weights: Weights
    kind: str
    """`best`, `greedy` or `uniform`."""
    members: tuple[int, ...]
    """Steps of the weights in it."""
    scores: dict[str, float]


def choose(candidates: Sequence[Candidate], options: SelectionOptions, score: Score, settle: Settle) -> Chosen:
    """Score the single best and the soups that the options ask for on the validation split, and keep the best of them.

    Averaged weights are settled before they are scored, so that what is chosen is what is kept.
    """
    ranked = sorted(candidates, key=lambda candidate: (-candidate.score, candidate.step))[: options.members]
    best = ranked[0]
    ways: dict[str, tuple[Weights, tuple[int, ...], float]] = {"best": (best.weights, (best.step,), best.score)}
    if options.soup != "none" and len(ranked) > 1:
        uniform = settle(uniform_soup([candidate.weights for candidate in ranked]))
        ways["uniform"] = (uniform, tuple(candidate.step for candidate in ranked), score(uniform))
    if options.soup == "greedy" and len(ranked) > 1:
        alone = [candidate.score for candidate in ranked]
        found = greedy_soup([candidate.weights for candidate in ranked], lambda weights: score(settle(weights)), alone)
        ways["greedy"] = (settle(found.weights), tuple(ranked[index].step for index in found.members), found.score)
    kind = max(ways, key=lambda way: ways[way][2])  # the single best where a soup only ties
    weights, members, _ = ways[kind]
    return Chosen(weights, kind, members, {f"val_iou_{way}": value for way, (_, _, value) in ways.items()})
