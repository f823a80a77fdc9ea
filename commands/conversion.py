"""A checkpoint of CryoSentinel's layout to weights of ours; imports torch and terratorch, so only the command that needs it does."""

from pathlib import Path

from catalog.facts.cards import STATISTICS, NetworkConfig, WeightsCard
from catalog.stores.checkpoints import read_checkpoint, write_weights
from catalog.stores.weights import find_weights
from infra.settings import read_settings
from models.segmenter.conversion import converted
from models.segmenter.loading import network_of

CITATION = "CryoSentinel v1.0.0, github.com/abzalabdrash/cryosentinel"
_STRIDE_PX = 112
"""Half a window, as CryoSentinel runs it."""


def convert(source: str, folder: Path, *, name: str, statistics: str, licence: str, trained_on: str) -> WeightsCard:
    """Convert and write; what is written has been loaded into its network before. Raises WeightsMissing or WeightsUnfit."""
    file = find_weights(source, read_settings().weights)
    network, tensors = converted(read_checkpoint(file), where=str(file))
    card = WeightsCard(
        name=name,
        version="1",
        title=_title_of(network),
        licence=licence,
        trained_on=trained_on,
        citation=CITATION,
        sha256="",
        network=network,
        statistics=STATISTICS[statistics],
        stride_px=_STRIDE_PX,
        recipe=f"converted from {source}",
    )
    network_of(card, tensors)
    return write_weights(folder, tensors, card)


def _title_of(network: NetworkConfig) -> str:
    size = network.backbone.rpartition("_")[2]
    return f"CryoSentinel's lake network, TerraMind {size}, as published"
