"""The lake network: TerraMind's encoder, one learned pyramid, a decoder, and the pixels themselves.

Source: CryoSentinel v1.0.0 (encoder, taps, neck, UperNet, index head), with these differences: the pyramid is run once, any
subset of modalities may be given, the default decoder works at stride 4, and convolutions over the pixels carry the shore
that tokens of 16 x 16 pixels blur. Published weights run as published (models/segmenter/published.py).
"""

import warnings
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from catalog.facts.cards import NetworkConfig
from catalog.facts.errors import BandsMissing
from models.segmenter.decoders import CompactDecoder, build_upernet
from models.segmenter.details import DetailHead, DetailStem, IndexRefiner
from models.segmenter.normalise import NetworkInput
from models.segmenter.published import build_published_decoder, check_published

with warnings.catch_warnings():
    # terratorch's import warns of its own optional parts
    warnings.simplefilter("ignore")
    from terratorch.models.backbones.terramind.model import terramind_register
    from terratorch.models.backbones.terramind.model.terramind_vit import TerraMindViT
    from terratorch.models.necks import LearnedInterpolateToPyramidal

PATCH_PX: Final = 16
TAPS: Final = {12: (2, 5, 8, 11), 24: (5, 11, 17, 23)}
"""Blocks whose output is tapped, by depth of the encoder (CryoSentinel)."""


class LakeNetwork(nn.Module):
    """Standardised modalities to one logit per pixel."""

    def __init__(self, config: NetworkConfig) -> None:
        """Build the network with fresh weights; raises BandsMissing for a configuration without modalities."""
        super().__init__()
        if not config.modalities:
            raise BandsMissing("A lake network needs at least one modality: name S2L2A, S1GRD or DEM in its configuration.")
        check_published(config)
        self.config = config
        self.encoder = build_encoder(config)
        self.taps = config.taps or TAPS[len(self.encoder.encoder)]
        self.neck = LearnedInterpolateToPyramidal([self.encoder.out_channels[tap] for tap in self.taps])
        if config.decoder == "compact":
            # batch statistics of one subset of modalities would not fit another
            self.neck.fpn1[1] = nn.GroupNorm(8, self.neck.fpn1[1].num_features)
            self.decoder: nn.Module = CompactDecoder(self.neck.embedding_dim, config.channels)
        elif config.decoder == "published":
            self.decoder = build_published_decoder(self.neck.embedding_dim, config.channels)
        else:
            self.decoder = build_upernet(self.neck.embedding_dim, config.channels)
        self.detail = DetailStem(config.detail) if config.detail else None
        self.head: nn.Module = DetailHead(config.channels, config.detail) if config.detail else nn.Conv2d(config.channels, 1, 1)
        self.indices = IndexRefiner() if config.indices else None

    def forward(self, given: NetworkInput) -> Tensor:
        """Return logits (B, 1, y, x); modalities that are not given are not looked at."""
        images = {name: image for name, image in given.images.items() if name in self.config.modalities}
        if not images:
            raise BandsMissing(
                f"The network looks at {', '.join(self.config.modalities)}, and was given {', '.join(given.images) or 'nothing'}."
            )
        size = next(iter(images.values())).shape[-2:]
        features = self.decoder(self.neck(self._pyramid_of(images)))  # (B, channels, y/4, x/4)
        if self.detail is None:
            logits = functional.interpolate(self.head(features), size=size, mode="bilinear", align_corners=False)
        else:
            logits = self.head(features, self.detail(given))
        return logits if self.indices is None else self.indices(logits, given)

    def _pyramid_of(self, images: dict[str, Tensor]) -> list[Tensor]:
        """Tapped tokens (B, tokens, width) as images (B, width, y/16, x/16)."""
        height, width = (side // PATCH_PX for side in next(iter(images.values())).shape[-2:])
        layers = self.encoder(dict(images))
        return [layers[tap].transpose(1, 2).unflatten(2, (height, width)).contiguous() for tap in self.taps]


def build(config: NetworkConfig) -> LakeNetwork:
    """Build a network of that shape with fresh weights."""
    return LakeNetwork(config)


def build_encoder(config: NetworkConfig) -> TerraMindViT:
    """Build TerraMind's encoder for the modalities of a configuration; their tokens are averaged after every block."""
    return getattr(terramind_register, config.backbone)(pretrained=False, modalities=list(config.modalities), merge_method="mean")


def parameter_count(config: NetworkConfig) -> int:
    """Count the parameters of a network without allocating them."""
    with torch.device("meta"), _NumbersOnCpu():
        return sum(parameter.numel() for parameter in build(config).parameters())


class _NumbersOnCpu(TorchFunctionMode):
    """TerraMind reads its drop rates back from a tensor while it is built; a tensor without memory has none."""

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        named = dict(kwargs or {})
        return func(*args, **(named | {"device": "cpu"} if func is torch.linspace else named))
