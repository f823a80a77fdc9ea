"""Weights of a referrer to one that is ready to answer."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from catalog.facts.referrer_cards import ReferrerCard
from models.language.dialogue import Dialogue
from models.language.tokenizer import tokenizer_of
from models.referrer.marks import MARKS
from models.referrer.network import Referrer, build
from models.segmenter.tensors import fill, place_named


@dataclass(frozen=True, slots=True)
class LoadedReferrer:
    """A referrer that is ready to answer."""

    card: ReferrerCard
    network: Referrer
    dialogue: Dialogue


def load(card: ReferrerCard, tensors: Mapping[str, Tensor], vocabulary: str, device: str) -> LoadedReferrer:
    """Build a referrer from its card and fill it; raises WeightsUnfit when they do not belong together, WrongCall for a device that is not here."""
    tokenizer: PreTrainedTokenizerFast = tokenizer_of(vocabulary, MARKS, "referrer")
    dialogue = Dialogue(tokenizer, card.network.vision.tokens, MARKS)
    network = build(card.network, dialogue.ids, dialogue.mark_ids, len(tokenizer))
    fill(network, tensors, where=card.name)
    return LoadedReferrer(card, network.eval().to(torch.device(place_named(device))), dialogue)
