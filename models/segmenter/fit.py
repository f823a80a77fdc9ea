"""The loop of a training: steps, validations, when to stop, and what is left at the end."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from catalog.facts.chips import ChipBatch
from models.scores.pixels import PixelCounts
from models.segmenter.sampler import ChipSampler
from models.segmenter.training import StepReport, Training

Weights = dict[str, Tensor]
ReadChips = Callable[[NDArray[np.int64]], ChipBatch]
Validate = Callable[[Weights], PixelCounts]


@dataclass(frozen=True, slots=True)
class Validated:
    """Weights that were scored on the validation split."""

    step: int
    counts: PixelCounts
    weights: Weights
    best: bool
    """Better than all before."""

    @property
    def score(self) -> float:
        """Global IoU, the metric by which weights are chosen and which is reported; 0 where nothing is true or predicted."""
        return float(np.nan_to_num(self.counts.iou))


@dataclass(slots=True)
class Course:
    """Where a run stands besides the weights; plain numbers, kept in its checkpoint."""

    best_score: float = -1.0
    best_step: int = -1
    stale: int = 0
    """Validations since the best."""
    history: list[dict[str, float]] = field(default_factory=list)

    def state(self) -> dict[str, Any]:
        """Return the numbers."""
        return {"best_score": self.best_score, "best_step": self.best_step, "stale": self.stale, "history": list(self.history)}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the numbers back."""
        self.best_score, self.best_step, self.stale = state["best_score"], state["best_step"], state["stale"]
        self.history = list(state["history"])


def fit(training: Training, sampler: ChipSampler, course: Course, read: ReadChips, validate: Validate) -> Iterator[StepReport | Validated]:
    """Train until the steps are done or the score has not risen for as many validations as the recipe allows.

    The sampler stands exactly behind the batches of the last step whenever a value is given out, so that a checkpoint taken
    there resumes without repeating or losing a chip.
    """
    steps = training.recipe.steps
    with ThreadPoolExecutor(1, thread_name_prefix="chips") as reader:
        ahead = _Ahead(reader, sampler, read, steps.batch_size, steps.accumulate)
        while training.step_number < steps.total and course.stale < steps.patience:
            batches = ahead.take(more=training.step_number + 1 < steps.total)
            yield training.step(batches)
            if training.step_number % steps.validate_every == 0 or training.step_number == steps.total:
                yield _validated(training, course, validate)


def _validated(training: Training, course: Course, validate: Validate) -> Validated:
    weights = training.weights()
    result = Validated(training.step_number, validate(weights), weights, best=False)
    best = result.score > course.best_score
    course.stale = 0 if best else course.stale + 1
    if best:
        course.best_score, course.best_step = result.score, result.step
    course.history.append({"step": float(result.step), "val_iou": result.score})
    return Validated(result.step, result.counts, weights, best)


class _Ahead:
    """Reads the chips of the next step while this one computes; the sampler is moved on only when they are taken."""

    def __init__(self, reader: ThreadPoolExecutor, sampler: ChipSampler, read: ReadChips, size: int, count: int) -> None:
        self._reader, self._sampler, self._read, self._size, self._count = reader, sampler, read, size, count
        self._waiting = self._submit()

    def take(self, *, more: bool) -> list[ChipBatch]:
        """Batches of the next step."""
        futures, state = self._waiting
        self._sampler.restore(state)
        batches = [future.result() for future in futures]
        if more:
            self._waiting = self._submit()
        return batches

    def _submit(self) -> tuple[list[Future[ChipBatch]], Any]:
        before = self._sampler.state()
        futures = [self._reader.submit(self._read, self._sampler.batch(self._size)) for _ in range(self._count)]
        after = self._sampler.state()
        self._sampler.restore(before)
        return futures, after
