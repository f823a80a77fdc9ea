"""Reading pixels: aligned, offset, from another zone, over a server that fails, and never nodata for a failure."""

import http.server
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.warp import transform as transform_points

from catalog.facts.errors import SourceBroken, SourceUnavailable
from catalog.facts.grids import Tile
from catalog.facts.pixel_grids import PixelGrid, native_grid
from catalog.facts.records import Asset, Scene
from catalog.stores.elevation import fill_narrow_gaps, read_dem
from catalog.stores.pixels import ByteMeter, read_grid
from catalog.stores.raster_files import Retry, close_files

EPSG = 32643
LEFT, TOP = 500_040.0, 3_900_000.0
QUICK = Retry(attempts=4, wait_s=0.01, http_attempts=0)


def write(path: Path, values: np.ndarray, *, left=LEFT, top=TOP, size=10.0, epsg=EPSG, nodata=0.0, bands=1) -> str:
    profile = {"driver": "COG", "dtype": values.dtype, "count": bands, "height": values.shape[0], "width": values.shape[1]}
    with rasterio.open(
        path, "w", **profile, crs=CRS.from_epsg(epsg), transform=Affine(size, 0, left, 0, -size, top), nodata=nodata, blocksize=128
    ) as file:
        for band in range(bands):
            file.write(values, band + 1)
    return str(path)


def scene_of(href: str, band: str = "B03", sensor: str = "s2") -> Scene:
    instant = datetime(2023, 7, 1, tzinfo=UTC)
    return Scene("one", sensor, "static", "c", instant, {band: Asset(href)}, "POLYGON ((0 0, 1 0, 1 1, 0 0))")


def noise(height=300, width=400) -> np.ndarray:
    return np.random.default_rng(1).integers(1, 5000, (height, width), dtype=np.uint16)


@pytest.fixture(autouse=True)
def _closed_files() -> Iterator[None]:
    yield
    close_files()


def test_an_aligned_window_is_copied(tmp_path):
    values = noise()
    scene = scene_of(write(tmp_path / "a.tif", values))
    meter = ByteMeter()
    out = read_grid(scene, "B03", PixelGrid(EPSG, LEFT + 500, TOP - 300, 10, 100, 120), meter=meter)
    np.testing.assert_array_equal(out, values[30:130, 50:170])
    assert meter.total == 100 * 120 * 2


@pytest.mark.parametrize(("row", "column"), [(-20, -30), (250, 350), (-50, 100), (1000, 0), (0, -5000)])
def test_outside_the_file_is_nodata_and_inside_is_exact(tmp_path, row, column):
    values = noise()
    scene = scene_of(write(tmp_path / "a.tif", values))
    out = read_grid(scene, "B03", PixelGrid(EPSG, LEFT + 10 * column, TOP - 10 * row, 10, 80, 90))
    everything = np.pad(values, 6000)
    np.testing.assert_array_equal(out, everything[6000 + row : 6080 + row, 6000 + column : 6090 + column])


def ramp(east: np.ndarray, north: np.ndarray) -> np.ndarray:
    return 2000 + (east - LEFT) * 0.11 + (TOP - north) * 0.07


def ramp_file(path: Path, *, left: float, top: float, size: float, count: int = 200) -> str:
    east, north = np.meshgrid(left + (np.arange(count) + 0.5) * size, top - (np.arange(count) + 0.5) * size)
    return write(path, np.round(ramp(east, north)).astype(np.uint16), left=left, top=top, size=size)


@pytest.mark.parametrize(("shift_m", "size"), [(5.0, 10), (3.3, 10), (0.0, 20), (10.0, 20), (25.0, 60), (7.0, 20)])
def test_a_ramp_on_any_lattice_is_reproduced_within_one_count(tmp_path, shift_m, size):
    scene = scene_of(ramp_file(tmp_path / "r.tif", left=LEFT + shift_m, top=TOP - shift_m, size=size))
    grid = PixelGrid(EPSG, LEFT + 300, TOP - 300, 10, 100, 100)
    out = read_grid(scene, "B03", grid)
    east, north = np.meshgrid(grid.left + (np.arange(100) + 0.5) * 10, grid.top - (np.arange(100) + 0.5) * 10)
    assert np.abs(out - ramp(east, north)).max() <= 1.0


def test_a_scene_of_another_zone_lands_on_the_same_ground(tmp_path):
    grid = PixelGrid(32644, 260_000.0, 3_900_000.0, 10, 200, 200)
    xs, ys = transform_points(CRS.from_epsg(32644), CRS.from_epsg(32643), [260_000.0], [3_900_000.0])
    left, top = round(xs[0] / 10) * 10 - 1000.0, round(ys[0] / 10) * 10 + 1000.0
    east, north = np.meshgrid(left + (np.arange(500) + 0.5) * 10, top - (np.arange(500) + 0.5) * 10)
    values = 3000 + (east - left) * 0.2 + (top - north) * 0.1
    scene = scene_of(write(tmp_path / "z.tif", np.round(values).astype(np.uint16), left=left, top=top))
    out = read_grid(scene, "B03", grid)
    mesh = np.meshgrid(grid.left + (np.arange(200) + 0.5) * 10, grid.top - (np.arange(200) + 0.5) * 10)
    xs, ys = transform_points(CRS.from_epsg(32644), CRS.from_epsg(32643), mesh[0].ravel(), mesh[1].ravel())
    expected = (3000 + (np.array(xs) - left) * 0.2 + (top - np.array(ys)) * 0.1).reshape(200, 200)
    assert np.abs(out - expected).max() <= 1.5


def test_classes_of_another_lattice_are_never_mixed(tmp_path):
    classes = np.where(noise() % 2, 4, 9).astype(np.uint8)
    scene = scene_of(write(tmp_path / "scl.tif", classes, left=LEFT + 5), band="SCL")
    out = read_grid(scene, "SCL", PixelGrid(EPSG, LEFT + 500, TOP - 500, 10, 100, 100))
    assert set(np.unique(out)) == {4, 9}


def test_a_scene_that_ends_elsewhere_is_nodata(tmp_path):
    scene = scene_of(write(tmp_path / "a.tif", noise()))
    assert not read_grid(scene, "B03", PixelGrid(32644, 600_000.0, 4_200_000.0, 10, 50, 50)).any()


def test_signed_counts_keep_dark_pixels_valid(tmp_path):
    values = np.full((100, 100), 50, dtype=np.int16)
    values[0, :3] = (-20, 0, -9999)
    scene = scene_of(write(tmp_path / "a.tif", values, nodata=-9999))
    out = read_grid(scene, "B03", PixelGrid(EPSG, LEFT, TOP, 10, 100, 100))
    assert out.dtype == np.uint16
    assert out[0, :4].tolist() == [1, 0, 0, 50]


def test_radar_nodata_is_nan(tmp_path):
    values = np.full((100, 100), 0.1, dtype=np.float32)
    values[5, 5] = -32768
    scene = scene_of(write(tmp_path / "vv.tif", values, nodata=-32768), band="VV", sensor="s1")
    out = read_grid(scene, "VV", PixelGrid(EPSG, LEFT - 10, TOP, 10, 100, 100))
    assert np.isnan(out[5, 6])
    assert np.isnan(out[:, 0]).all()
    assert np.isfinite(out).sum() == 100 * 99 - 1


@pytest.mark.parametrize("kind", ["missing", "junk", "cut", "two bands", "no band"])
def test_a_broken_file_is_named_and_never_nodata(tmp_path, kind):
    path = tmp_path / "a.tif"
    href = write(path, noise(), bands=2 if kind == "two bands" else 1)
    if kind == "missing":
        path.unlink()
    if kind == "junk":
        path.write_bytes(b"this is not a raster" * 100)
    if kind == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    scene = scene_of(href, band="B04" if kind == "no band" else "B03")
    with pytest.raises(SourceBroken, match=r"one|a\.tif"):
        read_grid(scene, "B03", PixelGrid(EPSG, LEFT, TOP, 10, 300, 400), retry=QUICK)


@dataclass
class Server:
    """Files of a folder with range requests; answers the next requests with the codes in `faults`."""

    folder: Path
    address: str = ""
    faults: list[int] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    state = Server(tmp_path)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def log_message(self, *_: object) -> None:
            return

        def answer(self, *, body: bool) -> None:
            state.requests.append(f"{self.command} {self.path} {self.headers.get('Range')}")
            code, data = (state.faults.pop(0), b"") if state.faults else (200, (state.folder / self.path.strip("/")).read_bytes())
            total, asked = len(data), re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            self.send_response(206 if asked and code == 200 else code)
            if asked and code == 200:
                first, last = int(asked[1]), min(int(asked[2] or total), total - 1)
                data = data[first : last + 1]
                self.send_header("Content-Range", f"bytes {first}-{last}/{total}")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data)

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    state.address = f"http://127.0.0.1:{listening.server_port}"
    yield state
    listening.shutdown()
    listening.server_close()


WHOLE = PixelGrid(EPSG, LEFT, TOP, 10, 300, 400)


def test_a_remote_file_is_read_in_ranges_and_opened_once(server):
    values = noise(1200, 1400)
    write(server.folder / "a.tif", values)
    scene = scene_of(f"{server.address}/a.tif")
    out = read_grid(scene, "B03", PixelGrid(EPSG, LEFT, TOP, 10, 100, 100))
    np.testing.assert_array_equal(out, values[:100, :100])
    before = len(server.requests)
    read_grid(scene, "B03", PixelGrid(EPSG, LEFT + 10_000, TOP - 10_000, 10, 100, 100))
    assert len(server.requests) - before <= 2
    assert all("Range" not in request or "None" not in request for request in server.requests)


@pytest.mark.parametrize("code", [403, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_survived(server, code):
    values = noise()
    write(server.folder / f"{code}.tif", values)
    server.faults = [code, code]
    out = read_grid(scene_of(f"{server.address}/{code}.tif"), "B03", WHOLE, retry=QUICK)
    np.testing.assert_array_equal(out, values)


def test_a_fault_in_the_middle_of_a_file_is_survived(server):
    values = noise(1200, 1400)
    write(server.folder / "a.tif", values)
    scene = scene_of(f"{server.address}/a.tif")
    read_grid(scene, "B03", PixelGrid(EPSG, LEFT, TOP, 10, 10, 10))
    server.faults = [503] * 3
    out = read_grid(scene, "B03", PixelGrid(EPSG, LEFT, TOP, 10, 1200, 1400), retry=QUICK)
    np.testing.assert_array_equal(out, values)


@pytest.mark.parametrize("code", [403, 503])
def test_a_lasting_fault_is_unavailable_after_the_budget(server, code):
    write(server.folder / f"{code}.tif", noise())
    server.faults = [code] * 100
    with pytest.raises(SourceUnavailable, match=str(code)):
        read_grid(scene_of(f"{server.address}/{code}.tif"), "B03", WHOLE, retry=QUICK)


def test_a_file_that_is_gone_is_broken_at_once(server):
    write(server.folder / "gone.tif", noise())
    server.faults = [404] * 100
    with pytest.raises(SourceBroken, match="404"):
        read_grid(scene_of(f"{server.address}/gone.tif"), "B03", WHOLE, retry=QUICK)
    assert len(server.requests) <= 2


def test_nobody_listening_is_unavailable():
    with pytest.raises(SourceUnavailable):
        read_grid(scene_of("http://127.0.0.1:9/a.tif"), "B03", WHOLE, retry=QUICK)


def height_file(path: Path, values: np.ndarray, west: float, north: float) -> Scene:
    """A Copernicus-like tile of one degree whose pixel centres lie on the degree lines."""
    step = 1.0 / values.shape[0]
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "height": values.shape[0], "width": values.shape[1]}
    with rasterio.open(
        path, "w", **profile, crs=CRS.from_epsg(4326), transform=Affine(step, 0, west - step / 2, 0, -step, north + step / 2)
    ) as file:
        file.write(values.astype(np.float32), 1)
    instant = datetime(2020, 1, 1, tzinfo=UTC)
    return Scene(path.stem, "dem", "static", "cop-dem-glo-30", instant, {"DEM": Asset(str(path))}, "POLYGON ((0 0, 1 0, 1 1, 0 0))")


TILE_ON_DEGREE = Tile(EPSG, 22, 173, 1)


def degree_grid() -> tuple[PixelGrid, float, float]:
    """A grid around the crossing of 75 E and 35 N in zone 43, and that crossing."""
    xs, ys = transform_points(CRS.from_epsg(4326), CRS.from_epsg(EPSG), [75.0], [35.0])
    return PixelGrid(EPSG, round(xs[0] / 40) * 40 - 2000.0, round(ys[0] / 40) * 40 + 2000.0, 40, 100, 100), 75.0, 35.0


def test_heights_join_over_degree_lines_without_a_seam(tmp_path):
    grid, west, north = degree_grid()
    scenes = []
    for i, (left, top) in enumerate([(west - 1, north + 1), (west, north + 1), (west - 1, north), (west, north)]):
        lon, lat = np.meshgrid(left + np.arange(900) / 900, top - np.arange(900) / 900)
        scenes.append(height_file(tmp_path / f"{i}.tif", 1000 + (lon - 75) * 2000 + (lat - 35) * 1000, left, top))
    heights = read_dem(scenes, grid)
    assert np.isfinite(heights).all()
    # A linear height field stays linear: second differences show any step at the seams.
    assert np.abs(np.diff(heights, 2, axis=0)).max() < 0.01
    assert np.abs(np.diff(heights, 2, axis=1)).max() < 0.01


def test_ground_without_a_tile_is_sea_only_if_the_collection_was_searched(tmp_path):
    grid, west, north = degree_grid()
    scene = height_file(tmp_path / "w.tif", np.full((900, 900), 12.0), west - 1, north + 1)
    heights = read_dem([scene], grid)
    assert set(np.unique(heights)) == {0.0, 12.0}
    unknown = read_dem([scene], grid, sea_level_m=None)
    assert np.isnan(unknown).sum() == (heights == 0).sum()


def test_narrow_gaps_are_filled_and_wide_ones_stay(tmp_path):
    heights = np.add.outer(np.arange(40.0), np.zeros(50)).astype(np.float32)
    holed = heights.copy()
    holed[:, 20] = np.nan
    holed[10, :] = np.nan
    holed[25:28, 30:33] = np.nan
    holed[30:32, 5:7] = np.nan
    filled = fill_narrow_gaps(holed, 2)
    assert np.isnan(filled[25:28, 30:33]).all()
    assert np.isnan(filled).sum() == 9
    assert np.abs(filled - heights)[np.isfinite(filled)].max() <= 1.0


def test_a_tile_of_60_m_pixels_is_covered_on_their_own_lattice():
    tile = Tile(EPSG, 22, 173)
    grid = native_grid(tile, 60, 1)
    assert grid.left % 60 == 0
    assert grid.top % 60 == 0
    left, bottom, right, top = grid.bounds_lbrt
    inner = tile.bounds_lbrt
    assert left <= inner[0] - 60
    assert right >= inner[2] + 60
    assert bottom <= inner[1] - 60
    assert top >= inner[3] + 60
