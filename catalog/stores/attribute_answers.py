"""Questions about attributes, answered from the tables of a store by DuckDB; what users say goes in as parameters, never as SQL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import duckdb
import pyarrow as pa

from catalog.facts.attribute_queries import BY_CHANGE, NAMES, AttributeQuery, Change, attribute
from catalog.facts.errors import SchemaError, WrongCall
from catalog.stores.attribute_sql import Statement, features_asked, statement_of
from catalog.stores.jobs import years_with
from catalog.stores.store import Store
from catalog.stores.tables import read_table

_ALWAYS: Final = ("longitude", "latitude", "area_m2", "area_low_m2", "area_high_m2", "date_median", "flags", "tile", "lake_type", "status")


@dataclass(frozen=True, slots=True)
class Answered:
    """What the tables answer."""

    rows: tuple[Mapping[str, Any], ...]
    """`feature_id`, `year` (of the outline), `longitude`, `latitude`, `area_m2`, and what was asked about; the first one first."""
    number: float
    """How many, or how many m2 in all."""
    statement: Statement
    small: int = 0
    """More that would fit, were they not below the minimum area."""
    incomparable: int = 0
    """More that would fit, were it not for a change of theirs that cannot be compared."""


def answer_attributes(
    store: Store, region: str, query: AttributeQuery, tile: str | None = None, names: Collection[str] | None = None
) -> Answered:
    """Answer a question about a region, one of its tiles or some features by name, exactly as the tables have it.

    Without a question through the years, the rows are those of the inventory of `query.year`. With one, each feature counts as it was last
    outlined up to that year. A feature grew when the changes that the table of changes judges `grown` or `shrunk` add up to more than
    nothing; changes within their error, and those that cannot be compared, add nothing. Raises WrongCall where a table that the question
    needs was never written, SchemaError for a damaged table or one without a column that is asked about.
    """
    with _opened(store, region, query) as connection:

        def rows_of(asked: AttributeQuery) -> list[dict[str, Any]]:
            return _rows(connection, statement_of(asked, tile, names))

        def more(asked: AttributeQuery) -> int:
            return len({row["feature_id"] for row in rows_of(asked)} - found)

        statement = statement_of(query, tile, names)
        rows = rows_of(query)
        found = {row["feature_id"] for row in rows}
        unit = "sum(area_m2)" if query.asks == "total_area" else "count(*)"
        (number,) = connection.execute(f"SELECT coalesce({unit}, 0) FROM ({statement.sql})", dict(statement.parameters)).fetchone() or (0,)  # noqa: S608 - our own names alone
        return Answered(
            tuple(rows),
            float(number),
            statement,
            small=0 if query.small or query.rank else more(replace(query, small=True)),
            incomparable=more(replace(query, change=Change("cannot be compared"), rank=None)) if _judged(query) else 0,
        )


def outlines_asked(store: Store, region: str, query: AttributeQuery, tile: str | None = None) -> tuple[tuple[str, int], ...]:
    """Names of all features that a question is asked of, each with the year of the outline that counts."""
    with _opened(store, region, query) as connection:
        return tuple((row["feature_id"], row["year"]) for row in _rows(connection, features_asked(query, tile)))


@contextmanager
def _opened(store: Store, region: str, query: AttributeQuery) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        # nothing but the tables given is read, whatever a statement says
        connection.execute("SET enable_external_access = false")
        _give(connection, store, region, query)
        yield connection


def _judged(query: AttributeQuery) -> bool:
    return query.change is not None and query.change.trend in ("grew", "shrank")


def _rows(connection: duckdb.DuckDBPyConnection, statement: Statement) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.execute(statement.sql, dict(statement.parameters)).to_arrow_table().to_pylist()
    return rows


def _give(connection: duckdb.DuckDBPyConnection, store: Store, region: str, query: AttributeQuery) -> None:
    """Hand over the tables that a question needs, read by our own reader: a store may lie in a bucket."""
    needed = {
        "changes": query.change is not None,
        "events": query.happening is not None,
        "trends": query.direction is not None,
        "tracks": query.seen is not None,
    }
    for name in (name for name, wanted in needed.items() if wanted):
        path = store.tracks(query.target, region, name)
        if not path.is_file():
            raise WrongCall(f"Region {region!r} has no table of {name} in {store.root}. Make it with `cryoatlas track`.")
        connection.register(name, read_table(path))
    years = years_with(store, query.target, region) if any(needed.values()) else (query.year or 0,)
    connection.register(
        "inventory", pa.concat_tables([_inventory(store, region, query, year) for year in years], promote_options="default")
    )


def _inventory(store: Store, region: str, query: AttributeQuery, year: int) -> pa.Table:
    name = NAMES[query.target]
    asked = _asked_columns(query)
    path = store.inventory(query.target, region, year)
    table = read_table(path)
    missing = [column for column in asked if column not in table.column_names]
    if missing:
        raise SchemaError(f"{path}: no column {missing[0]}, which the question asks about. Map the year again with `cryoatlas run`.")
    kept = table.select([name, *(column for column in dict.fromkeys([*_ALWAYS, *asked]) if column in table.column_names)])
    renamed = kept.rename_columns(["feature_id", *kept.column_names[1:]])
    return renamed.append_column("year", pa.array([year] * len(renamed), pa.int16()))


def _asked_columns(query: AttributeQuery) -> Sequence[str]:
    names = [condition.attribute for condition in query.conditions]
    names += [query.rank.by] if query.rank and query.rank.by != BY_CHANGE else []
    return [attribute(name).column for name in dict.fromkeys(names)]
