"""A hash of what a table says, whatever run said it."""

import hashlib
import json
from typing import Final

import pyarrow as pa

_NAMES_THE_RUN: Final = frozenset({"obs_id"})
"""Columns that are hashes of the run; the file's metadata, which names it too, is left out as well."""
_DERIVED: Final = frozenset({"bbox"})


def payload_hash(table: pa.Table, key: str) -> str:
    """Return `sha256:<hex>` of geometry (WKB) and columns, rows in the order of `key`; provenance and order of rows do not count."""
    kept = sorted(name for name in table.column_names if name not in _NAMES_THE_RUN | _DERIVED)
    digest = hashlib.sha256(json.dumps([[name, str(table.schema.field(name).type)] for name in kept]).encode())
    ordered = table.select(kept).sort_by([(key, "ascending")])
    for row in zip(*(ordered.column(name).to_pylist() for name in kept), strict=True):
        digest.update(json.dumps(row, default=_text, separators=(",", ":")).encode())
    return f"sha256:{digest.hexdigest()}"


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
