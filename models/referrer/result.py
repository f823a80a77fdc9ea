"""What scoring a referrer gives to those who write it down."""

from dataclasses import dataclass

from models.referrer.examples import Example
from models.referrer.scorecard import ReferredPass
from models.scores.scorecard import Metric


@dataclass(frozen=True, slots=True)
class Difference:
    """One pass against another of the same scenes."""

    title: str
    """`A minus B`."""
    subset: str
    metrics: tuple[Metric, ...]

    def get(self, group: str, metric: str) -> Metric | None:
        """The difference of a figure by its name."""
        return next((each for each in self.metrics if (each.group, each.metric) == (group, f"{metric}_gain")), None)


@dataclass(frozen=True, slots=True)
class ReferrerResult:
    """Every way of answering the same questions, and what was tried beside them."""

    passes: tuple[ReferredPass, ...]
    """The words of the referrer first, then controls, the rule, and what it is compared with."""
    differences: tuple[Difference, ...]
    facts: tuple[dict[str, str], ...]
    """Per referrer: name, version, hash, training."""
    scenes: int
    left_out: int
    """Scenes that hold nothing, or more than phrases can tell apart."""
    features: int
    examples: tuple[Example, ...]
