"""What the form of a deployment refuses before a run starts."""

from typing import Annotated

from annotated_types import Interval

from catalog.facts.sources import FIRST_YEAR

Year = Annotated[int, Interval(ge=FIRST_YEAR, le=2100)]
"""A year that Sentinel-2 may have seen; the last one is checked against the day when a run starts."""
