"""What of a store goes into a release, and under which names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.facts.columns import Column
from catalog.facts.dictionary import TABLES, Table
from catalog.facts.errors import SchemaError
from catalog.facts.publication import PARQUET, ReleasedFile
from catalog.facts.records import Target
from catalog.stores import ledger
from catalog.stores.files import checksum
from catalog.stores.store import Store

THROUGH_YEARS: Final = ("tracks", "events", "changes", "change_shapes", "trends", "region_trends", "totals", "total_changes")


@dataclass(frozen=True, slots=True)
class Source:
    """A table of a store that a release takes over byte for byte."""

    key: str
    """Of the asset."""
    table: Table
    path: Path
    name: str
    """File name in the release."""
    title: str
    promised: str = ""
    """Checksum of the ledger; empty for tables that it does not keep."""


def year_sources(store: Store, target: Target, region: str, year: int) -> tuple[Source, ...]:
    """Tables of a region-year that are there, the inventory first."""
    promised = {path: sum_ for outcome in ledger.find_all(store, region, year) for path, sum_ in outcome.outputs.items()}

    def source(key: str, table: str, path: Path, title: str) -> Source:
        return Source(key, TABLES[table], path, f"{key}.parquet", title, promised.get(store.relative(path), ""))

    what = "Glacial lakes" if target == "lakes" else "Thaw slumps"
    found = [
        source(target, target, store.inventory(target, region, year), f"{what} of {year}"),
        source("coverage", "coverage", store.coverage(region, year), f"What was observed in {year}, per tile"),
        source("scenes", "scenes", store.scenes(region, year), f"Scenes considered for {year}, used or refused and why"),
    ]
    found.append(
        source("edits_status", "edits_status", store.edits_status(target, region, year), f"What became of people's edits in {year}")
    )
    if target == "slumps":
        found.append(source("counts", "counts", store.counts(target, region, year), "Slumps on observed ground, with a range"))
        found.append(source("counts_h3", "counts_h3", store.counts(target, region, year, cells=True), "The same per H3 cell"))
    matched = sorted(store.matches(target, region, year, "").parent.glob("[!.]*.parquet"))
    found += [source(f"matches-{path.stem}", "matches", path, f"Features beside those of {path.stem}") for path in matched]
    return tuple(entry for entry in found if entry.path.is_file())


def through_sources(store: Store, target: Target, region: str) -> tuple[Source, ...]:
    """Tables through the years that are there."""
    paths = {name: store.tracks(target, region, name) for name in THROUGH_YEARS}
    return tuple(
        Source(name, TABLES[name], path, f"{name}.parquet", TABLES[name].about.capitalize())
        for name, path in paths.items()
        if path.is_file()
    )


def contents_of(store: Store, target: Target, region: str, year: int) -> dict[str, str]:
    """Checksums of everything that the tables of a region-year say now, by the key of the asset."""
    sources = (*year_sources(store, target, region, year), *through_sources(store, target, region))
    accuracy = store.accuracy(target, region, year)
    return {s.key: checksum(s.path) for s in sources} | ({"accuracy": checksum(accuracy)} if accuracy.is_file() else {})


def released(source: Source, path: str, written: str) -> ReleasedFile:
    """Describe a copied table with its columns and rows."""
    with source.path.open("rb") as file:
        metadata = pq.read_metadata(file)
    schema = metadata.schema.to_arrow_schema()
    names = list(schema.names)
    known = {column.name: column for column in source.table.columns}
    columns = tuple(known.get(name) or Column(name, _short(schema.field(name).type), "", "as the STAC item has it", "") for name in names)
    roles = ("metadata",) if source.key in ("coverage", "scenes") else ("data",)
    geometry = "geometry" if "geometry" in names else ""
    return ReleasedFile(source.key, path, PARQUET, source.title, roles, written, metadata.num_rows, columns, geometry)


def schema_faults(source: Source) -> tuple[str, ...]:
    """Return what is wrong with the columns of a table, or with the file itself."""
    try:
        with source.path.open("rb") as file:
            schema = pq.read_schema(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise SchemaError(f"{source.path}: not a readable table ({error}). Delete it and run again.") from error
    wrong = []
    for field in source.table.schema:
        place = schema.get_field_index(field.name)
        if place < 0:
            wrong.append(f"{source.path}: column {field.name} is missing")
        elif schema.field(place).type != field.type:
            wrong.append(f"{source.path}: column {field.name} is {schema.field(place).type}, expected {field.type}")
    return tuple(wrong)


def _short(kind: pa.DataType) -> str:
    text = str(kind)
    return text if len(text) < 40 else text.partition("<")[0]
