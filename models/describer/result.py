"""What scoring a describer gives to those who write it down."""

from dataclasses import dataclass

from models.describer.examples import Example
from models.describer.scorecard import DescribedPass
from models.scores.scorecard import Metric


@dataclass(frozen=True, slots=True)
class DescriberResult:
    """Every way of answering the same questions, and what was tried beside them."""

    passes: tuple[DescribedPass, ...]
    """The words of the describer first, then controls, the template, and what it is compared with."""
    caught: tuple[Metric, ...]
    """Of mistakes that were put into true answers."""
    facts: tuple[dict[str, str], ...]
    """Per describer: name, version, hash, training."""
    scenes: int
    lakes: int
    examples: tuple[Example, ...]
