"""Short real runs on small pieces of simulated ground, from which unit costs are fitted."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from catalog.facts.errors import WrongCall
from catalog.facts.options import DEFAULT_MODELS, MapOptions
from catalog.facts.unit_costs import UnitCosts
from catalog.stores.calibrations import calibrated_from, disk_mb_s
from catalog.stores.store import open_store
from commands.console import say
from commands.running import run_annual
from infra.settings import read_settings
from simulator.make import make
from simulator.worlds import ARCTIC, HMA, World

YEAR: Final = 2022
_HERE: Final = ("threads", "processes")
GROUNDS: Final = (
    replace(HMA, name="calibration-lakes", chips=(3, 1, 1, 3), ascending=3, descending=1, scattered=12),
    replace(ARCTIC, name="calibration-slumps", chips=(2, 1, 1, 2)),
)
"""Tiles of several sizes, so that what a tile costs once can be told from what its pixels cost; the first also lies across a zone seam."""


def measure_here(kept: Path | None = None) -> UnitCosts:
    """Simulate ground of lakes and of slumps, map it with the default models and `indices`, and fit what the units took.

    Each is mapped small before, only to compile and to load every library. `kept`: folder for what is made, which is lost otherwise.
    Raises WrongCall where tiles would be worked on elsewhere.
    """
    cluster = read_settings().cluster
    if cluster not in _HERE:
        raise WrongCall(
            f"CRYOATLAS_CLUSTER is {cluster}, and --calibrate measures this machine: set it to threads, "
            "or learn from a store that the cluster filled, with `cryoatlas plan --from-store STORE`."
        )
    if kept is not None:
        return _measured_in(kept)
    with tempfile.TemporaryDirectory() as name:
        return _measured_in(Path(name))


def _measured_in(folder: Path) -> UnitCosts:
    store = str(folder / "store")
    for step, world in enumerate(GROUNDS, 1):
        say(f"calibration {step}/3: simulating ground of {world.target} and mapping it with {DEFAULT_MODELS[world.target]}")
        make(small(world), (YEAR,), folder / "small" / world.name)
        make(world, (YEAR,), folder / world.name)
        _map(folder / "small" / world.name, str(folder / "small-store"))
        _map(folder / world.name, store)
    costs = calibrated_from(open_store(store))
    say("calibration 3/3: mapping the lakes with indices")
    _map(folder / "small" / GROUNDS[0].name, str(folder / "small-store"), "indices")
    _map(folder / GROUNDS[0].name, store, "indices")
    models = {**costs.models, "indices": calibrated_from(open_store(store)).models["indices"]}
    return replace(costs, models=models, origin="measured on this machine", disk_mb_s=disk_mb_s(folder))


def small(world: World) -> World:
    """A chip of a world, mapped only so that all is compiled and loaded."""
    return replace(world, name=f"{world.name}-small", chips=(1, 0, 0, 1), optical_dates=2, ascending=1, descending=1, scattered=2)


def _map(world: Path, store: str, model: str | None = None) -> None:
    run_annual([str(world / "region.geojson")], [YEAR], str(world / "catalog"), store, model, MapOptions(), None)
