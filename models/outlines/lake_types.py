"""What a lake is to the glaciers around it: the rule, its numbers and its words."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.outlines.glaciers import GlacierLinks

Floats = NDArray[np.float64]

SUPRAGLACIAL_SHARE: Final = 0.5
"""Share of a lake inside outlines from which it lies on the glacier and not before it."""
CONTACT_M: Final = 60.0
"""Six pixels: the shore and the margin are each drawn to about one pixel of their images (10 and 30 m), and a margin melts back some 20 m
between the image of the outline and that of the lake."""
FED_WITHIN_M: Final = 10_000.0
"""Farther from ice, lakes do not count as glacial (Zhang et al. 2015; Wang et al. 2020), whatever flows into them."""
LEAST_ICE_M2: Final = 10_000.0
"""Ice that must drain into a lake to feed it: the smallest glacier of the Randolph Glacier Inventory."""

TYPES: Final = ("supraglacial", "ice_contact", "glacier_fed", "unconnected")

RULE: Final = (
    f"supraglacial: at least {SUPRAGLACIAL_SHARE:.0%} of the lake lies inside glacier outlines; "
    f"else ice_contact: it overlaps an outline or lies within {CONTACT_M:.0f} m of one; "
    f"else glacier_fed: it lies within {FED_WITHIN_M / 1000:.0f} km of one and at least {LEAST_ICE_M2 / 1e4:.0f} ha of ice drain into it along "
    "D8 flow directions on the 30 m elevation model, depressions filled; else unconnected. Null without outlines, and where no elevation says "
    "what drains into a lake near ice."
)
"""As the metadata of an inventory tells it."""


def may_be_fed(links: GlacierLinks) -> NDArray[np.bool_]:
    """Say of which lakes the type rests on what flows into them, (n,)."""
    with np.errstate(invalid="ignore"):
        between = (links.distance_m > CONTACT_M) & (links.distance_m <= FED_WITHIN_M)
    return np.asarray(between & (links.overlap_share == 0), bool)


def lake_types(links: GlacierLinks, ice_upstream_m2: Floats) -> Sequence[str | None]:
    """Return the type of each lake by `RULE`; `ice_upstream_m2` (n,) is read where `may_be_fed`, NaN where it is unknown."""
    doubtful = may_be_fed(links)
    with np.errstate(invalid="ignore"):
        contact = (links.overlap_share > 0) | (links.distance_m <= CONTACT_M)
    cases = (
        links.overlap_share >= SUPRAGLACIAL_SHARE,
        contact,
        doubtful & (np.nan_to_num(ice_upstream_m2) >= LEAST_ICE_M2),
        ~(doubtful & np.isnan(ice_upstream_m2)),
    )
    found = np.select(cases, np.arange(len(TYPES)), -1)
    return [TYPES[place] if place >= 0 else None for place in found.tolist()]
