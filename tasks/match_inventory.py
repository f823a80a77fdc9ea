"""An inventory of ours beside that of another to a stored table of who is whom."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.change_schemas import MATCHES
from catalog.facts.matching import RELATIONS, MatchOptions, MatchReport, RelationCount
from catalog.facts.records import Target
from catalog.facts.schemas import SCHEMA_VERSION
from catalog.stores.jobs import stored_region
from catalog.stores.ledger import fingerprint_of
from catalog.stores.named_features import NamedFeatures, read_ours, read_theirs, target_of
from catalog.stores.observed import observed_share
from catalog.stores.store import Store, open_store
from catalog.stores.tables import put_table
from models.outlines.clip import hull_of, on_ground
from models.outlines.matches import counts_of, differences_of, match_inventories, repeated_in


@task(cache_policy=NO_CACHE, task_run_name="match-{region}-{year}")
def match_inventory(
    region: str, year: int, store: str, inventory: str, named: tuple[str, str | None], options: MatchOptions
) -> MatchReport:
    """Match a region-year with the file of another inventory and store the table.

    `named`: the name under which the table is stored, and the column of the file that names its features or None to find it.
    """
    opened, (name, id_column) = open_store(store), named
    target = target_of(opened, region)
    ours, file = read_ours(opened, target, region, year), read_theirs(Path(inventory).expanduser(), id_column)
    ground, clipped_to = _ground(opened, region, ours)
    theirs = file.some(on_ground(file.outlines, ground))
    table = match_inventories((ours.ids, ours.outlines), (theirs.ids, theirs.outlines), options.min_overlap)
    path = opened.matches(target, region, year, name)
    contents = {"ours": _checksum(ours), "theirs": _checksum(theirs), "min_overlap": options.min_overlap}
    fingerprint = fingerprint_of(contents)
    about = {"schema_version": SCHEMA_VERSION, "region": region, "year": year, "inventory": name, "fingerprint": fingerprint}
    put_table(path, table, MATCHES, provenance=about | {"id_column": file.id_column, "file": Path(inventory).name})
    unobserved = _unobserved(opened, (target, region, year), theirs, table, options)
    counts = {relation: RelationCount(*count) for relation, count in counts_of(table, RELATIONS).items()}
    placed = (region, year, target, name, file.id_column, clipped_to, len(file.ids) - len(theirs.ids))
    return MatchReport(*placed, counts, *differences_of(table), unobserved, repeated_in(theirs.outlines), opened.relative(path))


def _ground(store: Store, region: str, ours: NamedFeatures) -> tuple[shapely.Geometry, str]:
    if store.region(region).is_file():
        return stored_region(store, region).geometry, f"region {region}"
    return hull_of(ours.outlines), "the hull of our outlines"


def _unobserved(store: Store, place: tuple[Target, str, int], theirs: NamedFeatures, table: pa.Table, options: MatchOptions) -> int:
    """Count what is only theirs on ground that the year did not observe; without cubes there is no telling, and none is counted."""
    target, region, year = place
    if not store.inventory(target, region, year).is_file() or not any(store.cube(region, year, 0).parent.glob("*.zarr")):
        return 0
    alone = set(table.filter(pc.equal(table.column("relation"), "only_theirs")).column("other_id").to_pylist())
    outlines = theirs.outlines[np.array([name in alone for name in theirs.ids], dtype=bool)]
    return sum(observed_share(store, region, year, outline, options.absence_looks) < options.min_observed for outline in outlines)


def _checksum(features: NamedFeatures) -> str:
    rows = sorted(zip(features.ids, shapely.to_wkb(features.outlines).tolist(), strict=True))
    return hashlib.sha256(b"".join(part for name, outline in rows for part in (name.encode(), outline))).hexdigest()
