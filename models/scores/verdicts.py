"""Verdicts of an audit on labels: relabelled instead of excluded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.chips import LABEL_IGNORE, LABEL_SCALE
from catalog.facts.errors import WrongCall
from models.outlines.geodesy import to_metres
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
        return shapely.difference(outline, ruling.geometry)
    if ruling.change == "redraw" and ruling.redrawn is not None:
        return shapely.union(shapely.difference(outline, ruling.geometry), ruling.redrawn)
    return outline
