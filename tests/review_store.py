"""A small store made by hand up to the stage `features`, so that what follows can be tried without mapping anything."""

from pathlib import Path

import numpy as np
import shapely
from prefect.logging import disable_run_logger

from catalog.facts.causes import State
from catalog.facts.options import TrackOptions
from catalog.facts.records import Job, Outcome, Unit
from catalog.facts.regions import Region
from catalog.facts.schemas import LAKES, size_class
from catalog.stores import ledger
from catalog.stores.files import write_atomic
from catalog.stores.regions import to_geojson
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_features
from models.outlines.geodesy import area_perimeter
from tasks.write_inventory import write_inventory

REGION, YEAR = "valley", 2021
BOX = (77.0, 44.2, 77.3, 44.4)
JOB_OPTIONS = TrackOptions()


def lake(x: float, y: float, size: float = 4.0) -> shapely.Geometry:
    """A square whose corner lies x, y thousandths of a degree from 77.1 E, 44.3 N; 4 thousandths are 0.14 km2."""
    return shapely.box(77.1 + x / 1000, 44.3 + y / 1000, 77.1 + (x + size) / 1000, 44.3 + (y + size) / 1000)


def new_store(root: Path) -> Store:
    """A store that holds a region and nothing else."""
    store = open_store(str(root), create=True)
    region = Region(REGION, "Valley", "lakes", "user", shapely.box(*BOX).wkt)
    write_atomic(store.region(REGION), to_geojson(region))
    return store


def put_measured(store: Store, outlines: list[shapely.Geometry], year: int = YEAR, *, model: str = "indices 1") -> None:
    """Write what the stage `features` would, with its record."""
    held = np.array(outlines, dtype=object)
    points = shapely.get_coordinates(shapely.point_on_surface(held)).reshape(-1, 2)
    area, perimeter = area_perimeter(held)
    known = {
        "longitude": points[:, 0],
        "latitude": points[:, 1],
        "area_m2": area,
        "area_low_m2": area * 0.9,
        "area_high_m2": area * 1.1,
        "area_sigma_m2": area * 0.05,
        "perimeter_m": perimeter,
        "size_class": [size_class(value) for value in area],
        "probability": [0.9] * len(held),
        "observed_share": [1.0] * len(held),
        "looks": [4] * len(held),
        "flags": [["few_looks"] if place % 2 else [] for place in range(len(held))],
        "tile": ["32643-0022-0219"] * len(held),
        "utm_epsg": [32643] * len(held),
    }
    columns = {name: known.get(name, [None] * len(held)) for name in LAKES.names}
    path = store.features("lakes", REGION, year)
    about = {"region": REGION, "year": year, "model": model, "model_sha256": model, "fingerprint": "f", "run_id": "r"}
    shared = {"schema_version": 1, "cryoatlas_version": "0", "licence": "CC-BY-4.0", "attribution": ""}
    put_features(path, held, columns, LAKES, provenance=about | shared)
    inputs = {"stage": "features 4", "options": {"min_area_m2": 5000.0, "keep_area_m2": 1000.0}, "model": model}
    unit = Unit(REGION, year, "region", "features")
    ledger.put(store, Outcome(unit, State.DONE, model, outputs=ledger.receipts_for(store, [path]), inputs=inputs))


def list_lakes(store: Store, year: int = YEAR) -> tuple[str, ...]:
    """Run the stage `inventory`; return its warnings."""
    with disable_run_logger():
        return write_inventory.fn(Job(REGION, year, "lakes", str(store.root)), JOB_OPTIONS).warnings
