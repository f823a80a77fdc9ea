"""A static STAC catalog of real scenes, and the regions to map them in.

Run as a script to look at it: `python -m tests.real_scenes SHARED_DATA OUT`, then
`cryoatlas run --region OUT/regions/real_coast.geojson --years 2021 --catalog OUT/catalog.json --store STORE`.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from affine import Affine
from pyproj import Transformer

from tests.real_items import COLLECTIONS, Json, elevation_item, look_at, moved_item, optical_item_es, optical_item_pc, radar_item

BANDS: Final = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
_TERRAMIND: Final = "s1_s2_dem_tiles/terramind"
_LAKE: Final = "s1_s2_dem_tiles/bigearthnet_lake_35VPK_69_24"
_DATES: Final = "s2/l2a_33TWM_5dates_120m"
_VOID_PX, _DEM_NODATA = 1000, -32768
SWATH_EDGE_TILE: Final = (515_200.0, 5_174_400.0, 537_600.0, 5_196_800.0)
"""One whole tile of the lattice in EPSG:32633, where clouds of two dates and the swath edge of three others meet."""


@dataclass(frozen=True, slots=True)
class RealCase:
    """One region to map, and what is known of it."""

    name: str
    region: Path
    """GeoJSON file."""
    catalog: Path
    year: int
    label: Path | None = None
    """Land cover (1 = water) on the image's grid."""
    images: tuple[Path, ...] = ()
    """Original files, to compare results with."""


@dataclass(frozen=True, slots=True)
class _Tile:
    """A TerraMind tile: times from the tags of its LULC.tif (optical) and S1RTC.tif (radar)."""

    folder: str
    region: str
    title: str
    optical: datetime
    radar: datetime
    scene_id: str
    baseline: str
    season: tuple[str, str]
    provider: str = "earth-search"


_TILES: Final = (
    # Pixels hold no offset although the baselines of a reprocessing would have it: Earth Search has a flag to say so.
    _Tile(
        "282D_485L_3_3",
        "real_coast",
        "Coast of Brazil",
        datetime(2021, 7, 23, 13, 22, 41, tzinfo=UTC),
        datetime(2021, 7, 21, 8, 40, 10, tzinfo=UTC),
        "S2A_22JGS_20210723_0_L2A",
        "05.00",
        ("07-01", "08-15"),
    ),
    _Tile(
        "609U_541L_3_0",
        "real_frozen_river",
        "Frozen river, Hudson Bay lowland",
        datetime(2020, 1, 11, 16, 46, 49, tzinfo=UTC),
        datetime(2020, 1, 11, 23, 27, 23, tzinfo=UTC),
        "S2B_16UGG_20200111_0_L2A",
        "05.00",
        ("01-01", "01-31"),
    ),
    _Tile(
        "637U_59R_1_3",
        "real_farmland",
        "Farmland, Denmark",
        datetime(2017, 10, 30, 10, 41, 51, tzinfo=UTC),
        datetime(2017, 10, 30, 5, 32, 30, tzinfo=UTC),
        "S2A_MSIL2A_20171030T104151_R008_T32VNJ_20171030T104151",
        "02.06",
        ("10-01", "11-15"),
        "planetary-computer",
    ),
    _Tile(
        "38D_378R_2_3",
        "real_dry_land",
        "Dry farmland, Tanzania",
        datetime(2023, 6, 10, 7, 46, 21, tzinfo=UTC),
        datetime(2023, 6, 10, 16, 4, 18, tzinfo=UTC),
        "S2B_36MXB_20230610_0_L2A",
        "05.09",
        ("05-15", "07-15"),
    ),
)


def make_catalog(shared: Path, out: Path) -> dict[str, RealCase]:
    """Make catalog, regions and converted files under `out` from the real data in `shared`; return the cases by name."""
    items: list[Json] = []
    cases = [_terramind(shared / _TERRAMIND, tile, out, items) for tile in _TILES]
    cases.append(_forest_lake(shared / _LAKE, out, items))
    cases.extend(_five_dates(shared / _DATES, out, items))
    _write_catalog(out, items)
    return {case.name: case for case in cases}


def _terramind(folder: Path, tile: _Tile, out: Path, items: list[Json]) -> RealCase:
    source, made = folder / tile.folder, out / "files" / tile.folder
    with rasterio.open(source / "S2L2A.tif") as file:
        bands = {name: _write_cog(made / f"{name}.tif", file.read(n).astype(np.uint16), file, 0) for n, name in enumerate(BANDS, 1)}
    with rasterio.open(source / "S1RTC.tif") as file:
        power = {key: np.power(10.0, file.read(n) / 10).astype(np.float32) for n, key in enumerate(("vv", "vh"), 1)}
        radar = {key: _write_cog(made / f"{key}.tif", values, file, -32768) for key, values in power.items()}
    make = optical_item_es if tile.provider == "earth-search" else optical_item_pc
    items.append(make(tile.scene_id, tile.optical, bands, tile.baseline))
    items.append(radar_item("sentinel-1-rtc", f"S1A_IW_GRDH_1SDV_{tile.radar:%Y%m%dT%H%M%S}_rtc", tile.radar, radar))
    items.append(elevation_item(f"Copernicus_DSM_COG_10_{tile.folder}", _with_void(source / "DEM.tif", made / "DEM.tif")))
    region = _write_region(out, tile.region, tile.title, look_at(source / "DEM.tif").footprint, tile.season)
    return RealCase(
        tile.region, region, out / "catalog.json", tile.optical.year, source / "LULC.tif", (source / "S2L2A.tif", source / "S1RTC.tif")
    )


def _forest_lake(folder: Path, out: Path, items: list[Json]) -> RealCase:
    """The files are used as they are; its radar is GRD and is declared as what it is."""
    bands = {band: next(folder.glob(f"S2*_{band}.tif")) for band in BANDS}
    radar = {key: next(folder.glob(f"S1*_{key.upper()}.tif")) for key in ("vv", "vh")}
    acquired = datetime(2017, 9, 24, 9, 30, 20, tzinfo=UTC)
    items.append(optical_item_pc("S2B_MSIL2A_20170924T093020_R136_T35VPK_20170924T093132", acquired, bands, "02.05"))
    grd = "S1A_IW_GRDH_1SDV_20170925T043256_20170925T043321_018527_01F38C"
    items.append(radar_item("sentinel-1-grd", grd, datetime(2017, 9, 25, 4, 32, 56, tzinfo=UTC), radar))
    region = _write_region(out, "real_forest_lake", "Forest lake, Finland", look_at(bands["B02"]).footprint, ("09-01", "10-15"))
    return RealCase("real_forest_lake", region, out / "catalog.json", acquired.year, None, (bands["B03"], bands["B08"]))


def _five_dates(folder: Path, out: Path, items: list[Json]) -> Iterable[RealCase]:
    """Five dates of one place under clouds: one tile of it, and all of it."""
    products = sorted(path for path in folder.iterdir() if path.is_dir())
    for product in products:
        files = {}
        for band in ("B02", "B03", "B04", "B08", "SCL"):
            with rasterio.open(product / f"{band}.tif") as file:
                files[band] = _write_cog(out / "files" / product.name / f"{band}.tif", file.read(1), file, 0)
        items.append(moved_item(json.loads((product / f"{product.name}.json").read_text()), files))
    season = ("08-01", "08-31")
    part = _write_region(out, "real_five_dates", "Styria, one tile", _rectangle(32633, SWATH_EDGE_TILE, inset_m=200), season)
    whole = _write_region(out, "real_five_dates_whole", "Styria", look_at(products[0] / "SCL.tif").footprint, season)
    for name, region in (("real_five_dates", part), ("real_five_dates_whole", whole)):
        yield RealCase(name, region, out / "catalog.json", 2023, None, tuple(products))


def _with_void(source: Path, path: Path) -> Path:
    """The heights amid 10 km of void: ground beyond the crop is unknown, and must not be taken for sea without a tile."""
    with rasterio.open(source) as file:
        values = np.pad(file.read(1), _VOID_PX, constant_values=_DEM_NODATA)
        return _write_cog(path, values, file, _DEM_NODATA, file.transform @ Affine.translation(-_VOID_PX, -_VOID_PX))


def _write_cog(path: Path, values: np.ndarray, like: rasterio.DatasetReader, nodata: float, transform: Affine | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = values.shape
    with rasterio.open(
        path,
        "w",
        driver="COG",
        count=1,
        height=height,
        width=width,
        dtype=values.dtype,
        crs=like.crs,
        transform=transform or like.transform,
        nodata=nodata,
        compress="deflate",
        blocksize=256,
        overviews="none",
    ) as file:
        file.write(values, 1)
    return path


def _write_region(out: Path, name: str, title: str, geometry: Mapping[str, object], season: tuple[str, str]) -> Path:
    band = {"latitude_from": -90, "latitude_to": 90, "elevation_from_m": -500, "elevation_to_m": 9000}
    properties = {
        "name": name,
        "title": title,
        "target": "lakes",
        "family": "user",
        "priority": 0,
        "territory": "geometry",
        "elevation_floor_m": None,
        "outline_buffer_m": None,
        "crs": None,
        "seasons": [{**band, "start": season[0], "end": season[1]}],
    }
    return _write_json(out / "regions" / f"{name}.geojson", {"type": "Feature", "properties": properties, "geometry": geometry})


def _write_catalog(out: Path, items: list[Json]) -> None:
    root = {"rel": "root", "href": "./catalog.json", "type": "application/json"}
    children = [{"rel": "child", "href": f"./{name}/collection.json", "type": "application/json"} for name in COLLECTIONS]
    card = {"type": "Catalog", "stac_version": "1.0.0", "id": "real-scenes", "description": "Real scenes for tests"}
    _write_json(out / "catalog.json", {**card, "links": [root, *children]})
    for name, title in COLLECTIONS.items():
        _write_collection(out, name, title, [item for item in items if item["collection"] == name])


def _write_collection(out: Path, name: str, title: str, items: list[Json]) -> None:
    up = [{"rel": rel, "href": "../catalog.json", "type": "application/json"} for rel in ("root", "parent")]
    down = [{"rel": "item", "href": f"./{item['id']}.json", "type": "application/geo+json"} for item in items]
    extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [["2014-01-01T00:00:00Z", None]]}}
    card = {"type": "Collection", "stac_version": "1.0.0", "id": name, "title": title, "description": title, "license": "other"}
    _write_json(out / name / "collection.json", {**card, "extent": extent, "links": [*up, *down]})
    home = [{"rel": "root", "href": "../catalog.json"}, *({"rel": rel, "href": "./collection.json"} for rel in ("parent", "collection"))]
    for item in items:
        _write_json(out / name / f"{item['id']}.json", {**item, "links": home})


def _write_json(path: Path, content: Json) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1))
    return path


def _rectangle(epsg: int, bounds_lbrt: tuple[float, float, float, float], *, inset_m: float) -> Json:
    left, bottom, right, top = bounds_lbrt
    left, bottom, right, top = left + inset_m, bottom + inset_m, right - inset_m, top - inset_m
    ring = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
    to_lonlat = Transformer.from_crs(epsg, 4326, always_xy=True)
    return {"type": "Polygon", "coordinates": [[list(to_lonlat.transform(x, y)) for x, y in ring]]}


if __name__ == "__main__":
    make_catalog(Path(sys.argv[1]), Path(sys.argv[2]).absolute())
