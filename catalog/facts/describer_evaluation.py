"""Which describer is to be scored, on which scenes, and where the scores go."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from catalog.facts.describer_cards import DescriberCard
from catalog.facts.errors import ChipsUnusable, WrongCall

SIMULATED: Final = "simulated:"
"""Data by seeds: `simulated:0-1999` are chips that are drawn anew from them."""
GENERATED: Final = "generated"
TEACHER_FORCED: Final = "teacher_forced"
CONTROLS: Final = ("other_question", "constant_question", "blind")
"""What is taken away: the question (another scene's, or one for all), or the image of the language path."""
BY_RULE: Final = "by_rule"
"""Lakes by a water index, words by template: what no network is needed for."""
CONSTANT_PROMPT: Final = "constant_prompt"
"""The encoder and decoder of a describer without its language path: masks alone, and the same one for every question."""
_SEEDS: Final = re.compile(rf"{SIMULATED}(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class DescriberEvaluation:
    """One call of `evaluate describe`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    weights: str
    """A name, folder, file or address of a describer's weights."""
    data: tuple[str, ...]
    """Folders of chips, or `simulated:FIRST-LAST`."""
    out: str
    split: str = "test"
    """Of folders of chips; simulated scenes are all scored."""
    against: str | None = None
    """A second describer on the same scenes, for example one without a language path."""
    controls: bool = True
    """Score without the question and without the image, and by true words, too."""
    min_area_m2: float = 5_000.0
    """Smaller lakes are not asked for."""
    device: str | None = None
    """`auto`, `cpu`, `cuda` or `cuda:N`; None: as the environment says."""
    cache: str = ""
    """Folder of weights that were fetched; set by the flow."""


def seeds_of(source: str) -> range:
    """Seeds of `simulated:FIRST-LAST`; raises ChipsUnusable for anything else."""
    found = _SEEDS.fullmatch(source)
    if found is None or int(found[1]) >= int(found[2]):
        raise ChipsUnusable(f"{source!r} names no simulated chips: write for example {SIMULATED}0-1999.")
    return range(int(found[1]), int(found[2]) + 1)


def refuse_seen(card: DescriberCard, data: Sequence[str]) -> None:
    """Raise WrongCall for simulated scenes that weights were trained or chosen on."""
    for source in data:
        asked = seeds_of(source) if source.startswith(SIMULATED) else range(0)
        for known in _seen(card):
            first, last = max(asked.start, known.start), min(asked.stop, known.stop) - 1
            if first <= last:
                raise WrongCall(
                    f"{source}: {card.name} was trained or chosen on seeds {known.start} to {known.stop - 1}, so that {first} to {last} say "
                    f"nothing about new scenes; name seeds from {max(seeds.stop for seeds in _seen(card))} on."
                )


def _seen(card: DescriberCard) -> Iterator[range]:
    """Seeds in the data of a card, and in its words: cards are older than the field."""
    for first, last in _SEEDS.findall(" ".join((*card.data, card.trained_on))):
        yield range(int(first), int(last) + 1)
