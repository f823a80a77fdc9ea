"""An inventory to a stratified random sample for people to check, with a picture per case."""

from collections.abc import Iterator, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import Cause
from catalog.facts.errors import WrongCall
from catalog.facts.grids import CHIP_PX
from catalog.facts.records import Job
from catalog.facts.samples import SampleOptions, SampleReport
from catalog.facts.schemas import ID_COLUMNS, PROBABILITY, SURFACE
from catalog.stores import cubes
from catalog.stores.files import checksum
from catalog.stores.jobs import stored_region, territory, years_with
from catalog.stores.objects import local_path
from catalog.stores.samples import refuse_answered, write_sample
from catalog.stores.store import Store, open_store
from catalog.stores.tables import read_features, read_provenance
from models.outlines.geodesy import to_metres
from models.outlines.ground import pixel_bounds
from models.review.case_pictures import CaseImage, case_picture
from models.review.cells import Cells, cells_of
from models.review.instructions import readme_of
from models.review.sampling import CELL_STRATA, SMALL_FLAGS, Drawn, area_weights, cell_strata, draw, feature_strata

_MARGIN_PX = 40
_LEAST_AREA_M2 = {"lakes": 5_000.0, "slumps": 3_200.0}


@task(cache_policy=NO_CACHE, task_run_name="sample-{region}-{year}")
def export_sample(store: str, region: str, year: int, out: str, options: SampleOptions) -> SampleReport:
    """Draw listed features and cells of seen ground, and write them as a folder for a reviewer."""
    return exported(store, region, year, out, options)


def exported(store: str, region: str, year: int, out: str, options: SampleOptions) -> SampleReport:
    """Do the same without Prefect. Raises WrongCall for a year without inventory, without features, or a folder with answers."""
    opened, folder = open_store(store), local_path(out)
    job = Job(region, year, stored_region(opened, region).target, str(opened.root))
    if year not in (years := years_with(opened, job.target, region)):
        raise WrongCall(f"{region} {year}: no inventory in {store}. There are: {', '.join(map(str, years)) or 'none yet'}.")
    refuse_answered(folder)
    path, rng = opened.inventory(job.target, region, year), np.random.default_rng(options.seed)
    listed = read_features(path).rename(columns={ID_COLUMNS[job.target]: "feature_id"})
    population = listed if options.small else listed[[not SMALL_FLAGS & set(flags) for flags in listed["flags"]]]
    population = population.sort_values("feature_id").reset_index(drop=True)
    if not len(population):
        raise WrongCall(f"{region} {year}: the inventory lists no feature to sample. Choose another year, or --small.")
    features = _features(population, options.size, rng)
    ground = _cells(opened, job, listed)
    cells = _drawn_cells(ground, options.cells, rng)
    key = gpd.GeoDataFrame(pd.concat([features, cells], ignore_index=True), geometry="geometry", crs=4326)
    about = {
        **{
            name: value
            for name, value in read_provenance(path).items()
            if name in {"model", "model_sha256", "cryoatlas_version", "fingerprint"}
        },
        **{"store": str(opened.root), "region": region, "year": year, "target": job.target, "seed": options.seed, "folder": out},
        **{"inventory": checksum(path), "features": len(population), "area_m2": float(population.area_m2.sum())},
        "median_m2": float(population.area_m2.median()),
        **{"least_area_m2": 0.0 if options.small else _LEAST_AREA_M2[job.target], "strata": _strata(population, ground)},
        "seen_km2": float(ground.seen_m2.sum() / 1e6),
    }
    pictures = _pictures(opened, job, key, listed) if options.pictures else ()
    near = listed[["feature_id", "area_m2", "geometry"]]
    count = write_sample(folder, key, near, about, readme_of(about, (len(features), len(cells))), pictures)
    told = key.groupby(["kind", "stratum"], sort=True)[["population", "sampled", "inclusion_probability"]].first().reset_index()
    return SampleReport(str(folder), tuple(told.to_dict("records")), count)


def _features(population: gpd.GeoDataFrame, size: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    area = population.area_m2.to_numpy(np.float64)
    strata = feature_strata(area, population["flags"].tolist())
    frame = _cases("feature", draw(strata, area_weights(area), size, rng), strata, area, population.geometry.to_numpy(), rng)
    rows = frame.pop("row")
    return frame.assign(feature_id=population.feature_id.to_numpy()[rows], utm_epsg=population.utm_epsg.to_numpy()[rows])


def _drawn_cells(ground: gpd.GeoDataFrame, size: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    strata = ground.stratum.tolist()
    if not strata or not size:
        return gpd.GeoDataFrame(geometry=[], crs=4326)
    likely = np.array([CELL_STRATA[name] for name in strata])
    frame = _cases("cell", draw(strata, likely, size, rng), strata, ground.seen_m2.to_numpy(), ground.geometry.to_numpy(), rng)
    rows = frame.pop("row")
    return frame.assign(feature_id=None, utm_epsg=ground.utm_epsg.to_numpy()[rows])


def _cases(
    kind: str, drawn: Drawn, strata: Sequence[str], area: NDArray[np.float64], outlines: NDArray[np.object_], rng: np.random.Generator
) -> gpd.GeoDataFrame:
    # whoever stops early has then answered a random part of the sample
    order = rng.permutation(len(drawn.rows))
    rows, population, sampled = drawn.rows[order], drawn.population[order], drawn.sampled[order]
    columns = {
        "case": [f"{kind}-{place + 1:03d}" for place in range(len(rows))],
        "kind": kind,
        "stratum": [strata[row] for row in rows],
        "population": population,
        "sampled": sampled,
        "inclusion_probability": sampled / population,
        "weight": population / sampled,
        "area_m2": area[rows],
        "row": rows,
    }
    return gpd.GeoDataFrame(columns, geometry=outlines[rows], crs=4326)


def _strata(population: gpd.GeoDataFrame, ground: gpd.GeoDataFrame) -> dict[str, dict[str, int]]:
    features = pd.Series(feature_strata(population.area_m2.to_numpy(np.float64), population["flags"].tolist()))
    return {"feature": features.value_counts().to_dict(), "cell": ground.stratum.value_counts().to_dict()}


def _cells(store: Store, job: Job, listed: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """All cells of seen ground: each piece of ground in the zone that owns it."""
    parts = [_tile_cells(store, job, zone.epsg, zone.chip_mask(tile), tile) for zone in territory(job).zones for tile in zone.tiles]
    frames = [
        gpd.GeoDataFrame({"seen_m2": p.seen_m2, "doubtful": p.doubtful_share, "utm_epsg": p.epsg}, geometry=p.outlines, crs=4326)
        for p in parts
    ]
    ground = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=4326)
    outlines = ground.geometry.to_numpy()
    doubtful = np.maximum(ground.doubtful.to_numpy(np.float64), _meets(outlines, _unlisted(store, job)).astype(np.float64))
    return ground.assign(stratum=cell_strata(_meets(outlines, listed.geometry.to_numpy()), doubtful))


def _tile_cells(store: Store, job: Job, epsg: int, inside: NDArray[np.bool_], tile: Any) -> Cells:
    window = (*tile.origin_yx_px, tile.size_px, tile.size_px)
    surface, answers = store.cube(job.region, job.year, epsg), store.probability(job.target, job.region, job.year, epsg)
    # where the cubes were thrown away all mapped ground counts as seen
    cause = np.full((tile.size_px, tile.size_px), Cause.USABLE, np.uint8)
    if (surface / "zarr.json").is_file():
        cause = cubes.read_window(cubes.read_cube(surface, SURFACE), "cause", window)
    probability = None
    if (answers / "zarr.json").is_file():
        probability = cubes.read_window(cubes.read_cube(answers, PROBABILITY), "probability", window)
    return cells_of(tile, inside, cause, probability)


def _unlisted(store: Store, job: Job) -> NDArray[np.object_]:
    """Outlines that were found and not listed: detections below the threshold."""
    path, inventory = store.features(job.target, job.region, job.year), store.inventory(job.target, job.region, job.year)
    if job.target != "slumps" or not path.is_file():
        return np.empty(0, object)
    found = read_features(path)
    return np.asarray(found.geometry[found.score < float(read_provenance(inventory)["threshold"])].to_numpy(), object)


def _meets(cells: NDArray[np.object_], outlines: NDArray[np.object_]) -> NDArray[np.bool_]:
    met = np.zeros(len(cells), bool)
    met[shapely.STRtree(outlines).query(cells, predicate="intersects")[0]] = True
    return met


def _pictures(store: Store, job: Job, key: gpd.GeoDataFrame, listed: gpd.GeoDataFrame) -> Iterator[tuple[str, bytes]]:
    tree, outlines = shapely.STRtree(listed.geometry.to_numpy()), listed.geometry.to_numpy()
    for case, kind, epsg, shape, own in zip(key.case, key.kind, key.utm_epsg, key.geometry.to_numpy(), key.feature_id, strict=True):
        path = store.cube(job.region, job.year, int(epsg))
        if not (path / "zarr.json").is_file():
            continue
        subject = to_metres(np.array([shape], object), int(epsg))[0]
        window = _window(subject, 0 if kind == "cell" else _MARGIN_PX)
        near = [row for row in tree.query(shapely.buffer(shape, 0.02)).tolist() if listed.feature_id.iloc[row] != own]
        others = to_metres(outlines[near], int(epsg))
        s2 = cubes.read_window(cubes.read_cube(path, SURFACE), "s2", window)
        yield case, case_picture(CaseImage(s2, window[:2], subject, tuple(others)), f"{case}  {job.region} {job.year}")


def _window(subject: shapely.Geometry, margin: int) -> tuple[int, int, int, int]:
    """Square around a shape, global pixels (y, x, height, width)."""
    top, left, bottom, right = pixel_bounds(subject)
    side = max(bottom - top, right - left) + 2 * margin if margin else CHIP_PX
    return (top + bottom - side) // 2, (left + right - side) // 2, side, side
