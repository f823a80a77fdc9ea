"""A release: files of a store beside what says what they are, made where nobody looks and shown by one rename."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import shapely
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.change_schemas import CROSSWALK
from catalog.facts.dictionary import TABLES
from catalog.facts.errors import WrongCall
from catalog.facts.licences import attributions, glacier_attribution
from catalog.facts.publication import PARQUET, Order, ReleasedFile, ReleaseFacts, YearFacts
from catalog.facts.records import Job, Target
from catalog.facts.releases import RELEASES, PublishOptions, PublishReport, collection_id, item_id, next_release
from catalog.facts.schemas import ID_COLUMNS
from catalog.stores.jobs import stored_region
from catalog.stores.ledger import fingerprint_of
from catalog.stores.publications import (
    MANIFEST,
    RELEASES_TABLE,
    Publication,
    Reached,
    Staging,
    manifests_of,
    open_publication,
    refuse_inside,
    staged,
    writing,
)
from catalog.stores.release_files import contents_of
from catalog.stores.release_staging import stage_through, stage_year
from catalog.stores.release_years import glacier_names, raster_promises, span_of, used_scenes
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_table, read_features, read_provenance, read_table
from models.outlines.crosswalk import crosswalk
from models.publication.items import year_item
from models.publication.papers import as_json, manifest_of, papers_of, releases_table
from models.publication.payload import payload_hash
from models.publication.quality import listed_total
from models.publication.words import DEFAULT_AUTHORS, citation_of, title_of

_DEGREE_DIGITS = 7  # a centimetre


def _unwatched(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class _Year:
    """A region-year beside what an earlier release says of it."""

    job: Job
    content: str
    rasters: str
    """Hash of what rasters are made from; empty when none are asked for."""
    payload: str
    before: Mapping[str, Any] | None
    """Its entry in the manifest of the latest release that holds it."""

    @property
    def unchanged(self) -> bool:
        return self.before is not None and self.before["content"] == self.content and self.rasters in ("", self.before["rasters"])


@task(cache_policy=NO_CACHE, task_run_name="release-{order.region}")
def write_release(order: Order, reached: Reached = _unwatched) -> PublishReport:
    """Publish what is new or changed among the years; publishes nothing when an earlier release holds all of it already.

    Raises WrongCall when years would take the place of published ones without a reason, or the name of the release is taken.
    """
    store, publication = open_store(order.store), open_publication(order.to)
    refuse_inside(publication, store.root)
    target = stored_region(store, order.region).target
    collection = collection_id(target, order.region)
    with writing(publication):
        manifests = manifests_of(publication, collection)
        latest = {int(year): entry for manifest in manifests for year, entry in manifest["years"].items()}
        years = [_seen(store, Job(order.region, year, target, str(store.root)), order, latest.get(year)) for year in order.years]
        fresh = [year for year in years if not year.unchanged]
        same = tuple(str(year.before["id"]) for year in years if year.unchanged and year.before)
        if not fresh:
            return PublishReport("", str(publication.releases(collection)), target, order.region, unchanged=same)
        name = _name(order.options, fresh, {manifest["release"] for manifest in manifests})
        place = publication.release(collection, name)
        with staged(place, reached) as staging:
            release, files = _stage(staging, store, publication, order, fresh, (name, manifests))
            staging.appear(files)
    items, replaced = tuple(year.id for year in release.years), tuple(year.supersedes for year in release.years if year.supersedes)
    sizes = [int(sum_.rsplit(":", 1)[1]) for sum_ in files.values()]
    return PublishReport(name, str(place), target, order.region, items, same, replaced, order.gaps, len(sizes), sum(sizes))


def _seen(store: Store, job: Job, order: Order, before: Mapping[str, Any] | None) -> _Year:
    says = {
        "files": contents_of(store, job.target, job.region, job.year),
        "gaps": sorted(str(gap) for gap in order.gaps if gap.year == job.year),
        "terms": [order.options.licence, order.options.doi, sorted(order.options.authors)],
    }
    payload = payload_hash(read_table(store.inventory(job.target, job.region, job.year)), ID_COLUMNS[job.target])
    rasters = fingerprint_of(raster_promises(store, job.region, job.year)) if order.options.cogs else ""
    return _Year(job, fingerprint_of(says), rasters, payload, before)


def _name(options: PublishOptions, fresh: Sequence[_Year], taken: set[str]) -> str:
    replaced = [year for year in fresh if year.before is not None]
    if replaced and not options.reason:
        first = replaced[0]
        assert first.before is not None
        differs = (
            "its features are the same, but not its provenance, rasters, terms or the tables through the years"
            if first.payload == first.before["payload"]
            else "its features are others now"
        )
        raise WrongCall(
            f"{first.job.region} {first.job.year} is published already as {first.before['id']}, and {differs} ({len(replaced)} years are). "
            "Say why the new release takes its place: --reason TEXT."
        )
    if options.release in taken:
        raise WrongCall(
            f"Release {options.release!r} of {fresh[0].job.region} is there already and never changes. Choose another --release."
        )
    return options.release or next_release(options.date, frozenset(taken))


def _stage(
    staging: Staging,
    store: Store,
    publication: Publication,
    order: Order,
    fresh: Sequence[_Year],
    after: tuple[str, Sequence[Mapping[str, Any]]],
) -> tuple[ReleaseFacts, dict[str, str]]:
    name, earlier = after
    years = tuple(_stage_year(staging, store, publication, order, year, name) for year in fresh)
    release = _facts(store, order, years, (name, len(earlier) + 1), stage_through(staging, store, fresh[0].job))
    papers = tuple(
        ReleasedFile(key, name, media_type, title, roles, staging.write(name, text.encode()))
        for key, name, media_type, title, roles, text in papers_of(release)
    )
    release = replace(release, files=(*release.files, *papers))
    files = {file.path: file.checksum for file in (*release.files, *(file for year in release.years for file in year.files))}
    for year in release.years:
        path = f"year={year.year}/{year.id}.json"
        files[path] = staging.write(path, as_json(year_item(release, year)))
    manifest = manifest_of(release)
    files[MANIFEST] = staging.write(MANIFEST, as_json(manifest))
    table = releases_table([*earlier, manifest])
    files[RELEASES_TABLE] = put_table(staging.path(RELEASES_TABLE), table, RELEASES, provenance={"region": release.region})
    return release, files


def _stage_year(staging: Staging, store: Store, publication: Publication, order: Order, year: _Year, release: str) -> YearFacts:
    job, folder = year.job, f"year={year.job.year}"
    files = stage_year(staging, store, job, folder, cogs=order.options.cogs)
    if year.before is not None:
        files = (*files, _crosswalk(staging, publication, year, release))
    scenes = used_scenes(store, job.region, job.year)
    start, end = span_of(job, scenes)
    inventory = store.inventory(job.target, job.region, job.year)
    table, coverage = read_table(inventory), read_table(store.coverage(job.region, job.year))
    features, area = listed_total(table)
    shares = [share or 0.0 for share in coverage.column("observed_share").to_pylist()]
    return YearFacts(
        year=job.year,
        id=item_id(job.region, job.year, release),
        start=start,
        end=end,
        features=features,
        rows=table.num_rows,
        area_m2=round(area, 1),
        observed_share=round(float(np.mean(shares)), 4) if shares else 0.0,
        tiles=coverage.num_rows,
        payload=year.payload,
        content=year.content,
        rasters=year.rasters,
        files=files,
        scenes=scenes,
        origin=read_provenance(inventory),
        model=order.models.get(job.year),
        gaps=tuple(gap for gap in order.gaps if gap.year == job.year),
        supersedes=str(year.before["id"]) if year.before else "",
        supersedes_path=str(year.before["path"]) if year.before else "",
    )


def _crosswalk(staging: Staging, publication: Publication, year: _Year, release: str) -> ReleasedFile:
    assert year.before is not None
    job, key = year.job, ID_COLUMNS[year.job.target]
    collection = publication.collection(collection_id(job.target, job.region)).parent
    old_folder = (collection / str(year.before["path"])).parent
    frames = [
        read_features(old_folder / f"{job.target}.parquet"),
        read_features(open_store(job.store).inventory(job.target, job.region, job.year)),
    ]
    old, new = ((frame[key].tolist(), np.asarray(frame.geometry.to_numpy(), dtype=object)) for frame in frames)
    table = crosswalk(old, new, old_release=old_folder.parent.name, new_release=release)
    path = f"year={job.year}/crosswalk.parquet"
    provenance = {"region": job.region, "year": job.year, "old_item": year.before["id"]}
    sum_ = put_table(staging.path(path), table, CROSSWALK, provenance=provenance)
    staging.reached(f"wrote {path}")
    title = f"Names of release {old_folder.parent.name} beside those of this one"
    return ReleasedFile("crosswalk", path, PARQUET, title, ("metadata",), sum_, table.num_rows, TABLES["crosswalk"].columns)


def _facts(
    store: Store, order: Order, years: tuple[YearFacts, ...], named: tuple[str, int], files: tuple[ReleasedFile, ...]
) -> ReleaseFacts:
    region, options = stored_region(store, order.region), order.options
    authors = options.authors or DEFAULT_AUTHORS
    west, south, east, north = region.bounds_wsen
    title = title_of(region.target, region.title, [year.year for year in years])
    return ReleaseFacts(
        release=named[0],
        sequence=named[1],
        day=options.date,
        reason=options.reason,
        target=region.target,
        region=region.name,
        title=region.title,
        geometry=json.loads(shapely.to_geojson(shapely.transform(region.geometry, lambda corners: corners.round(_DEGREE_DIGITS)))),
        bbox=(round(west, _DEGREE_DIGITS), round(south, _DEGREE_DIGITS), round(east, _DEGREE_DIGITS), round(north, _DEGREE_DIGITS)),
        licence=options.licence,
        doi=options.doi,
        authors=authors,
        citation=citation_of(authors, title, named[0], options.date, options.doi),
        attribution=_attribution(store, region.target, region.name, years),
        version=version("cryoatlas"),
        years=years,
        files=files,
    )


def _attribution(store: Store, target: Target, region: str, years: Sequence[YearFacts]) -> tuple[str, ...]:
    models = sorted({f"Model {m.name} {m.version}, {m.licence}: {m.citation}" for year in years if (m := year.model) and m.citation})
    span = tuple(year.year for year in years)
    return attributions(
        years=span,
        sensors=frozenset(scene.sensor for year in years for scene in year.scenes),
        glaciers=glacier_attribution(glacier_names(store, target, region, span)),
        model="\n\n".join(models),
    )
