"""What a column is: its type, unit and meaning, and when it says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

Written = Mapping[str, tuple[str, str] | tuple[str, str, str]]
"""Column -> unit, meaning, and when it is null (left out: never)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a stored table."""

    name: str
    type: str
    """Arrow's name of the type, `list of string` for lists."""
    unit: str
    """Empty for names and words."""
    meaning: str
    null_when: str
    """In words; empty where it is never null."""


def columns_of(schema: pa.Schema, written: Written) -> tuple[Column, ...]:
    """Return the columns of a schema with what is written about them."""
    return tuple(_column(field, *written[field.name]) for field in schema)


def _column(field: pa.Field, unit: str, meaning: str, null_when: str = "") -> Column:
    kind = f"list of {field.type.value_type}" if pa.types.is_list(field.type) else str(field.type)
    return Column(field.name, kind.removesuffix("[day]"), unit, meaning, null_when)
