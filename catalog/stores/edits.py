"""Edits as a GeoJSON file that people and QGIS may write too, and what became of them as a table."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import shapely

from catalog.facts.edits import ACTIONS, EDITS_STATUS, Edit, Verdict, edits_of_year
from catalog.facts.errors import WrongCall
from catalog.facts.records import Target, Unit
from catalog.stores import ledger
from catalog.stores.files import write_if_changed
from catalog.stores.jobs import REGION_UNIT
from catalog.stores.store import Store
from catalog.stores.tables import put_table, read_table

_DRAWN: Final = frozenset({"redraw", "draw"})
_PLAIN: Final = ("number", "action", "year", "feature_id", "reason", "author", "date", "seen_area_m2")
_POLYGONAL: Final = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_STAGE: Final = "inventory"
"""The stage that applies edits."""
_DIGITS: Final = 7
"""Decimals of degrees in written outlines: a centimetre."""


def read_edits(store: Store, target: Target, region: str) -> tuple[Edit, ...]:
    """Return the edits of a region by number; none when there is no file. Raises WrongCall that names the feature that is wrong."""
    path = store.edits(target, region)
    if not path.is_file():
        return ()
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise WrongCall(f"{path}: not a GeoJSON FeatureCollection ({error!r}). Mend it, or restore it from a copy.") from error
    numbers = iter(_free_numbers(features))
    edits = [_edit(path, place, feature, numbers) for place, feature in enumerate(features, start=1)]
    seen: set[int] = set()
    for edit in edits:
        if edit.number in seen:
            raise WrongCall(f"{path}: two edits have number {edit.number}. Delete the number of one; it gets the next free one.")
        seen.add(edit.number)
    return tuple(sorted(edits, key=lambda edit: edit.number))


def write_edits(store: Store, target: Target, region: str, edits: Sequence[Edit]) -> Path:
    """Write the edits of a region, one feature a line, whole or not at all."""
    path = store.edits(target, region)
    lines = ",\n".join(json.dumps(_feature(edit), ensure_ascii=False) for edit in sorted(edits, key=lambda edit: edit.number))
    write_if_changed(path, f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'.encode())
    return path


def next_number(edits: Iterable[Edit]) -> int:
    """Return the number of the next edit: one more than the highest."""
    return max((edit.number for edit in edits), default=0) + 1


def edits_fingerprint(edits: Sequence[Edit], year: int) -> str | None:
    """Return a hash of the edits that speak for a year; None when there are none, so that nothing changes where nobody edited."""
    speaking = edits_of_year(edits, year)
    if not speaking:
        return None
    text = json.dumps([asdict(edit) for edit in speaking], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def write_status(store: Store, target: Target, region: str, year: int, verdicts: Sequence[Verdict]) -> tuple[Path, ...]:
    """Write what became of the edits of a year; return the file, or nothing when no edit speaks for it."""
    path = store.edits_status(target, region, year)
    if not verdicts:
        path.unlink(missing_ok=True)
        return ()
    table = pa.Table.from_pylist([asdict(verdict) for verdict in verdicts], schema=EDITS_STATUS)
    put_table(path, table, EDITS_STATUS, provenance={"region": region, "year": year})
    return (path,)


def read_status(store: Store, target: Target, region: str, year: int) -> tuple[Verdict, ...]:
    """Return what became of the edits of a year when its inventory was last written."""
    path = store.edits_status(target, region, year)
    return tuple(Verdict(**row) for row in read_table(path).to_pylist()) if path.is_file() else ()


def warnings_of(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Return one sentence per edit that needs a person."""
    conflicts = [verdict for verdict in verdicts if verdict.state == "conflict"]
    return tuple(f"edit {v.edit} ({v.action} {v.feature_id}): {v.message}".replace(" )", ")") for v in conflicts)


def pending(store: Store, target: Target, region: str, year: int) -> bool:
    """Say whether the inventory of a year was written with other edits than there are now."""
    record = ledger.find(store, Unit(region, year, REGION_UNIT, _STAGE))
    return (record.inputs.get("edits") if record else None) != edits_fingerprint(read_edits(store, target, region), year)


def edit_counts(store: Store, target: Target, region: str, year: int) -> dict[str, int]:
    """Return how many edits of a year are in each state, `pending` all of them while the inventory was written with others."""
    if pending(store, target, region, year):
        return {"pending": len(edits_of_year(read_edits(store, target, region), year))}
    return dict(sorted(Counter(verdict.state for verdict in read_status(store, target, region, year)).items()))


def _free_numbers(features: Sequence[Mapping[str, Any]]) -> Iterable[int]:
    taken = {int(number) for f in features if (number := (f.get("properties") or {}).get("number")) not in (None, "")}
    start = max(taken, default=0) + 1
    return range(start, start + len(features))


def _edit(path: Path, place: int, feature: Mapping[str, Any], numbers: Iterator[int]) -> Edit:
    known = dict(feature.get("properties") or {})
    where = f"{path}: feature {place}"
    action, geometry = str(known.get("action") or ""), _geometry(where, feature.get("geometry"))
    if action not in ACTIONS:
        raise WrongCall(f"{where}: action {action!r}. Write one of {', '.join(ACTIONS)}.")
    if action in _DRAWN:
        geometry = _outline(where, action, geometry)
    if action != "draw" and not known.get("feature_id"):
        raise WrongCall(f"{where}: {action} names no feature_id. Write the name of the feature as the inventory has it.")
    number = known.get("number")
    try:
        return Edit(
            number=next(numbers) if number in (None, "") else int(float(number)),
            action=action,
            year=None if known.get("year") in (None, "") else int(float(known["year"])),
            feature_id="" if action == "draw" else str(known["feature_id"]),
            **{name: str(known.get(name) or "") for name in ("reason", "author", "date")},
            geometry_wkt=_wkt(geometry),
            seen_area_m2=None if known.get("seen_area_m2") in (None, "") else float(known["seen_area_m2"]),
            seen_outline_wkt=_seen(where, known.get("seen_outline")),
        )
    except (TypeError, ValueError) as error:
        raise WrongCall(f"{where}: {error}. Year, number and seen_area_m2 are plain numbers, or null.") from error


def _geometry(where: str, geometry: Mapping[str, Any] | None) -> shapely.Geometry | None:
    try:
        return None if geometry is None else shapely.from_geojson(json.dumps(geometry))
    except shapely.errors.GEOSException as error:
        raise WrongCall(f"{where}: not a geometry ({error}). Draw it again.") from error


def _outline(where: str, action: str, geometry: shapely.Geometry | None) -> shapely.Geometry:
    outline = outline_of(geometry)
    if outline is None:
        raise WrongCall(f"{where}: {action} needs a polygon in EPSG:4326. Draw the outline, or choose another action.")
    return outline


def outline_of(geometry: shapely.Geometry | None) -> shapely.Geometry | None:
    """Return the valid polygon or multipolygon of what a person drew; None when it holds no area."""
    if geometry is None:
        return None
    valid = shapely.force_2d(geometry if shapely.is_valid(geometry) else shapely.make_valid(geometry))
    if shapely.get_type_id(valid) in _POLYGONAL:
        return valid if shapely.area(valid) > 0 else None
    parts = shapely.get_parts(shapely.get_parts(valid))
    solid = parts[shapely.area(parts) > 0]
    return shapely.union_all(solid) if len(solid) else None


def _seen(where: str, text: Any) -> str:
    if not text:
        return ""
    try:
        return _wkt(shapely.from_wkt(str(text)))
    except shapely.errors.GEOSException as error:
        raise WrongCall(f"{where}: seen_outline is not WKT ({error}). Restore it, or leave it empty.") from error


def _wkt(geometry: shapely.Geometry | None) -> str:
    return "" if geometry is None or shapely.is_empty(geometry) else str(shapely.to_wkt(geometry, rounding_precision=_DIGITS))


def _feature(edit: Edit) -> dict[str, Any]:
    fields = asdict(edit)
    geometry = json.loads(shapely.to_geojson(edit.geometry)) if edit.geometry_wkt else None
    properties = {name: fields[name] for name in _PLAIN} | {"seen_outline": edit.seen_outline_wkt}
    return {"type": "Feature", "properties": properties, "geometry": geometry}
