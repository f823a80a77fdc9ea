"""From what a user says about a feature to an edit that remembers what was seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely

from catalog.facts.edits import ACTIONS, Edit
from catalog.facts.errors import WrongCall
from catalog.facts.records import Target
from catalog.stores.edit_files import Row
from catalog.stores.edits import next_number, outline_of
from catalog.stores.identity import read_names
from catalog.stores.jobs import stored_region, years_with
from catalog.stores.store import Store
from models.outlines.geodesy import area_perimeter
from models.outlines.overlaps import overlaps_of

_DRAWN = ("draw", "redraw")


@dataclass(frozen=True)
class Ground:
    """A region of a store, its years and every name with its mapped outlines."""

    store: Store
    region: str
    target: Target

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Years that have an inventory."""
        return years_with(self.store, self.target, self.region)

    @cached_property
    def names(self) -> dict[tuple[str, int], shapely.Geometry]:
        """(name, year) -> outline as mapped (EPSG:4326): what an edit is compared with after a rerun."""
        ids, years, outlines = read_names(self.store.identity(self.target, self.region))
        return dict(zip(zip(ids, years, strict=True), outlines, strict=True))

    def seen(self, feature_id: str, year: int | None) -> tuple[float, str]:
        """Area (m2) and outline (WKT) of a feature in a year, or in its latest year. Raises WrongCall for an unknown name."""
        years = [known for name, known in self.names if name == feature_id and year in (None, known)]
        if not years:
            when = f"in {year}" if year is not None else "in any year"
            raise WrongCall(f"{feature_id}: no feature of that name {when} in {self.region}. `cryoatlas edits template` lists the names.")
        outline = self.names[feature_id, max(years)]
        return float(area_perimeter(np.array([outline], object))[0][0]), str(shapely.to_wkt(outline, rounding_precision=7))

    def at(self, place: shapely.Geometry, year: int | None) -> str:
        """Name of the feature that a point lies in, or that shares most ground with an outline; raises WrongCall where there is none."""
        when = year if year is not None else max(self.years)
        there = {name: outline for (name, known), outline in self.names.items() if known == when}
        outlines = np.array(list(there.values()), dtype=object)
        reached = place if shapely.area(place) > 0 else shapely.buffer(place, 1e-6)
        pairs = overlaps_of(np.array([reached], object), outlines)
        if not pairs.area_m2.size:
            middle = shapely.centroid(place)
            raise WrongCall(f"No feature at {middle.x:.5f}, {middle.y:.5f} in {when}. Name it with feature_id, or draw it.")
        return tuple(there)[int(pairs.right[pairs.area_m2.argmax()])]


def new_edit(ground: Ground, edit: Edit, place: shapely.Geometry | None) -> Edit:
    """Complete an edit: whom it means, what was seen, and that its outline is one. Raises WrongCall with the way out."""
    _require_told(ground, edit)
    if edit.action in _DRAWN:
        edit = replace(edit, geometry_wkt=_drawn(ground, edit, place))
    elif place is not None:
        edit = replace(edit, geometry_wkt=str(shapely.to_wkt(shapely.point_on_surface(place), rounding_precision=7)))
    if edit.action == "draw":
        return replace(edit, feature_id="", seen_area_m2=None, seen_outline_wkt="")
    if not edit.feature_id:
        if place is None:
            raise WrongCall(f"{edit.action}: which feature? Name it with --id, or give a place with --at LON,LAT.")
        edit = replace(edit, feature_id=ground.at(place, edit.year))
    if edit.seen_outline_wkt:
        return edit
    area, outline = ground.seen(edit.feature_id, edit.year)
    return replace(edit, seen_area_m2=round(area, 1), seen_outline_wkt=outline)


def _require_told(ground: Ground, edit: Edit) -> None:
    if edit.action not in ACTIONS:
        raise WrongCall(f"Action {edit.action!r}: write one of {', '.join(ACTIONS)}.")
    if edit.year is not None and edit.year not in ground.years:
        raise WrongCall(f"{ground.region} {edit.year}: no inventory. There are: {', '.join(map(str, ground.years)) or 'none yet'}.")
    if not edit.author or not edit.reason:
        raise WrongCall("An edit needs an author and a reason. Say --author NAME and --reason WHY, or fill in the columns of that name.")


def _drawn(ground: Ground, edit: Edit, place: shapely.Geometry | None) -> str:
    outline = outline_of(place)
    if outline is None:
        raise WrongCall(f"{edit.action} needs a polygon. Give a file that holds it with --outline.")
    if not stored_region(ground.store, ground.region).geometry.intersects(outline):
        raise WrongCall(f"{edit.action}: the outline lies outside {ground.region}. Draw inside the region, with longitude before latitude.")
    return str(shapely.to_wkt(outline, rounding_precision=7))


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file of edits held."""

    new: tuple[Edit, ...]
    known: int
    """Rows that say what the store knows already."""
    forgotten: tuple[str, ...]
    """Rows that look edited and have no action: one sentence each."""


def imported(ground: Ground, rows: Sequence[Row], edits: Sequence[Edit], *, author: str, date: str) -> Imported:
    """Return the new edits of a file; raises WrongCall that names the row that is wrong."""
    known = {replace(edit, number=0, date="") for edit in edits}
    new: list[Edit] = []
    repeated, forgotten = 0, []
    for row in rows:
        if not row.values["action"]:
            forgotten += _forgotten(ground, row)
            continue
        edit = _edit_of(ground, row, author, date)
        if replace(edit, number=0, date="") in known:
            repeated += 1
            continue
        known.add(replace(edit, number=0, date=""))
        new.append(replace(edit, number=next_number([*edits, *new])))
    return Imported(tuple(new), repeated, tuple(forgotten))


def _edit_of(ground: Ground, row: Row, author: str, date: str) -> Edit:
    value = row.values.get
    try:
        seen = value("seen_area_m2")
        edit = Edit(
            number=0,
            action=row.values["action"].lower(),
            year=int(value("year") or 0) or None,
            feature_id=value("feature_id") or "",
            reason=value("reason") or "",
            author=value("author") or author,
            date=value("date") or date,
            seen_area_m2=round(float(seen), 1) if seen else None,
            seen_outline_wkt=value("seen_outline") or "",
        )
        return new_edit(ground, edit, row.geometry)
    except (WrongCall, ValueError) as error:
        raise WrongCall(f"Row {row.place}: {error}") from error


def _forgotten(ground: Ground, row: Row) -> list[str]:
    if row.geometry is None:
        return []
    name, year = row.values.get("feature_id", ""), row.values.get("year", "")
    if not name:
        return [f"row {row.place} has an outline, no name and no action: write `draw` if it is a new feature"]
    seen = row.values.get("seen_outline")
    before = shapely.from_wkt(seen) if seen else ground.names.get((name, int(year or 0)))
    if before is not None and shapely.hausdorff_distance(before, row.geometry) > 1e-6:
        return [f"row {row.place}: the outline of {name} was moved, but it has no action: write `redraw` if that was meant"]
    return []
