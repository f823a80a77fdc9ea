"""Models by name, with what their users must know."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from catalog.facts.errors import UnknownModel
from models.segmenter.contract import Segmenter
from models.segmenter.indices import IndexModel


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


def model_named(name: str) -> Segmenter:
    """Build the model of that name; raises UnknownModel with the nearest right one."""
    if name not in MODELS:
        near = get_close_matches(name, MODELS, n=1, cutoff=0.0)
        raise UnknownModel(f"No model is called {name!r}: did you mean {near[0]!r}? `cryoatlas models list` shows all.")
    return MODELS[name].make()
