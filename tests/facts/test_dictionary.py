"""The data dictionary says something about every column, and of nothing else."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from catalog.facts import change_schemas, schemas, slump_schemas
from catalog.facts.dictionary import ARRAYS, SCENES, TABLES, tables_named
from catalog.facts.errors import WrongCall
from catalog.stores.selections import write_choices
from models.publication.dictionary_words import dictionary_json, dictionary_page

DOCS = Path(__file__).resolve().parents[2] / "docs"
_INSTANCES = "INSTANCES"
"""What a detector found in windows: intermediate, and described where it is declared."""


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_an_entry_and_every_entry_a_column(name):
    table = TABLES[name]
    assert set(table.written) == set(table.schema.names)
    assert [column.name for column in table.columns][: len(table.schema)] == table.schema.names


def test_every_declared_table_is_in_the_dictionary():
    declared = {
        name: value
        for module in (schemas, slump_schemas, change_schemas)
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and hasattr(value, "names")
    }
    known = [table.schema for table in TABLES.values()]
    assert {name for name, schema in declared.items() if schema not in known} == {_INSTANCES}


def test_every_entry_says_something_and_numbers_have_units():
    densities = {"per_100_km2"}
    for table in TABLES.values():
        for column in table.columns:
            assert column.meaning, (table.name, column.name)
            if column.name.endswith(("_m2", "_m", "_deg", "_km2", "_m3")) and column.name not in densities:
                assert column.unit == column.name.rpartition("_")[2], (table.name, column.name)
            if column.type in ("float", "double"):
                assert column.unit, (table.name, column.name)


def test_the_columns_of_scenes_are_those_that_are_written(tmp_path):
    write_choices(tmp_path / "none.parquet", [], {})
    written = pq.read_schema(tmp_path / "none.parquet").remove_metadata()
    assert [(field.name, field.type) for field in SCENES] == [(field.name, field.type) for field in written if field.name != "id"]


def test_the_page_of_columns_is_current():
    page = dictionary_page(tuple(TABLES.values()), ARRAYS)
    assert (DOCS / "columns.md").read_text(encoding="utf-8") == page, "write it again: cryoatlas columns --markdown > docs/columns.md"


def test_the_json_names_every_column_of_the_tables_asked_for():
    text = dictionary_json(tables_named(["coverage"]), {})
    assert all(f'"{name}"' in text for name in schemas.COVERAGE.names)
    assert "lake_id" not in text


def test_an_unknown_table_is_refused_with_those_that_are_known():
    with pytest.raises(WrongCall, match="coverage"):
        tables_named(["coverige"])
