"""Inventories of others are tracked again and again: names stay, equal tables are not written."""

import geopandas as gpd
import shapely

from catalog.facts.options import TRACKING
from catalog.stores.identity import read_names
from catalog.stores.store import open_store
from catalog.stores.tables import read_table
from tasks.track_outlines import track_outlines


def write(folder, year, lakes):
    boxes = [shapely.box(86.9 + x, 27.9, 86.9 + x + width, 27.905) for x, width in lakes]
    gpd.GeoDataFrame(geometry=boxes, crs=4326).to_parquet(folder / f"inv_{year}.parquet")


def track(tmp_path):
    report = track_outlines.fn("khumbu", str(tmp_path / "inv_*.parquet"), str(tmp_path / "store"), TRACKING["lakes"])
    store = open_store(str(tmp_path / "store"))
    ids, years, _ = read_names(store.identity("lakes", "khumbu"))
    events = read_table(store.tracks("lakes", "khumbu", "events")).to_pylist()
    return report.written, set(zip(years, ids, strict=True)), events, store


def test_an_earlier_year_that_comes_last_keeps_every_name(tmp_path):
    write(tmp_path, 2020, [(0, 0.008), (0.02, 0.008)])
    write(tmp_path, 2021, [(0.02, 0.008), (0.0005, 0.008)])
    written, names, _, _ = track(tmp_path)
    assert written > 0
    assert len({name for _, name in names}) == 2
    # in 2018 the second lake was two, and the first had its point elsewhere
    write(tmp_path, 2018, [(0.02, 0.002), (0.023, 0.005), (-0.003, 0.008)])
    _, more, events, store = track(tmp_path)
    assert names <= more
    assert len({name for _, name in more}) == 3
    assert [event["event"] for event in events] == ["merge"]
    assert read_table(store.tracks("lakes", "khumbu", "trends")).num_rows == 3


def test_the_same_outlines_in_another_order_write_nothing(tmp_path):
    write(tmp_path, 2020, [(0, 0.008), (0.02, 0.008)])
    write(tmp_path, 2021, [(0, 0.008), (0.02, 0.004)])
    _, names, _, _ = track(tmp_path)
    write(tmp_path, 2021, [(0.02, 0.004), (0, 0.008)])
    written, again, _, _ = track(tmp_path)
    assert written == 0
    assert again == names
