"""Sets of training chips: arrays in sharded Zarr v3, one table row per chip, the outlines behind the labels, and a card.

DIR/chips.zarr      s2, s1, dem, cause, label; a chunk is a chip, a shard is 64 chips
DIR/chips.parquet   row i describes chip i (`catalog.facts.chips.CHIPS`)
DIR/labels.parquet  the outlines (`catalog.facts.chips.CHIP_LABELS`)
DIR/set.json        written last: a set without it was never finished, and does not open
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.facts.chips import CHIP_LABELS, CHIPS, CHIPS_SCHEMA_VERSION, SPLITS, ChipBatch, ChipRecord
from catalog.facts.errors import ChipsUnusable, StoreNewer
from catalog.facts.footprints import covered_shares, overlapping_splits
from catalog.stores.chip_arrays import ARRAYS, LEADING, ChipWriter, empty, read_places
from catalog.stores.files import checksum_of, write_atomic
from catalog.stores.tables import put_features, read_features

_CARD, _TABLE, _LABELS = "set.json", "chips.parquet", "labels.parquet"

Pieces = Iterable[tuple[ChipBatch, Sequence[ChipRecord], NDArray[np.object_]]]
"""Chips with their records and footprints (EPSG:4326)."""


@dataclass(frozen=True)
class ChipSet:
    """One or several finished sets, read as one."""

    paths: tuple[Path, ...]
    table: gpd.GeoDataFrame
    """Row i describes chip i."""
    labels: gpd.GeoDataFrame
    starts: tuple[int, ...]
    """First chip of every set."""

    def __len__(self) -> int:
        """Count the chips."""
        return len(self.table)

    def of_split(self, name: str) -> NDArray[np.int64]:
        """Places of the chips of a split; raises ChipsUnusable when there are none."""
        found = np.flatnonzero(self.table["split"].to_numpy() == name)
        if not found.size:
            counts = self.table["split"].value_counts()
            there = ", ".join(f"{counts[split]} {split}" for split in SPLITS if split in counts) or "none at all"
            where = ", ".join(str(path) for path in self.paths)
            raise ChipsUnusable(
                f"Chips {where}: none of split {name!r} (there are {there}). Cut more ground, or declare a set with --split."
            )
        return found.astype(np.int64)

    def read(self, indices: NDArray[np.int64]) -> ChipBatch:
        """Read chips by their places, in the order asked for; a place may be asked for twice."""
        asked = np.asarray(indices, np.int64)
        if asked.size and not 0 <= asked.min() <= asked.max() < len(self):
            raise IndexError(f"chips {asked.min()} to {asked.max()} asked for, there are 0 to {len(self) - 1}")
        own = np.searchsorted(self.starts, asked, side="right") - 1
        arrays = {name: self._read(name, asked, own) for name in LEADING}
        return ChipBatch(**arrays, weight=self._weights[asked])

    @cached_property
    def _weights(self) -> NDArray[np.float32]:
        weights: NDArray[np.float32] = self.table["weight"].to_numpy(np.float32)
        return weights

    def _read(self, name: str, asked: NDArray[np.int64], own: NDArray[np.int64]) -> NDArray[Any]:
        parts = {
            number: read_places(self.paths[number] / ARRAYS, name, asked[own == number] - self.starts[number]) for number in np.unique(own)
        }
        if len(parts) == 1:
            return next(iter(parts.values()))
        result = empty(name, len(asked))
        for number, part in parts.items():
            result[own == number] = part
        return result


def open_chips(where: str | Path | Sequence[str | Path]) -> ChipSet:
    """Open one set or several as one; raises ChipsUnusable when one is missing, unfinished or damaged, or when their splits overlap."""
    paths = tuple(Path(path).expanduser() for path in ([where] if isinstance(where, str | Path) else where))
    if not paths:
        raise ChipsUnusable("No set of chips was named. Make one with `cryoatlas chips cut`.")
    tables = [_checked_table(path) for path in paths]
    labels = [read_features(path / _LABELS).drop(columns="bbox", errors="ignore") for path in paths]
    starts = np.cumsum([0, *(len(table) for table in tables[:-1])])
    together = _joined(tables)
    if len(paths) > 1:
        _refuse_leaks(together, ", ".join(str(path) for path in paths))
    return ChipSet(paths, together, _joined(labels), tuple(int(start) for start in starts))


def write_chips(out: Path, pieces: Pieces, labels: gpd.GeoDataFrame, about: Mapping[str, Any]) -> ChipSet:
    """Write a set, shard by shard; it opens only once its card is written, last of all.

    Refuses a folder that already holds a finished set, and a set in which two splits share ground (ChipsUnusable). Of `labels` (columns
    of CHIP_LABELS but `covered_share`; without `labeler` one drew them all) those are kept that touch a chip. `about` goes into the card:
    how it was made, licence, attribution.
    """
    _make_room(out)
    writer = ChipWriter(out)
    rows: list[ChipRecord] = []
    shapes: list[object] = []
    for batch, records, footprints in pieces:
        assert len(batch) == len(records) == len(footprints)
        writer.add(batch)
        rows += records
        shapes += list(footprints)
    writer.flush()
    if not rows:
        raise ChipsUnusable(f"{out}: no window was worth a chip. Check that labels and cubes show the same ground and years.")
    table = gpd.GeoDataFrame(pd.DataFrame([asdict(row) for row in rows]), geometry=gpd.GeoSeries(shapes, crs=4326))
    _refuse_leaks(table, str(out))
    tables = {_TABLE: _put(out / _TABLE, table, CHIPS), _LABELS: _put(out / _LABELS, _touching(labels, table), CHIP_LABELS)}
    card = {
        "schema_version": CHIPS_SCHEMA_VERSION,
        **about,
        "chips": len(table),
        "by_split": {str(name): int(count) for name, count in table["split"].value_counts().sort_index().items()},
        "checksums": tables,
    }
    write_atomic(out / _CARD, json.dumps(card, indent=1, sort_keys=True, default=str).encode())
    return open_chips(out)


def read_card(path: Path) -> dict[str, Any]:
    """What a set says of itself; raises ChipsUnusable when it is missing or unfinished, StoreNewer when it is too new."""
    card = path / _CARD
    if not card.is_file():
        begun = (path / ARRAYS).exists()
        raise ChipsUnusable(
            f"Chips {path}: {'a set that was never finished' if begun else 'no set of chips here'}. Make it with `cryoatlas chips cut`."
        )
    content: dict[str, Any] = json.loads(card.read_bytes())
    if content["schema_version"] > CHIPS_SCHEMA_VERSION:
        raise StoreNewer(
            f"{path}: chips of schema {content['schema_version']}, this program knows {CHIPS_SCHEMA_VERSION}. Upgrade cryoatlas."
        )
    return content


def _make_room(out: Path) -> None:
    if (out / _CARD).exists():
        raise ChipsUnusable(f"{out} already holds a set of chips. Choose another folder, or delete it first.")
    if (out / ARRAYS).is_dir():
        shutil.rmtree(out / ARRAYS)


def _put(path: Path, table: gpd.GeoDataFrame, schema: Any) -> str:
    columns = {name: table[name].tolist() for name in schema.names}
    return put_features(
        path, table.geometry.to_numpy(), columns, schema, provenance={"schema_version": CHIPS_SCHEMA_VERSION}, in_order=True
    )


def _touching(labels: gpd.GeoDataFrame, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if not len(labels):
        return gpd.GeoDataFrame({name: [] for name in CHIP_LABELS.names}, geometry=[], crs=4326)
    here = np.zeros(len(labels), bool)
    placed = table[table.geometry.notna()]
    for key, places in labels.groupby(["ground", "region", "year"]).indices.items():
        chips = placed[(placed[["ground", "region", "year"]] == key).all(axis=1)]
        here[places[chips.sindex.query(labels.geometry.iloc[places], predicate="intersects")[0]]] = True
    kept = labels[here].reset_index(drop=True)
    drawn_by = kept["labeler"].fillna("") if "labeler" in kept.columns else ""
    return kept.assign(covered_share=covered_shares(kept, table), labeler=drawn_by)


def _refuse_leaks(table: gpd.GeoDataFrame, where: str) -> None:
    leaks = overlapping_splits(table)
    if leaks:
        first = leaks[0]
        raise ChipsUnusable(
            f"{where}: chips of different splits show the same ground in {len(leaks)} pairs, for example {first.first} ({first.splits[0]}) "
            f"and {first.second} ({first.splits[1]}). Cut with --split blocks, or name simulated worlds with --ground."
        )


def _checked_table(path: Path) -> gpd.GeoDataFrame:
    card = read_card(path)
    content = (path / _TABLE).read_bytes() if (path / _TABLE).is_file() else b""
    if checksum_of(content) != card["checksums"][_TABLE]:
        raise ChipsUnusable(f"Chips {path}: {_TABLE} is not what was written. Delete the folder and cut the set again.")
    return read_features(path / _TABLE).drop(columns="bbox", errors="ignore")


def _joined(tables: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    if len(tables) == 1:
        return tables[0]
    filled = [table for table in tables if len(table)] or [tables[0]]
    return gpd.GeoDataFrame(pd.concat(filled, ignore_index=True), geometry="geometry", crs=4326)
