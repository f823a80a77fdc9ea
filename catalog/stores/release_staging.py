"""Files of a store put into a release that nobody sees yet."""

from catalog.facts.publication import COG, JSON, Raster, ReleasedFile
from catalog.facts.records import Job
from catalog.stores.cogs import write_probability, write_surface
from catalog.stores.files import checksum
from catalog.stores.jobs import territory
from catalog.stores.publications import Staging
from catalog.stores.release_files import released, through_sources, year_sources
from catalog.stores.store import Store


def stage_year(staging: Staging, store: Store, job: Job, folder: str, *, cogs: bool) -> tuple[ReleasedFile, ...]:
    """Copy the tables of a region-year, with `cogs` add rasters of each zone; raises ProductDamaged for a table that changed."""
    files = [
        released(source, f"{folder}/{source.name}", staging.copy(source.path, f"{folder}/{source.name}", promised=source.promised))
        for source in year_sources(store, job.target, job.region, job.year)
    ]
    accuracy = store.accuracy(job.target, job.region, job.year)
    if accuracy.is_file():
        path, title = f"{folder}/accuracy.json", f"Accuracy of {job.year} by a sample that people checked"
        files.append(ReleasedFile("accuracy", path, JSON, title, ("metadata",), staging.copy(accuracy, path)))
    return (*files, *(_rasters(staging, store, job, folder) if cogs else ()))


def stage_through(staging: Staging, store: Store, job: Job) -> tuple[ReleasedFile, ...]:
    """Copy the tables through the years of a region."""
    sources = through_sources(store, job.target, job.region)
    return tuple(released(source, source.name, staging.copy(source.path, source.name)) for source in sources)


def _rasters(staging: Staging, store: Store, job: Job, folder: str) -> tuple[ReleasedFile, ...]:
    files = []
    for zone in territory(job).zones:
        probability = store.probability(job.target, job.region, job.year, zone.epsg)
        if probability.is_dir():
            path = f"{folder}/probability-{zone.epsg}.tif"
            raster = write_probability(staging.path(path), probability, zone)
            files.append(_raster_file(staging, f"probability-{zone.epsg}", path, f"Probability, EPSG:{zone.epsg}", raster))
        path = f"{folder}/surface-{zone.epsg}.tif"
        raster = write_surface(staging.path(path), store.cube(job.region, job.year, zone.epsg), zone)
        files.append(_raster_file(staging, f"surface-{zone.epsg}", path, f"Surface, red, green and blue, EPSG:{zone.epsg}", raster))
    return tuple(files)


def _raster_file(staging: Staging, key: str, path: str, title: str, raster: Raster) -> ReleasedFile:
    sum_ = checksum(staging.path(path))
    staging.reached(f"wrote {path}")
    roles = ("data",) if key.startswith("probability") else ("visual", "overview")
    return ReleasedFile(key, path, COG, title, roles, sum_, raster=raster)
