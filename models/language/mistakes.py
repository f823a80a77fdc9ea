"""True claims made false by rule: what a check of words has to catch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from catalog.facts.scene_facts import MANY, QUADRANTS, SIZES, Place
from models.language.sentences import Claim
from models.language.slots import Value

Claims = tuple[Claim, ...]
INVENTED: Final = "lake invented"
_LISTING: Final = ("lake", "lake_at")
_COMPARING: Final = ("larger", "equal")


def mistakes(claims: Sequence[Claim]) -> Iterator[tuple[str, Claims]]:
    """Every way in which one claim of a true answer is made false, with its name; the others stay as they are.

    Lakes that are left out are no mistake of this kind: nothing that is said is false then.
    """
    own = tuple(claims)
    for number, claim in enumerate(own):
        for slot, value in claim.values.items():
            if slot == "place" and claim.kind in _COMPARING:
                # what is said of other lakes may be true of them
                continue
            for name, wrong in _WRONG.get(slot, _none)(value):
                yield name, (*own[:number], Claim(claim.kind, {**claim.values, slot: wrong}), *own[number + 1 :])
        if claim.kind == "larger":
            turned = {**claim.values, "place": claim.values["other"], "other": claim.values["place"]}
            yield "larger and smaller exchanged", (*own[:number], Claim(claim.kind, turned), *own[number + 1 :])
    last = next((claim for claim in reversed(own) if claim.kind in _LISTING), None)
    if last is not None:
        yield INVENTED, (*own, last)


Wrong = Iterator[tuple[str, Value]]


def _none(_: Value) -> Wrong:
    return iter(())


def _count(value: Value) -> Wrong:
    assert isinstance(value, int)
    for other in (value - 1, value + 1):
        if 0 <= other <= MANY:
            yield "count off by one", other


def _difference(value: Value) -> Wrong:
    return ((name, other) for name, other in _count(value) if other)


def _place(value: Value) -> Wrong:
    assert isinstance(value, Place)
    for quadrant in QUADRANTS:
        if quadrant != value.quadrant:
            yield "lake moved", Place(quadrant, None if quadrant == "center" else value.near is True)
    if value.near is not None:
        yield "near and far exchanged", Place(value.quadrant, not value.near)


def _size(value: Value) -> Wrong:
    return (("size changed", size) for size in SIZES if size != value)


def _answer(value: Value) -> Wrong:
    yield "yes and no exchanged", "no" if value == "yes" else "yes"


def _share(value: Value) -> Wrong:
    assert isinstance(value, int | float)
    yield "point moved", round(value + (0.2 if value < 0.5 else -0.2), 2)


def _degrees(value: Value) -> Wrong:
    assert isinstance(value, int | float)
    yield "coordinate changed", value + 0.5


def _metres(value: Value) -> Wrong:
    assert isinstance(value, int | float)
    yield "elevation changed", value + 100


_WRONG: Final[Mapping[str, Callable[[Value], Wrong]]] = MappingProxyType(
    {
        "lakes": _count,
        "more": _difference,
        "place": _place,
        "size": _size,
        "answer": _answer,
        "across": _share,
        "down": _share,
        "latitude": _degrees,
        "longitude": _degrees,
        "metres": _metres,
    }
)
"""By slot. The largest lake called the smallest is left out: in a scene of one size both are true."""
