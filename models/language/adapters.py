"""LoRA on the language model, and nowhere else.

Source: Hu et al. 2021 (arXiv:2106.09685) through peft. The names of attention layers are the same in CLIP, so a bare list of them
adapts the frozen vision tower, too, as dead weight; the pattern names the language model.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from torch import Tensor, nn
from transformers import PreTrainedModel

from catalog.facts.describer_cards import AdapterConfig
from catalog.facts.errors import WeightsUnfit

LANGUAGE: Final = "language_model"


def adapt(network: PreTrainedModel, config: AdapterConfig, new_tokens: Sequence[int]) -> PeftModel:
    """Put adapters on the language model; only they learn, and the rows of tokens that are new."""
    rows = {"embed_tokens": list(new_tokens), "lm_head": list(new_tokens)}
    options = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=rf".*{LANGUAGE}.*\.({'|'.join(config.targets)})",
        trainable_token_indices=rows if new_tokens else None,
    )
    return get_peft_model(network, options)


def adapter_tensors(network: PeftModel) -> dict[str, Tensor]:
    """Tensors of the adapters and of the new rows, by peft's names."""
    return dict(get_peft_model_state_dict(network))


def adapted_modules(network: nn.Module) -> list[str]:
    """Names of the modules that carry adapters."""
    return [name for name, _ in network.named_modules() if name.endswith(".lora_A.default")]


def check_covered(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Raise WeightsUnfit unless every parameter that learns is among the tensors that are kept."""
    missing = [name for name, parameter in network.named_parameters() if parameter.requires_grad and name not in tensors]
    if missing:
        raise WeightsUnfit(f"{len(missing)} parameters that were trained would be lost ({', '.join(missing[:3])}): keep them, too.")
