"""Tensors into a network that has exactly these, all or none; and the device it runs on."""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn

from catalog.facts.errors import WeightsUnfit, WrongCall

_SHOWN: Final = 3
"""Names shown of each kind of mismatch; one wrong size makes hundreds."""


def fill(network: nn.Module, tensors: Mapping[str, Tensor], *, where: str) -> None:
    """Put tensors into a network that has exactly these; raises WeightsUnfit and leaves it untouched otherwise."""
    expected = network.state_dict()
    faults = mismatches(expected, tensors)
    strangers = sorted(set(tensors) - set(expected))
    if strangers:
        faults.append(f"{len(strangers)} unexpected ({_some(strangers)})")
    if faults:
        raise WeightsUnfit(f"{where} do not fit the network of their card: {'; '.join(faults)}. Fetch card and weights again, together.")
    network.load_state_dict(dict(tensors))


def mismatches(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """Say what of the expected tensors is missing or has another shape."""
    missing = [name for name in expected if name not in given]
    reshaped = [
        f"{name} is {tuple(given[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in given and given[name].shape != tensor.shape
    ]
    faults = [f"{len(missing)} missing ({_some(missing)})"] if missing else []
    return faults + ([f"{len(reshaped)} of another shape ({_some(reshaped)})"] if reshaped else [])


def place_named(device: str) -> str:
    """Return the device that `auto`, `cpu`, `cuda` or `cuda:N` stands for; raises WrongCall for one that is not here."""
    gpu = torch.cuda.is_available()
    place = ("cuda" if gpu else "cpu") if device == "auto" else device
    if place != "cpu" and not (gpu and place.startswith("cuda")):
        raise WrongCall(f"Device {device!r} was asked for and is not here: set CRYOATLAS_DEVICE to auto, cpu or cuda.")
    return place


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
