"""Lakes of six years followed through time: seconds of processor beside geopandas in the same run, and how they grow with the lakes.

python -m benchmarks.bench_tracks [--lakes 20000] [--scaling 5000 20000 80000 320000]

Every figure is the middle one of `--repeats` runs in a process of its own; equality with geopandas comes first. `--write FOLDER` only
writes the inventories, for `cryoatlas track --outlines`.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from argparse import ArgumentParser
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path
from statistics import median

import geopandas as gpd
import numpy as np
import shapely

from benchmarks.lake_years import lake_years
from catalog.facts.options import TrackOptions
from models.outlines.edges import edges_of
from models.outlines.overlaps import links_between, links_of, overlaps_between, overlaps_of
from models.outlines.track import tracks_from_polygons

YEARS, FIRST_YEAR = 6, 2018
WHAT = ("nothing", "links", "overlaps", "all_pairs", "tracks", "sjoin", "overlay")
Years = list[np.ndarray]


def frame_of(outlines: np.ndarray) -> gpd.GeoDataFrame:
    """Outlines as geopandas holds them."""
    return gpd.GeoDataFrame({"place": np.arange(len(outlines))}, geometry=outlines, crs=4326)


def links(years: Years) -> int:
    """Who shares ground with whom in the next year."""
    edges = (edges_of(outlines, in_order=False) for outlines in years)
    return sum(len(links_between(before, after)[0]) for before, after in pairwise(edges))


def overlaps(years: Years) -> int:
    """The same with areas."""
    edges = (edges_of(outlines) for outlines in years)
    return sum(len(overlaps_between(before, after).left) for before, after in pairwise(edges))


def all_pairs(years: Years) -> int:
    """Every year with every other."""
    edges = [edges_of(outlines) for outlines in years]
    return sum(len(overlaps_between(before, after).left) for before, after in combinations(edges, 2))


def tracks(years: Years) -> int:
    """Names, states, comparability and events."""
    inventories = {FIRST_YEAR + step: outlines for step, outlines in enumerate(years)}
    found, _ = tracks_from_polygons(inventories, (min(inventories), max(inventories)), TrackOptions(), pixel_m=10.0)
    return found.rows.num_rows


def sjoin(years: Years) -> int:
    """Links by geopandas, those that only touch included."""
    return sum(len(gpd.sjoin(frame_of(before), frame_of(after))) for before, after in pairwise(years))


def overlay(years: Years) -> int:
    """Links and areas by geopandas."""
    return sum(len(overlay_of(before, after)) for before, after in pairwise(years))


def overlay_of(before: np.ndarray, after: np.ndarray) -> gpd.GeoDataFrame:
    """The ground that two years share, a row per pair."""
    with warnings.catch_warnings():
        # what only touches is a line or a point, and dropped
        warnings.simplefilter("ignore", UserWarning)
        return gpd.overlay(frame_of(before), frame_of(after))


def check(years: Years) -> str:
    """Stop unless pairs are those of geopandas and areas equal to 1e-9 of the smaller outline; less than that is no ground to us."""
    worst, pairs, slivers = 0.0, 0, 0
    for before, after in pairwise(years):
        theirs = overlay_of(before, after)
        size = np.minimum(shapely.area(before)[theirs.place_1], shapely.area(after)[theirs.place_2])
        share = dict(zip(zip(theirs.place_1, theirs.place_2, strict=True), shapely.area(theirs.geometry.to_numpy()) / size, strict=True))
        ours = overlaps_of(before, after)
        one, other = links_of(before, after)
        assert np.array_equal(one, ours.left) and np.array_equal(other, ours.right), "links differ from overlaps"
        found = dict(zip(zip(ours.left.tolist(), ours.right.tolist(), strict=True), ours.share.tolist(), strict=True))
        worst = max(worst, *(abs(found.get(pair, 0.0) - share.get(pair, 0.0)) for pair in set(found) | set(share)))
        pairs, slivers = pairs + len(found), slivers + len(set(share) - set(found))
    assert worst < 1e-9, worst
    return f"{pairs} pairs equal those of geopandas.overlay but {slivers} slivers of rounding; shares differ by {worst:.0e} at most"


def measure(what: str, lakes: int, repeats: int, folder: Path) -> dict[str, float]:
    """Measure in a process of its own, so that no peak of memory is another's."""
    call = [sys.executable, "-m", "benchmarks.bench_tracks", "--one", what, "--lakes", str(lakes), "--repeats", str(repeats)]
    done = subprocess.run([*call, "--write", str(folder)], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def one(what: str, repeats: int, folder: Path) -> dict[str, float]:
    """Read the inventories, warm the compiled loops, then measure."""
    years = read(folder)
    work: dict[str, Callable[[Years], int]] = {name: globals()[name] for name in WHAT[1:]}
    function = work.get(what, lambda _: 0)
    function([outlines[:300] for outlines in years])
    before, cpu, wall = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, [], []
    for _ in range(repeats):
        started = time.process_time(), time.perf_counter()
        found = function(years)
        cpu.append(time.process_time() - started[0])
        wall.append(time.perf_counter() - started[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_s": median(cpu), "wall_s": median(wall), "peak_mb": peak, "above_mb": peak - before, "found": found}


def write(lakes: int, folder: Path) -> None:
    """Write one GeoParquet file a year."""
    for step, outlines in enumerate(lake_years(lakes, YEARS)):
        frame_of(outlines).to_parquet(folder / f"inv_{FIRST_YEAR + step}.parquet")


def read(folder: Path) -> Years:
    """Read them again."""
    return [gpd.read_parquet(file).geometry.to_numpy() for file in sorted(folder.glob("inv_*.parquet"))]


def beside(lakes: int, repeats: int) -> None:
    """Print ours and geopandas side by side."""
    with tempfile.TemporaryDirectory() as name:
        write(lakes, Path(name))
        print(check(read(Path(name))), flush=True)
        found = {what: measure(what, lakes, repeats, Path(name)) for what in WHAT}
    print(f"\n{YEARS} years x {lakes} lakes, {YEARS - 1} neighbouring pairs of years (all_pairs: {YEARS * (YEARS - 1) // 2})")
    print(f"{'':10} {'CPU s':>8} {'wall s':>8} {'MB above data':>14} {'found':>8} {'CPU of overlay / this':>22}")
    for what, row in found.items():
        ratio = f"{found['overlay']['cpu_s'] / row['cpu_s']:.1f}" if row["cpu_s"] > 1e-3 else ""
        print(f"{what:10} {row['cpu_s']:8.2f} {row['wall_s']:8.2f} {row['above_mb']:14.0f} {row['found']:8.0f} {ratio:>22}", flush=True)
    both = found["links"]["cpu_s"] + found["overlaps"]["cpu_s"]
    print(f"links and overlaps together: {found['overlay']['cpu_s'] / both:.1f} times less than overlay")
    print(f"all pairs / neighbouring pairs: {found['all_pairs']['cpu_s'] / found['overlaps']['cpu_s']:.2f}")


def scaling(sizes: list[int]) -> None:
    """Print how seconds and memory grow with the lakes."""
    print(f"\n{'lakes':>8} {'links':>8} {'overlaps':>9} {'tracks':>8}  CPU s  {'tracks us per lake and year':>28} {'peak MB':>8}")
    for lakes in sizes:
        with tempfile.TemporaryDirectory() as name:
            write(lakes, Path(name))
            found = {what: measure(what, lakes, 1, Path(name)) for what in ("links", "overlaps", "tracks")}
        seconds = [found[what]["cpu_s"] for what in ("links", "overlaps", "tracks")]
        each = seconds[2] / lakes / YEARS * 1e6
        print(
            f"{lakes:8} {seconds[0]:8.2f} {seconds[1]:9.2f} {seconds[2]:8.2f}  {each:35.1f} {found['tracks']['peak_mb']:8.0f}", flush=True
        )


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--lakes", type=int, default=20_000, help="0: only the scaling")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scaling", type=int, nargs="*", default=[])
    parser.add_argument("--write", type=Path, default=None, help="only write the inventories into this folder")
    parser.add_argument("--one", choices=WHAT, default=None, help="only measure this, of the inventories in the folder of --write")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(one(chosen.one, chosen.repeats, chosen.write)))
    elif chosen.write:
        chosen.write.mkdir(parents=True, exist_ok=True)
        write(chosen.lakes, chosen.write)
    else:
        if chosen.lakes:
            beside(chosen.lakes, chosen.repeats)
        if chosen.scaling:
            scaling(chosen.scaling)


if __name__ == "__main__":
    main()
