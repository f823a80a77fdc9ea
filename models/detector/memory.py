"""What a detector holds in memory while it learns: counted, not measured on a device.

The state that lasts is exact: weights, and a gradient and two moments of AdamW for whatever learns. What a step keeps for its
backward pass is counted at the place where it is put away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from models.detector.network import SlumpNetwork
from models.detector.targets import Target

BYTES: Final = 4
"""Of a number in single precision."""
PARTS: Final = ("backbones", "fusion", "pyramids", "proposals", "boxes", "masks")


@dataclass(frozen=True, slots=True)
class SavedBytes:
    """What one step keeps for its backward pass, parameters left out."""

    features: int
    """Of backbones, fusion and pyramid."""
    heads: int
    """Of proposals, boxes and masks, whose number of boxes the configuration sets."""


def parameters_by_part(network: SlumpNetwork) -> dict[str, int]:
    """Count the parameters of every part."""
    parts = {name: getattr(network, name) for name in PARTS}
    return {name: sum(each.numel() for each in part.parameters()) if isinstance(part, nn.Module) else 0 for name, part in parts.items()}


def trainable_parameters(network: nn.Module) -> int:
    """Count the parameters that learn."""
    return sum(each.numel() for each in network.parameters() if each.requires_grad)


def static_bytes(network: nn.Module) -> int:
    """Bytes of weights, gradients and AdamW's moments: 4 per parameter, and 12 more for each that learns."""
    total = sum(each.numel() for each in network.parameters())
    return BYTES * total + 3 * BYTES * trainable_parameters(network)


def saved_bytes(
    network: SlumpNetwork, images: Mapping[str, Tensor], targets: Sequence[Target], present: Tensor | None = None
) -> SavedBytes:
    """Count what one step of the network keeps; arguments as for `SlumpNetwork.losses`."""
    known = {each.untyped_storage().data_ptr() for each in network.parameters()}
    features, heads = _Kept(known), _Kept(known)
    with features.hooks:
        levels = network.levels(images, present)
    known |= features.sizes.keys() | {each.untyped_storage().data_ptr() for each in levels}
    with heads.hooks:
        losses = network.losses_of(levels, targets)
    # the graphs hold what was counted, so no address was given twice
    assert losses
    return SavedBytes(sum(features.sizes.values()), sum(heads.sizes.values()))


class _Kept:
    """Storages that are put away for a backward pass, each once."""

    def __init__(self, known: set[int]) -> None:
        self._known = known
        self.sizes: dict[int, int] = {}
        self.hooks = saved_tensors_hooks(self._put, lambda kept: kept)

    def _put(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._known:
            self.sizes[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # an output that is kept as it is would hold its own graph for ever
