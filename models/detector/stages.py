"""From networks of one modality each to one of all: what stage two of the training starts with.

Source: arXiv 2504.17822 (backbones learn alone, then freeze while fusion and heads learn).
"""

from collections.abc import Mapping

from torch import Tensor

from catalog.facts.detector_cards import kind_of
from catalog.facts.errors import WeightsUnfit
from models.detector.network import SlumpNetwork

State = Mapping[str, Tensor]
_OWN_BACKBONE = "backbones."
_OWN_PYRAMID = "pyramids."
_HEADS = ("proposals.", "boxes.", "masks.")


def assemble(network: SlumpNetwork, unimodal: Mapping[str, State]) -> None:
    """Give a network the backbone, with its norms, of each modality's own network, and the pyramid and heads of the first's.

    `unimodal` holds one state per modality of the network. The fusion stays as it was built, silent, so the network starts
    with the detections of its first modality. Raises WeightsUnfit for states that are missing or do not fit.
    """
    names = tuple(network.looks)
    missing = [name for name in names if name not in unimodal]
    if missing:
        raise WeightsUnfit(f"No trained network for {', '.join(missing)}: train it alone first, or leave the modality out.")
    state: dict[str, Tensor] = {}
    for name in names:
        state |= _renamed(unimodal[name], _OWN_BACKBONE, name)
        if name in network.pyramids:
            state |= _renamed(unimodal[name], _OWN_PYRAMID, name)
    state |= {key: value for key, value in unimodal[names[0]].items() if key.startswith(_HEADS)}
    own = {key: value for key, value in network.state_dict().items() if not key.startswith("fusion.")}
    wrong = sorted(own.keys() ^ state.keys()) + [key for key in own.keys() & state.keys() if own[key].shape != state[key].shape]
    if wrong:
        raise WeightsUnfit(
            f"Trained networks do not fit at {len(wrong)} tensors, the first {wrong[0]}: train them with the same configuration."
        )
    network.load_state_dict(state, strict=False)


def _renamed(state: State, part: str, name: str) -> dict[str, Tensor]:
    """Tensors of the one backbone or pyramid of a state under the name that it gets; `rgb:2` may have learned as `rgb`."""
    owners = {key.removeprefix(part).partition(".")[0] for key in state if key.startswith(part)}
    if len(owners) != 1 or kind_of(next(iter(owners))) != kind_of(name):
        raise WeightsUnfit(f"The network for {name} has {part[:-1]} for {', '.join(sorted(owners)) or 'nothing'}: train {name} alone.")
    owner = next(iter(owners))
    return {f"{part}{name}{key.removeprefix(part + owner)}": value for key, value in state.items() if key.startswith(f"{part}{owner}.")}
