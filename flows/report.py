"""What a store holds about a region, as one page."""

from prefect import flow

from catalog.facts.report_records import PageReport
from tasks.write_report import write_report


@flow(name="report-region", flow_run_name="{region}")
def report_region(region: str, store: str, out: str | None = None, price_per_hour: float | None = None) -> PageReport:
    """Write the page of a region unless an equal one is there.

    Args:
        region: Its name in the store.
        store: Folder or address of the store.
        out: File to write; none: reports/<region>.html in the store.
        price_per_hour: Price of an hour of work, for the cost on the page; none: no cost.
    """
    return write_report(region, store, out, price_per_hour)
