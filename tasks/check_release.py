"""Whether region-years may be published: nothing missing, nothing stale, nothing that cannot be true."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.errors import Unpublishable, WrongCall
from catalog.facts.records import Job, Target
from catalog.facts.releases import Gap
from catalog.facts.schemas import ID_COLUMNS
from catalog.stores import ledger
from catalog.stores.completeness import Completeness, completeness_of
from catalog.stores.files import checksum
from catalog.stores.jobs import REGION_UNIT, stored_region, years_with
from catalog.stores.release_files import Source, schema_faults, through_sources, year_sources
from catalog.stores.release_years import coverage_faults, gaps_of, ground_km2
from catalog.stores.standings import standing
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_features, read_table
from models.publication.quality import YearTables, faults_of

_COVERAGE = "coverage"
"""Stands in place of a stage for ground that nobody saw, though every unit is done."""
_SHOWN = 12
"""Holes and faults that a refusal names one by one."""


@task(cache_policy=NO_CACHE, task_run_name="check-{region}")
def check_release(region: str, years: Sequence[int], store: str, *, allow_partial: bool) -> tuple[Gap, ...]:
    """Return the holes that a release has to state; raises Unpublishable for holes that are not allowed, and for every fault.

    Raises WrongCall for a year without an inventory.
    """
    opened = open_store(store)
    target = stored_region(opened, region).target
    _refuse_unmapped(opened, target, region, years)
    jobs = [Job(region, year, target, str(opened.root)) for year in years]
    standings = [completeness_of(opened, region, job.year) for job in jobs]
    gaps = tuple(gap for job, standing in zip(jobs, standings, strict=True) for gap in gaps_of(job, standing))
    # a tile that failed is not observed either: where units are open, they are what is missing
    gaps += tuple(gap for job in jobs if job.year not in {gap.year for gap in gaps} for gap in _short(opened, job))
    if gaps and not allow_partial:
        raise Unpublishable(_refusal(region, gaps, standings))
    faults = tuple(fault for job in jobs for fault in _faults(opened, job, partial=any(gap.stage != _COVERAGE for gap in gaps)))
    if faults:
        more = f" And {len(faults) - _SHOWN} more." if len(faults) > _SHOWN else ""
        raise Unpublishable(f"{region} is not fit to be published: {'; '.join(faults[:_SHOWN])}.{more} Nothing was published.")
    return gaps


def _short(store: Store, job: Job) -> tuple[Gap, ...]:
    """What of the ground is not observed enough, or not yet: a gap of the whole region-year."""
    stands = standing(store, job, ledger.find_all(store, job.region, job.year), 0, datetime.now(UTC).date())
    if stands.state == "complete":
        return ()
    unseen = (1 - (stands.observed_share or 0.0)) * ground_km2(job)
    return (Gap(job.year, REGION_UNIT, _COVERAGE, stands.state, stands.because, round(unseen, 1)),)


def _refuse_unmapped(store: Store, target: Target, region: str, years: Sequence[int]) -> None:
    there = years_with(store, target, region)
    missing = [str(year) for year in years if year not in there]
    if missing:
        named = ", ".join(map(str, there)) or "none"
        raise WrongCall(
            f"{region} {', '.join(missing)}: no inventory in {store.root}. There are: {named}. Map the rest with `cryoatlas run`."
        )


def _refusal(region: str, gaps: Sequence[Gap], standings: Sequence[Completeness]) -> str:
    shown = "\n".join(f"  {region} {gap.year} {gap.stage} {gap.tile} {gap.cause}: {gap.message}" for gap in gaps[:_SHOWN])
    more = f"\n  and {len(gaps) - _SHOWN} more: cryoatlas audit --region {region} shows all" if len(gaps) > _SHOWN else ""
    mend = "".join(f"  mend: {standing.mend}\n" for standing in standings if standing.mend)
    return (
        f"{region} is not complete, so nothing was published. Units missing: {len(gaps)}\n{shown}{more}\n{mend}"
        "  or publish as it is, with the holes stated: --allow-partial"
    )


def _faults(store: Store, job: Job, *, partial: bool) -> tuple[str, ...]:
    sources = (*year_sources(store, job.target, job.region, job.year), *through_sources(store, job.target, job.region))
    wrong = tuple(fault for source in sources for fault in schema_faults(source))
    if wrong:
        return tuple(f"{fault} (run `cryoatlas run` again, then `cryoatlas track`)" for fault in wrong)
    changed = tuple(f"{source.path} is not what its record says" for source in sources if _differs(source))
    stale = () if partial else coverage_faults(store, job)
    return (*changed, *stale, *faults_of(_tables(store, job)))


def _differs(source: Source) -> bool:
    return bool(source.promised) and checksum(source.path) != source.promised


def _tables(store: Store, job: Job) -> YearTables:
    path = store.inventory(job.target, job.region, job.year)
    frame, table = read_features(path), read_table(path)
    names = table.column(ID_COLUMNS[job.target]).to_pylist()
    assert names == frame[ID_COLUMNS[job.target]].tolist(), "both readings have the rows in one order"

    def through(name: str) -> pa.Table | None:
        file = store.tracks(job.target, job.region, name)
        return read_table(file) if file.is_file() else None

    geometry = np.asarray(frame.geometry.to_numpy(), dtype=object)
    features = table.drop_columns([name for name in ("geometry", "bbox") if name in table.column_names])
    coverage = read_table(store.coverage(job.region, job.year))
    return YearTables(job.target, job.year, features, geometry, coverage, through("tracks"), through("totals"))
