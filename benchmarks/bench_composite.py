"""CPU seconds of the cloud-masked median composite: ours beside odc-stac, stackstac and decoding the same blocks alone.

Makes seeded COGs (5 dates x 12 bands + SCL, uint16, DEFLATE, predictor 2, blocks of 512), runs each method in its own
process on the same window, refuses to compare unless all give the same array, and prints a table. CPU seconds are user plus
system after imports and after one small warm-up run (compilation, library start); they hold on a busy machine, wall seconds do not.

    python benchmarks/bench_composite.py [--size 2048] [--dates 5] [--repeats 2] [--json FILE] [--methods ours,decode,odc,stackstac]
"""

# ruff: noqa: PLC0415 (each method is imported only in the process that runs it)
import argparse
import hashlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
EPSG, LEFT, TOP, SIZE_M, BLOCK = 32643, 500_000, 3_900_000, 20, 512
MARGIN_PX = 512
"""The window starts at a block and is made of whole blocks, so that no method is charged for blocks it does not need."""
MASKED = (0, 1, 3, 8, 9, 10)
WORKERS = 2
METHODS = ("decode", "ours", "odc", "stackstac")


def smooth_noise(rng: np.random.Generator, size: int, octaves: int = 6) -> np.ndarray:
    """Fractal noise of unit spread, the stand-in for ground."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = 4 * 2**octave
        coarse = rng.standard_normal((cells + 2, cells + 2)).astype(np.float32)
        position = np.linspace(0, cells, size, endpoint=False)
        before, part = position.astype(int), (position % 1).astype(np.float32)
        rows = coarse[before] * (1 - part)[:, None] + coarse[before + 1] * part[:, None]
        total += (rows[:, before] * (1 - part) + rows[:, before + 1] * part) / 1.7**octave
    return total / total.std()


def write_cog(path: Path, values: np.ndarray, predictor: int) -> None:
    import rasterio
    from affine import Affine
    from rasterio.crs import CRS

    profile = {"driver": "COG", "dtype": values.dtype, "count": 1, "height": values.shape[0], "width": values.shape[1], "nodata": 0}
    placed = {"crs": CRS.from_epsg(EPSG), "transform": Affine(SIZE_M, 0, LEFT, 0, -SIZE_M, TOP)}
    packed = {"compress": "DEFLATE", "predictor": predictor, "blocksize": BLOCK, "overviews": "NONE", "num_threads": "ALL_CPUS"}
    with rasterio.open(path, "w", **profile, **placed, **packed) as file:
        file.write(values, 1)


def make_scenes(folder: Path, size: int, dates: int) -> None:
    """Write the COGs; `folder` then holds `<date>_<band>.tif`."""
    rng = np.random.default_rng(20261121)
    ground = smooth_noise(rng, size)
    for date in range(dates):
        cloud = smooth_noise(rng, size, 4) > 0.3
        classes = np.where(cloud, np.where(smooth_noise(rng, size, 3) > 0, 9, 8), np.where(ground > 1.2, 11, 5)).astype(np.uint8)
        classes[smooth_noise(rng, size, 3) > 2.2] = 3
        write_cog(folder / f"{date}_SCL.tif", classes, 1)
        noise = 60 * rng.standard_normal((size, size), dtype=np.float32)
        for index, band in enumerate(BANDS):
            values = 1500 + 120 * index + 350 * ground + np.roll(noise, 97 * index)
            values = np.where(cloud, values + 3500, values)
            write_cog(folder / f"{date}_{band}.tif", np.clip(values, 1, 12_000).astype(np.uint16), 2)


def acquired(date: int) -> datetime:
    return datetime(2023, 7, 1, 5, tzinfo=UTC) + timedelta(days=5 * date)


def run_decode(folder: Path, dates: int, window_px: int) -> np.ndarray | None:
    """Read the same windows, block by block, and do nothing with them."""
    import rasterio
    from rasterio.windows import Window

    def read(job: tuple[int, str]) -> None:
        with rasterio.Env(GDAL_CACHEMAX=128), rasterio.open(folder / f"{job[0]}_{job[1]}.tif") as file:
            file.read(1, window=Window(MARGIN_PX, MARGIN_PX, window_px, window_px))

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(read, [(date, band) for date in range(dates) for band in ("SCL", *BANDS)]))
    return None


def run_ours(folder: Path, dates: int, window_px: int) -> np.ndarray | None:
    from catalog.facts.pixel_grids import PixelGrid
    from catalog.facts.records import Asset, Scene
    from catalog.stores.pixels import read_grid
    from models.surface.scl_median import scl_median

    scenes = [
        Scene(
            str(date),
            "s2",
            "static",
            "bench",
            acquired(date),
            {band: Asset(str(folder / f"{date}_{band}.tif")) for band in ("SCL", *BANDS)},
            "",
        )
        for date in range(dates)
    ]
    grid = PixelGrid(EPSG, LEFT + MARGIN_PX * SIZE_M, TOP - MARGIN_PX * SIZE_M, SIZE_M, window_px, window_px)
    return scl_median(scenes, read_grid, grid, BANDS, max_workers=WORKERS)


def items(folder: Path, dates: int) -> list[dict]:
    """STAC items as plain dicts, with all the projection fields that both libraries like."""
    from pyproj import Transformer

    longitude, latitude = Transformer.from_crs(EPSG, 4326, always_xy=True).transform(LEFT, TOP)
    box = [longitude - 2, latitude - 2, longitude + 2, latitude + 2]
    ring = [[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]], [box[0], box[1]]]
    side = int(json.loads((folder / "size.json").read_text(encoding="utf-8")))
    projection = {
        "proj:epsg": EPSG,
        "proj:code": f"EPSG:{EPSG}",
        "proj:shape": [side, side],
        "proj:transform": [SIZE_M, 0, LEFT, 0, -SIZE_M, TOP],
    }

    def asset(date: int, band: str) -> dict:
        described = {"data_type": "uint8" if band == "SCL" else "uint16", "nodata": 0}
        return {
            "href": str(folder / f"{date}_{band}.tif"),
            "type": "image/tiff",
            "roles": ["data"],
            "raster:bands": [described],
            **projection,
        }

    extensions = [
        "https://stac-extensions.github.io/projection/v1.1.0/schema.json",
        "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
    ]
    return [
        {
            "type": "Feature",
            "stac_version": "1.0.0",
            "stac_extensions": extensions,
            "id": str(date),
            "collection": "bench",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "bbox": box,
            "properties": {"datetime": acquired(date).isoformat(), **projection},
            "links": [],
            "assets": {band: asset(date, band) for band in ("SCL", *BANDS)},
        }
        for date in range(dates)
    ]


def masked_float_median(counts, classes):
    """How both libraries' documentation does it: mask to NaN, `median` over time, skipping NaN."""
    return counts.where(~classes.isin(MASKED) & (counts != 0)).median("time", skipna=True)


def as_counts(median: np.ndarray) -> np.ndarray:
    return np.floor(np.nan_to_num(median)).astype(np.uint16)


def run_odc(folder: Path, dates: int, window_px: int) -> np.ndarray | None:
    import dask
    import odc.stac
    import pystac
    import xarray as xr
    from affine import Affine
    from odc.geo.geobox import GeoBox

    corner = Affine(SIZE_M, 0, LEFT + MARGIN_PX * SIZE_M, 0, -SIZE_M, TOP - MARGIN_PX * SIZE_M)
    box = GeoBox((window_px, window_px), corner, f"EPSG:{EPSG}")
    loaded = odc.stac.load(
        [pystac.Item.from_dict(item) for item in items(folder, dates)], bands=["SCL", *BANDS], geobox=box, chunks={"x": 1024, "y": 1024}
    )
    classes = loaded["SCL"]
    with dask.config.set(scheduler="threads", num_workers=WORKERS):
        medians = xr.Dataset(
            {band: masked_float_median(loaded[band].chunk(time=-1).astype("float32"), classes.chunk(time=-1)) for band in BANDS}
        ).compute()
    return as_counts(np.stack([medians[band].values for band in BANDS]))


def run_stackstac(folder: Path, dates: int, window_px: int) -> np.ndarray | None:
    import dask
    import stackstac

    left, top = LEFT + MARGIN_PX * SIZE_M, TOP - MARGIN_PX * SIZE_M
    bounds = (left, top - window_px * SIZE_M, left + window_px * SIZE_M, top)
    shared = {"epsg": EPSG, "resolution": SIZE_M, "bounds": bounds, "rescale": False, "properties": False, "band_coords": False}
    listed = items(folder, dates)
    stack = stackstac.stack(listed, assets=list(BANDS), dtype="float32", fill_value=np.float32(np.nan), chunksize=1024, **shared)
    classes = stackstac.stack(listed, assets=["SCL"], dtype="float32", fill_value=np.float32(0), chunksize=1024, **shared)
    counts = stack.chunk(time=-1).drop_vars("id", errors="ignore")
    tags = classes.isel(band=0, drop=True).chunk(time=-1).drop_vars("id", errors="ignore")
    with dask.config.set(scheduler="threads", num_workers=WORKERS):
        return as_counts(masked_float_median(counts, tags).compute().values)


RUNNERS: dict[str, Callable[[Path, int, int], np.ndarray | None]] = {
    "decode": run_decode,
    "ours": run_ours,
    "odc": run_odc,
    "stackstac": run_stackstac,
}


def measure(method: str, folder: Path, dates: int, window_px: int) -> dict[str, float | str]:
    """Run one method in this process, after a warm-up on a small window."""
    RUNNERS[method](folder, dates, 64)
    cpu, wall = time.process_time(), time.perf_counter()
    result = RUNNERS[method](folder, dates, window_px)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    digest = hashlib.sha256(np.ascontiguousarray(result)).hexdigest() if result is not None else ""
    return {"cpu_s": cpu, "wall_s": wall, "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "digest": digest}


def run_in_own_process(method: str, folder: Path, dates: int, window_px: int) -> dict[str, float | str]:
    call = [sys.executable, __file__, "--one", method, "--folder", str(folder), "--dates", str(dates), "--size", str(window_px)]
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{method} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def compare(arguments: argparse.Namespace, folder: Path) -> list[dict[str, float | str]]:
    """Run all methods in turn, several times, and check that they agree."""
    make_scenes(folder, arguments.size + 2 * MARGIN_PX, arguments.dates)
    (folder / "size.json").write_text(json.dumps(arguments.size + 2 * MARGIN_PX), encoding="utf-8")
    runs = {method: [] for method in arguments.methods.split(",")}
    for _ in range(arguments.repeats):
        for method, results in runs.items():
            results.append(run_in_own_process(method, folder, arguments.dates, arguments.size))
    digests = {method: {run["digest"] for run in results} for method, results in runs.items() if method != "decode"}
    if len(set().union(*digests.values())) > 1:
        raise SystemExit(f"the composites differ, so their cost cannot be compared: {digests}")
    megapixels = arguments.size**2 * arguments.dates * len(BANDS) / 1e6
    rows = []
    for method, results in runs.items():
        cpu = statistics.median(run["cpu_s"] for run in results)
        wall = statistics.median(run["wall_s"] for run in results)
        peak = max(run["rss_mb"] for run in results)
        rows.append({"method": method, "cpu_s": cpu, "cpu_s_per_mpx_band": cpu / megapixels, "wall_s": wall, "rss_mb": peak})
    ours = next((row["cpu_s"] for row in rows if row["method"] == "ours"), float("nan"))
    return [{**row, "cpu_vs_ours": row["cpu_s"] / ours} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1536, help="pixels along one side of the composite")
    parser.add_argument("--dates", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.folder, arguments.dates, arguments.size)))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = compare(arguments, Path(folder))
    print(f"{'method':<10} {'CPU s':>8} {'CPU s/Mpx-band':>15} {'wall s':>8} {'peak MB':>8} {'CPU vs ours':>12}")
    for row in rows:
        print(
            f"{row['method']:<10} {row['cpu_s']:8.2f} {row['cpu_s_per_mpx_band']:15.5f} {row['wall_s']:8.2f} {row['rss_mb']:8.0f} {row['cpu_vs_ours']:12.2f}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
