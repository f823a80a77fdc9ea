"""Simulated worlds to training chips: `python recipes/worlds_to_chips.py --worlds WORLDS --store STORE --chips CHIPS --pattern '*-01??' --split train`.

Builds the surface cubes of every world and year that is complete under WORLDS (made with `python -m simulator.many`), cuts chips from
them into CHIPS/<world>, and skips worlds whose chips exist, so that it can be run again and again while worlds are being made.
Run it several times side by side only with patterns that have no world in common.
"""

# ruff: noqa: E402 - Prefect reads its environment when it is imported
import argparse
import shutil
import time
from pathlib import Path
from typing import Literal

from infra.settings import prepare_environment

prepare_environment()

from catalog.facts.chips import CutOptions
from catalog.facts.options import MapOptions
from flows.map_region import map_region
from tasks.cut_chips import cut

Split = Literal["train", "val", "test"]
SURFACE_ONLY = MapOptions(until="surface")


def years_in(world: Path, target: str = "lakes") -> list[int]:
    """Years of which a world has truth."""
    return sorted(int(path.stem.removeprefix("year=")) for path in (world / "truth" / target).glob("year=*.parquet"))


def cut_world(world: Path, store: str, chips: Path, split: Split, target: str = "lakes") -> str:
    """Build the surfaces of one world and cut its chips; returns a line of what it took."""
    years, started = years_in(world, target), time.process_time()
    for year in years:
        report = map_region(str(world / "region.geojson"), year, str(world / "catalog"), store, options=SURFACE_ONLY)
        if report.failures:
            raise SystemExit(f"{world.name} {year}: {report.failures[0]}")
    built = time.process_time()
    # half-empty windows at the rim of a world would cost a network as much as full ones
    options = CutOptions(split=split, min_valid_share=0.6, ground=world.name, licence="CC0-1.0", attribution="cryoatlas simulator")
    region = report.job.region
    found = cut(store, region, years, str(world / "truth" / target / "year={year}.parquet"), str(chips / world.name), options)
    shutil.rmtree(Path(store) / "cubes" / region, ignore_errors=True)
    took = time.process_time()
    return f"{world.name}: {found.chips} chips, {found.outlines} {target}, surface {built - started:.1f} s, cut {took - built:.1f} s of CPU"


def main() -> None:
    """Read the command line and cut what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=Path, required=True)
    parser.add_argument("--store", required=True, help="folder for the cubes")
    parser.add_argument("--chips", type=Path, required=True, help="folder that gets a set of chips per world")
    parser.add_argument("--pattern", default="randomised-*", help="worlds to take")
    parser.add_argument("--split", choices=("train", "val", "test"), required=True)
    parser.add_argument("--target", choices=("lakes", "slumps"), default="lakes", help="which outlines become labels")
    parser.add_argument("--drop-scenes", action="store_true", help="delete the scenes of a world once its chips are cut")
    args = parser.parse_args()
    for world in sorted(args.worlds.glob(args.pattern)):
        if not (world / "region.geojson").exists() or (args.chips / world.name / "set.json").exists():
            continue
        print(cut_world(world, args.store, args.chips, args.split, args.target), flush=True)  # noqa: T201 - the script's answer
        if args.drop_scenes:
            shutil.rmtree(world / "catalog")


if __name__ == "__main__":
    main()
