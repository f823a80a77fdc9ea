"""What a training starts from: a published LLaVA, weights of ours, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from torch import Tensor
from transformers import LlavaForConditionalGeneration

from catalog.facts.errors import WeightsUnfit
from models.language.backbones import load_language, load_vision
from models.language.dialogue import Dialogue
from models.referrer.network import Referrer, build
from models.referrer.recipe import Recipe
from models.segmenter.tensors import fill, mismatches

Tensors = Mapping[str, Tensor]
_PARTS: Final = {"language": "language_model.", "vision": "vision_tower.", "projector": "multi_modal_projector."}
"""Of a published LLaVA, as its files name them."""


@dataclass(frozen=True, slots=True)
class Start:
    """Tensors that were read; what is empty starts fresh."""

    llava: Tensors = field(default_factory=dict)
    whole: Tensors = field(default_factory=dict)
    """All of a referrer of the same shape."""


def started(recipe: Recipe, dialogue: Dialogue, start: Start) -> Referrer:
    """Build the network of a recipe with what it starts from; raises WeightsUnfit when something does not fit."""

    def prepare(llava: LlavaForConditionalGeneration) -> None:
        if start.llava:
            load_llava(llava, start.llava, recipe.network.language.vocabulary, where=", ".join(recipe.llava_from))

    network = build(recipe.network, dialogue.ids, dialogue.mark_ids, len(dialogue.tokenizer), prepare)
    if start.whole:
        fill(network, start.whole, where=recipe.start_from)
    return network


def load_llava(network: LlavaForConditionalGeneration, tensors: Tensors, vocabulary: int, *, where: str) -> None:
    """Put a published LLaVA in: language model, vision tower and what leads from one to the other.

    Its rows of words beyond `vocabulary` are padding, or tokens that stand for no word, and are left out.
    """
    plain = {name.removeprefix("model."): tensor for name, tensor in tensors.items()}
    parts = {part: {n.removeprefix(prefix): t for n, t in plain.items() if n.startswith(prefix)} for part, prefix in _PARTS.items()}
    missing = [part for part, own in parts.items() if not own]
    if missing:
        raise WeightsUnfit(f"{where} holds no {' and no '.join(missing)}: give all files of one LLaVA.")
    head = {name: tensor for name, tensor in plain.items() if name.startswith("lm_head")}
    words = {
        name: tensor[:vocabulary] if "embed_tokens" in name or "lm_head" in name else tensor
        for name, tensor in (parts["language"] | head).items()
    }
    load_language(network, words, where=where)
    load_vision(network, parts["vision"], where=where)
    projector = network.model.multi_modal_projector
    faults = mismatches(projector.state_dict(), parts["projector"])
    if faults:
        raise WeightsUnfit(f"{where} does not fit: {'; '.join(faults)}. Give the weights of that LLaVA, all of its files.")
    projector.load_state_dict(dict(parts["projector"]))
