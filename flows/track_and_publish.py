"""Tracks of regions, then a release of each region that is complete."""

from datetime import UTC, datetime

from prefect import flow

from catalog.facts.errors import EXIT_WRONG_CALL, CryoatlasError, Unpublishable
from catalog.facts.options import MapOptions
from catalog.facts.releases import PublishOptions, PublishReport
from flows.forms import Year
from flows.publish import publish
from flows.track_region import track_region
from tasks.find_years import find_years

_DEFAULTS = MapOptions()


@flow(name="track-and-publish")
def track_and_publish(
    regions: list[str],
    store: str,
    to: str,
    years: list[Year] | None = None,
    options: MapOptions = _DEFAULTS,
    release: PublishOptions | None = None,
) -> tuple[PublishReport, ...]:
    """Track regions and publish each that is complete. Those that are not do not keep the others back; they are named at the end.

    Args:
        regions: Regions as the store knows them.
        store: Folder or address that holds the inventories.
        to: Folder or address of the publication, outside the store.
        years: Years to publish; none: all of which the store holds an inventory. What is published already and is the same is left alone.
        options: How features are followed through the years.
        release: What a person decides about a release; none: of today, complete, CC-BY-4.0.
    """
    wanted = [find_years(region, store, years, to) for region in regions]
    reports, refused = [], []
    for region in wanted:
        try:
            track_region(region.region, store, region.target, options)
            decided = release or PublishOptions(datetime.now(UTC).date())
            reports.append(publish(region.region, list(region.years), store, to, decided))
        except CryoatlasError as error:
            if error.exit_code == EXIT_WRONG_CALL:
                raise
            refused.append(str(error))
    if refused:
        published = ", ".join(report.region for report in reports) or "none"
        raise Unpublishable("\n".join((*refused, f"Published: {published}.")))
    return tuple(reports)
