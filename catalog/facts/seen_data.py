"""Data by seeds, and which of them weights have seen: nothing of it may be used to score them."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from catalog.facts.errors import ChipsUnusable, WrongCall

SIMULATED: Final = "simulated:"
"""Data by seeds: `simulated:0-1999` are chips that are drawn anew from them."""
_SEEDS: Final = re.compile(rf"{SIMULATED}(\d+)-(\d+)")


class HasSeen(Protocol):
    """A card that tells what its weights were trained and chosen on."""

    @property
    def name(self) -> str:
        """Of the weights."""
        ...

    @property
    def data(self) -> tuple[str, ...]:
        """Folders of chips, `simulated:FIRST-LAST`."""
        ...

    @property
    def trained_on(self) -> str:
        """The same in words."""
        ...


def seeds_of(source: str) -> range:
    """Seeds of `simulated:FIRST-LAST`; raises ChipsUnusable for anything else."""
    found = _SEEDS.fullmatch(source)
    if found is None or int(found[1]) >= int(found[2]):
        raise ChipsUnusable(f"{source!r} names no simulated chips: write for example {SIMULATED}0-1999.")
    return range(int(found[1]), int(found[2]) + 1)


def refuse_seen(card: HasSeen, data: Sequence[str]) -> None:
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


def _seen(card: HasSeen) -> Iterator[range]:
    """Seeds in the data of a card, and in its words: cards are older than the field."""
    for first, last in _SEEDS.findall(" ".join((*card.data, card.trained_on))):
        yield range(int(first), int(last) + 1)
