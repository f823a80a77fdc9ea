"""Turns what ends a whole region-year into a report, so that the other years and regions go on."""

from collections.abc import Callable, Sequence

from catalog.facts.causes import State
from catalog.facts.errors import EXIT_WRONG_CALL, STORE_UNUSABLE, CryoatlasError
from catalog.facts.records import Job, RegionYearReport, StageReport

FLOW = "flow"
"""Stands in place of a stage for what no stage could report."""


class Attempts:
    """Region-years tried one after the other; remembers what ended those that did not come through."""

    def __init__(self) -> None:
        """Nothing was tried yet."""
        self.reports: list[RegionYearReport] = []
        self._errors: list[Exception] = []

    def add(self, region: str, year: int, attempt: Callable[[], RegionYearReport]) -> None:
        """Try a region-year; a wrong call or a store that cannot be used ends everything, any other error only this year."""
        try:
            self.reports.append(attempt())
        except Exception as error:
            if isinstance(error, STORE_UNUSABLE) or (isinstance(error, CryoatlasError) and error.exit_code == EXIT_WRONG_CALL):
                raise
            self._errors.append(error)
            self.reports.append(not_reported(region, year, str(error) or repr(error)))

    @property
    def came_through(self) -> Sequence[RegionYearReport]:
        """Reports of the region-years that ran to their end."""
        return [report for report in self.reports if report.job.store]

    def also(self, others: "Attempts") -> None:
        """Add what was tried elsewhere."""
        self.reports += others.reports
        self._errors += others._errors

    def raise_if_all_failed(self) -> None:
        """Raise the first error when not one region-year came through: then it is the answer."""
        if self._errors and not self.came_through:
            raise self._errors[0]


def not_reported(region: str, year: int, sentence: str) -> RegionYearReport:
    """Return the report of a region-year that could not make one itself."""
    return RegionYearReport(Job(region, year, "lakes", ""), (StageReport(FLOW, {str(State.FAILED): 1}, (sentence,), 0.0, 0),))
