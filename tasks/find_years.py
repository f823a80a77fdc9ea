"""Years of a region that a store can publish, and whether they may go where they shall."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.errors import WrongCall
from catalog.facts.records import RegionYears
from catalog.stores.jobs import stored_region, years_with
from catalog.stores.publications import open_publication, refuse_inside
from catalog.stores.store import open_store


@task(cache_policy=NO_CACHE, task_run_name="years-{region}")
def find_years(region: str, store: str, years: Sequence[int] | None, to: str) -> RegionYears:
    """Return the years that were asked for, or all of which the store holds an inventory.

    Raises WrongCall for a region that is not in the store or has no inventory, and for a destination inside the store.
    """
    opened = open_store(store)
    refuse_inside(open_publication(to), opened.root)
    target = stored_region(opened, region).target
    held = years_with(opened, target, region)
    if not held:
        raise WrongCall(f"{region}: {store} holds no inventory of it yet. Map it with `cryoatlas run`.")
    return RegionYears(region, target, tuple(sorted(years)) if years else held)
