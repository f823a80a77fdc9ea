"""The data dictionary as a page for people and as records for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.facts.columns import Column
from catalog.facts.dictionary import Table
from catalog.facts.schemas import SCHEMA_VERSION, ArraySpec

Arrays = Mapping[str, Sequence[ArraySpec]]


def dictionary_json(tables: Sequence[Table], arrays: Arrays) -> str:
    """Return the dictionary as JSON: tables with their columns, arrays with their units, and the version of the schema."""
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "tables": [
            {
                "name": table.name,
                "about": table.about,
                "path": table.path,
                "columns": [_record(column) for column in table.columns],
            }
            for table in tables
        ],
        "arrays": [
            {
                "path": path,
                "name": spec.name,
                "type": spec.dtype,
                "unit": spec.units,
                "bands": list(spec.bands),
                "scale": spec.scale,
                "nothing_there": str(spec.fill),
                "meaning": spec.meaning,
            }
            for path, specs in arrays.items()
            for spec in specs
        ],
    }
    return json.dumps(content, indent=1) + "\n"


def _record(column: Column) -> dict[str, str]:
    return {
        "name": column.name,
        "type": column.type,
        "unit": column.unit,
        "meaning": column.meaning,
        "null_when": column.null_when or "never",
    }


def dictionary_page(tables: Sequence[Table], arrays: Arrays) -> str:
    """Return the dictionary as Markdown, one section per table."""
    parts = [
        "# Columns\n\nEvery column of every table, as the program knows it: `cryoatlas columns --markdown` writes this page. Areas and "
        "lengths are geodesic on WGS 84, coordinates EPSG:4326, dates UTC. Region and year are in the path of yearly tables, not inside: "
        "readers with Hive partitions give them as columns. A last column says when a value is null; where it is empty, never.",
        *(_table(table) for table in tables),
    ]
    if arrays:
        parts.append(_arrays(arrays))
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    rows = [_row(f"`{c.name}`", c.type, c.unit, _plain(c.meaning), _plain(c.null_when)) for c in table.columns]
    return "\n".join(
        [
            f"## {table.name}",
            "",
            f"{_sentence(table.about)} `{table.path}`",
            "",
            _row("column", "type", "unit", "meaning", "null"),
            "|---|---|---|---|---|",
            *rows,
        ]
    )


def _arrays(arrays: Arrays) -> str:
    rows = [
        _row(
            f"`{spec.name}`",
            f"{spec.dtype}{f', {len(spec.bands)} bands' if spec.bands else ''}",
            spec.units,
            spec.meaning,
            f"{spec.scale:g}",
            str(spec.fill),
        )
        for specs in arrays.values()
        for spec in specs
    ]
    paths = " and ".join(f"`{path}`" for path in arrays)
    head = _row("array", "type", "unit", "meaning", "scale", "nothing there")
    return "\n".join(
        ["## Arrays", "", f"Of the cubes {paths}. Value = stored number x scale.", "", head, "|---|---|---|---|---|---|", *rows]
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _plain(text: str) -> str:
    # Markdown takes what stands between < and > for HTML and shows nothing
    return text.replace("<", "\\<")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
