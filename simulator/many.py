"""Many randomised worlds in worker processes: `python -m simulator.many --kind mountains --seeds 100-139 --years 2019,2023 --out worlds`.

A world that is complete is not made again; one that a stopped run left half made is.
"""

import argparse
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from simulator.make import make
from simulator.randomised import KINDS, Kind, name_of, randomised


def seeds_of(text: str) -> range:
    """Read `100-139` or `100`."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def make_many(kind: Kind, seeds: Sequence[int], years: Sequence[int], out: Path, *, workers: int = 2) -> list[str]:
    """Make the worlds that are missing under `out`, a folder each; returns their names as they are finished."""
    missing = [seed for seed in seeds if not (out / name_of(kind, seed) / "region.geojson").exists()]
    if workers <= 1:
        return [_made(kind, seed, years, out) for seed in missing]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [future.result() for future in as_completed([pool.submit(_made, kind, seed, years, out) for seed in missing])]


def _made(kind: Kind, seed: int, years: Sequence[int], out: Path) -> str:
    name = name_of(kind, seed)
    partial = out / f".{name}"
    shutil.rmtree(partial, ignore_errors=True)
    make(randomised(seed, kind), years, partial, seed=seed, workers=1)
    partial.rename(out / name)
    return name


def main() -> None:
    """Read the command line and make the worlds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=KINDS, default="mountains")
    parser.add_argument("--seeds", type=seeds_of, required=True, help="one seed, or first-last")
    parser.add_argument("--years", type=lambda text: [int(year) for year in text.split(",")], default=[2019, 2023])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    made = make_many(args.kind, args.seeds, args.years, args.out, workers=args.workers)
    print(f"Made {len(made)} worlds under {args.out}.")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
