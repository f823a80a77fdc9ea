"""CryoSentinel's checkpoints to tensors of ours.

CryoSentinel's Lightning module holds terratorch's encoder, necks, decoder and head under `model.` (with `_orig_mod.` when it
was compiled); beside the state dict lie optimizer, schedule, callbacks (EMA, SWA) and options, which inference does not need.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from torch import Tensor

from catalog.facts.cards import DEM, S1, S2, Backbone, Decoder, NetworkConfig
from catalog.facts.errors import WeightsUnfit

_WRAPPERS: Final = re.compile(r"^(?:(?:model|module|_orig_mod)\.)*(?=(?:encoder|neck|decoder|head|aux_heads)\.)")
_WIDTHS: Final[Mapping[int, Backbone]] = {
    192: "terramind_v1_tiny",
    384: "terramind_v1_small",
    768: "terramind_v1_base",
    1024: "terramind_v1_large",
}
"""Width of the tokens tells the backbone."""
_EMBEDDINGS: Final = {S2: "untok_sen2l2a@224", S1: "untok_sen1grd@224", DEM: "untok_dem@224"}
"""Names of TerraMind's patch embeddings."""
_NECK: Final = re.compile(r"neck\.\d+\.")
_HEAD: Final = re.compile(r"head\.head\.\d+\.")


def converted(checkpoint: Mapping[str, Any], *, where: str) -> tuple[NetworkConfig, dict[str, Tensor]]:
    """Find the network in a checkpoint of CryoSentinel's layout; return its shape, and its tensors by our names.

    The network is laid out as published, so that it computes what it computed there. Raises WeightsUnfit for another layout.
    """
    state = checkpoint.get("state_dict", checkpoint)
    found = {_WRAPPERS.sub("", name): value for name, value in state.items() if isinstance(value, Tensor) and _WRAPPERS.match(name)}
    config = _config_of(found, where)
    tensors = {_renamed(name): value for name, value in found.items()}
    if any(name.startswith("aux_heads.") for name in tensors):
        raise WeightsUnfit(f"{where} has auxiliary heads, which CryoSentinel's network has not: give a checkpoint of its layout.")
    return config, tensors


def _renamed(name: str) -> str:
    return _HEAD.sub("head.", _NECK.sub("neck.", name))


def _config_of(found: Mapping[str, Tensor], where: str) -> NetworkConfig:
    norm, fused = found.get("encoder.encoder_norm.weight"), found.get("decoder.fpn_bottleneck.conv.weight")
    if norm is None or fused is None or norm.shape[0] not in _WIDTHS:
        raise WeightsUnfit(
            f"{where} does not hold a TerraMind encoder with a UperNet decoder under `state_dict`: give a checkpoint of "
            "CryoSentinel's layout, such as its soup.ckpt."
        )
    modalities = tuple(name for name, embedding in _EMBEDDINGS.items() if f"encoder.encoder_embeddings.{embedding}.proj.weight" in found)
    decoder: Decoder = "published" if "decoder.fpn1.0.weight" in found else "upernet"
    return NetworkConfig(_WIDTHS[norm.shape[0]], decoder, modalities, channels=fused.shape[0], detail=0, indices=False)
