"""Phrases about a scene to masks with identity: which feature of an inventory each is, or that nothing fits the words.

Two ways, and every answer tells which: by rule, where an inventory is known and the words can be read, and by sight, where the network
draws what it sees. Nothing is said of words that neither can follow; they are asked back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from catalog.facts.errors import WrongCall
from catalog.facts.feature_classes import CLASSES, FeatureClass
from models.language.dialogue import Dialogue
from models.referrer.answering import Answer, Drawing, answer
from models.referrer.features import Feature, FeatureMap
from models.referrer.meaning import SAME, meant
from models.referrer.network import Referrer
from models.referrer.phrasings import PHRASINGS, TAGS, listed
from models.referrer.questions import MOST_REFERENTS
from models.referrer.wording import phrase_of, reference_of

Way = Literal["rule", "sight"]
Outcome = Literal["found", "none", "ambiguous", "unreadable", "mismatch"]


@dataclass(frozen=True, slots=True)
class View:
    """One scene that is asked about."""

    image: Tensor
    """(3, p, p) as the vision tower sees it."""
    ground: FeatureMap | None = None
    """Features of an inventory, which masks may turn out to be."""
    size: tuple[int, int] | None = None
    """Rows and columns of the masks where there is no inventory; None: as many as the network draws."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one phrase means in one scene."""

    phrase: str
    outcome: Outcome
    """`mismatch`: the network drew another number of masks than it was asked for, so that nobody knows which is which."""
    way: Way
    text: str
    """What is told to who asked."""
    mask: NDArray[np.bool_]
    """(y, x) of the scene; empty unless found or ambiguous."""
    features: tuple[Feature, ...] = ()
    """Features of the inventory that it is."""
    kind: FeatureClass | None = None
    score: float = 1.0
    """0..1; 1 by rule."""

    @property
    def bounds_lbrt_px(self) -> tuple[int, int, int, int] | None:
        """First column, last row + 1, last column + 1, first row; None for an empty mask."""
        rows, columns = np.nonzero(self.mask)
        return (int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1, int(rows.min())) if len(rows) else None


def by_rule(phrases: Sequence[str], ground: FeatureMap) -> tuple[Found, ...]:
    """Find what phrases mean among the features of an inventory; nothing is drawn that is not in it."""
    features = ground.features()
    return tuple(_ruled(phrase, features, ground) for phrase in phrases)


def by_sight(
    network: Referrer, dialogue: Dialogue, view: View, phrases: Sequence[str], kinds: Sequence[FeatureClass | None] | None = None
) -> tuple[Found, ...]:
    """Let a network draw what phrases mean in a scene; masks that are features of its inventory carry them.

    `kinds` names the class of each phrase where the caller knows it. Raises WrongCall for more phrases than an answer has masks, or kinds
    that are not one for each.
    """
    if not 1 <= len(phrases) <= MOST_REFERENTS:
        raise WrongCall(f"{len(phrases)} phrases in one question: ask for 1 to {MOST_REFERENTS} at a time.")
    if kinds is None or not any(kinds):
        return _seen(network, dialogue, view, phrases, None)
    if len(kinds) != len(phrases):
        raise WrongCall(f"{len(kinds)} classes for {len(phrases)} phrases: name one for each, or none.")
    # a class is named for a whole question, so that phrases of classes are asked one by one
    pairs = zip(phrases, kinds, strict=True)
    return tuple(each for phrase, kind in pairs for each in _seen(network, dialogue, view, [phrase], kind))


def _ruled(phrase: str, features: Sequence[Feature], ground: FeatureMap) -> Found:
    own = meant(phrase, features)
    mask = ground.instances.mask(own.numbers)
    kind = own.reference.noun if own.reference and own.numbers else None
    return Found(phrase, own.outcome, "rule", own.text, mask, tuple(features[number - 1] for number in own.numbers), kind)


def _seen(network: Referrer, dialogue: Dialogue, view: View, phrases: Sequence[str], kind: FeatureClass | None) -> tuple[Found, ...]:
    question = f"{TAGS['segment']} {PHRASINGS['segment'][0].format(list=listed([_said(phrase) for phrase in phrases]))}"
    (own,) = answer(network, dialogue, view.image[None], [(0, question)], kinds=[kind])
    side = 4 * network.config.predictor.side
    shape = view.ground.instances.labels.shape if view.ground is not None else view.size or (side, side)
    nothing = np.zeros(shape, bool)
    if own.none:
        return tuple(Found(phrase, "none", "sight", own.text, nothing) for phrase in phrases)
    if own.broken or len(own.drawings) != len(phrases):
        text = f"Asked for {len(phrases)}, drew {len(own.drawings)}: nobody knows which is which. Ask one by one."
        return tuple(Found(phrase, "mismatch", "sight", text, nothing) for phrase in phrases)
    return tuple(_drawn(phrase, own, drawing, view.ground, nothing) for phrase, drawing in zip(phrases, own.drawings, strict=True))


def _drawn(phrase: str, own: Answer, drawing: Drawing, ground: FeatureMap | None, nothing: NDArray[np.bool_]) -> Found:
    mask = _resized(drawing.probability, nothing.shape) >= 0.5
    if not mask.any():
        return Found(phrase, "none", "sight", f"I see nothing that fits {phrase!r}.", nothing)
    return Found(phrase, "found", "sight", own.text, mask, _matching(mask, ground), _kind(drawing), drawing.score())


def _kind(drawing: Drawing) -> FeatureClass:
    """The class whose memory was read, as a caller may know better than the network; of the generic row the class that it guesses."""
    return CLASSES[drawing.row] if drawing.row < len(CLASSES) else drawing.kind


def _matching(mask: NDArray[np.bool_], ground: FeatureMap | None) -> tuple[Feature, ...]:
    """Features that a mask is: one that it fits, or several that it covers together."""
    if ground is None:
        return ()
    labels = ground.instances.labels
    touched = [int(number) for number in np.unique(labels[mask]) if number]
    covered = [number for number in touched if (mask & (labels == number)).sum() >= SAME * (labels == number).sum()]
    union = np.isin(labels, covered) & (labels > 0)
    if not covered or (mask & union).sum() < SAME * (mask | union).sum():
        return ()
    features = ground.features()
    return tuple(features[number - 1] for number in covered)


def _resized(probability: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    image = torch.from_numpy(probability)[None, None]
    return np.asarray(functional.interpolate(image, size=(shape[0], shape[1]), mode="bilinear", align_corners=False)[0, 0].numpy())


def _said(phrase: str) -> str:
    """A phrase in the words that were trained on, if it can be read."""
    reference = reference_of(phrase)
    return phrase if reference is None else phrase_of(reference)
