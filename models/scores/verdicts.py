"""Verdicts of an audit on labels: relabelled instead of excluded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.chips import LABEL_IGNORE, LABEL_SCALE
from catalog.facts.errors import WrongCall
from catalog.facts.grids import PIXEL_M
from models.outlines.geodesy import area_perimeter, to_metres
from models.scores.disagreements import Side
from models.segmenter.labels import coverage_of

Outlines = NDArray[np.object_]
VERDICTS: Final = ("a", "b", "neither", "unsure")
Change = Literal["keep", "lake", "land", "redraw", "ignore"]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of the label at one place of one year."""

    case: str
    change: Change
    ground: str
    region: str
    year: int
    geometry: shapely.Geometry
    """The pixels in question, EPSG:4326."""
    redrawn: shapely.Geometry | None = None
    """Outlines drawn anew by the reviewer, EPSG:4326."""


def change_of(case: str, verdict: str | None, side: Side, label_is: str, *, redrawn: bool) -> Change:
    """What a verdict means for the label, given what the key says of the case; raises WrongCall for a word that is no verdict.

    The label was right, nobody is sure, or nobody looked: it stays. The prediction was right: lake and land change places. Neither was:
    the reviewer's drawing, or nobody knows.
    """
    word = (verdict or "").strip().lower()
    if word in ("", "unsure", label_is):
        return "keep"
    if word not in VERDICTS:
        raise WrongCall(f"Verdict {verdict!r} of {case} is none: write one of {', '.join(VERDICTS)}, or leave it empty.")
    if word == "neither":
        return "redraw" if redrawn else "ignore"
    return "lake" if side == "prediction" else "land"


def relabelled(label: NDArray[np.uint8], origin_yx: tuple[int, int], epsg: int, rulings: Sequence[Ruling]) -> NDArray[np.uint8]:
    """Label (y, x) of one chip after the rulings of its own ground, region and year."""
    result = label.copy()
    for ruling in rulings:
        here = _covers(ruling.geometry, origin_yx, epsg, label.shape) >= 0.5
        if ruling.change == "redraw" and ruling.redrawn is not None:
            drawn = _covers(ruling.redrawn, origin_yx, epsg, label.shape)
            changed = here | (drawn > 0)
            result[changed] = np.rint(drawn * LABEL_SCALE).astype(np.uint8)[changed]
        elif ruling.change != "keep":
            result[here] = {"lake": LABEL_SCALE, "land": 0, "ignore": LABEL_IGNORE}[ruling.change]
    return result


def _covers(geometry: shapely.Geometry, origin_yx: tuple[int, int], epsg: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    metres = to_metres(np.array([geometry], object), epsg)
    return coverage_of(metres, origin_yx, (shape[0], shape[1]))


def redrawn_outline(outline: shapely.Geometry, ruling: Ruling) -> shapely.Geometry:
    """Outline of a lake after a ruling that touches it; empty when nothing is left. An ignored place changes no outline."""
    if ruling.change == "lake":
        return shapely.union(outline, ruling.geometry)
    if ruling.change == "land":
        return _without_slivers(shapely.difference(outline, ruling.geometry))
    if ruling.change == "redraw" and ruling.redrawn is not None:
        return shapely.union(_without_slivers(shapely.difference(outline, ruling.geometry)), ruling.redrawn)
    return outline


def _without_slivers(geometry: shapely.Geometry) -> shapely.Geometry:
    """Drop what pixels leave of a smooth outline: parts that are on the mean narrower than a pixel."""
    parts = shapely.get_parts(geometry)
    area, perimeter = area_perimeter(parts)
    kept = parts[area >= PIXEL_M * perimeter / 2]
    return shapely.MultiPolygon(list(kept)) if len(kept) != 1 else kept[0]


def rulings_of(
    key: Sequence[Mapping[str, Any]], verdicts: Mapping[str, str], redrawn: Mapping[str, shapely.Geometry]
) -> tuple[Ruling, ...]:
    """Translate verdicts with the key (case, side, label_is, ground, region, year, geometry); raises WrongCall for a word that is none."""
    return tuple(
        Ruling(
            row["case"],
            change_of(row["case"], verdicts.get(row["case"]), row["side"], row["label_is"], redrawn=row["case"] in redrawn),
            row["ground"],
            row["region"],
            int(row["year"]),
            row["geometry"],
            redrawn.get(row["case"]),
        )
        for row in key
    )


def redrawn_labels(outlines: Outlines, ruling: Ruling) -> tuple[Outlines, shapely.Geometry | None]:
    """Outlines of the ruling's own ground, region and year after it, and a lake that was not among them; EPSG:4326.

    Outlines may become empty. A lake is new when none of them touched what the ruling adds.
    """
    added = ruling.geometry if ruling.change == "lake" else ruling.redrawn if ruling.change == "redraw" else None
    concerned = shapely.intersects(outlines, ruling.geometry)
    if added is not None:
        concerned |= shapely.intersects(outlines, added)
    changed = np.array(outlines)
    gains = True
    for place in np.flatnonzero(concerned):
        # only one lake may gain the ground, or it would be counted twice
        change = ruling if gains else _without_gain(ruling)
        changed[place] = redrawn_outline(outlines[place], change)
        gains = False
    return changed, added if added is not None and not concerned.any() else None


def _without_gain(ruling: Ruling) -> Ruling:
    change: Change = "land" if ruling.change == "redraw" else "keep" if ruling.change == "lake" else ruling.change
    return Ruling(ruling.case, change, ruling.ground, ruling.region, ruling.year, ruling.geometry)
