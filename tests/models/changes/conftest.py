import numpy as np
import pytest
import shapely

from catalog.facts.options import TrackOptions
from models.changes.tables import change_tables
from models.outlines.timeline import Circumstances, YearFeatures
from models.outlines.track import tracks_of

OPTIONS = TrackOptions()
LON, LAT = 86.9, 27.9


class Lakes:
    """Rectangles beside each other, each `height` x width units of 1 ha; drawn to scale at the equator of the test."""

    def rectangle(self, place, width, height=10):
        x = place * 100
        return shapely.box(LON + x / 1000, LAT, LON + (x + width) / 1000, LAT + height / 1000)

    def year(self, year, widths, *, error=0.05, share=1.0, looks=5.0, **circumstances):
        """Features of a year from {place: width or (width, observed share)}."""
        given = {place: value if isinstance(value, tuple) else (value, share) for place, value in widths.items()}
        outlines = np.empty(len(given), dtype=object)
        outlines[:] = [self.rectangle(place, width) for place, (width, _) in given.items()]
        area = np.array([width * 1e5 for width, _ in given.values()])
        shares = np.array([part for _, part in given.values()], float)
        ids = tuple(f"L{place:03d}" for place in given)
        return YearFeatures(
            year,
            ids,
            outlines,
            area,
            area * (1 - error),
            area * (1 + error),
            shares,
            np.full(len(ids), looks),
            Circumstances(**circumstances),
        )

    def tracks(self, *years, hidden=()):
        listed = {each.year for each in years} - set(hidden)

        def observed(year, outlines):
            return np.full(len(outlines), 1.0 if year in listed else 0.0)

        return tracks_of(years, (min(each.year for each in years), max(each.year for each in years)), observed, OPTIONS)

    def tables(self, *years, hidden=()):
        return change_tables(self.tracks(*years, hidden=hidden), years, "test", OPTIONS)


@pytest.fixture
def lakes():
    return Lakes()
