"""All region-years of a store at one look: a state for each, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from catalog.facts.run_records import RegionYearRun, RunRecord, Standing
from catalog.facts.standings import Finding

CellState = Literal["complete", "waiting", "short", "partly", "failed", "interrupted", "running", "not begun"]
STATES: Final[Mapping[CellState, str]] = {
    "complete": "everything is made, and as much was observed as was to be",
    "waiting": "everything is made; late scenes may still arrive",
    "short": "everything is made, but less was observed than was to be, and no more scenes are waited for",
    "partly": "something is missing, damaged or out of date",
    "failed": "some unit failed",
    "interrupted": "the last run never came to its end, and nobody is at work on it",
    "running": "somebody is at work on it now",
    "not begun": "nothing was made yet",
}
"""Every state, in words."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One region-year."""

    region: str
    year: int
    state: CellState
    because: str = ""
    observed_share: float | None = None
    last_run: str = ""
    """Invocation that worked on it last; empty when no record of it is kept."""
    last_run_began: str = ""
    age_days: float | None = None
    """Days since then."""
    holes: int = 0
    mend: str = ""
    """The command that mends it, or asks for late scenes."""


def overview_of(findings: Sequence[Finding], runs: Sequence[tuple[RunRecord, Standing]], now: datetime) -> tuple[Cell, ...]:
    """Return a cell for every region and every year that any region has, by region and year; `runs` come latest first."""
    known = {(finding.region, finding.year): finding for finding in findings}
    latest = dict[tuple[str, int], tuple[RunRecord, Standing, RegionYearRun]]()
    for record, standing in runs:
        for entry in record.region_years:
            latest.setdefault((entry.region, entry.year), (record, standing, entry))
    keys = {*known, *latest}
    regions, years = sorted({region for region, _ in keys}), sorted({year for _, year in keys})
    return tuple(
        _cell((region, year), known.get((region, year)), latest.get((region, year)), now)
        for region in regions
        for year in range(years[0], years[-1] + 1)
    )


def _cell(key: tuple[str, int], finding: Finding | None, run: tuple[RunRecord, Standing, RegionYearRun] | None, now: datetime) -> Cell:
    began = run[2].began if run else ""
    age = round((now - datetime.fromisoformat(began)).total_seconds() / 86_400, 2) if began else None
    last = run[0].invocation if run else ""
    state, because = _state(finding, run)
    if finding is None:
        return Cell(*key, state, because, None, last, began, age)
    command = finding.mend or finding.look_again
    return Cell(*key, state, because, finding.observed_share, last, began, age, len(finding.holes), command)


def _state(finding: Finding | None, run: tuple[RunRecord, Standing, RegionYearRun] | None) -> tuple[CellState, str]:
    leased = finding is not None and any(lease.standing == "live" and lease.year == finding.year for lease in finding.leases)
    mine = run is not None and run[2].state == "running"
    if leased or (run is not None and mine and run[1] == "running"):
        return "running", "somebody is at work on it"
    cut_off = run is not None and mine and run[1] == "interrupted"
    if finding is None:
        return ("interrupted", "the run ended before anything was recorded") if cut_off else ("not begun", "")
    if finding.state != "incomplete":
        return finding.state, finding.because
    if cut_off:
        return "interrupted", finding.because
    failed = sum(hole.why == "failed" for hole in finding.holes)
    return ("failed", f"{failed} units failed") if failed else ("partly", finding.because)
