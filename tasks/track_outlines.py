"""Inventories of others, one vector file per year, to stored tracks and events."""

import re
import time
from pathlib import Path

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE
from pyogrio.errors import DataSourceError

from catalog.facts.causes import State
from catalog.facts.errors import WrongCall
from catalog.facts.grids import PIXEL_M
from catalog.facts.options import TrackOptions
from catalog.facts.records import StageReport
from catalog.facts.schemas import EVENTS, SCHEMA_VERSION, TRACKS
from catalog.stores.identity import exclusive, write_names
from catalog.stores.ledger import fingerprint_of
from catalog.stores.store import open_store
from catalog.stores.tables import put_table
from models.outlines.track import tracks_from_polygons

STAGE = "tracks"
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})")
"""A year in a file name: the first four digits of a date count as one."""


@task(cache_policy=NO_CACHE, task_run_name="tracks-{region}")
def track_outlines(region: str, pattern: str, store: str, options: TrackOptions) -> StageReport:
    """Follow outlines that come without cubes: a year with a file counts as observed, one without as unobserved."""
    started, opened = time.monotonic(), open_store(store, create=True)
    outlines = {year: _read(path) for year, path in _files(pattern).items()}
    span = min(outlines), max(outlines)
    tracks, registry = tracks_from_polygons(outlines, span, options, pixel_m=PIXEL_M)
    identity = opened.identity("lakes", region)
    with exclusive(identity):
        write_names(identity, (registry.ids, registry.years, registry.outlines))
    fingerprint = fingerprint_of({str(year): shapely.to_wkb(shapes).tolist() for year, shapes in outlines.items()})
    provenance = {"schema_version": SCHEMA_VERSION, "region": region, "year": f"{span[0]}-{span[1]}", "fingerprint": fingerprint}
    put_table(opened.tracks("lakes", region, "tracks"), tracks.rows, TRACKS, provenance=provenance)
    put_table(opened.tracks("lakes", region, "events"), tracks.events, EVENTS, provenance=provenance)
    return StageReport(STAGE, {str(State.DONE): len(outlines)}, (), round(time.monotonic() - started, 2), 1)


def _files(pattern: str) -> dict[int, Path]:
    """One file per year; raises WrongCall for a pattern that fits none, a name without a year, or a year twice."""
    path = Path(pattern).expanduser()
    anchor = Path(path.anchor) if path.anchor else Path()
    found = sorted(anchor.glob(str(path.relative_to(path.anchor)) if path.anchor else pattern))
    files: dict[int, Path] = {}
    for file in found:
        years = _YEAR.findall(file.stem)
        if not years:
            raise WrongCall(f"{file}: no year in its name. Name the files like lakes_2021.gpkg.")
        if int(years[0]) in files:
            raise WrongCall(f"{file}: {years[0]} is also in {files[int(years[0])]}. Give one file per year.")
        files[int(years[0])] = file
    if not files:
        raise WrongCall(f"Outlines {pattern!r}: no file fits. Write a pattern such as 'inventories/lakes_*.gpkg'.")
    return files


def _read(path: Path) -> NDArray[np.object_]:
    try:
        frame = pyogrio.read_dataframe(path, columns=[], force_2d=True)
    except DataSourceError as error:
        raise WrongCall(f"{path}: not a readable vector file ({error}). Give GeoPackage, shapefile, GeoJSON or GeoParquet.") from error
    if frame.crs is None:
        raise WrongCall(f"{path}: it names no CRS. Write one into the file.")
    shapes = frame.to_crs(4326).geometry
    return np.asarray(shapes[~(shapes.is_empty | shapes.isna())].to_numpy(), dtype=object)
