"""The page's own numbers, each read off a table of the store; the page computes nothing but positions and colours."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from catalog.facts.report_records import ReportTables, YearTables
from models.report.facts import (
    attributions_of,
    citation_of,
    holes_of,
    hours_of,
    missing_tables,
    runs_of,
    shown_holes,
    stages_of,
)
from models.report.ground import observed_share, scenes_of
from models.report.packing import as_floats

_SMALL: Final = "below_minimum_area"
_WHAT_TO_DO: Final = {
    "drain": "Compare both years on the map, then on a scene of a finer sensor. A dry bed calls for a look at the valley below.",
    "vanish": "Compare both years on the map. Where the water is gone, look at the valley below.",
}
_LOOK: Final = "Compare both years on the map."
_IF_WRONG: Final = (
    " If ice, snow or shadow made it, write that down for those who come later: `cryoatlas edits add --store STORE --region {region} "
    "--year {year} --action note --id {name} --reason WHY --author YOU`."
)


def summary_of(tables: ReportTables, card: Mapping[str, Any], price_per_hour: float | None) -> dict[str, Any]:
    """Everything of a page that is small: head, counts, totals, events, run facts. JSON-ready."""
    holes = holes_of(tables)
    stages = [row for year in tables.years for row in stages_of(year.outcomes, year.year)]
    region = tables.region
    return {
        "region": {"name": region.name, "title": region.title, "target": region.target},
        "complete": not holes,
        "holes": shown_holes(holes),
        "holes_count": len(holes),
        "counts": [_counts(year) for year in tables.years],
        "tables": {name: _rows(tables.through[name]) for name in ("totals", "total_changes", "region_trends") if name in tables.through},
        "slump_counts": [row for year in tables.years for row in _rows(year.counts)],
        "verdicts": _verdicts(tables.through["changes"]) if "changes" in tables.through else None,
        "not_computed": missing_tables(tables),
        "scenes": [scenes_of(year) for year in tables.years],
        "stages": stages,
        "work": hours_of(stages, price_per_hour),
        "runs": runs_of(tables),
        "model_card": [[name, value] for name, value in card.items()],
        "citation": citation_of(tables),
        "attribution": attributions_of(tables),
    }


def _counts(year: YearTables) -> dict[str, Any]:
    """Rows and area of an inventory as it is listed; small ones are counted apart and left out of the area."""
    base = {"year": year.year, "mapped": year.mapped, "observed_share": observed_share(year.coverage), "tiles": year.coverage.num_rows}
    states = Counter(year.coverage.column("state").to_pylist()) if year.coverage.num_rows else Counter[str]()
    base["tile_states"] = dict(sorted(states.items()))
    if not year.mapped:
        return base | {"features": None, "features_small": None, "area_m2": None, "flags": {}}
    flags = year.inventory.column("flags").to_pylist()
    small = np.array([_SMALL in (row or ()) for row in flags], bool)
    area = as_floats(year.inventory.column("area_m2").to_pylist())
    counted = Counter(flag for row in flags for flag in row or ())
    listed = {"features": len(flags), "features_small": int(small.sum()), "area_m2": float(area[~small].sum())}
    return base | listed | {"flags": dict(sorted(counted.items()))}


def events_of(events: pa.Table, region: str) -> list[dict[str, Any]]:
    """Events, alarms first, then the latest; an alarm says what to do."""
    rows = _rows(events)
    for row in rows:
        row["to_do"] = _to_do(row, region) if row["alarm"] else ""
    return sorted(rows, key=lambda row: (not row["alarm"], -row["year_to"], row["event"], row["parents"] or [], row["children"] or []))


def _to_do(event: Mapping[str, Any], region: str) -> str:
    names = [*(event["children"] or ()), *(event["parents"] or ())]
    way_out = _IF_WRONG.format(region=region, year=event["year_to"], name=names[0] if names else "ID")
    return _WHAT_TO_DO.get(event["event"], _LOOK) + way_out


def _verdicts(changes: pa.Table) -> list[dict[str, Any]]:
    """Per pair of neighbouring years how many changes have which verdict."""
    pairs: dict[tuple[int, int], Counter[str]] = {}
    columns: Sequence[list[Any]] = [changes.column(name).to_pylist() for name in ("year_from", "year_to", "verdict")]
    for before, after, verdict in zip(*columns, strict=True):
        pairs.setdefault((before, after), Counter())[verdict] += 1
    return [{"year_from": a, "year_to": b, "verdicts": dict(sorted(pairs[a, b].items()))} for a, b in sorted(pairs)]


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows with null in place of what is not a number, which JSON has no word for."""
    return [
        {name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in row.items()}
        for row in table.to_pylist()
    ]
