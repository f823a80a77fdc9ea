"""Slumps of chips as annotations of COCO, which detection tools of others read (Lin et al. 2014, arXiv:1405.0312; format of 2017)."""

from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from catalog.facts.bands import S2_NODATA, S2_SCALE, s2_index
from catalog.facts.causes import Cause
from catalog.facts.chips import CHIP_PX, ChipRecord
from catalog.facts.grids import PIXEL_M
from models.detector.slumps import Slumps
from models.detector.targets import Frame, Piece, TargetOptions, burnt, pieces_of

Annotation = dict[str, Any]
CATEGORY: Final = {"id": 1, "name": "retrogressive thaw slump", "supercategory": "slump"}
BRIGHTEST: Final = 0.3
"""Reflectance that pictures show white; summer tundra is darker."""
_SHOWN: Final = ("B04", "B03", "B02")
_KEPT: Final = ("B04", "B03", "B02", "B08")


def annotations_of(slumps: Slumps, origin_yx: tuple[int, int], image_id: int, options: TargetOptions) -> list[Annotation]:
    """Annotations (without their id) of one chip whose upper left corner is a global pixel; what training ignores is a crowd.

    Coordinates are pixels of the chip. A slump is polygons, or run lengths where it has holes; a crowd is run lengths, as COCO wants it.
    Beside the standard fields: `certainty`, the share of the labelers who drew it.
    """
    frame = Frame((float(origin_yx[0]), float(origin_yx[1])), CHIP_PX, 1)
    found = [_annotation(piece, image_id, float(slumps.certainty[piece.place])) for piece in pieces_of(slumps, frame, options)]
    return [annotation for annotation in found if annotation is not None]


def image_of(record: ChipRecord, image_id: int, file_name: str) -> dict[str, Any]:
    """The row of a chip among the images, with the place on the ground of its pixels: affine a to f, metres of the zone."""
    corner = (record.origin_x_px * PIXEL_M, -record.origin_y_px * PIXEL_M)
    return {
        "id": image_id,
        "file_name": file_name,
        "width": CHIP_PX,
        "height": CHIP_PX,
        "chip_id": record.chip_id,
        "region": record.region,
        "year": int(record.year),
        "epsg": int(record.epsg),
        "transform": [PIXEL_M, 0, int(corner[0]), 0, -PIXEL_M, int(corner[1])],
    }


def picture_of(s2: NDArray[np.uint16], cause: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Red, green, blue (3, y, x) of counts (12, y, x) for the eye, 0 to BRIGHTEST stretched; what is not usable is 0, what is 1 to 255."""
    bands = s2[[s2_index(name) for name in _SHOWN]]
    bright = np.rint(np.clip(bands * (S2_SCALE / BRIGHTEST), 0, 1) * 254).astype(np.uint8) + 1
    return np.where((bands == S2_NODATA).any(0) | (cause != Cause.USABLE), 0, bright).astype(np.uint8)


def bands_of(s2: NDArray[np.uint16], cause: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Red, green, blue and infrared (4, y, x) as counts, reflectance x 10 000; 0 where it is not usable."""
    return np.where(cause != Cause.USABLE, 0, s2[[s2_index(name) for name in _KEPT]]).astype(np.uint16)


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask (y, x) as COCO's uncompressed run lengths: down the columns, beginning with what is not set."""
    flat = np.concatenate([[False], mask.flatten(order="F")])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], changes, [mask.size]]))
    return {"size": [int(side) for side in mask.shape], "counts": [int(count) for count in counts]}


def _annotation(piece: Piece, image_id: int, certainty: float) -> Annotation | None:
    parts = [part for part in shapely.get_parts(piece.shape) if shapely.get_dimensions(part) == 2]
    holed = any(shapely.get_num_interior_rings(part) for part in parts)
    facts = {"image_id": image_id, "category_id": CATEGORY["id"], "iscrowd": int(piece.ignored), "certainty": round(certainty, 4)}
    left, top, right, bottom = (float(edge) for edge in shapely.bounds(piece.shape))
    box = [round(value, 3) for value in (left, top, right - left, bottom - top)]
    if not piece.ignored and not holed:
        rings = [np.round(shapely.get_coordinates(shapely.get_exterior_ring(part)), 3).ravel().tolist() for part in parts]
        return {**facts, "segmentation": rings, "area": round(float(shapely.area(piece.shape)), 3), "bbox": box}
    mask = burnt(shapely.buffer(piece.shape, 0.5, join_style="mitre") if piece.ignored else piece.shape, CHIP_PX)
    if not mask.any():
        return None
    return {**facts, "segmentation": run_lengths(mask), "area": float(mask.sum()), "bbox": box}
