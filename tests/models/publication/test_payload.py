"""The hash of a table hangs on what it says, not on which run said it, nor in which order."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.publication.payload import payload_hash


def table(rows, run="1"):
    columns = {
        "lake_id": [f"GL{number}" for number, _ in rows],
        "obs_id": [f"{run}-{number}" for number, _ in rows],
        "area_m2": [area for _, area in rows],
        "flags": [["few_looks"] if area > 500 else [] for _, area in rows],
        "geometry": [number.to_bytes(4, "big") for number, _ in rows],
        "bbox": [{"xmin": float(number)} for number, _ in rows],
    }
    return pa.table(columns).replace_schema_metadata({b"cryoatlas": run.encode()})


ROWS = st.lists(st.tuples(st.integers(0, 99), st.floats(1, 1000)), min_size=1, max_size=8, unique_by=lambda row: row[0])


@given(ROWS, st.randoms())
def test_neither_run_nor_order_counts(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert payload_hash(table(rows), "lake_id") == payload_hash(table(shuffled, run="2"), "lake_id")


@given(ROWS)
def test_the_last_digit_of_an_area_counts(rows):
    number, area = rows[0]
    other = [(number, area + 1e-9 * area), *rows[1:]]
    assert payload_hash(table(rows), "lake_id") != payload_hash(table(other), "lake_id")


@pytest.mark.parametrize("column", ["geometry", "flags"])
def test_geometry_and_words_count(column):
    one = table([(1, 100.0), (2, 900.0)])
    values = one.column(column).to_pylist()
    values[0] = b"\x00\x00\x00\x07" if column == "geometry" else ["lake_ice"]
    other = one.set_column(one.column_names.index(column), column, pa.array(values, one.schema.field(column).type))
    assert payload_hash(one, "lake_id") != payload_hash(other, "lake_id")
