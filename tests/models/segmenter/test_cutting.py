"""The split over a real inventory of the Himalaya."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from catalog.facts.chips import CutOptions
from catalog.facts.footprints import overlapping_splits, squares
from catalog.facts.grids import Tile
from catalog.stores.labels import read_labels
from models.segmenter.cutting import is_drawn, windows_of
from models.segmenter.lake_sides import Place, in_zone, labelled, sided

YEAR, TILE_M = 2000, 22_400
ZONES = (32644, 32645)


@pytest.fixture(scope="module")
def inventory(shared_data):
    return read_labels(str(shared_data / "glacial_lake_inventories" / "hkh_lakes_2000_himalaya.gpkg"), YEAR, YEAR).outlines


def chips_at_lakes(lakes: gpd.GeoDataFrame, options: CutOptions) -> gpd.GeoDataFrame:
    """Every window of the lattice that touches a lake, with its split."""
    parts = []
    for epsg in ZONES:
        here = in_zone(lakes, epsg)
        corners = shapely.bounds(here.metres) // TILE_M
        tree = shapely.STRtree(here.metres)
        for column, row in sorted({(int(c), int(r)) for west, south, east, north in corners for c in (west, east) for r in (south, north)}):
            tile = Tile(epsg, column, row)
            found = windows_of(tile.origin_yx_px, tile.size_px, epsg, here, options)
            touching = np.unique(tree.query(squares(found.origins_yx_px), predicate="intersects")[0])
            names = [f"{epsg}/{y}/{x}" for y, x in found.origins_yx_px[touching]]
            facts = {"chip_id": names, "ground": "earth", "split": found.split[touching]}
            parts.append(gpd.GeoDataFrame(facts, geometry=found.footprints[touching], crs=4326))
    return pd.concat(parts, ignore_index=True)


def test_real_chips_of_two_splits_share_neither_ground_nor_lakes(inventory):
    options = CutOptions()
    lakes = sided(labelled(inventory, Place("hkh", YEAR, YEAR, "test"), options), options)
    chips = chips_at_lakes(lakes, options)
    assert len(chips) > 1500
    assert {"train", "val", "test"} <= set(chips["split"])
    assert overlapping_splits(chips) == ()
    chip, lake = shapely.STRtree(lakes.geometry.to_numpy()).query(chips.geometry.to_numpy(), predicate="intersects")
    split, side = chips["split"].to_numpy()[chip], lakes["split"].to_numpy()[lake]
    assert (split[split != "buffer"] == side[split != "buffer"]).all()
    assert 0.1 < (chips["split"] == "buffer").mean() < 0.25
    planted = chips.copy()
    planted.loc[np.flatnonzero(planted["split"] == "train")[0], "split"] = "test"
    assert len(overlapping_splits(planted)) > 0, "one chip on the wrong side is seen"


def test_a_share_of_names_is_drawn_by_hash():
    names = [f"chip-{number}" for number in range(4000)]
    drawn = [name for name in names if is_drawn(name, 0.05)]
    assert len(drawn) / len(names) == pytest.approx(0.05, abs=0.012)
    assert set(drawn) <= {name for name in names if is_drawn(name, 0.2)}, "a larger share only adds"
    assert not any(is_drawn(name, 0.0) for name in names)
    assert all(is_drawn(name, 1.0) for name in names)
