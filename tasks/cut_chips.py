"""Surface cubes and label outlines to a stored set of training chips."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.facts.causes import Cause
from catalog.facts.chips import CHIP_PX, ChipBatch, ChipCounts, ChipRecord, CutOptions
from catalog.facts.errors import ChipsUnusable, WrongCall
from catalog.facts.grids import Tile
from catalog.facts.records import Job
from catalog.facts.schemas import SURFACE
from catalog.stores import cubes
from catalog.stores.chips import read_card, write_chips
from catalog.stores.jobs import mapped_tiles, stored_region
from catalog.stores.labels import read_labels
from catalog.stores.objects import local_path
from catalog.stores.store import open_store
from models.segmenter.contract import WindowArrays
from models.segmenter.cutting import OUTSIDE, Chip, Windows, batch_of, chip_of, windows_of
from models.segmenter.lake_sides import Lakes, Place, in_zone, labelled, outlines_near, sided

Names = NDArray[np.object_]
Numbers = NDArray[np.int64]
_ARRAYS = ("cause", "s2", "s1", "dem")


@task(cache_policy=NO_CACHE, task_run_name="cut-{region}")
def cut_chips(store: str, region: str, years: Sequence[int], labels: str, out: str, options: CutOptions) -> ChipCounts:
    """Cut a set of chips from the cubes of a region."""
    return cut(store, region, years, labels, out, options)


def cut(store: str, region: str, years: Sequence[int], labels: str, out: str, options: CutOptions) -> ChipCounts:
    """Cut chips of a region and some years from a store into a new folder; needs no Prefect.

    `labels` is a file of outlines, or a pattern with `{year}`. Raises ChipsUnusable, GridMismatch or WrongCall with the way out.
    """
    if not 0 < options.stride_px <= CHIP_PX or not 0 <= options.negatives <= 1:
        raise WrongCall(
            f"Stride {options.stride_px} and negatives {options.negatives}: choose 1 to {CHIP_PX} pixels, and a share from 0 to 1."
        )
    cutter = _Cutter(store, region, labels, options)
    if options.only_sane and cutter.target == "slumps":
        raise WrongCall(f"Region {region!r} maps slumps, and the MNDWI filter judges lakes: leave out --only-sane.")
    tables, places = zip(*(cutter.read_labels(year) for year in years), strict=True)
    outlines = sided(gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), geometry="geometry", crs=4326), options)
    about = {
        "left_out": cutter.left_out,  # counts on while chips are cut
        "made": "cut from surface cubes",
        "region": region,
        "target": cutter.target,
        "years": list(years),
        "labels": labels,
        "licence": options.licence,
        "attribution": options.attribution,
        "options": asdict(options),
        "repaired": cutter.repaired,
    }
    pieces = (piece for place in places for piece in cutter.pieces(outlines[outlines["year"] == place.year], place))
    found = write_chips(local_path(out), pieces, outlines, about)
    return ChipCounts(out, len(found), read_card(local_path(out))["by_split"], len(found.labels), cutter.repaired, dict(cutter.left_out))


class _Cutter:
    """Cuts year after year and counts what it leaves out."""

    def __init__(self, store: str, region: str, labels: str, options: CutOptions) -> None:
        self._store = open_store(store)
        self._region = stored_region(self._store, region)
        self.target = self._region.target
        self._labels, self._options = labels, options
        self.repaired = 0
        self.left_out: Counter[str] = Counter()

    def read_labels(self, year: int) -> tuple[gpd.GeoDataFrame, Place]:
        found = read_labels(self._labels, year, self._options.label_year)
        self.repaired += found.repaired
        place = Place(self._region.name, year, found.year, f"{self._store.root.name}/{self._region.name}", self.target)
        near = outlines_near(found.outlines, self._region.geometry.bounds)
        if not len(near):
            raise ChipsUnusable(
                f"Labels {self._labels}: no outline of {found.year} lies near region {place.region!r}, and no chip would show any. "
                "Check their coordinate system, or give the inventory of this region."
            )
        return labelled(near, place, self._options), place

    def pieces(self, table: gpd.GeoDataFrame, place: Place) -> Iterator[tuple[ChipBatch, list[ChipRecord], Names]]:
        job = Job(self._region.name, place.year, self._region.target, str(self._store.root))
        for epsg in sorted({tile.epsg for tile in mapped_tiles(job)}):
            cube = cubes.read_cube(self._store.cube(job.region, place.year, epsg), SURFACE)
            lakes = in_zone(table, epsg)
            for tile in mapped_tiles(job, epsg):
                for chips in self._tile(cube, tile, lakes, place):
                    shapes = np.array([chip.footprint for chip in chips], object)
                    yield batch_of(chips), [chip.record for chip in chips], shapes

    def _tile(self, cube: cubes.Cube, tile: Tile, lakes: Lakes, place: Place) -> Iterator[list[Chip]]:
        windows = windows_of(tile.origin_yx_px, tile.size_px, tile.epsg, lakes, self._options)
        for y in np.unique(windows.origins_yx_px[:, 0]):
            chips = list(self._row(cube, windows, np.flatnonzero(windows.origins_yx_px[:, 0] == y), lakes, place))
            if chips:
                yield chips

    def _row(self, cube: cubes.Cube, windows: Windows, numbers: Numbers, lakes: Lakes, place: Place) -> Iterator[Chip]:
        """One read for all windows side by side: they share half of their pixels."""
        mapped = self._mapped(cube, windows.origins_yx_px, numbers)
        if not mapped.size:
            return
        rectangle = _rectangle(windows.origins_yx_px[mapped])
        arrays = WindowArrays(*(cubes.read_window(cube, name, rectangle) for name in _ARRAYS))
        for number in mapped:
            x = int(windows.origins_yx_px[number, 1]) - rectangle[1]
            window = arrays.part((slice(None), slice(x, x + CHIP_PX)))
            found = chip_of(window, windows, int(number), lakes=lakes, place=place, options=self._options)
            if isinstance(found, Chip):
                yield found
            else:
                self.left_out[found] += 1

    def _mapped(self, cube: cubes.Cube, origins: Numbers, numbers: Numbers) -> Numbers:
        """Windows of a row that reach into the region; of the others no band is read."""
        rectangle = _rectangle(origins[numbers])
        inside = (cubes.read_window(cube, "cause", rectangle) != Cause.OUTSIDE_REGION).any(axis=0)
        starts = origins[numbers, 1] - rectangle[1]
        mapped = np.array([inside[start : start + CHIP_PX].any() for start in starts.tolist()], bool)
        if not mapped.all():
            self.left_out[OUTSIDE] += int((~mapped).sum())
        inner: Numbers = numbers[mapped]
        return inner


def _rectangle(origins: Numbers) -> cubes.Window:
    """Around windows of one row."""
    y, left = (int(value) for value in origins.min(axis=0))
    return y, left, CHIP_PX, int(origins[:, 1].max()) - left + CHIP_PX
