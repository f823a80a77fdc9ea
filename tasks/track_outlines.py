"""Inventories of others to stored tracks, events and what changed."""

import hashlib
import time
from types import MappingProxyType
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import State
from catalog.facts.grids import PIXEL_M
from catalog.facts.options import TrackOptions
from catalog.facts.records import StageReport, Target
from catalog.facts.schemas import EVENTS, SCHEMA_VERSION, TRACKS
from catalog.stores.change_tables import put_change_shapes, put_through_years
from catalog.stores.identity import read_names, write_names
from catalog.stores.inventories import read_others
from catalog.stores.leases import SHARED_WAIT_S, held
from catalog.stores.ledger import fingerprint_of
from catalog.stores.store import open_store
from models.changes.tables import change_tables
from models.outlines.identity import Registry
from models.outlines.others import dissolved, observed_on_tiles
from models.outlines.track import named_years, tracks_of

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
    identity = opened.identity(target, region)
    with held(opened, region, wait_s=SHARED_WAIT_S):
        known = Registry(*read_names(identity))
        years, registry = named_years(outlines, options, pixel_m=PIXEL_M, prefix=_PREFIX[target], known=known)
        write_names(identity, (registry.ids, registry.years, registry.outlines))
    tracks = tracks_of(years, span, observed, options)
    changes = change_tables(tracks, years, region, options)
    fingerprint = fingerprint_of({str(year): _checksum(shapes) for year, shapes in outlines.items()})
    provenance = {"schema_version": SCHEMA_VERSION, "region": region, "year": f"{span[0]}-{span[1]}", "fingerprint": fingerprint}
    tables = {"tracks": (tracks.rows, TRACKS), "events": (tracks.events, EVENTS), **changes.plain()}
    written = put_through_years(opened, target, region, tables, provenance=provenance)
    written += put_change_shapes(opened, target, region, (changes.shapes, changes.shape_geometry), provenance=provenance)
    return StageReport(STAGE, {str(State.DONE): len(outlines)}, (), round(time.monotonic() - started, 2), written)


def _checksum(outlines: NDArray[np.object_]) -> str:
    """Return a checksum that does not depend on the order of outlines."""
    return hashlib.sha256(b"".join(sorted(shapely.to_wkb(outlines)))).hexdigest()
