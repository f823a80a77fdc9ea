"""Events that were found against events that happened."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DELAY_YEARS = 1
"""A year with too few looks may hide an event until the next one."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to which features, and when it shows first."""

    kind: str
    year: int
    features: frozenset[str]
    """IDs of parents and children."""


@dataclass(frozen=True, slots=True)
class EventScores:
    """Events per kind that happened, that were found among them, and that were reported in all."""

    happened: Mapping[str, int]
    found: Mapping[str, int]
    reported: Mapping[str, int]


def score_events(reported: Sequence[Event], happened: Sequence[Event]) -> EventScores:
    """Pair events of one kind that share a feature and lie at most a year apart, each used once; IDs must be the truth's on both sides."""
    left = list(reported)
    found: Counter[str] = Counter()
    for event in sorted(happened, key=lambda event: (event.year, event.kind, sorted(event.features))):
        near = (e for e in left if e.kind == event.kind and e.features & event.features and 0 <= e.year - event.year <= DELAY_YEARS)
        pair = min(near, key=lambda e: e.year, default=None)
        if pair is not None:
            left.remove(pair)
            found[event.kind] += 1
    counts = (Counter(event.kind for event in events) for events in (happened, reported))
    of_happened, of_reported = counts
    return EventScores(dict(of_happened), dict(found), dict(of_reported))
