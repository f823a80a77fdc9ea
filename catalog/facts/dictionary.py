"""Every column of every stored table: unit, meaning, and when it is null; what `cryoatlas columns` prints and releases carry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from catalog.facts.change_columns import CHANGE_COLUMNS, CHANGE_SHAPE_COLUMNS, REGION_TREND_COLUMNS, TREND_COLUMNS
from catalog.facts.change_schemas import CHANGE_SHAPES, CHANGES, CROSSWALK, MATCHES, REGION_TRENDS, TOTAL_CHANGES, TOTALS, TRENDS
from catalog.facts.columns import Column, Written, columns_of
from catalog.facts.edits import EDITS_STATUS
from catalog.facts.errors import WrongCall
from catalog.facts.feature_columns import LAKE_COLUMNS, SLUMP_COLUMNS
from catalog.facts.glaciers import GLACIERS
from catalog.facts.region_columns import (
    COUNT_CELL_COLUMNS,
    COUNT_COLUMNS,
    COVERAGE_COLUMNS,
    CROSSWALK_COLUMNS,
    MATCH_COLUMNS,
    RELEASE_COLUMNS,
    SCENE_COLUMNS,
    TOTAL_CHANGE_COLUMNS,
    TOTAL_COLUMNS,
)
from catalog.facts.releases import RELEASES
from catalog.facts.review_columns import EDIT_STATUS_COLUMNS, GLACIER_COLUMNS
from catalog.facts.schemas import COVERAGE, EVENTS, LAKES, PROBABILITY, SURFACE, TRACKS, ArraySpec
from catalog.facts.slump_schemas import SLUMP_COUNTS, SLUMP_COUNTS_H3, SLUMPS
from catalog.facts.track_columns import EVENT_COLUMNS, TRACK_COLUMNS

SCENES: Final = pa.schema(
    [
        ("tile", pa.string()),
        ("used", pa.bool_()),
        ("refused_because", pa.string()),
        ("clear_share_over_tile", pa.float64()),
        ("baseline", pa.string()),
        ("offset_applied", pa.bool_()),
        ("offset_evidence", pa.string()),
        ("etag", pa.string()),
        ("provider", pa.string()),
    ]
)
"""Columns of scenes beside those of the STAC items themselves."""


@dataclass(frozen=True, slots=True)
class Table:
    """One stored table."""

    name: str
    """As commands and assets call it: `lakes`, `tracks`, ..."""
    about: str
    path: str
    """Inside a store; `<target>`, `<region>` and `<year>` stand for themselves. Releases hold the same file under its name."""
    schema: pa.Schema
    """Without geometry."""
    written: Written
    geometry: str = ""
    """What the column `geometry` holds; empty where there is none."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in the order of the file, geometry last."""
        shapes = Column("geometry", "binary", "EPSG:4326", self.geometry, "") if self.geometry else None
        box = Column("bbox", "struct", "deg", "west, south, east, north of the geometry, for readers that skip row groups", "")
        return (*columns_of(self.schema, self.written), *((shapes, box) if shapes else ()))


_OUTLINE: Final = "{} on the 10 m lattice of its UTM zone, holes kept, not simplified; cut at +-180 degrees (RFC 7946)"
_THROUGH: Final = "<target>/region=<region>/part.parquet"
_YEARLY: Final = "region=<region>/year=<year>/part.parquet"
TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        table.name: table
        for table in (
            Table("lakes", "one row per lake and year", f"inventory/lakes/{_YEARLY}", LAKES, LAKE_COLUMNS, _OUTLINE.format("shoreline")),
            Table(
                "slumps",
                "one row per thaw slump and year",
                f"inventory/slumps/{_YEARLY}",
                SLUMPS,
                SLUMP_COLUMNS,
                "outline between the pixels, on a lattice of 5 m; cut at +-180 degrees (RFC 7946)",
            ),
            Table("tracks", "one row per feature and year of the span, observed or not", f"tracks/{_THROUGH}", TRACKS, TRACK_COLUMNS),
            Table("events", "one row per appearance, vanishing, merge, split, drainage, ...", f"events/{_THROUGH}", EVENTS, EVENT_COLUMNS),
            Table("changes", "one row per feature and pair of settled years", f"changes/{_THROUGH}", CHANGES, CHANGE_COLUMNS),
            Table(
                "change_shapes",
                "ground gained and lost, one row per feature, pair of years and kind",
                f"change_shapes/{_THROUGH}",
                CHANGE_SHAPES,
                CHANGE_SHAPE_COLUMNS,
                "ground that one outline has and the other lacks",
            ),
            Table("trends", "one row per feature: its trend over comparable years", f"trends/{_THROUGH}", TRENDS, TREND_COLUMNS),
            Table(
                "region_trends",
                "the same for the total of the region",
                f"region_trends/{_THROUGH}",
                REGION_TRENDS,
                REGION_TREND_COLUMNS,
            ),
            Table("totals", "one row per region and year", f"totals/{_THROUGH}", TOTALS, TOTAL_COLUMNS),
            Table(
                "total_changes",
                "one row per pair of years, over features that both observed",
                f"total_changes/{_THROUGH}",
                TOTAL_CHANGES,
                TOTAL_CHANGE_COLUMNS,
            ),
            Table("coverage", "one row per mapped tile and year: what was seen", f"coverage/{_YEARLY}", COVERAGE, COVERAGE_COLUMNS),
            Table(
                "scenes",
                "one row per scene considered for a tile and year, beside the columns of its STAC item (stac-geoparquet)",
                "scenes/<region>/<year>.parquet",
                SCENES,
                SCENE_COLUMNS,
                "footprint of the scene",
            ),
            Table(
                "counts", "slumps on observed ground, one row per region and year", f"counts/slumps/{_YEARLY}", SLUMP_COUNTS, COUNT_COLUMNS
            ),
            Table(
                "counts_h3",
                "the same per H3 cell of resolution 5",
                f"counts/slumps_h3/{_YEARLY}",
                SLUMP_COUNTS_H3,
                COUNT_CELL_COLUMNS,
            ),
            Table(
                "matches",
                "features beside those of another inventory",
                "matches/<target>/region=<region>/year=<year>/<inventory>.parquet",
                MATCHES,
                MATCH_COLUMNS,
            ),
            Table(
                "edits_status",
                "one row per edit that speaks for the year: what became of it",
                f"edits_status/<target>/{_YEARLY}",
                EDITS_STATUS,
                EDIT_STATUS_COLUMNS,
            ),
            Table(
                "glaciers",
                "outlines that the user gave, one row each",
                "regions/<region>.glaciers.parquet",
                GLACIERS,
                GLACIER_COLUMNS,
                "outline of a glacier",
            ),
            Table("crosswalk", "names of a superseded release beside those of the next", "in releases only", CROSSWALK, CROSSWALK_COLUMNS),
            Table("releases", "one row per release of a region", "in publications only", RELEASES, RELEASE_COLUMNS),
        )
    }
)
"""Every stored table by its name."""
ARRAYS: Final[Mapping[str, tuple[ArraySpec, ...]]] = MappingProxyType(
    {"cubes/<region>/<year>/<epsg>.zarr": SURFACE, "probability/<target>/<region>/<year>/<epsg>.zarr": PROBABILITY}
)
"""Arrays of the cubes by the path of their group."""


def tables_named(names: Iterable[str]) -> tuple[Table, ...]:
    """Return tables by name; raises WrongCall for a name that is none, with those that are."""
    unknown = [name for name in names if name not in TABLES]
    if unknown:
        raise WrongCall(f"No table is called {unknown[0]!r}. There are: {', '.join(TABLES)}.")
    return tuple(TABLES[name] for name in names)
