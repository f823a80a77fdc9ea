"""The embedder: Qwen2-VL without its head, and one vector of length 1 for whatever it has read.

Source: VLM2GeoVec on Qwen2-VL 7B. The class merges image features at the placeholders and lays out rotary positions in three axes
itself. Nothing is fetched here: networks are built with fresh weights.
"""

from collections.abc import Callable
from typing import Any

from peft import PeftModel
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2VLConfig, Qwen2VLModel

from catalog.facts.embedder_cards import EmbedderConfig
from catalog.facts.errors import WeightsUnfit
from models.embedder.places import place_width
from models.embedder.stream import FRAMES, Stream, StreamIds
from models.language.adapters import adapt

Prepare = Callable[[Qwen2VLModel], None]
_NO_VIDEO = -1
"""Number that no token has: there are no videos."""


class Embedder(nn.Module):
    """Items to vectors."""

    def __init__(self, config: EmbedderConfig, ids: StreamIds, vocabulary: int, prepare: Prepare | None = None) -> None:
        """Build with fresh weights for a vocabulary of that many tokens; `prepare` may fill Qwen2-VL before it is adapted."""
        super().__init__()
        if vocabulary > config.language.vocabulary:
            raise WeightsUnfit(f"{vocabulary} words have no room in {config.language.vocabulary} rows: train fewer, or a larger network.")
        self.config, self.ids = config, ids
        qwen = Qwen2VLModel(qwen_config(config, ids))
        if prepare is not None:
            prepare(qwen)
        # no row is new: what the soft token says is computed, and its row is never read
        self.language: Any = adapt(qwen, config.adapter, ()) if config.adapter is not None else qwen
        width, hidden = place_width(config.geo), config.language.hidden
        self.place = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden)) if width else None

    @property
    def qwen(self) -> Qwen2VLModel:
        """The network that reads, adapters inside it."""
        return self.language.get_base_model() if isinstance(self.language, PeftModel) else self.language

    def forward(self, stream: Stream) -> Tensor:
        """Vectors (N, width of the language model) of length 1."""
        # a row that ends in padding would be pooled as padding
        assert bool(stream.attention[:, -1].all()), "streams are padded on the left"
        return functional.normalize(self._pooled(self.states(stream), stream.attention).float(), dim=-1)

    def states(self, stream: Stream) -> Tensor:
        """Last states of the language model (N, length, width)."""
        if len(stream.grids):
            seen = {"pixel_values": stream.pixels, "image_grid_thw": stream.grids, "mm_token_type_ids": stream.kinds}
        else:
            # without images the class would count padding as places
            seen = {"position_ids": (stream.attention.cumsum(dim=1) - 1).clamp(min=0)}
        read = self.language(
            input_ids=stream.ids, inputs_embeds=self._words(stream), attention_mask=stream.attention, use_cache=False, **seen
        )
        states: Tensor = read.last_hidden_state
        return states

    def _words(self, stream: Stream) -> Tensor:
        words: Tensor = self.qwen.get_input_embeddings()(stream.ids)
        if self.place is None or not len(stream.places):
            return words
        soft = self.place(stream.places).to(words)
        return words.masked_scatter((stream.ids == self.ids.place)[..., None].expand_as(words), soft)

    def _pooled(self, states: Tensor, attention: Tensor) -> Tensor:
        if self.config.pooling == "last":
            return states[:, -1]
        shares = attention[..., None].to(states)
        return (states * shares).sum(dim=1) / shares.sum(dim=1)


def build(config: EmbedderConfig, ids: StreamIds, vocabulary: int, prepare: Prepare | None = None) -> Embedder:
    """Build an embedder of that shape, with fresh weights where `prepare` puts none."""
    return Embedder(config, ids, vocabulary, prepare)


def qwen_config(config: EmbedderConfig, ids: StreamIds) -> Qwen2VLConfig:
    """The configuration of transformers for one of ours."""
    words, tower = config.language, config.vision
    return Qwen2VLConfig(
        text_config={
            "vocab_size": words.vocabulary,
            "hidden_size": words.hidden,
            "intermediate_size": words.intermediate,
            "num_hidden_layers": words.layers,
            "num_attention_heads": words.heads,
            "num_key_value_heads": words.kv_heads,
            "max_position_embeddings": words.positions,
            "rms_norm_eps": words.epsilon,
            "rope_parameters": {"rope_type": "default", "rope_theta": words.rope_theta, "mrope_section": list(words.sections)},
            "bos_token_id": ids.begin,
            "eos_token_id": ids.end,
            "pad_token_id": ids.pad,
        },
        vision_config={
            "depth": tower.layers,
            "embed_dim": tower.hidden,
            "hidden_size": words.hidden,
            "num_heads": tower.heads,
            "mlp_ratio": tower.widening,
            "patch_size": tower.patch_px,
            "spatial_merge_size": tower.merge,
            "temporal_patch_size": FRAMES,
            "in_channels": 3,
        },
        image_token_id=ids.image,
        video_token_id=_NO_VIDEO,
        vision_start_token_id=ids.vision_start,
        vision_end_token_id=ids.vision_end,
    )
