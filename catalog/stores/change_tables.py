"""Where the tables through the years of a region are put."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from catalog.facts.change_schemas import CHANGE_SHAPES
from catalog.facts.records import Target
from catalog.stores.files import stamp_of, sweep_partials
from catalog.stores.store import Store
from catalog.stores.tables import put_features, put_table


def put_through_years(
    store: Store, target: Target, region: str, tables: Mapping[str, tuple[pa.Table, pa.Schema]], *, provenance: Mapping[str, Any]
) -> int:
    """Write tables by their names; return how many files changed. Equal content is not written again."""
    written = 0
    for name, (table, schema) in tables.items():
        path = store.tracks(target, region, name)
        before = stamp_of(path)
        sweep_partials(path.parent)
        put_table(path, table, schema, provenance=provenance)
        written += stamp_of(path) != before
    return written


def put_change_shapes(
    store: Store, target: Target, region: str, shapes: tuple[pa.Table, NDArray[Any]], *, provenance: Mapping[str, Any]
) -> int:
    """Write ground gained and lost, in the order given: by feature, pair of years and kind; return 1 when the file changed."""
    table, geometry = shapes
    path = store.tracks(target, region, "change_shapes")
    before = stamp_of(path)
    sweep_partials(path.parent)
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    put_features(path, geometry, columns, CHANGE_SHAPES, provenance=provenance, in_order=True)
    return int(stamp_of(path) != before)
