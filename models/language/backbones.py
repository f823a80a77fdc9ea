"""Published tensors into the parts of a network: CLIP, Mistral, Prithvi, by the names that their authors gave them.

All or none: a backbone of which some layers stay random looks like one that was loaded, and is not.
"""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration

from catalog.facts.errors import WeightsUnfit
from models.segmenter.tensors import mismatches

_PRITHVI_BANDS: Final = ("B02", "B03", "B04", "B08")
"""Of the six bands that Prithvi was pretrained on, those that we give it, in its own order from the first."""
_FIXED: Final = ("pos_embed",)
"""Sine-cosine positions, made anew for the size at hand."""


def load_language(network: LlavaForConditionalGeneration, tensors: Mapping[str, Tensor], *, where: str) -> int:
    """Put a Mistral checkpoint into the language model and its head; rows of added tokens start as the mean row. Returns how many tensors."""
    renamed = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if not name.startswith("lm_head")}
    head = {"weight": tensors["lm_head.weight"]} if "lm_head.weight" in tensors else {}
    body = network.model.language_model
    own = {name: _with_rows(tensor, body.state_dict().get(name), name) for name, tensor in renamed.items() if name in body.state_dict()}
    _place(body, own, where)
    _place(network.lm_head, {name: _with_rows(tensor, network.lm_head.weight, "embed_tokens") for name, tensor in head.items()}, where)
    return len(own) + len(head)


def load_vision(network: LlavaForConditionalGeneration, tensors: Mapping[str, Tensor], *, where: str) -> int:
    """Put the vision tower of a CLIP checkpoint into the network; its text tower is left out. Returns how many tensors."""
    tower = network.model.vision_tower
    prefix = "vision_model." if any(name.startswith("vision_model.") for name in tensors) else ""
    expected = tower.state_dict()
    ours = "vision_model." if any(name.startswith("vision_model.") for name in expected) else ""
    given = {ours + name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    own = {name: tensor for name, tensor in given.items() if name in expected}
    _place(tower, own, where)
    return len(own)


def load_prithvi(encoder: nn.Module, tensors: Mapping[str, Tensor], channels: tuple[str, ...], *, where: str) -> int:
    """Put a Prithvi checkpoint into an encoder of our channels; bands keep their patch weights, slope and elevation start fresh.

    `tensors` are those of the published masked autoencoder; its decoder is left out. Returns how many tensors.
    """
    expected = encoder.state_dict()
    cleaned = {name.removeprefix("encoder."): tensor for name, tensor in tensors.items() if not name.startswith("decoder.")}
    own = {name: tensor for name, tensor in cleaned.items() if name in expected and name not in _FIXED}
    patches = "patch_embed.proj.weight"
    if patches in own:
        mixed = expected[patches].clone()
        for place, channel in enumerate(channels):
            if channel in _PRITHVI_BANDS:
                mixed[:, place] = own[patches][:, _PRITHVI_BANDS.index(channel)].to(mixed)
        own[patches] = mixed
    own |= {name: expected[name] for name in _FIXED if name in expected}
    _place(encoder, own, where)
    return len(own)


def _with_rows(tensor: Tensor, expected: Tensor | None, name: str) -> Tensor:
    """Rows for tokens that a checkpoint does not know, each the mean of those that it does."""
    if expected is None or "embed_tokens" not in name or len(tensor) >= len(expected):
        return tensor
    mean = tensor.float().mean(dim=0, keepdim=True).to(tensor.dtype)
    return torch.cat([tensor, mean.expand(len(expected) - len(tensor), -1)])


def _place(module: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    faults = mismatches(module.state_dict(), tensors)
    if faults:
        raise WeightsUnfit(f"{where} does not fit: {'; '.join(faults)}. Give the weights of that backbone, all of its files.")
    module.load_state_dict(dict(tensors))
