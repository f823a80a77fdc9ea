"""Tensors into networks, all or none."""

from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn

from catalog.facts.cards import MODALITIES, S1, S2, WeightsCard, check_statistics
from catalog.facts.errors import WeightsUnfit, WrongCall
from models.segmenter.lakes import TrainedSegmenter
from models.segmenter.network import TAPS, LakeNetwork, build
from models.segmenter.passes import InferenceOptions

_COMPUTED: Final = ".pos_emb"
"""TerraMind's sine-cosine positions, made anew with the network."""
_SHOWN: Final = 3
"""Names shown of each kind of mismatch; one wrong size makes hundreds."""


def trained_model(card: WeightsCard, tensors: Mapping[str, Tensor], device: str = "cpu", *, flips: bool = True) -> TrainedSegmenter:
    """Build the model of a card on `auto`, `cpu`, `cuda` or `cuda:N`; raises WeightsUnfit, or WrongCall for a device that is not here."""
    if not {S1, S2} & set(card.network.modalities):
        raise WeightsUnfit(f"Weights {card.name} look at {', '.join(card.network.modalities)} alone, which shows no water: use others.")
    gpu = torch.cuda.is_available()
    place = ("cuda" if gpu else "cpu") if device == "auto" else device
    if place != "cpu" and not (gpu and place.startswith("cuda")):
        raise WrongCall(f"Device {device!r} was asked for and is not here: set CRYOATLAS_DEVICE to auto, cpu or cuda.")
    return TrainedSegmenter(network_of(card, tensors), card, InferenceOptions(device=place, flips=flips))


def network_of(card: WeightsCard, tensors: Mapping[str, Tensor]) -> LakeNetwork:
    """Build the network of a card, ready to predict; raises WeightsUnfit when statistics or tensors do not fit."""
    check_statistics(card.statistics, where=f"Card {card.name}")
    strange = sorted(set(card.network.modalities) - set(MODALITIES))
    if strange or len(card.network.taps) not in (0, len(TAPS[12])):
        raise WeightsUnfit(
            f"Card {card.name} describes no network that can be built: modalities {', '.join(card.network.modalities) or 'none'} (known: "
            f"{', '.join(MODALITIES)}), taps {card.network.taps} (none, or four). Fetch card and weights again, together."
        )
    network = build(card.network)
    fill(network, tensors, where=f"Weights {card.name}")
    return network.eval()


def fill(network: nn.Module, tensors: Mapping[str, Tensor], *, where: str) -> None:
    """Put tensors into a network that has exactly these; raises WeightsUnfit and leaves it untouched otherwise."""
    expected = network.state_dict()
    faults = _mismatches(expected, tensors)
    strangers = sorted(set(tensors) - set(expected))
    if strangers:
        faults.append(f"{len(strangers)} unexpected ({_some(strangers)})")
    if faults:
        raise WeightsUnfit(f"{where} do not fit the network of their card: {'; '.join(faults)}. Fetch card and weights again, together.")
    network.load_state_dict(dict(tensors))


def load_encoder(network: LakeNetwork, checkpoint: Mapping[str, Any], *, where: str = "The pretrained encoder") -> int:
    """Put a pretrained TerraMind into the encoder of a network and return how many tensors; the rest stays fresh.

    `checkpoint` is what its authors publish: tensors by TerraMind's names, with more modalities and the decoder of pretraining.
    Modalities that the network does not look at are left out; nothing that it has may be missing (terratorch only warns and
    keeps random numbers). Raises WeightsUnfit and leaves the network untouched when a tensor is missing or has another shape.
    """
    expected = network.encoder.state_dict()
    given = {name: tensor for name, tensor in _encoder_tensors(checkpoint).items() if name in expected}
    faults = _mismatches({name: tensor for name, tensor in expected.items() if name in given or not name.endswith(_COMPUTED)}, given)
    if faults:
        raise WeightsUnfit(
            f"{where} does not fit {network.config.backbone} with {', '.join(network.config.modalities)}: {'; '.join(faults)}. Give the "
            "weights of that backbone (catalog.facts.cards.PUBLISHED_BACKBONES)."
        )
    network.encoder.load_state_dict(expected | given)
    return len(given)


def _mismatches(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    missing = [name for name in expected if name not in given]
    reshaped = [
        f"{name} is {tuple(given[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in given and given[name].shape != tensor.shape
    ]
    faults = [f"{len(missing)} missing ({_some(missing)})"] if missing else []
    return faults + ([f"{len(reshaped)} of another shape ({_some(reshaped)})"] if reshaped else [])


def _encoder_tensors(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    state = checkpoint.get("state_dict", checkpoint)
    return {
        name: value
        for name, value in state.items()
        if isinstance(value, Tensor) and name.startswith(("encoder.", "encoder_embeddings.", "encoder_norm."))
    }


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
