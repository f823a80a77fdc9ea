"""Which chips a step sees: lakes and dry ground in a fixed ratio, drawn with a seed, and able to go on where it stopped."""

from collections.abc import Iterator
from typing import Final, TypedDict

import numpy as np
from numpy.typing import NDArray

from catalog.facts.errors import ChipsUnusable, RecipeWrong

POSITIVE_SHARE: Final = 0.002
"""Share of a chip under water from which it counts as one with a lake: about 100 of 50 176 pixels, one hectare."""


class SamplerState(TypedDict):
    """Where a sampler stands; plain numbers, so that any format can hold it."""

    seed: int
    epoch: int
    position: int
    chips: int


def chip_weights(positive: NDArray[np.bool_], ratio: float) -> NDArray[np.float64]:
    """Chance of each chip, summing to 1, so that chips with a lake are drawn `ratio` times as often as those without.

    Uniform when all chips are of one kind. Raises RecipeWrong for a ratio that is not above 0, ChipsUnusable without any chip.
    """
    if not ratio > 0 or not np.isfinite(ratio):
        raise RecipeWrong(f"Chips with and without a lake cannot be drawn {ratio:g} to 1: choose a ratio above 0.")
    count, lakes = len(positive), int(np.count_nonzero(positive))
    if count == 0:
        raise ChipsUnusable("No chip to draw from: the split is empty; cut chips for it or choose another split.")
    if lakes in (0, count):
        return np.full(count, 1.0 / count)
    weights = np.where(positive, ratio / lakes, 1.0 / (count - lakes))
    return np.asarray(weights / weights.sum(), np.float64)


class ChipSampler:
    """Draws chips with replacement; an epoch is as many draws as there are chips, and depends on the seed and its number alone."""

    def __init__(self, weights: NDArray[np.float64], seed: int) -> None:
        """Start before the first draw of epoch 0; weights as `chip_weights` returns them."""
        if len(weights) == 0:
            raise ChipsUnusable("No chip to draw from: the split is empty; cut chips for it or choose another split.")
        self._weights = weights
        self._seed = seed
        self._epoch = 0
        self._position = 0
        self._order = self._draws(0)

    def __len__(self) -> int:
        """Count the draws of an epoch."""
        return len(self._weights)

    @property
    def epoch(self) -> int:
        """Number of the epoch that the next draw belongs to."""
        return self._epoch

    def batch(self, size: int) -> NDArray[np.int64]:
        """Next `size` chips; the rest of an epoch that does not fill a batch is left out, unless the epoch is smaller than a batch."""
        if size < 1:
            raise RecipeWrong(f"A batch of {size} chips cannot be drawn: choose 1 or more.")
        if self._position and self._position + size > len(self):
            self.next_epoch()
        chosen = self._order[self._position : self._position + size]
        self._position += size
        # at once, so that a state taken after the last batch of an epoch says that the next one begins
        if self._position + size > len(self):
            self.next_epoch()
        return chosen

    def epoch_batches(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Batches that are left of this epoch; it ends at the start of the next one."""
        epoch = self._epoch
        while self._epoch == epoch:
            yield self.batch(size)

    def next_epoch(self) -> None:
        """Leave the rest of this epoch."""
        self._epoch, self._position = self._epoch + 1, 0
        self._order = self._draws(self._epoch)

    def state(self) -> SamplerState:
        """Say where the sampler stands, in the middle of an epoch too."""
        return SamplerState(seed=self._seed, epoch=self._epoch, position=self._position, chips=len(self))

    def restore(self, state: SamplerState) -> None:
        """Go on from a state; raises ChipsUnusable when it was taken over another number of chips."""
        if state["chips"] != len(self):
            raise ChipsUnusable(
                f"The run stopped with {state['chips']} chips to draw from and there are {len(self)} now: "
                "resume with the same chips, or start a new run from the weights."
            )
        elsewhere = (state["seed"], state["epoch"]) != (self._seed, self._epoch)
        self._seed, self._epoch, self._position = state["seed"], state["epoch"], state["position"]
        if elsewhere:
            self._order = self._draws(self._epoch)

    def _draws(self, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng([self._seed, epoch]).choice(len(self), len(self), replace=True, p=self._weights)
