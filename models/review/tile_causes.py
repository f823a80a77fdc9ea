"""What differs on the road to a tile's outlines in two stores: first scenes and surface, then the model, then the outline."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from catalog.facts.causes import State
from catalog.facts.differences import CauseOfDifference, Difference
from catalog.facts.records import Outcome

Records = Mapping[str, Outcome]
"""Stage -> record of one tile, or of all tiles under a feature where tilings differ."""
SEEN: Final = ("segment", "detect")
"""Stages in which a model looks."""
LAST: Final = ("outline", "detect")
"""Last stage of a tile, of lakes and of slumps."""
_SCENE_FIELDS: Final = ("collection", "baseline", "offset", "item")
_CARRIED: Final = frozenset({"stage", "surfaces", "probability", "model", "model_sha256"})


def tile_differences(tile: str, a: Records, b: Records, *, other_year: bool) -> tuple[Difference, ...]:
    """Return what differs, in the order of the road; nothing when the tile's outlines are byte for byte the same."""
    if not a and not b:
        return ()
    last = next((stage for stage in LAST if stage in a and stage in b), None)
    if last is not None and not differs(a.get(last), b.get(last)):
        return ()
    return (*_surfaces(tile, a, b, other_year=other_year), *_looks(tile, a, b), *_outlines(a, b))


def differs(a: Outcome | None, b: Outcome | None) -> bool:
    """Say whether the products of two records have other bytes."""
    return _products(a) != _products(b)


def input_differences(stage: str, a: Mapping[str, Any], b: Mapping[str, Any], carried: frozenset[str]) -> Iterator[Difference]:
    """Yield options and versions that differ between the inputs of two records; `carried` are inputs that earlier stages explain."""
    for key in sorted((set(a) | set(b)) - carried - {"stage"}):
        if _given(a.get(key)) != _given(b.get(key)):
            yield Difference(stage, "options", f"{stage}: {_option(key, a.get(key), b.get(key))}")
    if a.get("stage") != b.get("stage"):
        yield Difference(stage, "code", f"code of {a.get('stage')} became {b.get('stage')}")


def _given(value: Any) -> Any:
    # an option that a newer version knows and nobody used is no difference
    return None if value in ("", [], {}, ()) else value


def _products(outcome: Outcome | None) -> dict[str, str]:
    """Checksums of products by what they are: paths hold the year, and places of shards hang on the region."""
    outputs = outcome.outputs if outcome is not None else {}
    return {path.split(".zarr/", 1)[1].split("/c/")[0] if ".zarr/" in path else "": promise for path, promise in outputs.items()}


def _option(key: str, a: Any, b: Any) -> str:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return ", ".join(f"{name} {a.get(name)} -> {b.get(name)}" for name in sorted({*a, *b}) if a.get(name) != b.get(name))
    if key == "chips":
        return "other chips of the tile are mapped"
    return f"{key} {a if a is not None else 'none'} -> {b if b is not None else 'none'}"


def _surfaces(tile: str, a: Records, b: Records, *, other_year: bool) -> Iterator[Difference]:
    one, other = a.get("surface"), b.get("surface")
    if one is None or other is None:
        if (one is None) != (other is None):
            yield _unbuilt(tile, a, b)
        return
    if not differs(one, other):
        return
    if other_year:
        yield Difference("surface", "year", "another year: other scenes and other ground")
    found = [] if other_year else [*_scenes(a, b)]
    carried = frozenset({"scenes", "chips"} if other_year else {"scenes"})
    found += input_differences("surface", one.inputs, other.inputs, carried)
    failed = next((label for label, outcome in (("A", one), ("B", other)) if outcome.state == State.FAILED), None)
    if failed is not None:
        found.append(Difference("surface", "data", f"a scene could not be read in {failed}"))
    if not found and not other_year:
        found.append(Difference("surface", "unexplained", "surface has other bytes, though everything that went in is equal"))
    yield from found


def _unbuilt(tile: str, a: Records, b: Records) -> Difference:
    for label, records in (("A", a), ("B", b)):
        if "surface" in records:
            continue
        scenes = records.get("scenes")
        if scenes is None:
            return Difference("scenes", "options", f"tile {tile} is not mapped in {label}")
        cause: CauseOfDifference = "options" if scenes.state == State.SKIPPED else "data"
        return Difference("scenes", cause, f"tile has no surface in {label}: {scenes.message or scenes.state}")
    raise AssertionError


def _scenes(a: Records, b: Records) -> Iterator[Difference]:
    one, other = ({row[0]: tuple(row[1:]) for row in records["surface"].inputs.get("scenes", ())} for records in (a, b))
    gone, new = sorted(set(one) - set(other)), sorted(set(other) - set(one))
    if gone or new:
        yield _choice(a, b, gone, new)
    for place, name in enumerate(_SCENE_FIELDS):
        values = [
            (one[scene][place], other[scene][place]) for scene in sorted(set(one) & set(other)) if one[scene][place] != other[scene][place]
        ]
        if values:
            how = " (replaced in place)" if name == "item" else f" ({values[0][0]} -> {values[0][1]})"
            yield Difference("surface", "data", f"other {name} of {_count(len(values), 'scene')}{how}")


def _choice(a: Records, b: Records, gone: list[str], new: list[str]) -> Difference:
    """Scenes that both catalogs offered and only one store used were chosen otherwise; the rest is other data."""
    said = ", ".join(f"{_count(len(ids), 'scene')} {word}" for ids, word in ((new, "more"), (gone, "less")) if ids)
    offered = [{row[0]: row for row in records["scenes"].inputs.get("scenes", ())} if "scenes" in records else {} for records in (a, b)]
    if not all(scene in offered[0] and scene in offered[1] for scene in (*gone, *new)):
        return Difference("scenes", "data", f"{said} in B")
    reasons = sorted({str(row[3]) for scene in (*gone, *new) for row in (offered[0][scene], offered[1][scene]) if row[3]})
    versions = [records["scenes"].inputs.get("stage") for records in (a, b)]
    if versions[0] != versions[1]:
        return Difference(
            "scenes", "code", f"code of {versions[0]} became {versions[1]}: {said} of equal candidates ({', '.join(reasons)})"
        )
    return Difference("scenes", "options", f"{said} of equal candidates ({', '.join(reasons)})")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _looks(tile: str, a: Records, b: Records) -> Iterator[Difference]:
    stage = next((stage for stage in SEEN if stage in a and stage in b), None)
    if stage is None or not differs(a[stage], b[stage]):
        return
    one, other = a[stage].inputs, b[stage].inputs
    found = [*_models(stage, one, other), *input_differences(stage, one, other, _CARRIED)]
    if not found and not differs(a.get("surface"), b.get("surface")):
        found.append(_neighbourhood(stage, tile, one, other))
    yield from found


def _models(stage: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Difference]:
    if one.get("model") != other.get("model"):
        yield Difference(stage, "model", f"model {one.get('model')} -> {other.get('model')}")
    elif one.get("model_sha256") != other.get("model_sha256"):
        yield Difference(stage, "model", f"other weights of model {one.get('model')}")


def _neighbourhood(stage: str, tile: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Difference:
    before, after = one.get("surfaces", {}), other.get("surfaces", {})
    changed = sorted(
        name for name in {*before, *after} - {tile} if sorted(before.get(name, {}).values()) != sorted(after.get(name, {}).values())
    )
    if changed:
        return Difference(stage, "neighbourhood", f"windows reach into {', '.join(changed)}, where the surface differs")
    return Difference(stage, "unexplained", "the model gave other answers on an equal surface")


def _outlines(a: Records, b: Records) -> Iterator[Difference]:
    one, other = a.get("outline"), b.get("outline")
    if one is not None and other is not None:
        yield from input_differences("outline", one.inputs, other.inputs, _CARRIED)
