"""The record of every scene considered for every tile of a region-year: stac-geoparquet, replayable without the catalog."""

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import stac_geoparquet.arrow as stac_arrow

from catalog.facts.bands import BASELINE_OFFSET
from catalog.facts.errors import SchemaError
from catalog.facts.records import Choice, Scene
from catalog.facts.repeats import SceneKey, identity
from catalog.facts.scenes import Found, Rejected, to_scene
from catalog.facts.sources import ASSET_KEYS
from catalog.stores.files import storage_errors, write_if_changed
from catalog.stores.item_tables import items_of, table_of
from catalog.stores.objects import ObjectPath

_ROWS_AT_ONCE: Final = 4096
_OURS: Final = pa.schema(
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
"""Columns beside the item's own. `offset_applied` is null for radar and elevation; true when nothing is left to subtract."""


def write_choices(path: Path, choices: Sequence[Choice], items: Mapping[SceneKey, Mapping[str, Any]]) -> str:
    """Write the choices of a region-year with the items they were read from; return the file's checksum.

    The file is whole or absent, and the same choices give the same bytes in whatever order they come. Raises SchemaError when
    the item of a scene is missing.
    """
    ordered = sorted(choices, key=lambda choice: (choice.tile, choice.scene.acquired, identity(choice.scene)))
    keys = sorted({identity(choice.scene) for choice in ordered})
    missing = [key for key in keys if key not in items]
    if missing:
        raise SchemaError(
            f"{path}: no item for scene {missing[0][2]} of {missing[0][0]} ({len(missing)} missing): pass the items that were found."
        )
    with TemporaryDirectory() as folder:
        # stac-geoparquet writes files of this machine only
        file = Path(folder) / path.name
        with storage_errors(file):
            _write(file, ordered, keys, items)
        # an equal record is left untouched: a rerun that finds nothing new writes nothing
        return write_if_changed(path, file.read_bytes())


def read_choices(path: Path, *, tile: str | None = None, used_only: bool = False) -> tuple[Choice, ...]:
    """Read the choices of a region-year, or of one tile, as they were written, ordered by tile and time.

    With `used_only` without those that were refused. Raises SchemaError when the file is not such a record.
    """
    rows = _our_rows(path, tile)
    if used_only:
        rows = rows.filter(rows.column("used"))
    wanted = {key for part in _parts(rows) for key in map(_key, part)}
    scenes = {identity(scene): scene for scene in map(_scene_of, _found(path, wanted))} if wanted else {}
    return tuple(
        Choice(
            _as_recorded(scenes[_key(row)], row),
            sys.intern(row["tile"]),
            row["used"],
            _one(row["refused_because"]),
            row["clear_share_over_tile"],
        )
        for part in _parts(rows)
        for row in part
    )


def _parts(rows: pa.Table) -> Iterator[list[dict[str, Any]]]:
    # all rows of ten thousand tiles as objects of Python would be a gigabyte
    return (batch.to_pylist() for batch in rows.to_batches(max_chunksize=_ROWS_AT_ONCE))


def _key(row: Mapping[str, Any]) -> SceneKey:
    return row["provider"], row["collection"], row["id"]


def _one(word: str | None) -> str | None:
    # a word comes as a new object in every row, and there are few words
    return None if word is None else sys.intern(word)


def read_providers(path: Path) -> tuple[str, ...]:
    """Return the catalogs of the scenes that were used on some tile, in order; reads no scene. Raises SchemaError like `read_choices`."""
    rows = _our_rows(path, None)
    return tuple(sorted(set(rows.filter(rows.column("used")).column("provider").to_pylist())))


def read_found(path: Path) -> tuple[Found, ...]:
    """Read every scene of a record with its item, as a catalog would give them: a search that needs no catalog."""
    return tuple(_found(path, None)) if _our_rows(path, None).num_rows else ()


def _scene_of(found: Found) -> Scene:
    return found.scene.scene if isinstance(found.scene, Rejected) else found.scene


def _write(file: Path, choices: Sequence[Choice], keys: Sequence[SceneKey], items: Mapping[SceneKey, Mapping[str, Any]]) -> None:
    if not choices:
        pq.write_table(_OURS.empty_table().append_column("id", pa.array([], pa.string())), file)
        return
    found = table_of([items[key] for key in keys], ASSET_KEYS)
    found = found.drop_columns([name for name in found.column_names if name in _OURS.names])
    position = {key: index for index, key in enumerate(keys)}
    schema = pa.schema([*found.schema, *_OURS])

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(choices), _ROWS_AT_ONCE):
            part = choices[start : start + _ROWS_AT_ONCE]
            table = found.take(pa.array([position[identity(choice.scene)] for choice in part], pa.int64()))
            ours = pa.Table.from_pylist([_row(choice) for choice in part], schema=_OURS)
            for name in _OURS.names:
                table = table.append_column(_OURS.field(name), ours.column(name))
            yield from table.combine_chunks().cast(schema).to_batches()

    stac_arrow.to_parquet(pa.RecordBatchReader.from_batches(schema, batches()), file, compression="zstd")


def _row(choice: Choice) -> dict[str, Any]:
    scene = choice.scene
    return {
        "tile": choice.tile,
        "used": choice.used,
        "refused_because": choice.refused_because,
        "clear_share_over_tile": choice.clear_share,
        "baseline": scene.baseline,
        "offset_applied": scene.offset_counts == 0 if scene.sensor == "s2" else None,
        "offset_evidence": scene.offset_evidence,
        "etag": scene.etag,
        "provider": scene.provider,
    }


def _our_rows(path: Path, tile: str | None) -> pa.Table:
    try:
        filters = None if tile is None else pc.field("tile") == tile
        names = set(pq.read_schema(_source(path)).names)
        wanted = [*_OURS.names, "id", *(["collection"] if "collection" in names else [])]
        return pq.read_table(_source(path), columns=wanted, filters=filters)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise SchemaError(f"{path} is not a record of scenes ({error}): run `cryoatlas run` to write it again.") from error


def _source(path: Path) -> Path | IO[bytes]:
    return io.BytesIO(_fetched(path, path.e_tag())) if isinstance(path, ObjectPath) else path


@lru_cache(maxsize=2)
def _fetched(path: Path, e_tag: str | None) -> bytes:  # noqa: ARG001 - part of the cache's key
    # every tile reads its rows of the same record
    return path.read_bytes()


def _found(path: Path, wanted: set[SceneKey] | None) -> Iterator[Found]:
    """Every scene of a record (or every wanted one) once, row group by row group: the same item stands in many rows."""
    seen: set[SceneKey] = set()
    file = pq.ParquetFile(_source(path))
    for group in range(file.num_row_groups):
        fresh: dict[SceneKey, int] = {}
        for index, row in enumerate(file.read_row_group(group, columns=["provider", "collection", "id"]).to_pylist()):
            key = (row["provider"], row["collection"], row["id"])
            if key not in seen and (wanted is None or key in wanted):
                fresh.setdefault(key, index)
        seen |= fresh.keys()
        if fresh:
            table = file.read_row_group(group).take(pa.array(sorted(fresh.values()), pa.int64()))
            providers = table.column("provider").to_pylist()
            for item, provider in zip(items_of(table.drop_columns(_OURS.names)), providers, strict=True):
                yield Found(to_scene(item, provider), item)


def _as_recorded(scene: Scene, row: Mapping[str, Any]) -> Scene:
    """A scene whose offset was measured in the pixels keeps what was measured."""
    if row["offset_evidence"] != "measured":
        return scene
    return replace(scene, offset_counts=0 if row["offset_applied"] else BASELINE_OFFSET, offset_evidence="measured")
