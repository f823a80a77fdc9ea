"""A network asked about chips: what calibration, evaluation and training read."""

import numpy as np
from numpy.typing import NDArray
from torch import nn

from catalog.facts.cards import WeightsCard
from catalog.facts.chips import ChipBatch
from catalog.facts.errors import BandsMissing
from models.segmenter.passes import InferenceOptions, Passes, averaged

ON_CPU = InferenceOptions()


def predict_chips(
    network: nn.Module | Passes,
    card: WeightsCard,
    batch: ChipBatch,
    modalities: frozenset[str] | None = None,
    options: InferenceOptions = ON_CPU,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return logits and spread, both (N, y, x): logits are not yet divided by the card's temperature, the spread is that of
    calibrated probabilities and 0 without flips.

    `modalities` are the names in `normalise.MODALITIES` that may be looked at; None is all that the network knows. A chip
    that holds none of them gets `NOTHING_SEEN`. Whoever asks about many batches hands over a `Passes`, made once (`options`
    are then those it was made with). Raises BandsMissing for modalities that the network does not know.
    """
    known = frozenset(card.network.modalities)
    shown = known if modalities is None else modalities
    if not shown or not shown <= known:
        raise BandsMissing(
            f"{card.name} looks at {', '.join(sorted(known))} and was asked to use {', '.join(sorted(shown)) or 'nothing'}: name some it knows."
        )
    passes = network if isinstance(network, Passes) else Passes(network, options)
    members = passes.members_of((batch.s2, batch.s1, batch.dem), card.statistics, shown)
    logits, spread = averaged(members, card.temperature)
    return logits.cpu().numpy(), spread.cpu().numpy()
