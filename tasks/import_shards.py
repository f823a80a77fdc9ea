"""CryoSentinel's chip archive to a stored set of training chips."""

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import Cause
from catalog.facts.chips import CHIP_LABELS, ChipBatch, ChipCounts, ChipRecord
from catalog.stores.chips import read_card, write_chips
from catalog.stores.objects import local_path
from catalog.stores.shards import ArchivedChip, Shard, find_shards, read_facts, read_pixels
from models.segmenter.archived import archived_footprint, archived_record, split_archive

LICENCE = "ODC-By-1.0 (chips), CC-BY-4.0 (labels)"
ATTRIBUTION = "CryoSentinel chip archive; labels after Kumar & Vijay (2026), PANGAEA 983845; contains modified Copernicus Sentinel data"


@task(cache_policy=NO_CACHE)
def import_shards(shards: str, out: str) -> ChipCounts:
    """Convert an archive once, so that every epoch reads our layout."""
    return convert(shards, out)


def convert(shards: str, out: str) -> ChipCounts:
    """Convert `<shards>/<region>/<year>/shard_*.parquet` into a new set; needs no Prefect. Raises ChipsUnusable."""
    files = find_shards(Path(shards).expanduser())
    facts = [read_facts(shard) for shard in files]
    # splits are decided over the whole archive: a lake of two shards must stand on one side
    decided = split_archive(pd.concat(facts, ignore_index=True))
    ends = np.cumsum([len(part) for part in facts])
    parts = [decided.iloc[end - len(part) : end] for part, end in zip(facts, ends, strict=True)]
    pieces = (piece for shard, part in zip(files, parts, strict=True) for piece in _pieces(shard, part))
    outlines = gpd.GeoDataFrame({name: [] for name in CHIP_LABELS.names}, geometry=[], crs=4326)
    about = {"made": f"converted from {len(files)} shards", "shards": shards, "licence": LICENCE, "attribution": ATTRIBUTION}
    found = write_chips(local_path(out), pieces, outlines, about)
    return ChipCounts(out, len(found), read_card(local_path(out))["by_split"], 0, 0, {})


def _pieces(shard: Shard, facts: pd.DataFrame) -> Iterator[tuple[ChipBatch, list[ChipRecord], NDArray[np.object_]]]:
    start = 0
    for chips in read_pixels(shard):
        rows = [facts.iloc[number] for number in range(start, start + len(chips))]
        start += len(chips)
        records = [archived_record(row, shard.region, shard.year, chip.s2, chip.label) for row, chip in zip(rows, chips, strict=True)]
        shapes = np.empty(len(rows), object)
        shapes[:] = [archived_footprint(row) for row in rows]
        yield _batch(chips, records), records, shapes


def _batch(chips: list[ArchivedChip], records: list[ChipRecord]) -> ChipBatch:
    s2 = np.stack([chip.s2 for chip in chips])
    cause = np.where(s2.any(axis=1), int(Cause.USABLE), int(Cause.NO_SCENE)).astype(np.uint8)
    return ChipBatch(
        s2,
        np.stack([chip.s1 for chip in chips]),
        np.stack([chip.dem for chip in chips]),
        cause,
        np.stack([chip.label for chip in chips]),
        np.array([record.weight for record in records], np.float32),
    )
