"""What a reader must know to judge and to cite: completeness, run, model, scenes, hours and costs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from catalog.facts.causes import State
from catalog.facts.records import Outcome, Target
from catalog.facts.report_records import ReportTables, YearTables

_TARGET_WORDS: Final[Mapping[Target, str]] = {"lakes": "glacial lakes", "slumps": "retrogressive thaw slumps"}
_SHOWN_HOLES: Final = 200
_RUNS_IN_CITATION: Final = 8
_TO_COMPUTE: Final = (
    ("tracks", "Tracks: which features are the same through the years, and in which years each was observed"),
    ("changes", "Change from year to year with its significance"),
    ("trends", "Trends of features"),
    ("totals", "Totals of the region with intervals"),
    ("total_changes", "Change of the totals on the features observed in both years"),
    ("region_trends", "Trend of the region"),
)


def holes_of(tables: ReportTables) -> list[dict[str, Any]]:
    """What is missing: units that failed, tiles that nothing was recorded of, years that were begun and have no inventory."""
    holes = []
    for year in tables.years:
        failed = [outcome for outcome in year.outcomes if outcome.state == State.FAILED]
        holes += [_hole(year, o.unit.tile, o.unit.stage, o.cause, o.message) for o in failed]
        named = {outcome.unit.tile for outcome in failed}
        for row in year.coverage.to_pylist():
            if row["state"] == State.FAILED and row["tile"] not in named:
                holes.append(_hole(year, row["tile"], "surface", row["cause"], row["message"]))
        if not year.mapped:
            holes.append(_hole(year, "region", "inventory", "missing", "this year was begun and has no inventory yet"))
        elif year.provenance.get("complete") is False and not failed:
            holes.append(_hole(year, "region", "inventory", "incomplete", "some unit had failed when the inventory was written"))
    return holes


def _hole(year: YearTables, tile: str, stage: str, cause: str | None, message: str | None) -> dict[str, Any]:
    return {"year": year.year, "tile": tile, "stage": stage, "cause": cause or "", "message": message or ""}


def shown_holes(holes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many holes as a person reads; their number is said beside them."""
    return list(holes[:_SHOWN_HOLES])


def stages_of(outcomes: Sequence[Outcome], year: int) -> list[dict[str, Any]]:
    """Per stage of a year: units by state, seconds of work and bytes read."""
    by_stage: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_stage[outcome.unit.stage].append(outcome)
    return [
        {
            "year": year,
            "stage": stage,
            "units": len(units),
            "states": {str(state): count for state in State if (count := sum(o.state == state for o in units))},
            "seconds": round(sum(o.seconds for o in units), 1),
            "bytes": sum(o.read_bytes for o in units),
        }
        for stage, units in sorted(by_stage.items())
    ]


def runs_of(tables: ReportTables) -> list[dict[str, Any]]:
    """Where the inventory of every year comes from."""
    keys = ("run_id", "fingerprint", "model", "model_sha256", "cryoatlas_version", "schema_version", "complete", "licence", "attribution")
    return [{"year": year.year, **{key: year.provenance.get(key) for key in keys}} for year in tables.years if year.mapped]


def missing_tables(tables: ReportTables) -> list[str]:
    """What has not been computed, in words; `cryoatlas track` computes it."""
    return [words for name, words in _TO_COMPUTE if name not in tables.through]


def citation_of(tables: ReportTables) -> str:
    """How to cite what the page shows."""
    mapped = [year for year in tables.years if year.mapped]
    latest, years = mapped[-1].provenance, [year.year for year in mapped]
    span = str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"
    named = [str(year.provenance["run_id"]) for year in mapped if year.provenance.get("run_id")]
    runs = ", ".join(named) if len(named) <= _RUNS_IN_CITATION else f"{named[0]} ({years[0]}) to {named[-1]} ({years[-1]})"
    return (
        f"{tables.region.title}: inventories of {_TARGET_WORDS[tables.region.target]}, {span}. Made with cryoatlas "
        f"{latest.get('cryoatlas_version', '')}, model {latest.get('model') or 'unknown'}, runs {runs or 'unknown'}. "
        f"Licence {latest.get('licence', 'not said')}."
    )


def attributions_of(tables: ReportTables) -> list[str]:
    """What the owners of the scenes ask to be written; sentences that differ in their year alone are one."""
    sentences: dict[str, list[str]] = {}
    for year in tables.years:
        for sentence in filter(None, str(year.provenance.get("attribution") or "").split("; ")):
            start, last = sentence.rpartition(" ")[::2]
            named = (start, last) if last == str(year.year) else (sentence, "")
            sentences.setdefault(named[0], [])
            if named[1] and named[1] not in sentences[named[0]]:
                sentences[named[0]].append(named[1])
    return [f"{sentence} {', '.join(years)}".strip() for sentence, years in sentences.items()]


def hours_of(stages: Sequence[Mapping[str, Any]], price_per_hour: float | None) -> dict[str, Any]:
    """Hours of work and bytes read over all stages and years, and what they cost at a price."""
    hours = sum(stage["seconds"] for stage in stages) / 3600
    cost = None if price_per_hour is None else round(hours * price_per_hour, 2)
    return {"hours": round(hours, 3), "bytes": sum(stage["bytes"] for stage in stages), "price_per_hour": price_per_hour, "cost": cost}
