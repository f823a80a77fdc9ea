"""Why a unit is not what a run would make now: its recorded inputs beside those of today, in words."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from catalog.facts.backfills import Reason, Why
from catalog.facts.causes import State
from catalog.facts.fingerprints import as_recorded
from catalog.facts.records import Outcome, Unit

_OPEN: Final = "?"
_SHOWN: Final = 3
"""Names that a sentence lists before it counts the rest."""
_HASH: Final = 8
"""Digits of a hash that a sentence shows."""
_CHOICE: Final = 4
"""Entries of a row of the stage `scenes`: ID, etag, used, refused because."""
_OF_MODEL: Final = ("model", "model_sha256", "models", "card", "stride_px", "score_floor")
_WHY: Final[Mapping[str, Why]] = MappingProxyType(
    {
        "stage": "new code",
        "edits": "edits",
        "providers": "new scenes",
        "options": "new options",
        "threshold": "new options",
        "min_overlap": "new options",
        "rule": "new options",
        "glaciers": "new options",
    }
)
"""Key of the inputs -> why the unit is done when it differs; any other key holds products of earlier stages."""


def open_promise(unit: Unit) -> str:
    """Return what stands for bytes, or a choice, that nobody can know before that unit is done."""
    return f"{_OPEN}{unit.stage} {unit.tile}"


def open_in(value: Any) -> Iterator[str]:
    """Every unit, as `<stage> <tile>`, that something waits for."""
    if isinstance(value, str):
        if value.startswith(_OPEN):
            yield value.removeprefix(_OPEN)
    elif isinstance(value, Mapping):
        for part in (*value.keys(), *value.values()):
            yield from open_in(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from open_in(part)


def differs_for_sure(recorded: Outcome, inputs: Mapping[str, Any], refused: Collection[str] = ()) -> tuple[Reason, ...]:
    """Return why the inputs differ from the recorded ones, whatever the units that are still open turn out to be.

    `refused`: scenes that the operator refused, and which are gone for no other reason.
    """
    now, before = as_recorded(inputs), as_recorded(recorded.inputs)
    found = [*_of_model(before, now)]
    for key in sorted({*now, *before} - set(_OF_MODEL)):
        old, new = before.get(key), now.get(key)
        if not _same(old, new):
            found += _of_scenes(old or [], new or [], refused) if key == "scenes" else _reasons(key, old, new)
    if recorded.state == State.UNOBSERVED:
        found = [Reason("unobserved", reason.detail) if reason.why == "new scenes" else reason for reason in found]
    return tuple(dict.fromkeys(found))


def _reasons(key: str, old: Any, new: Any) -> Iterator[Reason]:
    if key == "edits":
        yield Reason("edits", "edits were made, changed or taken back")
    elif key == "chips":
        yield Reason("new options", "other chips of the tile are mapped")
    elif key == "skipped":
        yield Reason("new options", f"skipped because {new}" if new else f"no longer skipped because {old}")
    elif key == "complete":
        yield Reason("stale", "tiles had failed when it was made")
    elif key in _WHY:
        yield Reason(_WHY[key], ", ".join(_values(key, old, new)))
    else:
        yield Reason("stale", _products(old, new))


def _of_model(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Reason]:
    if all(_same(before.get(key), now.get(key)) for key in _OF_MODEL):
        return
    if before.get("model") or now.get("model"):
        yield Reason("new weights", f"{_model(before)} -> {_model(now)}")
    else:
        yield Reason("new weights", "the model's card or hash differs")


def _model(inputs: Mapping[str, Any]) -> str:
    return f"{inputs.get('model', 'none')} (sha256 {str(inputs.get('model_sha256', ''))[:_HASH]})"


def _of_scenes(old: Sequence[Sequence[Any]], new: Sequence[Sequence[Any]], refused: Collection[str]) -> Iterator[Reason]:
    before, now = ({str(row[0]): row for row in rows} for rows in (old, new))
    added, gone = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
    other = [name for name in sorted(now.keys() & before.keys()) if not _same(before[name], now[name])]
    replaced = [name for name in other if _replaced(before[name], now[name])]
    chosen = any(len(row) > _CHOICE for row in (*old, *new))
    if added:
        yield Reason("new scenes", f"used now: {_names(added)}" if chosen else _names(added))
    if unwanted := [name for name in gone if name in refused]:
        yield Reason("new options", f"refused by the operator: {_names(unwanted)}")
    if gone := [name for name in gone if name not in refused]:
        yield Reason("new scenes", f"not {'used' if chosen else 'in the catalog'} any more: {_names(gone)}")
    if replaced:
        yield Reason("new scenes", f"replaced in the catalog: {_names(replaced)}")
    if not (added or gone or unwanted or replaced):
        yield from _of_verdicts(before, now, other)
    if not (added or gone or unwanted or other):
        yield Reason("new scenes", "the catalog lists them in another order")


def _of_verdicts(before: Mapping[str, Sequence[Any]], now: Mapping[str, Sequence[Any]], names: Sequence[str]) -> Iterator[Reason]:
    """One reason per kind of change, in the order in which the scenes are named."""
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(f"{_verdict(before[name])} -> {_verdict(now[name])}", []).append(name)
    for kind, of in kinds.items():
        yield Reason("new options", f"{kind}: {_names(of)}")


def _replaced(old: Sequence[Any], new: Sequence[Any]) -> bool:
    # a row of a choice ends with what was decided; all else is of the scene
    choice = len(old) == len(new) == _CHOICE and isinstance(old[2], bool)
    return not _same(old[:2], new[:2]) if choice else True


def _verdict(row: Sequence[Any]) -> str:
    return "used" if row[2] else str(row[3])


def _values(key: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            if not _same(old.get(name), new.get(name)):
                yield from _values(name, old.get(name), new.get(name))
    else:
        yield f"{key} {old} -> {new}"


def _products(old: Any, new: Any) -> str:
    before, now = (dict(_leaves(value)) for value in (old, new))
    changed = sorted(name for name in {*before, *now} if not _same(before.get(name), now.get(name)) and not list(open_in(name)))
    return f"made anew since: {_names(changed)}" if changed else "made from other products than there are now"


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, str(key))
    elif value is not None:
        yield name, value


def _same(old: Any, new: Any) -> bool:
    """Whether both are, or may turn out to be, the same: what is open is like anything."""
    if isinstance(new, str) and new.startswith(_OPEN):
        return True
    if isinstance(new, Mapping):
        if any(str(key).startswith(_OPEN) for key in new):
            return True
        return isinstance(old, Mapping) and old.keys() <= new.keys() and all(_same(old.get(key), new[key]) for key in new)
    if isinstance(new, list):
        return isinstance(old, list) and len(old) == len(new) and all(_same(*pair) for pair in zip(old, new, strict=True))
    return bool(old == new)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
