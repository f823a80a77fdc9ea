"""CryoSentinel's decoder exactly as released, for its weights: a second pyramid on top of the neck's, so at full resolution.

`scale_modules=True` makes terratorch's UperNet run once more what the neck has done: the finest map then has the pixels of
the image, and a 3 x 3 convolution of 1024 channels runs over them. Our own decoders run the pyramid once.
"""

import warnings
from collections.abc import Sequence

from terratorch.models.decoders.upernet_decoder import UperNetDecoder
from torch import nn

from catalog.facts.cards import NetworkConfig
from catalog.facts.errors import WeightsUnfit


def build_published_decoder(widths: Sequence[int], channels: int) -> nn.Module:
    """Build UperNet with a pyramid of its own on the widths that the neck gives."""
    with warnings.catch_warnings():
        # terratorch calls the flag deprecated; the released weights need it
        warnings.simplefilter("ignore", UserWarning)
        decoder: nn.Module = UperNetDecoder(list(widths), channels=channels, scale_modules=True)
    return decoder


def check_published(config: NetworkConfig) -> None:
    """Raise WeightsUnfit when a configuration adds to the published decoder what was not published with it."""
    if config.decoder == "published" and (config.detail or config.indices):
        raise WeightsUnfit(
            f"A published network has neither detail ({config.detail}) nor indices ({config.indices}): set detail to 0 and indices "
            "to false, or choose the decoder `upernet`."
        )
