"""Models by name, with what their users must know."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from catalog.facts.cards import WeightsCard
from catalog.facts.errors import UnknownModel
from models.segmenter.contract import Segmenter
from models.segmenter.indices import IndexModel

if TYPE_CHECKING:
    from torch import Tensor

ReadWeights = Callable[[str], "tuple[WeightsCard, Mapping[str, Tensor]]"]
"""Reads the weights that a name or a reference stands for; models do no I/O, so tasks hand the reader in."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Facts about a model that a table of results must quote."""

    name: str
    title: str
    licence: str
    trained_on: str
    citation: str
    make: Callable[[], Segmenter]


_INDICES: Final = ModelCard(
    "indices",
    "Water from spectral indices, backscatter and relief, without weights",
    "Apache-2.0",
    "nothing: thresholds from the literature, adapted to the place",
    "McFeeters 1996 (doi:10.1080/01431169608948714); Xu 2006 (doi:10.1080/01431160600589179); Li & Sheng 2012 "
    "(doi:10.1080/01431161.2012.657370); Feyisa et al. 2014 (doi:10.1016/j.rse.2013.08.029)",
    IndexModel,
)
MODELS: Final[Mapping[str, ModelCard]] = MappingProxyType({card.name: card for card in (_INDICES,)})
"""Models without weights; the trained ones are as many as there are cards."""
_PATH_MARKS: Final = "/\\:.~"


def model_named(
    name: str, read_weights: ReadWeights | None = None, *, shipped: Collection[str] = (), device: str = "cpu", flips: bool = True
) -> Segmenter:
    """Build a model by its name, or from weights by their reference: a folder, a file, hf:// or an address.

    `shipped` are the names of weights that the reader knows; `device` is `auto`, `cpu` or `cuda`; without `flips` a network
    looks at each window once, and gives no spread. Raises UnknownModel with the nearest right name, and what the reader raises.
    """
    if name in MODELS:
        return MODELS[name].make()
    if read_weights is None or (is_name(name) and name not in shipped):
        near = get_close_matches(name, [*MODELS, *shipped], n=1, cutoff=0.0)
        raise UnknownModel(
            f"No model is called {name!r}: did you mean {near[0]!r}? `cryoatlas models list` shows all; a folder of weights is given as a "
            f"path, such as ./{name}."
        )
    card, tensors = read_weights(name)
    # torch and terratorch take eight seconds to import, which no run with indices should wait for
    from models.segmenter.loading import trained_model  # noqa: PLC0415

    return trained_model(card, tensors, device, flips=flips)


def is_name(reference: str) -> bool:
    """Tell a name from a path or an address."""
    return not any(mark in reference for mark in _PATH_MARKS)
