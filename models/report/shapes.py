"""Ground gained and lost, as far as the page has room for it."""

import gzip
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from catalog.facts.report_records import Geometries, Plane, ReportTables
from models.report.outlines import outline_streams, packed_outlines, simplified, to_plane
from models.report.packing import Header, Packer, as_floats

_BUDGET_BYTES: Final = 800_000
_FEWER: Final = 0.6


def pack_shapes(packer: Packer, tables: ReportTables, plane: Plane, tolerance_m: float) -> Header | None:
    """Pack gained and lost ground per later year: of significant changes first, then the largest, until the budget is spent."""
    table = tables.through.get("change_shapes")
    if table is None or not table.num_rows:
        return None
    moved = simplified(to_plane(tables.shapes, plane.epsg), tolerance_m)
    order = _order(table, tables.through.get("changes"))
    kept = _fitting(moved, order, plane)
    years = np.asarray(table.column("year_to").to_numpy(), np.int64)
    packed: dict[str, Header] = {}
    for year in sorted(set(years[kept].tolist())):
        rows = np.sort(kept[years[kept] == year])
        names = {name: table.column(name).take(pa.array(rows)).to_pylist() for name in ("feature_id", "kind")}
        words: dict[str, Any] = {name: packer.words(values) for name, values in names.items()}
        packed[str(year)] = words | {"shapes": packed_outlines(packer, moved[rows], plane)}
    return {"years": packed, "shown": len(kept), "all": table.num_rows}


def _order(table: pa.Table, changes: pa.Table | None) -> np.ndarray[Any, np.dtype[np.int64]]:
    sure = _significant(changes)
    keys = zip(*(table.column(name).to_pylist() for name in ("feature_id", "year_to")), strict=True)
    doubtful = np.array([not sure.get(key, False) for key in keys], bool)
    return np.lexsort((np.arange(len(doubtful)), -as_floats(table.column("area_m2").to_pylist()), doubtful))


def _significant(changes: pa.Table | None) -> Mapping[tuple[str, int], bool]:
    if changes is None:
        return {}
    columns = (changes.column(name).to_pylist() for name in ("feature_id", "year_to", "significant"))
    return {(name, year): bool(significant) for name, year, significant in zip(*columns, strict=True)}


def _fitting(moved: Geometries, order: np.ndarray[Any, np.dtype[np.int64]], plane: Plane) -> np.ndarray[Any, np.dtype[np.int64]]:
    kept = order
    while (
        len(kept) and sum(len(gzip.compress(stream, 6)) for stream in outline_streams(moved[np.sort(kept)], plane)) * 4 / 3 > _BUDGET_BYTES
    ):
        kept = kept[: int(len(kept) * _FEWER)]
    return kept
