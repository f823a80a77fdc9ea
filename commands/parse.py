"""What users type, turned into values; wrong input gets one sentence and exit code 2."""

import re
from datetime import UTC, datetime

from catalog.facts.errors import WrongCall, YearsInverted
from catalog.facts.sources import FIRST_YEAR

_SPAN = re.compile(r"^(\d{4})(?:-(\d{4}))?$")


def years_of(text: str, *, first: int = FIRST_YEAR) -> list[int]:
    """Read `2021` or `2018-2023`; raises YearsInverted or WrongCall with what to write instead."""
    match = _SPAN.match(text.strip())
    if match is None:
        raise WrongCall(f"Years {text!r}: write one year or a span, for example 2021 or 2018-2023.")
    start, end = int(match[1]), int(match[2] or match[1])
    if end < start:
        raise YearsInverted(f"Years {text!r}: {end} comes before {start}. Write {end}-{start}.")
    last = datetime.now(UTC).year
    if start < first or end > last:
        raise YearsInverted(f"Years {text!r}: Sentinel-2 covers {first} to {last}. Choose years inside.")
    return list(range(start, end + 1))
