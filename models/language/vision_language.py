"""A language model that sees: CLIP, a projector and Mistral or Llama as transformers' LLaVA puts them together, in any size.

Source: GLACIA builds on a LLaVA with CLIP and Mistral-7B, GeoPix on LLaVA-1.5 with OpenAI's CLIP and Llama-7B. The class merges image features at the placeholders itself, so there is no
arithmetic of offsets. Nothing is fetched here: networks are built with fresh weights, and tensors are handed in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, MistralConfig

from catalog.facts.describer_cards import LanguageConfig, VisionConfig

IMAGE_ID: Final = 3
"""Number of the image placeholder in vocabularies of our own."""
Family = Literal["mistral", "llama"]


@dataclass(frozen=True, slots=True)
class _Published:
    """What the checkpoints of a family have beside their sizes."""

    text: Callable[..., Any]
    further: Mapping[str, Any]
    vision_activation: str


_FAMILIES: Final[Mapping[Family, _Published]] = MappingProxyType(
    {
        "mistral": _Published(MistralConfig, {"sliding_window": None}, "gelu"),
        # OpenAI's CLIP was trained with an approximation of GELU, and Vicuna with that epsilon
        "llama": _Published(LlamaConfig, {"rms_norm_eps": 1e-5}, "quick_gelu"),
    }
)


def build_llava(
    vision: VisionConfig, language: LanguageConfig, *, added: int = 0, image_id: int = IMAGE_ID, family: Family = "mistral"
) -> LlavaForConditionalGeneration:
    """Build the network with fresh weights; `added` control tokens come on top of the vocabulary."""
    return LlavaForConditionalGeneration(llava_config(vision, language, added=added, image_id=image_id, family=family))


def llava_config(
    vision: VisionConfig, language: LanguageConfig, *, added: int = 0, image_id: int = IMAGE_ID, family: Family = "mistral"
) -> LlavaConfig:
    """The configuration of transformers for a pair of ours."""
    published = _FAMILIES[family]
    return LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=vision.hidden,
            intermediate_size=vision.intermediate,
            num_hidden_layers=vision.layers,
            num_attention_heads=vision.heads,
            image_size=vision.image_px,
            patch_size=vision.patch_px,
            hidden_act=published.vision_activation,
        ),
        text_config=published.text(
            vocab_size=language.vocabulary + added,
            hidden_size=language.hidden,
            intermediate_size=language.intermediate,
            num_hidden_layers=language.layers,
            num_attention_heads=language.heads,
            num_key_value_heads=language.kv_heads,
            head_dim=language.hidden // language.heads,
            max_position_embeddings=language.positions,
            rope_parameters={"rope_type": "default", "rope_theta": language.rope_theta},
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=0,
            **published.further,
        ),
        image_token_index=image_id,
        vision_feature_layer=vision.tap,
        vision_feature_select_strategy="default",
        image_seq_length=vision.tokens,
    )


def image_tokens(network: LlavaForConditionalGeneration, images: Tensor) -> Tensor:
    """What the vision tower says of images (B, 3, y, x) at its tap: (B, tokens, width), before the projector."""
    tower = network.model.vision_tower(pixel_values=images, output_hidden_states=True)
    chosen: Tensor = tower.hidden_states[network.config.vision_feature_layer][:, 1:]
    return chosen


def parameter_count(module: nn.Module, *, trainable: bool = False) -> int:
    """Count parameters; only those that learn on demand."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad or not trainable)


def on_meta() -> torch.device:
    """The device on which networks have shapes and no memory: `with on_meta(): build(...)`."""
    return torch.device("meta")
