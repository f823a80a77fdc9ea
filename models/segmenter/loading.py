"""Tensors into networks, all or none."""

from collections.abc import Mapping
from typing import Any, Final

from torch import Tensor

from catalog.facts.cards import MODALITIES, S1, S2, WeightsCard, check_statistics
from catalog.facts.errors import WeightsUnfit
from models.segmenter.lakes import TrainedSegmenter
from models.segmenter.network import TAPS, LakeNetwork, build
from models.segmenter.passes import InferenceOptions
from models.segmenter.tensors import fill, mismatches, place_named

_COMPUTED: Final = ".pos_emb"
"""TerraMind's sine-cosine positions, made anew with the network."""


def trained_model(card: WeightsCard, tensors: Mapping[str, Tensor], device: str = "cpu", *, flips: bool = True) -> TrainedSegmenter:
    """Build the model of a card on `auto`, `cpu`, `cuda` or `cuda:N`; raises WeightsUnfit, or WrongCall for a device that is not here."""
    if not {S1, S2} & set(card.network.modalities):
        raise WeightsUnfit(f"Weights {card.name} look at {', '.join(card.network.modalities)} alone, which shows no water: use others.")
    place = place_named(device)
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


def load_encoder(network: LakeNetwork, checkpoint: Mapping[str, Any], *, where: str = "The pretrained encoder") -> int:
    """Put a pretrained TerraMind into the encoder of a network and return how many tensors; the rest stays fresh.

    `checkpoint` is what its authors publish: tensors by TerraMind's names, with more modalities and the decoder of pretraining.
    Modalities that the network does not look at are left out; nothing that it has may be missing (terratorch only warns and
    keeps random numbers). Raises WeightsUnfit and leaves the network untouched when a tensor is missing or has another shape.
    """
    expected = network.encoder.state_dict()
    given = {name: tensor for name, tensor in _encoder_tensors(checkpoint).items() if name in expected}
    faults = mismatches({name: tensor for name, tensor in expected.items() if name in given or not name.endswith(_COMPUTED)}, given)
    if faults:
        raise WeightsUnfit(
            f"{where} does not fit {network.config.backbone} with {', '.join(network.config.modalities)}: {'; '.join(faults)}. Give the "
            "weights of that backbone (catalog.facts.cards.PUBLISHED_BACKBONES)."
        )
    network.encoder.load_state_dict(expected | given)
    return len(given)


def _encoder_tensors(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    state = checkpoint.get("state_dict", checkpoint)
    return {
        name: value
        for name, value in state.items()
        if isinstance(value, Tensor) and name.startswith(("encoder.", "encoder_embeddings.", "encoder_norm."))
    }
