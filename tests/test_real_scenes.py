"""Real scenes through the same flow as users run, from a static catalog to the inventory."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import rioxarray  # noqa: F401 - registers the accessor
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from rasterio.warp import Resampling, reproject, transform_geom
from scipy.ndimage import binary_erosion, maximum_filter, minimum_filter

from catalog.facts.causes import Cause
from catalog.facts.options import MapOptions, SearchOptions
from catalog.facts.records import RegionYearReport
from catalog.stores.cubes import lazy_cube
from catalog.stores.store import Store, open_store
from flows.map_region import map_region
from tests.real_items import sun
from tests.real_scenes import RealCase, make_catalog

NOT_WATER_B11 = 1000
"""Reflectance 0.10 in SWIR: pure water stays under 0.01, turbid water under 0.05."""
LOW_SUN = MapOptions(search=SearchOptions(min_sun_elevation_deg=5))


@dataclass(frozen=True, slots=True)
class Mapped:
    case: RealCase
    report: RegionYearReport
    store: Store

    @property
    def lakes(self) -> gpd.GeoDataFrame:
        with self.store.inventory("lakes", self.case.name, self.case.year).open("rb") as file:
            return gpd.read_parquet(file)

    def cubes(self, kind: str) -> list[Path]:
        place = self.store.cube if kind == "surface" else lambda *key: self.store.probability("lakes", *key)
        return sorted(place(self.case.name, self.case.year, 0).parent.glob("*.zarr"))


@pytest.fixture(scope="module")
def cases(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, RealCase]:
    return make_catalog(shared_data, tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def mapped(cases, prefect_server, tmp_path_factory) -> Callable[..., Mapped]:
    """Map a case as `cryoatlas run` does; each is mapped once for all tests."""
    done: dict[tuple[str, MapOptions], Mapped] = {}

    def run(name: str, options: MapOptions = MapOptions()) -> Mapped:  # noqa: B008 (frozen)
        if (name, options) not in done:
            case, store = cases[name], str(tmp_path_factory.mktemp("store"))
            report = map_region(
                region=str(case.region), year=case.year, catalog=str(case.catalog), store=store, options=options, model="indices"
            )
            done[name, options] = Mapped(case, report, open_store(store))
        return done[name, options]

    return run


def on_grid_of(path: Path, mapped: Mapped, kind: str, name: str, fill: int, resampling: Resampling) -> NDArray[np.float32]:
    """A stored (y, x) array on the grid of an image, where zones overlap the first one; `fill` where nothing is stored."""
    with rasterio.open(path) as image:
        result = np.full(image.shape, fill, np.float32)
        for cube in map(lazy_cube, mapped.cubes(kind)):
            part = np.full(image.shape, fill, np.float32)
            reproject(
                cube[name].to_numpy().astype(np.float32, copy=False),
                part,
                src_transform=cube.rio.transform(),
                src_crs=cube.rio.crs,
                src_nodata=fill,
                dst_transform=image.transform,
                dst_crs=image.crs,
                dst_nodata=fill,
                resampling=resampling,
            )
            result = np.where(result == fill, part, result)
    return result


def water_on_image(mapped: Mapped, path: Path) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the stored probability is a half or more, and where there is one, on the grid of an image."""
    stored = on_grid_of(path, mapped, "probability", "probability", 255, Resampling.bilinear)
    known = stored < 251
    return known & (stored >= 125), known


def iou(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float((found & truth).sum() / (found | truth).sum())


def test_the_coast_agrees_with_its_land_cover(mapped, record_property):
    coast = mapped("real_coast")
    assert coast.report.failures == ()
    water, _ = water_on_image(coast, coast.case.label)
    with rasterio.open(coast.case.label) as file:
        label = file.read(1) == 1
    with rasterio.open(coast.case.images[0]) as file:
        dry = file.read(11) >= NOT_WATER_B11
    # The label (a whole year's) counts a sandbar as water that lay dry on the image's day: no optical method may find water there.
    sandbar = label & dry
    record_property("iou_raw", round(iou(water, label), 3))
    record_property("iou_without_sandbar", round(iou(water & ~sandbar, label & ~sandbar), 3))
    assert 0.35 < sandbar.sum() / label.sum() < 0.45
    assert iou(water & ~sandbar, label & ~sandbar) >= 0.85
    assert (water & sandbar).sum() / sandbar.sum() < 0.1
    assert (water & ~label).sum() / (~label).sum() < 0.01


@pytest.mark.parametrize("name", ["real_farmland", "real_dry_land"])
def test_dry_land_has_no_lake(mapped, name):
    dry = mapped(name)
    assert dry.report.failures == ()
    _, known = water_on_image(dry, dry.case.label)
    assert known.mean() > 0.9  # it was looked at
    assert len(dry.lakes) == 0


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(MapOptions(), id="default"),
        pytest.param(LOW_SUN, id="low sun allowed"),
        pytest.param(MapOptions(search=SearchOptions(min_sun_elevation_deg=20)), id="optics refused", marks=pytest.mark.slow),
    ],
)
def test_a_frozen_river_is_no_lake(mapped, options):
    frozen = mapped("real_frozen_river", options)
    assert frozen.report.failures == ()
    assert len(frozen.lakes) == 0


def test_a_frozen_river_is_told_to_be_snow_or_ice(mapped):
    frozen = mapped("real_frozen_river", LOW_SUN)
    cause = on_grid_of(frozen.case.label, frozen, "surface", "cause", int(Cause.OUTSIDE_REGION), Resampling.nearest)
    assert (cause == Cause.SNOW_OR_ICE).mean() > 0.9


def test_a_lake_in_the_next_zone_is_mapped_from_optics_alone(mapped):
    forest = mapped("real_forest_lake")
    assert forest.report.failures == ()
    largest = forest.lakes.sort_values("area_m2").iloc[-1]
    assert largest.area_m2 > 200_000
    assert largest.sensors == "S2"
    assert largest.utm_epsg == 32636
    assert np.isnan(largest.elevation_m)  # nobody gave an elevation model: unknown, not sea level


def test_the_forest_lake_lies_where_its_image_is_dark(mapped):
    forest = mapped("real_forest_lake")
    with rasterio.open(forest.case.images[1]) as nir:
        # bog water: darker in green than in NIR, so that no ratio of the two finds it; forest starts at 800
        dark = nir.read(1) < 500
    water, known = water_on_image(forest, forest.case.images[0])
    assert known.mean() > 0.9
    assert iou(water, dark) > 0.85


def test_ground_range_radar_is_refused_with_the_reason(mapped):
    forest = mapped("real_forest_lake")
    rows = pq.ParquetFile(forest.store.scenes(forest.case.name, forest.case.year)).read().to_pylist()
    reasons = {row["refused_because"] for row in rows if row["id"].startswith("S1")}
    assert reasons == {"not terrain corrected"}


@pytest.mark.parametrize(
    ("name", "pixels"),
    [("real_five_dates", 30_000), pytest.param("real_five_dates_whole", 800_000, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])],
)
def test_the_composite_is_clear_wherever_any_date_was(mapped, name, pixels):
    five = mapped(name)
    assert five.report.failures == ()
    scl, blue = (np.stack([_first_band(product / f"{band}.tif") for product in five.case.images]) for band in ("SCL", "B02"))
    clear = np.isin(scl, (4, 5, 6)) & (blue > 0)
    grid = five.case.images[0] / "SCL.tif"
    cause = on_grid_of(grid, five, "surface", "cause", int(Cause.OUTSIDE_REGION), Resampling.nearest)
    inside = inside_region(grid, five.case.region)
    some = inside & clear.any(0)
    assert some.sum() > pixels
    assert (cause[some] == Cause.USABLE).mean() > 0.995
    _assert_plausible(five, grid, blue, clear, some & (cause == Cause.USABLE))


def _assert_plausible(five: Mapped, grid: Path, blue: NDArray[np.uint16], clear: NDArray[np.bool_], where: NDArray[np.bool_]) -> None:
    """The composite's blue lies among the clear dates', and nowhere near what clouds reflect."""
    cube = lazy_cube(five.cubes("surface")[0])
    composite = np.zeros(blue.shape[1:], np.float32)
    with rasterio.open(grid) as image:
        reproject(
            cube["s2"][1].to_numpy().astype(np.float32),
            composite,
            src_transform=cube.rio.transform(),
            src_crs=cube.rio.crs,
            src_nodata=0,
            dst_transform=image.transform,
            dst_crs=image.crs,
            resampling=Resampling.average,
        )
    # enlarging to 10 m mixes neighbours, so a pixel may lie anywhere between the extremes around it
    lowest = minimum_filter(np.where(clear, blue, 65535).min(0), 3)[where].astype(float)
    highest = maximum_filter(np.where(clear, blue, 0).max(0), 3)[where].astype(float)
    found = composite[where]
    assert ((found >= lowest - 1) & (found <= highest + 1)).mean() > 0.995
    # clouds that Sen2Cor missed on one date would lift the composite far above the clearest date
    clearest = np.where(clear, blue, 65535).min(0)[where].astype(float)
    assert (found - clearest > 800).mean() < 0.003


def test_four_bands_and_no_elevation_are_enough_for_a_surface(mapped):
    cube = lazy_cube(mapped("real_five_dates").cubes("surface")[0])
    assert set(np.flatnonzero(cube["s2"].to_numpy().any((1, 2)))) == {1, 2, 3, 7}  # B02, B03, B04, B08
    assert np.isnan(cube["dem"].to_numpy()).all()


def test_four_bands_are_enough_to_map(mapped):
    five = mapped("real_five_dates")
    probability = lazy_cube(five.cubes("probability")[0])["probability"].to_numpy()
    assert (probability < 255).mean() > 0.9


def _first_band(path: Path) -> NDArray[np.uint16]:
    with rasterio.open(path) as file:
        return file.read(1)


def inside_region(grid: Path, region: Path) -> NDArray[np.bool_]:
    """Pixels of an image that lie in a region, two pixels from its edge."""
    shape = json.loads(region.read_text())["geometry"]
    with rasterio.open(grid) as image:
        area = transform_geom("EPSG:4326", image.crs, shape)
        inside = geometry_mask([area], image.shape, image.transform, invert=True)
    return binary_erosion(inside, iterations=2)


def test_the_sun_stands_where_a_real_item_says(shared_data):
    items = sorted((shared_data / "s2" / "l2a_33TWM_5dates_120m").glob("*/S2*.json"))
    for path in items:
        said = json.loads(path.read_text())["properties"]
        when = datetime.fromisoformat(said["datetime"]).astimezone(UTC)
        zenith, azimuth = sun(when, 15.72, 46.46)
        assert 90 - zenith == pytest.approx(said["view:sun_elevation"], abs=0.5)
        assert azimuth == pytest.approx(said["view:sun_azimuth"], abs=1.0)


@pytest.mark.parametrize(
    ("source", "layer", "converted"),
    [
        ("s1_s2_dem_tiles/terramind/282D_485L_3_3/S2L2A.tif", 9, "282D_485L_3_3/B8A.tif"),
        ("s2/l2a_33TWM_5dates_120m/S2B_33TWM_20230813_0_L2A/SCL.tif", 1, "S2B_33TWM_20230813_0_L2A/SCL.tif"),
    ],
)
def test_converted_files_hold_the_pixels_of_their_sources(shared_data, cases, source, layer, converted):
    made = cases["real_coast"].catalog.parent / "files" / converted
    with rasterio.open(shared_data / source) as original, rasterio.open(made) as cog:
        assert (cog.read(1) == original.read(layer)).all()
        assert (cog.transform, cog.crs) == (original.transform, original.crs)


def test_the_radar_is_linear_power_of_the_decibels_given(shared_data, cases):
    made = cases["real_coast"].catalog.parent / "files" / "282D_485L_3_3" / "vh.tif"
    with rasterio.open(shared_data / "s1_s2_dem_tiles/terramind/282D_485L_3_3/S1RTC.tif") as source, rasterio.open(made) as cog:
        np.testing.assert_allclose(10 * np.log10(cog.read(1)), source.read(2), atol=1e-4)
