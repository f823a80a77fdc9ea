"""What a training starts from: published parts, weights of ours, or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor
from transformers import LlavaForConditionalGeneration

from catalog.facts.errors import WeightsUnfit
from models.describer.network import Describer, build
from models.describer.recipe import Recipe
from models.language.backbones import load_language, load_prithvi, load_vision
from models.language.dialogue import Dialogue
from models.segmenter.tensors import fill

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Start:
    """Tensors that were read; what is empty starts fresh."""

    language: Tensors = field(default_factory=dict)
    vision: Tensors = field(default_factory=dict)
    prithvi: Tensors = field(default_factory=dict)
    ours: Tensors = field(default_factory=dict)
    """Of a describer of ours: all of it, or what reads and writes, as the recipe says."""


def started(recipe: Recipe, dialogue: Dialogue, start: Start) -> Describer:
    """Build the network of a recipe with what it starts from; raises WeightsUnfit when something does not fit."""

    def prepare(llava: LlavaForConditionalGeneration) -> None:
        if start.language:
            load_language(llava, start.language, where=_named(recipe.language_from))
        if start.vision:
            load_vision(llava, start.vision, where=_named(recipe.vision_from))

    network = build(recipe.network, dialogue.ids, len(dialogue.tokenizer), prepare)
    if start.prithvi:
        if network.encoder.prithvi is None:
            raise WeightsUnfit(
                f"Recipe {recipe.name} names a Prithvi, and its encoder is of kind res, which has none: leave out prithvi_from."
            )
        load_prithvi(network.encoder.prithvi, start.prithvi, recipe.network.encoder.channels, where=_named(recipe.prithvi_from))
    if start.ours:
        part = network if recipe.start_with == "all" else network.language
        fill(part, start.ours, where=recipe.start_from)
    return network


def _named(files: tuple[str, ...]) -> str:
    return ", ".join(files)
