"""Region-years to a release: finish what was interrupted, check, put the models in place, write, and lead the catalog to it."""

from dataclasses import replace

from prefect import flow

from catalog.facts.publication import Order
from catalog.facts.releases import PublishOptions, PublishReport
from tasks.check_release import check_release
from tasks.index_releases import index_releases
from tasks.publish_models import publish_models
from tasks.write_release import write_release


@flow(name="publish", flow_run_name="{region}")
def publish(region: str, years: list[int], store: str, to: str, options: PublishOptions) -> PublishReport:
    """Publish the years of a region as one release; nothing is published unless everything holds."""
    finished = index_releases(to)
    gaps = check_release(region, years, store, allow_partial=options.allow_partial)
    models = publish_models(region, years, store, to, options.model)
    report = write_release(Order(region, tuple(years), store, to, options, gaps, models))
    index_releases(to)
    return replace(report, finished=finished)
