"""Slump detectors on real ground that none was trained on: `python -m benchmarks.real_slumps --data SHARED_DATA --models slumps-tiny --out DIR`.

Peel Plateau, Canada, 2021-08-21: what a detector finds against the ground that at least half of 12 experts drew (Nitze et al. 2024,
doi:10.1002/ppp.2249), beside how well the experts agree with each other; a picture per detector. The image is top of atmosphere: it is
judged as it is, and with its haze taken off (Chavez 1988: the darkest pixels of a visible band reflect 1 %). Then ground without slumps:
hectares that are listed on a coast, farmland, dry land and a frozen river.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import rasterio
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from catalog.facts.bands import S2_NAMES, s2_index
from catalog.facts.causes import Cause
from catalog.facts.grids import PIXEL_M
from catalog.stores.weights import read_detector, shipped_names
from models.detector.contract import Detector, DetectorContract, usable
from models.detector.labelers import intersection_over_union, majority_outline, mutual_iou
from models.detector.merge import Merged
from models.detector.registry import detector_named
from models.scores.seen_ground import SeenGround
from models.scores.slump_answers import Answers
from models.segmenter.contract import WindowArrays, stack

PEEL_BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08")
DARKEST_COUNTS = 100
"""Reflectance of 1 %."""
QUARTILES = (0.25, 0.5, 0.75)
FALSE_ALARMS = (("coast", "282D_485L_3_3"), ("farmland", "637U_59R_1_3"), ("dry land", "38D_378R_2_3"), ("frozen river", "609U_541L_3_0"))


@dataclass(frozen=True)
class Image:
    """One image on its zone's lattice."""

    name: str
    origin_yx: tuple[int, int]
    s2: NDArray[np.uint16]
    """(12, y, x)."""
    dem: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Experts:
    """Who drew what, metres of the zone."""

    shapes: NDArray[np.object_]
    names: list[str]

    @property
    def majority(self) -> shapely.Geometry:
        return majority_outline(self.shapes, self.names)

    def unions(self) -> list[shapely.Geometry]:
        who = np.array(self.names, object)
        return [shapely.union_all(self.shapes[who == name]) for name in sorted(set(self.names))]

    def against_others(self) -> NDArray[np.float64]:
        """IoU of each expert with the ground that at least half of the other experts drew."""
        who = np.array(self.names, object)
        others = [majority_outline(self.shapes[who != name], who[who != name].tolist()) for name in sorted(set(self.names))]
        return np.array([intersection_over_union(own, other) for own, other in zip(self.unions(), others, strict=True)])


def peel(data: Path) -> tuple[Image, Experts]:
    folder = data / "rts" / "expert_labels_peel"
    with rasterio.open(next(folder.glob("S2_*.tif"))) as raster:
        values, left, top = raster.read(), raster.transform.c, raster.transform.f
    s2 = np.zeros((len(S2_NAMES), *values.shape[1:]), np.uint16)
    for name, band in zip(PEEL_BANDS, values, strict=True):
        s2[s2_index(name)] = band
    table = gpd.read_file(folder / "peel_digitized_all_labelers.gpkg")
    origin = round(-top / PIXEL_M), round(left / PIXEL_M)
    return Image("Peel Plateau", origin, s2), Experts(shapely.make_valid(table.geometry.to_numpy()), table["labeler"].tolist())


def without_haze(image: Image) -> Image:
    s2 = image.s2.astype(np.int32)
    for name in ("B02", "B03", "B04"):
        band = s2[s2_index(name)]
        seen = band > 0
        band[seen] = np.maximum(band[seen] - int(np.quantile(band[seen], 0.001)) + DARKEST_COUNTS, 1)
    return Image(f"{image.name}, haze off", image.origin_yx, s2.astype(np.uint16), image.dem)


def without_slumps(data: Path) -> Iterator[Image]:
    for name, tile in FALSE_ALARMS:
        folder = data / "s1_s2_dem_tiles" / "terramind" / tile
        with rasterio.open(folder / "S2L2A.tif") as raster:
            s2 = np.maximum(raster.read(), 1).astype(np.uint16)
        with rasterio.open(folder / "DEM.tif") as raster:
            yield Image(name, (0, 0), s2, raster.read(1).astype(np.float32))


def found_on(detector: Detector, image: Image) -> tuple[Merged, ...]:
    """Windows over the whole image, on the lattice of the zone, merged."""
    contract, seen = detector.contract, SeenGround()
    looked, instances = [], []
    for origin in _windows(image, contract):
        arrays = _arrays(image, origin, contract)
        inner = slice(contract.halo_px, contract.halo_px + contract.window_px)
        clear = usable(contract, arrays)[inner, inner]
        if clear.mean() >= contract.min_valid_share:
            looked.append(origin)
            seen.add(origin, clear)
            instances += detector.predict(stack([((origin[0] - contract.halo_px, origin[1] - contract.halo_px), arrays)]))
    return Answers(np.array(looked, np.int64).reshape(-1, 2), tuple(instances), seen).merged(contract)


def _windows(image: Image, contract: DetectorContract) -> list[tuple[int, int]]:
    sides = zip(image.origin_yx, image.s2.shape[1:], strict=True)
    rows, columns = (
        range((start - contract.window_px) // contract.stride_px + 1, (start + size - 1) // contract.stride_px + 1) for start, size in sides
    )
    return [(row * contract.stride_px, column * contract.stride_px) for row in rows for column in columns]


def _arrays(image: Image, origin: tuple[int, int], contract: DetectorContract) -> WindowArrays:
    size, shape = contract.read_px, image.s2.shape[1:]
    cause, s2 = np.full((size, size), Cause.OUTSIDE_REGION, np.uint8), np.zeros((len(image.s2), size, size), np.uint16)
    dem = np.full((size, size), np.nan, np.float32)
    starts = [start - contract.halo_px - own for start, own in zip(origin, image.origin_yx, strict=True)]
    there = tuple(slice(max(start, 0), min(start + size, side)) for start, side in zip(starts, shape, strict=True))
    here = tuple(slice(part.start - start, part.stop - start) for part, start in zip(there, starts, strict=True))
    if all(part.start < part.stop for part in there):
        cause[here], s2[:, *here] = Cause.USABLE, image.s2[:, *there]
        if image.dem is not None:
            dem[here] = image.dem[there]
    return WindowArrays(cause, s2, None, dem if image.dem is not None else None)


def union_from(merged: tuple[Merged, ...], threshold: float) -> shapely.Geometry:
    return shapely.union_all([slump.polygon for slump in merged if slump.score >= threshold])


def judge_peel(detector: Detector, data: Path, out: Path | None) -> None:
    image, experts = peel(data)
    majority, threshold = experts.majority, detector.card.threshold
    for shown in (image, without_haze(image)):
        merged = found_on(detector, shown)
        union = union_from(merged, threshold)
        listed = sum(slump.score >= threshold for slump in merged)
        shared = shapely.area(shapely.intersection(union, majority))
        figures = (intersection_over_union(union, majority), shared / max(shapely.area(union), 1e-9), shared / shapely.area(majority))
        print(
            f"{detector.name} on {shown.name}: {listed} listed from score {threshold:.2f}, {shapely.area(union) / 1e4:.1f} ha; IoU with the "
            f"majority {figures[0]:.3f} (precision {figures[1]:.2f}, recall {figures[2]:.2f} of ground)"
        )
        sweep = [(intersection_over_union(union_from(merged, at), majority), at) for at in np.arange(0.05, 1.0, 0.05)]
        print(f"    at the threshold that would suit this image best ({max(sweep)[1]:.2f}, seen afterwards): {max(sweep)[0]:.3f}")
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            place = out / f"{detector.name}-{shown.name.replace(' ', '-').replace(',', '').lower()}.png"
            picture(shown, experts, merged, threshold, figures[0]).savefig(place, dpi=110)
            print(f"    {place}")


def show_experts(data: Path) -> None:
    _, experts = peel(data)
    names = ("pairs of experts", "expert and majority", "expert and majority of the others")
    majority = experts.majority
    own = np.array([intersection_over_union(union, majority) for union in experts.unions()])
    print(
        f"Peel Plateau: {len(set(experts.names))} experts drew {len(experts.names)} outlines; majority {shapely.area(majority) / 1e4:.1f} ha"
    )
    for words, values in zip(names, (mutual_iou(experts.shapes, experts.names), own, experts.against_others()), strict=True):
        low, middle, high = np.quantile(values, QUARTILES)
        print(f"    IoU of {words}: median {middle:.3f}, quartiles {low:.3f} to {high:.3f}")


def picture(image: Image, experts: Experts, merged: tuple[Merged, ...], threshold: float, iou: float) -> Figure:
    mpl.use("Agg")
    figure = Figure(figsize=(11, 11), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    listed = [slump for slump in merged if slump.score >= threshold]
    _draw(panels[0], image, [], "white", f"{image.name}: true colour")
    _draw(panels[1], image, experts.unions(), "yellow", f"outlines of {len(set(experts.names))} experts")
    _draw(panels[2], image, [experts.majority], "cyan", "drawn by at least half of them")
    _draw(panels[3], image, [experts.majority], "cyan", f"detected (IoU with cyan {iou:.2f})")
    _outlines(panels[3], [slump.polygon for slump in listed], "red")
    for slump in listed:
        point = slump.polygon.representative_point()
        panels[3].annotate(f"{slump.score:.2f}", (point.x, point.y), color="white", fontsize=7, ha="center")
    return figure


def _draw(axes: Axes, image: Image, outlines: list[shapely.Geometry], colour: str, title: str) -> None:
    bands = np.stack([image.s2[s2_index(name)].astype(np.float64) for name in ("B04", "B03", "B02")], axis=-1)
    low, high = np.quantile(bands, (0.01, 0.995), axis=(0, 1))
    top, left = -PIXEL_M * image.origin_yx[0], PIXEL_M * image.origin_yx[1]
    height, width = (PIXEL_M * side for side in bands.shape[:2])
    axes.imshow(np.clip((bands - low) / (high - low), 0, 1), extent=(left, left + width, top - height, top))
    _outlines(axes, outlines, colour)
    axes.set(title=title, xticks=[], yticks=[], xlim=(left, left + width), ylim=(top - height, top))


def _outlines(axes: Axes, shapes: list[shapely.Geometry], colour: str) -> None:
    for shape in shapes:
        for ring in shapely.get_rings(shapely.get_parts(shape)):
            axes.plot(*shapely.get_coordinates(ring).T, color=colour, lw=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", nargs="+", default=["slumps-tiny"])
    parser.add_argument("--out", type=Path, help="Folder for pictures.")
    call = parser.parse_args()
    show_experts(call.data)
    for name in call.models:
        detector = detector_named(name, read_detector, shipped=shipped_names())
        judge_peel(detector, call.data, call.out)
        for image in without_slumps(call.data):
            merged = found_on(detector, image)
            listed = union_from(merged, detector.card.threshold)
            print(
                f"{detector.name} on {image.name}: {shapely.area(listed) / 1e4:.2f} ha of {image.s2[0].size / 100:.0f} ha listed falsely, "
                f"best score {max((slump.score for slump in merged), default=0):.2f}"
            )


if __name__ == "__main__":
    main()
