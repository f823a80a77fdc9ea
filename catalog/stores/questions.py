"""A search cut into questions small enough that a catalog answers each of them completely."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from catalog.facts.antimeridian import split_bounds
from catalog.stores.item_filters import Bounds

SMALLEST_CELL_DEG: Final = 0.25
SHORTEST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Question:
    """One question to an API: a cell, an interval."""

    bounds_wsen: Bounds
    start: datetime | None
    end: datetime | None
    """None asks for all times."""

    def halves(self) -> "tuple[Question, Question] | None":
        """Two smaller questions with the same answer; None when it cannot be smaller."""
        if self.start is not None and self.end is not None and self.end - self.start > SHORTEST:
            middle = (self.start + (self.end - self.start) / 2).replace(microsecond=0)
            return replace(self, end=middle), replace(self, start=middle)
        west, south, east, north = self.bounds_wsen
        if east - west > SMALLEST_CELL_DEG:
            middle_deg = (west + east) / 2
            return replace(self, bounds_wsen=(west, south, middle_deg, north)), replace(self, bounds_wsen=(middle_deg, south, east, north))
        return None


def questions(bounds_wsen: Bounds, interval: tuple[datetime, datetime] | None, *, cell_deg: float, days: int) -> list[Question]:
    """Return questions that together cover a box (west > east across +-180) and an interval; None means all times."""
    spans = [(None, None)] if interval is None else list(_spans(_utc(interval[0]), _utc(interval[1]), timedelta(days=days)))
    cells = [cell for box in split_bounds(bounds_wsen) for cell in _cells(box, cell_deg)]
    return [Question(cell, start, end) for start, end in spans for cell in cells]


def _spans(start: datetime, end: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    while start + step < end:
        yield start, start + step
        start += step
    yield start, end


def _cells(box: Bounds, step: float) -> Iterator[Bounds]:
    west, south, east, north = box
    columns, rows = max(1, -int(-(east - west) // step)), max(1, -int(-(north - south) // step))
    for row in range(rows):
        for column in range(columns):
            yield (
                west + (east - west) * column / columns,
                south + (north - south) * row / rows,
                west + (east - west) * (column + 1) / columns,
                south + (north - south) * (row + 1) / rows,
            )


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
