"""What the form of a deployment refuses before a run starts, and what of it every region-year shares."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Interval

from catalog.facts.options import MapOptions
from catalog.facts.sources import FIRST_YEAR

Year = Annotated[int, Interval(ge=FIRST_YEAR, le=2100)]
"""A year that Sentinel-2 may have seen; the last one is checked against the day when a run starts."""


@dataclass(frozen=True, slots=True)
class MapForm:
    """Parameters of `map-region` that are the same for all region-years of a run."""

    catalog: str
    store: str
    model: str | None
    options: MapOptions
    outlines: str | None
    wait_minutes: float
