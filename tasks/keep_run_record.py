"""One record of what an invocation did, kept in the store beside the products."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import runtime

from catalog.facts.grids import CHIP_PX
from catalog.facts.records import Job, RegionYearReport
from catalog.facts.run_events import RegionYearBegan, RegionYearEnded, RunPlanned
from catalog.facts.run_records import Prices
from catalog.stores.jobs import chips_of
from catalog.stores.news import tell
from catalog.stores.run_recorder import recording
from catalog.stores.store import open_store


@contextmanager
def run_kept(store: str, prices: Prices, *, region_years: int, always: bool = False) -> Iterator[None]:
    """Keep a record of the flow run that the body is, or join the one that is kept already.

    How many region-years are before it is told by whoever begins the record, and by others only if `always`.
    """
    with recording(store, runtime.flow_run.parameters or {}, prices, flow_run=str(runtime.flow_run.id or "")) as begun:
        if begun or always:
            tell(RunPlanned(region_years))
        yield


class Kept:
    """Where the body of `region_year_kept` leaves its report."""

    report: RegionYearReport | None = None


@contextmanager
def region_year_kept(job: Job) -> Iterator[Kept]:
    """Tell where a region-year begins, and how it ended by its report or by the error that leaves the body."""
    tell(RegionYearBegan(job.region, job.year, chips_of(open_store(job.store)) * CHIP_PX))
    kept = Kept()
    try:
        yield kept
    except BaseException as error:
        tell(RegionYearEnded(job.region, job.year, "stopped", str(error) or type(error).__name__))
        raise
    failed = kept.report is not None and kept.report.failures
    tell(RegionYearEnded(job.region, job.year, "failed" if failed else "complete"))
