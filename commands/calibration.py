"""A short real run on a small piece of simulated ground, from which unit costs are fitted."""

import tempfile
from dataclasses import replace
from pathlib import Path

from catalog.facts.options import MapOptions
from catalog.facts.unit_costs import UnitCosts
from catalog.stores.calibrations import calibrated_from, disk_mb_s
from catalog.stores.store import open_store
from commands.console import say
from commands.running import run_annual
from simulator.make import make
from simulator.worlds import HMA

_YEAR = 2022
_GROUND = replace(HMA, name="calibration", chips=(3, 2, 2, 4), ascending=3, descending=1, scattered=12)
"""Tiles of four sizes in one zone and their overlap in the next, so that what a tile costs once can be told from what its pixels cost."""
_WARMING = replace(HMA, name="warming", chips=(1, 0, 0, 1), optical_dates=2, ascending=1, descending=1, scattered=2)


def measure_here(model: str | None) -> UnitCosts:
    """Simulate, map twice (the first, small, only to compile and to load every library), and fit what the units took."""
    with tempfile.TemporaryDirectory() as name:
        for world in (_WARMING, _GROUND):
            say(f"calibration: simulating {world.name}, then mapping it")
            place, store = Path(name) / world.name, str(Path(name) / f"{world.name}-store")
            make(world, (_YEAR,), place)
            run_annual([str(place / "region.geojson")], [_YEAR], str(place / "catalog"), store, model, MapOptions(), None)
        costs = calibrated_from(open_store(store))
        return replace(costs, origin="measured on this machine", disk_mb_s=disk_mb_s(Path(name)))
