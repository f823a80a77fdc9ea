"""Inventories of others to stored tracks and events."""

import time
from types import MappingProxyType
from typing import Final

import shapely
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.grids import PIXEL_M
from catalog.facts.options import TrackOptions
from catalog.facts.records import StageReport, Target
from catalog.facts.schemas import EVENTS, SCHEMA_VERSION, TRACKS
from catalog.stores.identity import exclusive, write_names
from catalog.stores.inventories import read_others
from catalog.stores.ledger import fingerprint_of
from catalog.stores.store import open_store
from catalog.stores.tables import put_table
from models.outlines.others import dissolved, observed_on_tiles
from models.outlines.track import tracks_from_polygons

STAGE = "tracks"
_PREFIX: Final = MappingProxyType({"lakes": "GL", "slumps": "RTS"})


@task(cache_policy=NO_CACHE, task_run_name="tracks-{region}")
def track_outlines(region: str, pattern: str, store: str, options: TrackOptions, target: Target = "lakes") -> StageReport:
    """Follow outlines that come without cubes: a year with outlines counts as observed where it has images, one without as unobserved."""
    started, opened = time.monotonic(), open_store(store, create=True)
    others = read_others(pattern)
    drawn = {year: each.outlines for year, each in others.items()}
    observed = observed_on_tiles(drawn, {year: each.tiles for year, each in others.items()})
    outlines = drawn if target == "lakes" else {year: dissolved(shapes, min_overlap=options.min_overlap) for year, shapes in drawn.items()}
    span = min(outlines), max(outlines)
    tracks, registry = tracks_from_polygons(outlines, span, options, pixel_m=PIXEL_M, prefix=_PREFIX[target], observed=observed)
    identity = opened.identity(target, region)
    with exclusive(identity):
        write_names(identity, (registry.ids, registry.years, registry.outlines))
    fingerprint = fingerprint_of({str(year): shapely.to_wkb(shapes).tolist() for year, shapes in outlines.items()})
    provenance = {"schema_version": SCHEMA_VERSION, "region": region, "year": f"{span[0]}-{span[1]}", "fingerprint": fingerprint}
    put_table(opened.tracks(target, region, "tracks"), tracks.rows, TRACKS, provenance=provenance)
    put_table(opened.tracks(target, region, "events"), tracks.events, EVENTS, provenance=provenance)
    return StageReport(STAGE, {str(State.DONE): len(outlines)}, (), round(time.monotonic() - started, 2), 1)
