"""The real scenes that may be trained on, as a set of chips: `python recipes/real_chips.py --data FOLDER --out CHIPS/real`.

All of them are dry: of the public scenes at hand, every one with an outlined lake is kept for testing or cannot be used (DECISIONS).
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numpy as np
import rasterio
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, uniform_filter

from catalog.facts.bands import S2_NAMES
from catalog.facts.causes import Cause
from catalog.facts.chips import CHIP_PX, LABEL_IGNORE, ChipBatch, ChipRecord, CutOptions
from catalog.facts.footprints import centres_lonlat, squares_lonlat
from catalog.facts.splits import blocks_of
from catalog.stores.chips import write_chips
from models.segmenter.contract import WindowArrays
from models.segmenter.cutting import Chip, Windows, batch_of, chip_of
from models.segmenter.lake_sides import Lakes, Place

Number = TypeVar("Number", bound=np.generic)
DECISIONS = {
    "s1_s2_dem_tiles/worldcereal_s1s2dem_12months.nc": "used: 12 months of dry farmland with radar and elevation, ten of them with optics",
    "s1_s2_dem_tiles/bigearthnet_s1_river_33UUP": "used: radar only; dark water, which nobody outlined, is ignored and the land is dry",
    "s1_s2_dem_tiles/terramind": "kept for testing: a coast, a frozen river and two dry tiles",
    "s1_s2_dem_tiles/bigearthnet_lake_35VPK_69_24": "kept for testing: a lake in three resolutions",
    "lake_cases/everest_landsat7_2000": "kept for testing: glacial lakes on Landsat",
    "lake_cases/harsha_lake_s2": "not used: clipped to the lake (23 pixels of land), 20 m, order of bands unverified",
    "s1_s2_dem_tiles/openmapflow_togo_s1s2_12months.tif": "not used: 17 x 17 pixels, no label of water",
    "s2/l2a_33TWM_5dates_120m": "not used: 120 m, no label",
    "s2/openeo_gfmap_s2l2a_scl_19dates.nc": "not used: four bands, no label",
    "s2/copernicus_fm_s2l1c_13band_T60HWB_20201002.tif": "not used: top of atmosphere, river, no label",
    "s1/opera_rtc_s1_timeseries": "not used: 30 m, no label",
    "s1/pyrosar_S1A_20150309_VV_db_camargue.tif": "not used: 20 m, VV only, ponds without outlines",
    "glacial_lake_timeseries": "not used: outlines without images",
    "glacial_lake_inventories": "not used: outlines without images",
    "rts/expert_labels_peel": "not used: top of atmosphere, slumps outlined and water not",
}
CEREAL = "s1_s2_dem_tiles/worldcereal_s1s2dem_12months.nc"
CEREAL_MISSING = 65535
RIVER = "s1_s2_dem_tiles/bigearthnet_s1_river_33UUP"
WATER_DB = -17.0
AROUND_WATER_PX = 4
OPTIONS = CutOptions(split="train", min_valid_share=0.05, ignore_band_px=0)


@dataclass(frozen=True, slots=True)
class Scene:
    """One real scene of at most a chip, in stored units."""

    place: Place
    epsg: int
    left_top_m: tuple[float, float]
    arrays: WindowArrays
    unknown: NDArray[np.bool_] | None = None
    """Pixels (y, x) that nobody labelled."""


def cereal(data: Path) -> Iterator[Scene]:
    """Belgian farmland, a scene per month."""

    def read(name: str) -> tuple[NDArray[np.uint16], rasterio.Affine]:
        with rasterio.open(f"netcdf:{data / CEREAL}:{name}") as file:
            return file.read(), file.transform

    radar = [read(f"S1-SIGMA0-{name}")[0].astype(np.float32) for name in ("VV", "VH")]
    elevation, transform = read("elevation")
    optics = {band: read(f"S2-L2A-{band}")[0] for band in ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B11", "B12")}
    for month in range(len(elevation)):
        bands = [optics[band][month] if band in optics else np.zeros_like(elevation[month]) for band in S2_NAMES]
        s2 = np.stack([np.where(band == CEREAL_MISSING, 0, band) for band in bands]).astype(np.uint16)
        # convention of the WorldCereal cubes: dB = 20 log10(DN) - 83
        s1 = np.stack([20 * np.log10(np.maximum(power[month], 1.0)) - 83 for power in radar]).astype(np.float32)
        arrays = WindowArrays(_causes(s2), s2, s1, elevation[month].astype(np.float32))
        place = Place(f"worldcereal_belgium_{month:02d}", 2021, 2021, CEREAL)
        yield Scene(place, 32631, (transform.c, transform.f), arrays)


def river(data: Path) -> Iterator[Scene]:
    """The Inn and the fields beside it, radar only; the river is a chain of reservoirs, so nobody is asked about it."""
    for row in (39, 40):
        files = [next((data / RIVER).glob(f"*_61_{row}_{name}.tif")) for name in ("VV", "VH")]
        with rasterio.open(files[0]) as file:
            transform = file.transform
        s1 = np.stack([rasterio.open(path).read(1) for path in files]).astype(np.float32)
        dark = uniform_filter(s1[0], 3) < WATER_DB
        s2 = np.zeros((len(S2_NAMES), *dark.shape), np.uint16)
        place = Place(f"inn_river_{row}", 2017, 2017, RIVER)
        unknown = binary_dilation(dark, iterations=AROUND_WATER_PX)
        yield Scene(place, 32633, (transform.c, transform.f), WindowArrays(_causes(s2), s2, s1), unknown)


def _causes(s2: NDArray[np.uint16]) -> NDArray[np.uint8]:
    seen = s2.any(axis=0)
    return np.where(seen, int(Cause.USABLE), int(Cause.NO_SCENE)).astype(np.uint8)


def chip_from(scene: Scene) -> Chip:
    """One chip with the scene in its upper left corner; the rest of it is not seen."""
    left, top = scene.left_top_m
    origins = np.array([[round(-top / 10), round(left / 10)]], np.int64)
    longitude, latitude = centres_lonlat(origins, scene.epsg)
    split, reason = np.array([OPTIONS.split], object), np.array(["declared train as a whole"], object)
    block = blocks_of(latitude, longitude)
    windows = Windows(scene.epsg, origins, longitude, latitude, split, reason, block, squares_lonlat(origins, scene.epsg))
    nothing = Lakes(no_outlines(), np.empty(0, object))
    found = chip_of(_filled(scene.arrays), windows, 0, lakes=nothing, place=scene.place, options=OPTIONS)
    if isinstance(found, str):
        raise SystemExit(f"{scene.place.region}: {found}")
    if scene.unknown is None:
        return found
    label = found.label.copy()
    height, width = scene.unknown.shape
    label[:height, :width][scene.unknown[:CHIP_PX, :CHIP_PX]] = LABEL_IGNORE
    return replace(found, label=label)


def no_outlines() -> gpd.GeoDataFrame:
    """A table of lakes without lakes."""
    columns = ("lake_id", "ground", "region", "class", "hard", "hard_because", "observable", "split")
    empty = {name: np.empty(0, bool if name in {"hard", "observable"} else object) for name in columns}
    numbers = {name: np.empty(0, kind) for name, kind in (("year", "int16"), ("label_year", "int16"), ("area_m2", "float64"))}
    return gpd.GeoDataFrame(empty | numbers, geometry=gpd.GeoSeries([], crs=4326))


def _filled(arrays: WindowArrays) -> WindowArrays:
    return WindowArrays(
        _grown(arrays.cause, np.uint8, int(Cause.OUTSIDE_REGION)),
        _grown(arrays.s2, np.uint16, 0, (len(S2_NAMES),)),
        _grown(arrays.s1, np.float32, np.nan, (2,)),
        _grown(arrays.dem, np.float32, np.nan),
    )


def _grown(array: NDArray[Number] | None, kind: type[Number], fill: float, leading: tuple[int, ...] = ()) -> NDArray[Number]:
    chip = np.full((*leading, CHIP_PX, CHIP_PX), fill, kind)
    if array is not None:
        height, width = array.shape[-2:]
        chip[..., :height, :width] = array
    return chip


def main() -> None:
    """Read the command line and write the set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the real scenes")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    chips = [chip_from(scene) for make in (cereal, river) for scene in make(args.data)]
    batch: ChipBatch = batch_of(chips)
    records: list[ChipRecord] = [chip.record for chip in chips]
    about = {"made": "real scenes", "decisions": DECISIONS, "licence": "MIT (WorldCereal), CDLA-Permissive-1.0 (BigEarthNet)"}
    footprints = np.array([chip.footprint for chip in chips], object)
    write_chips(args.out, [(batch, records, footprints)], no_outlines(), about)
    print(f"Wrote {len(chips)} chips to {args.out}.")  # noqa: T201 - the script's answer


if __name__ == "__main__":
    main()
