"""The SQL of a question about attributes: names of columns come from our own lists, everything else is a parameter."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.facts.attribute_queries import (
    BY_CHANGE,
    CLASSES_OF_LAKES,
    EVENTS_OF,
    STATES,
    AttributeQuery,
    Limits,
    attribute,
)

_SMALL = "below_minimum_area"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its parameters by name."""

    sql: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Parts:
    tables: list[str] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    wheres: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)


def statement_of(query: AttributeQuery, tile: str | None, names: Collection[str] | None = None) -> Statement:
    """SQL over the tables `inventory`, `changes`, `events`, `trends` and `tracks`, as far as the question needs them.

    `names`: the only features that count; None: all of the tile, or of the region without one.
    """
    parts = _Parts(parameters={"year": query.year})
    _base(parts, query, tile)
    if names is not None:
        parts.wheres.append("list_contains($names, feature_id)")
        parts.parameters["names"] = sorted(names)
    _attributes(parts, query)
    _change(parts, query)
    _through_years(parts, query)
    order = _order(query)
    select = ", ".join(
        [
            "feature_id",
            "year",
            "longitude",
            "latitude",
            "area_m2",
            "area_low_m2",
            "area_high_m2",
            "date_median",
            *dict.fromkeys(parts.columns),
        ]
    )
    sql = f"WITH {', '.join(parts.tables)} SELECT {select} FROM features {' '.join(parts.joins)}"  # noqa: S608 - our own names alone
    sql += f" WHERE {' AND '.join(parts.wheres)}" if parts.wheres else ""
    if query.rank is not None:
        # equal numbers share a place, so that no chance decides which of them is told
        sql += f" QUALIFY rank() OVER (ORDER BY {order}) BETWEEN $place AND $last_place"
        parts.parameters.update(place=query.rank.place, last_place=query.rank.place + query.rank.count - 1)
    return Statement(f"{sql} ORDER BY {order}, feature_id", parts.parameters)


def features_asked(query: AttributeQuery, tile: str | None) -> Statement:
    """SQL of all features that a question is asked of, small ones included: `feature_id` and `year`, that of the outline that counts."""
    parts = _Parts(parameters={"year": query.year})
    _base(parts, replace(query, small=True), tile)
    where = f" WHERE {' AND '.join(parts.wheres)}" if parts.wheres else ""
    return Statement(f"WITH {', '.join(parts.tables)} SELECT feature_id, year FROM features{where}", parts.parameters)  # noqa: S608 - see above


def _base(parts: _Parts, query: AttributeQuery, tile: str | None) -> None:
    """One row per feature: of the year, or, through the years, of the last outline up to it, else of the next after it."""
    if any(each is not None for each in (query.change, query.happening, query.direction, query.seen)):
        last = "row_number() OVER (PARTITION BY feature_id ORDER BY year <= $year DESC, abs(year - $year)) = 1"
        parts.tables.append(f"features AS (SELECT * FROM inventory QUALIFY {last})")  # noqa: S608 - our own names alone
    else:
        parts.tables.append("features AS (SELECT * FROM inventory WHERE year = $year)")
    if tile is not None:
        parts.wheres.append("tile = $tile")
        parts.parameters["tile"] = tile
    if not query.small:
        parts.wheres.append("NOT coalesce(list_contains(flags, $small), false)")
        parts.parameters["small"] = _SMALL


def _attributes(parts: _Parts, query: AttributeQuery) -> None:
    for number, condition in enumerate(query.conditions):
        column = attribute(condition.attribute).column
        parts.columns.extend([] if column == "area_m2" else [column])
        _limit(parts, column, condition.limits, f"limit_{number}")
    if query.kind is not None:
        column = "lake_type" if query.target == "lakes" else "status"
        parts.columns.append(column)
        parts.wheres.append(f"{column} = $kind")
        parts.parameters["kind"] = CLASSES_OF_LAKES[query.kind] if query.target == "lakes" else query.kind
    if query.flag is not None:
        parts.wheres.append("list_contains(flags, $flag)")
        parts.parameters["flag"] = query.flag
    if query.rank is not None and query.rank.by != BY_CHANGE:
        column = attribute(query.rank.by).column
        parts.columns.extend([] if column == "area_m2" else [column])
        parts.wheres.append(f"{column} IS NOT NULL AND NOT isnan({column})")


def _limit(parts: _Parts, value: str, limits: Limits, name: str) -> None:
    symbol = {"above": ">", "at least": ">=", "below": "<", "at most": "<="}.get(limits.comparison)
    # DuckDB holds NaN for more than any number, and a number that nobody knows is more than nothing
    known = f"NOT isnan({value})"
    if symbol is not None:
        parts.wheres.append(f"({known} AND {value} {symbol} ${name})")
        parts.parameters[name] = limits.values[0]
        return
    parts.wheres.append(f"({known} AND {value} BETWEEN ${name}_low AND ${name}_high)")
    parts.parameters[f"{name}_low"], parts.parameters[f"{name}_high"] = limits.values


def _change(parts: _Parts, query: AttributeQuery) -> None:
    if query.change is None:
        return
    parts.tables.append(
        "judged AS (SELECT feature_id, "
        "coalesce(sum(change_m2) FILTER (comparable AND verdict IN ('grown', 'shrunk')), 0) AS judged_change_m2, "
        "arg_min(area_from_m2, year_from) AS area_first_m2, min(year_from) AS first_year, max(year_to) AS last_year, "
        "bool_and(comparable AND verdict = 'within_error') AS same, bool_or(NOT comparable OR verdict = 'not_comparable') AS incomparable "
        "FROM changes WHERE year_from >= $since AND year_to <= $until GROUP BY feature_id)"
    )
    parts.parameters.update(since=query.since, until=query.until)
    parts.joins.append("JOIN judged USING (feature_id)")
    parts.columns.extend(["judged_change_m2", "area_first_m2", "first_year", "last_year"])
    trend, limits = query.change.trend, query.change.limits
    parts.wheres.append(
        {"grew": "judged_change_m2 > 0", "shrank": "judged_change_m2 < 0", "stayed the same": "same", "cannot be compared": "incomparable"}[
            trend
        ]
    )
    if limits is not None:
        amount = "judged_change_m2" if trend == "grew" else "(-judged_change_m2)"
        value = f"(100 * {amount} / nullif(area_first_m2, 0))" if query.change.percent else amount
        _limit(parts, value, limits, "change")


def _through_years(parts: _Parts, query: AttributeQuery) -> None:
    if query.happening is not None:
        event = EVENTS_OF[query.happening]
        wanted = "alarm" if event == "alarm" else "event = $event"
        parts.parameters.update({} if event == "alarm" else {"event": event})
        since = "" if query.since is None else " AND year_from >= $event_since"
        parts.parameters.update({"event_until": query.until} | ({} if query.since is None else {"event_since": query.since}))
        parts.wheres.append(
            "feature_id IN (SELECT unnest(list_concat(parents, children)) FROM events "  # noqa: S608 - our own names alone
            f"WHERE {wanted} AND year_to <= $event_until{since})"
        )
    if query.direction is not None:
        parts.wheres.append("feature_id IN (SELECT feature_id FROM trends WHERE direction = $direction)")
        parts.parameters["direction"] = query.direction
    if query.seen is not None:
        parts.wheres.append("feature_id IN (SELECT feature_id FROM tracks WHERE year = $year AND state = $state)")
        parts.parameters["state"] = STATES[query.seen]


def _order(query: AttributeQuery) -> str:
    if query.rank is None:
        return "area_m2 DESC"
    column = "judged_change_m2" if query.rank.by == BY_CHANGE else attribute(query.rank.by).column
    return f"{column} {'DESC' if query.rank.highest else 'ASC'}"
