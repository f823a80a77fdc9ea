"""Detectors of slumps by name."""

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from catalog.facts.detector_cards import DetectorCard
from catalog.facts.errors import UnknownModel
from models.detector.contract import Detector
from models.segmenter.registry import is_name

if TYPE_CHECKING:
    from torch import Tensor

ReadDetector = Callable[[str], "tuple[DetectorCard, Mapping[str, Tensor]]"]
"""Reads the weights that a name or a reference stands for; models do no I/O, so tasks hand the reader in."""
DETECTORS: Final[Mapping[str, Callable[[], Detector]]] = MappingProxyType({})
"""Detectors without weights; the trained ones are as many as there are cards."""


def detector_named(name: str, read_detector: ReadDetector, *, shipped: Collection[str] = (), device: str = "cpu") -> Detector:
    """Build a detector by its name, or from weights by their reference: a folder, a file, hf:// or an address.

    `shipped` are the names of weights that the reader knows; `device` is `auto`, `cpu` or `cuda`. Raises UnknownModel with the
    nearest right name, and what the reader raises.
    """
    if name in DETECTORS:
        return DETECTORS[name]()
    if is_name(name) and name not in shipped:
        near = get_close_matches(name, [*DETECTORS, *shipped], n=1, cutoff=0.0)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise UnknownModel(
            f"No model is called {name!r}: {meant}`cryoatlas models list` shows all; a folder of weights is given as a path, such as ./{name}."
        )
    card, tensors = read_detector(name)
    # torch takes seconds to import, which no command that runs nothing should wait for
    from models.detector.loading import trained_detector  # noqa: PLC0415

    return trained_detector(card, tensors, device)


def card_named(name: str, find_card: Callable[[str], DetectorCard]) -> DetectorCard:
    """Return the card of a detector without building its network."""
    return DETECTORS[name]().card if name in DETECTORS else find_card(name)
