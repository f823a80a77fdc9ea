"""The score that training watches and reports: global IoU at 0.5 over judged pixels of every chip, as `evaluate lakes` counts it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import nn

from catalog.facts.chips import LABEL_IGNORE, LABEL_SCALE, ChipBatch
from models.scores.pixels import PixelCounts, count_pixels
from models.segmenter.normalise import Statistics
from models.segmenter.passes import InferenceOptions, Passes, averaged
from models.segmenter.samples import samples_of

KEPT_EVERY = 7
"""One judged pixel in seven is enough to fit a temperature; a prime, so that it does not follow the rows."""


@dataclass(slots=True)
class Judged:
    """Logits and labels (coverage, 0..1) of judged pixels, for calibration."""

    logits: list[NDArray[np.float32]] = field(default_factory=list)
    labels: list[NDArray[np.float32]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judge:
    """How weights are validated; the same passes as in the map."""

    statistics: Statistics
    modalities: frozenset[str]
    options: InferenceOptions

    def counts(self, network: nn.Module, batches: Iterable[ChipBatch], keep: Judged | None = None) -> PixelCounts:
        """Count agreement at probability 0.5 over all batches; `keep` receives some judged pixels with their labels."""
        passes, total = Passes(network, self.options), PixelCounts(0, 0, 0, 0)
        for batch in batches:
            samples = samples_of(batch, passes.device)
            logits, _ = averaged(passes.members(samples, self.statistics, self.modalities), 1.0)
            found, judged = logits.cpu().numpy(), samples.judged[:, 0].cpu().numpy()
            label = np.where(batch.label == LABEL_IGNORE, 0, batch.label).astype(np.float32) / np.float32(LABEL_SCALE)
            total += count_pixels(found >= 0, label >= 0.5, judged)
            if keep is not None:
                keep.logits.append(found[judged][::KEPT_EVERY])
                keep.labels.append(label[judged][::KEPT_EVERY])
        return total
