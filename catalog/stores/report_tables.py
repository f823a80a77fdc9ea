"""Everything that a store says of a region, read once for its page."""

import importlib.resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import plotly.offline
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from catalog.facts.errors import WrongCall
from catalog.facts.records import Target
from catalog.facts.report_records import Geometries, PageParts, ReportTables, YearTables
from catalog.stores import ledger
from catalog.stores.jobs import stored_region, years_begun, years_with
from catalog.stores.store import Store
from catalog.stores.tables import read_provenance, read_table

TABLES: Final = ("tracks", "events", "changes", "change_shapes", "trends", "region_trends", "totals", "total_changes")
"""Tables through the years."""
_SCENE_COLUMNS: Final = ("id", "collection", "provider", "datetime", "tile", "used", "refused_because")
_SCRIPTS: Final = (
    "words.js",
    "unpack.js",
    "layers.js",
    "pointers.js",
    "map.js",
    "table.js",
    "charts.js",
    "feature.js",
    "facts.js",
    "page.js",
)
_EMPTY: Final = pa.table({})


def read_report_tables(store: Store, region: str) -> ReportTables:
    """Read what a store holds about a region; tables that are not there are left out.

    Raises WrongCall for a region that is not there or of which no year was mapped, SchemaError for a damaged table.
    """
    found = stored_region(store, region)
    mapped = years_with(store, found.target, region)
    if not mapped:
        raise WrongCall(f"Region {region!r} has no inventory in {store.root}. Map it first with `cryoatlas run`.")
    years = tuple(
        _year(store, found.target, region, year, mapped=year in mapped) for year in sorted({*mapped, *years_begun(store, region)})
    )
    through = {name: read_table(path) for name in TABLES if (path := store.tracks(found.target, region, name)).is_file()}
    shapes = through.get("change_shapes")
    return ReportTables(found, years, through, _none() if shapes is None else _geometry(shapes))


def read_page_parts() -> PageParts:
    """Read the page's own HTML, style and scripts, and the script that plotly carries."""
    folder = importlib.resources.files("catalog").joinpath("page")

    def text(name: str) -> str:
        return folder.joinpath(name).read_text(encoding="utf-8")

    return PageParts(text("page.html"), text("page.css"), "\n".join(text(name) for name in _SCRIPTS), plotly.offline.get_plotlyjs())


def _year(store: Store, target: Target, region: str, year: int, *, mapped: bool) -> YearTables:
    path = store.inventory(target, region, year)
    inventory = read_table(path) if mapped else _EMPTY
    return YearTables(
        year,
        mapped,
        inventory.drop_columns([name for name in ("geometry", "bbox") if name in inventory.column_names]),
        _geometry(inventory) if mapped else _none(),
        read_provenance(path) if mapped else {},
        _if_there(store.coverage(region, year)),
        _scenes(store.scenes(region, year)),
        _if_there(store.counts(target, region, year)),
        ledger.find_all(store, region, year),
    )


def _geometry(table: pa.Table) -> Geometries:
    return np.asarray(shapely.from_wkb(table.column("geometry").to_numpy()), object)


def _none() -> Geometries:
    return np.empty(0, object)


def _if_there(path: Path) -> pa.Table:
    return read_table(path) if path.is_file() else _EMPTY


def _scenes(path: Path) -> pa.Table:
    if not path.is_file():
        return _EMPTY
    with path.open("rb") as file:
        names: Any = pq.read_schema(file).names
    return read_table(path, [name for name in _SCENE_COLUMNS if name in names])
