"""A store with tables of made-up lakes through four years, for questions about attributes: every column has values on both sides of a limit."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from catalog.facts.change_schemas import CHANGES, TRENDS
from catalog.facts.schemas import EVENTS, LAKES, TRACKS
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_features, put_table

REGION = "asked"
YEARS = (2018, 2019, 2020, 2021)
TILES = ("32643-0029-0214", "32643-0029-0215")
_COUNT = 36


def asked_store(root: Path) -> Store:
    """Make the store; no lake has an outline in every year, and neither areas nor verdicts follow from anything."""
    store = open_store(str(root), create=True)
    rng = np.random.default_rng(7)
    for year in YEARS:
        there = [number for number in range(_COUNT) if rng.random() < 0.8]
        points = np.array([shapely.box(77 + n / 100, 43, 77.001 + n / 100, 43.001) for n in there], object)
        put_features(store.inventory("lakes", REGION, year), points, _inventory(rng, there), LAKES, provenance={})
    for name, rows, schema in (
        ("changes", _changes(rng), CHANGES),
        ("events", _events(), EVENTS),
        ("trends", _trends(rng), TRENDS),
        ("tracks", _tracks(rng), TRACKS),
    ):
        put_table(store.tracks("lakes", REGION, name), pa.Table.from_pylist(rows, schema=schema), schema, provenance={})
    return store


def name_of(number: int) -> str:
    """Name of a lake."""
    return f"GL077{number:03d}E43000N"


def _inventory(rng: np.random.Generator, there: list[int]) -> dict[str, list[Any]]:
    count = len(there)
    columns: dict[str, list[Any]] = {field.name: [None] * count for field in LAKES}
    # areas are round, so that `at least` and `more than` differ, and some lakes are equally large
    area = rng.choice([3_000, 4_000, 8_000, 20_000, 50_000, 100_000, 100_000, 250_000, 700_000, 1_000_000, 2_500_000], count).astype(float)
    elevation = rng.choice([3200.0, 3900.0, 4000.0, 4500.0, np.nan], count)
    columns |= {
        "lake_id": [name_of(number) for number in there],
        "obs_id": [str(number) for number in there],
        "longitude": [77 + number / 100 for number in there],
        "latitude": [43.0] * count,
        "area_m2": area.tolist(),
        "area_low_m2": (0.9 * area).tolist(),
        "area_high_m2": (1.1 * area).tolist(),
        "area_sigma_m2": (0.05 * area).tolist(),
        "perimeter_m": (4 * np.sqrt(area)).tolist(),
        "date_median": [date(2021, 8, 1 + number % 28) for number in there],
        "elevation_m": elevation.tolist(),
        "probability": rng.choice([0.5, 0.8, 0.95], count).tolist(),
        "observed_share": rng.choice([0.4, 0.8, 1.0], count).tolist(),
        "lake_type": rng.choice(["ice_contact", "glacier_fed", "unconnected", "supraglacial"], count).tolist(),
        "glacier_distance_m": [None if each > 5000 else float(each) for each in rng.choice([0, 100, 500, 2000, 9000], count)],
        "flags": [["below_minimum_area"] * int(value < 5000) + ["lake_ice"] * int(rng.random() < 0.3) for value in area],
        "size_class": [""] * count,
        "sensors": ["S2"] * count,
        "tile": [TILES[number % 2] for number in there],
        "utm_epsg": [32643] * count,
    }
    return columns


def _changes(rng: np.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for number in range(_COUNT):
        for year in YEARS[:-1]:
            verdict = str(rng.choice(["grown", "shrunk", "within_error", "within_error", "not_comparable"]))
            start = float(rng.choice([0.0, 10_000.0, 100_000.0]))
            size = float(rng.choice([1_000.0, 5_000.0, 20_000.0]))
            change = {"grown": size, "shrunk": -size}.get(verdict, float(rng.choice([-90_000.0, 90_000.0])))
            row = dict.fromkeys(CHANGES.names)
            row |= {"feature_id": name_of(number), "year_from": year, "year_to": year + 1, "area_from_m2": start, "change_m2": change}
            row |= {"area_to_m2": start + change, "verdict": verdict, "comparable": verdict != "not_comparable", "because": []}
            rows += [row] if rng.random() < 0.8 else []
    return rows


def _events() -> list[dict[str, Any]]:
    told = [
        ("appear", 2018, 2019, [], [1], False),
        ("appear", 2020, 2021, [], [2], False),
        ("vanish", 2018, 2020, [3], [], False),
        ("vanish", 2020, 2021, [4], [], True),
        ("drain", 2019, 2020, [5], [5], True),
        ("drain", 2018, 2019, [6], [6], False),
        ("merge", 2019, 2021, [7, 8], [7], False),
        ("split", 2018, 2019, [9], [9, 10], False),
        ("reappear", 2020, 2021, [], [11], False),
        ("surge", 2019, 2020, [12], [12], False),
    ]
    blank = dict.fromkeys(EVENTS.names)
    return [
        blank
        | {"event": event, "year_from": first, "year_to": last, "alarm": alarm, "significant": True}
        | {"parents": [name_of(each) for each in parents], "children": [name_of(each) for each in children]}
        for event, first, last, parents, children, alarm in told
    ]


def _trends(rng: np.random.Generator) -> list[dict[str, Any]]:
    directions = ["growing", "shrinking", "no_trend", "too_short"]
    return [
        dict.fromkeys(TRENDS.names) | {"feature_id": name_of(number), "direction": str(rng.choice(directions))} for number in range(_COUNT)
    ]


def _tracks(rng: np.random.Generator) -> list[dict[str, Any]]:
    states = ["present", "absent", "partly_observed", "unobserved"]
    return [
        dict.fromkeys(TRACKS.names) | {"feature_id": name_of(number), "year": year, "state": str(rng.choice(states)), "comparable": True}
        for number in range(_COUNT)
        for year in YEARS
    ]
