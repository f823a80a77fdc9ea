"""Which columns of an inventory the page shows, how they are called, and how exactly they are kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.types as pat

from catalog.facts.records import Target
from catalog.facts.schemas import ID_COLUMNS

Show = Literal["area", "change", "number", "share", "date", "word", "flags", "id"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the page's table."""

    name: str
    title: str
    show: Show
    unit: str = ""
    quantum: float = 1.0
    """Numbers are kept as multiples of it."""
    main: bool = False
    """Whether the table shows it before one asks for all."""

    def as_dict(self) -> dict[str, Any]:
        """The column as JSON."""
        return asdict(self)


_KNOWN: Final = (
    Column("area_m2", "area", "area", "m2", main=True),
    Column("area_low_m2", "area, low", "area", "m2"),
    Column("area_high_m2", "area, high", "area", "m2"),
    Column("area_sigma_m2", "area, standard deviation", "area", "m2"),
    Column("status", "status", "word", main=True),
    Column("change_m2", "change", "change", "m2", main=True),
    Column("verdict", "verdict", "word", main=True),
    Column("trend_m2_per_year", "trend", "change", "m2/yr", main=True),
    Column("probability", "probability", "number", quantum=0.001),
    Column("tier", "tier", "word", main=True),
    Column("score", "score", "number", quantum=0.001),
    Column("lake_type", "type", "word", main=True),
    Column("elevation_m", "elevation", "number", "m", 0.1, main=True),
    Column("observed_share", "observed", "share", quantum=0.001, main=True),
    Column("looks", "clear looks", "number", main=True),
    Column("flags", "flags", "flags", main=True),
    Column("date_first", "first date", "date"),
    Column("date_median", "median date", "date"),
    Column("date_last", "last date", "date"),
    Column("area_probability_m2", "area by probability", "area", "m2"),
    Column("spread", "spread", "number", quantum=0.001),
    Column("sensors", "sensors", "word"),
    Column("agreement", "agreement of sensors", "share", quantum=0.001),
    Column("perimeter_m", "perimeter", "number", "m"),
    Column("size_class", "size class", "word"),
    Column("elevation_range_m", "elevation range", "number", "m", 0.1),
    Column("shore_slope_deg", "shore slope", "number", "deg", 0.1),
    Column("glacier_id", "nearest glacier", "word"),
    Column("glacier_distance_m", "distance to glacier", "number", "m"),
    Column("glacier_overlap_share", "glacier overlap", "share", quantum=0.001),
    Column("headwall_retreat_m", "headwall retreat", "number", "m", 0.1),
    Column("growth_m2_per_year", "growth", "change", "m2/yr"),
    Column("volume_m3", "volume", "number", "m3"),
    Column("volume_low_m3", "volume, low", "number", "m3"),
    Column("volume_high_m3", "volume, high", "number", "m3"),
    Column("provider", "catalogs", "word"),
    Column("edit", "edited", "word"),
    Column("edit_note", "note", "word"),
    Column("longitude", "longitude", "number", "deg", 1e-5),
    Column("latitude", "latitude", "number", "deg", 1e-5),
    Column("tile", "tile", "word"),
    Column("utm_epsg", "zone, EPSG", "word"),
)
_HIDDEN: Final = frozenset({"obs_id", "region", "year", "geometry", "bbox", *ID_COLUMNS.values()})
_OTHER_QUANTUM: Final = 0.01
_WHOLE_FROM: Final = ("_m2", "_m3", "_m", "epsg")


def columns_of(target: Target, inventories: Sequence[pa.Table], added: Sequence[str]) -> tuple[Column, ...]:
    """Columns that the page shows: the name, then the known ones in a fixed order, then all others that an inventory has.

    `added` names the columns that the page joins to the inventory. A column in which no year says anything is left out.
    """
    filled = {name: None for table in inventories for name in table.column_names if table.column(name).null_count < table.num_rows}
    filled |= dict.fromkeys(added)
    known = [column for column in _KNOWN if column.name in filled]
    names = {column.name for column in _KNOWN} | _HIDDEN
    others = [_described(name, inventories) for name in filled if name not in names]
    return (Column(ID_COLUMNS[target], "ID", "id", main=True), *known, *others)


def _described(name: str, inventories: Sequence[pa.Table]) -> Column:
    kind = next(table.schema.field(name).type for table in inventories if name in table.column_names)
    title = name.replace("_", " ")
    if pat.is_integer(kind) or pat.is_floating(kind):
        return Column(name, title, "number", quantum=1.0 if name.endswith(_WHOLE_FROM) or pat.is_integer(kind) else _OTHER_QUANTUM)
    return Column(name, title, "word")
