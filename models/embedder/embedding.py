"""An embedder at work: items to vectors, in runs that fit memory.

Source: VLM2GeoVec. Items of like length are read together, so that short ones are not padded to the longest of all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.facts.embedder_cards import EmbedderCard
from models.embedder.network import Embedder, build
from models.embedder.stream import ADDED, Item, Streamer
from models.language.tokenizer import tokenizer_of
from models.segmenter.tensors import fill, place_named

TOGETHER: Final = 64
"""Items that are read at once."""


@dataclass(frozen=True, slots=True)
class LoadedEmbedder:
    """An embedder that is ready to read."""

    card: EmbedderCard
    network: Embedder
    streamer: Streamer
    device: torch.device

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return self.card.network.language.hidden

    def embed(self, items: Sequence[Item], together: int = TOGETHER) -> NDArray[np.float32]:
        """Vectors (N, width) of length 1, in the order of the items; raises WrongCall for images of another size and for too many words."""
        order = sorted(range(len(items)), key=lambda place: (items[place].image is None, len(self.streamer.words(items[place]))))
        vectors = np.zeros((len(items), self.width), np.float32)
        for start in range(0, len(order), together):
            some = order[start : start + together]
            vectors[some] = self._read([items[place] for place in some])
        return vectors

    @torch.inference_mode()
    def _read(self, items: Sequence[Item]) -> NDArray[np.float32]:
        read: Tensor = self.network(self.streamer.of(items).to(self.device))
        return np.asarray(read.cpu().numpy(), np.float32)


def load(card: EmbedderCard, tensors: Mapping[str, Tensor], vocabulary: str, device: str) -> LoadedEmbedder:
    """Build the network of a card and fill it; raises WeightsUnfit when tensors, words and card do not belong together."""
    place = torch.device(place_named(device))
    streamer = Streamer(tokenizer_of(vocabulary, ADDED, "embedder"), card.network)
    network = build(card.network, streamer.ids, len(streamer.tokenizer))
    fill(network, tensors, where=card.name)
    return LoadedEmbedder(card, network.to(place).eval(), streamer, place)
