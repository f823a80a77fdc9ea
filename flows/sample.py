"""A sample of an inventory for people to check, and what their answers say."""

from prefect import flow

from catalog.facts.samples import Accuracy, SampleOptions, SampleReport
from flows.forms import Year
from tasks.export_sample import export_sample
from tasks.score_sample import score_sample

_DEFAULTS = SampleOptions()


@flow(name="sample-region", flow_run_name="{region}-{year}")
def sample_region(region: str, year: Year, store: str, out: str, options: SampleOptions = _DEFAULTS) -> SampleReport:
    """Draw a stratified random sample of a region-year and write it as a folder.

    Args:
        region: Its name in the store.
        year: Year of the inventory.
        store: Folder or address of the store.
        out: Folder for the pictures and the sheet to fill in.
        options: How many, and how they are drawn.
    """
    return export_sample(store, region, year, out, options)


@flow(name="score-sample")
def score_answers(folder: str, store: str | None = None) -> Accuracy:
    """Score the answers in a folder; the statement is stored with the inventory that was sampled."""
    return score_sample(folder, store)
