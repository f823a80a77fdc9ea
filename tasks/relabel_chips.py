"""A set of chips and the verdicts of an audit to a new set: relabelled, nothing excluded."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.chips import ChipBatch, ChipRecord
from catalog.facts.errors import WrongCall
from catalog.stores.audits import read_audit
from catalog.stores.chips import ChipSet, open_chips, read_card, write_chips
from catalog.stores.objects import local_path
from models.outlines.geodesy import area_perimeter
from models.scores.verdicts import Ruling, redrawn_labels, relabelled, rulings_of
from models.segmenter.cutting import lake_share_of
from models.segmenter.sanity import sanity_of

_PIECE = 64
_ABOUT = ("licence", "attribution", "made", "region", "target", "years", "labels", "options")


@task(cache_policy=NO_CACHE, task_run_name="relabel-chips")
def relabel_chips(audit: str, data: str, out: str) -> dict[str, int]:
    """Write the set anew; returns how many cases became what, and how many chips changed."""
    return relabelled_set(audit, data, out)


def relabelled_set(audit: str, data: str, out: str) -> dict[str, int]:
    """Do the same without Prefect. Raises WrongCall when no verdict changes anything."""
    read = read_audit(audit)
    rulings = rulings_of(read.key.to_dict("records"), read.verdicts, read.redrawn)
    counts = Counter(ruling.change for ruling in rulings)
    if set(counts) <= {"keep"}:
        raise WrongCall(f"Audit {audit}: no verdict changes a label. Fill in the column `verdict` of the layer `cases` first.")
    sets = open_chips(data)
    changed: list[int] = []
    card = read_card(Path(data).expanduser())
    about = {name: card[name] for name in _ABOUT if name in card} | {"relabelled_by": str(audit), "relabelled_from": str(data)}
    write_chips(local_path(out), _pieces(sets, rulings, changed), _labels(sets, rulings), about)
    return {**{str(change): count for change, count in sorted(counts.items())}, "chips": len(changed)}


def _pieces(
    sets: ChipSet, rulings: Sequence[Ruling], changed: list[int]
) -> Iterator[tuple[ChipBatch, list[ChipRecord], NDArray[np.object_]]]:
    names = [field.name for field in fields(ChipRecord)]
    for start in range(0, len(sets), _PIECE):
        places = np.arange(start, min(start + _PIECE, len(sets)))
        batch = sets.read(places)
        records = []
        for row, place in enumerate(places.tolist()):
            values = sets.table.iloc[place]
            known: dict[str, Any] = {name: tuple(values[name]) if name.endswith("classes") else values[name] for name in names}
            record = ChipRecord(**known)
            new = _label(batch.label[row], record, rulings)
            if (new != batch.label[row]).any():
                changed.append(place)
                batch.label[row] = new
                record = _measured(record, batch.s2[row], new)
            records.append(record)
        yield batch, records, sets.table.geometry.to_numpy()[places]


def _label(label: NDArray[np.uint8], record: ChipRecord, rulings: Sequence[Ruling]) -> NDArray[np.uint8]:
    key = record.ground, record.region, int(record.year)
    own = [ruling for ruling in rulings if (ruling.ground, ruling.region, ruling.year) == key]
    return relabelled(label, (int(record.origin_y_px), int(record.origin_x_px)), int(record.epsg), own) if own else label


def _measured(record: ChipRecord, s2: NDArray[np.uint16], label: NDArray[np.uint8]) -> ChipRecord:
    sanity = sanity_of(s2, label)
    return replace(
        record,
        lake_share=lake_share_of(label),
        sane=sanity.sane,
        mask_px=sanity.mask_px,
        mndwi_px=sanity.water_px,
        mndwi_iou=sanity.iou,
        mndwi_ratio=sanity.water_per_mask,
        mndwi_background=sanity.background_share,
    )


def _labels(sets: ChipSet, rulings: Sequence[Ruling]) -> gpd.GeoDataFrame:
    labels = sets.labels.copy()
    shapes = labels.geometry.to_numpy().copy()
    added = []
    for ruling in rulings:
        same = (labels["ground"] == ruling.ground) & (labels["region"] == ruling.region) & (labels["year"] == ruling.year)
        places = np.flatnonzero(same.to_numpy())
        shapes[places], new = redrawn_labels(shapes[places], ruling)
        if new is not None:
            added.append(_row(sets, ruling, new))
    areas = area_perimeter(shapes)[0]
    moved = ~shapely.equals_identical(shapes, labels.geometry.to_numpy())
    labels["area_m2"] = np.where(moved, areas, labels["area_m2"].to_numpy())
    kept = labels.set_geometry(gpd.GeoSeries(shapes, crs=4326))[~shapely.is_empty(shapes)]
    if not added:
        return kept
    return gpd.GeoDataFrame(pd.concat([kept, gpd.GeoDataFrame(added, crs=4326)], ignore_index=True), geometry="geometry", crs=4326)


def _row(sets: ChipSet, ruling: Ruling, outline: shapely.Geometry) -> dict[str, object]:
    """A lake that the reviewer added belongs to the split of the chips that show it."""
    table = sets.table
    same = (table["ground"] == ruling.ground) & (table["region"] == ruling.region) & (table["year"] == ruling.year)
    showing = table[same & table.geometry.intersects(outline)]
    return {
        "lake_id": f"audit-{ruling.case}",
        "ground": ruling.ground,
        "region": ruling.region,
        "year": ruling.year,
        "label_year": ruling.year,
        "split": showing["split"].mode().iloc[0],
        "class": "unknown",
        "hard": False,
        "hard_because": "",
        "observable": True,
        "area_m2": float(area_perimeter(np.array([outline], object))[0][0]),
        "geometry": outline,
    }
