"""A set of chips of slumps for detection tools of others."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from catalog.facts.chips import SPLITS, ChipRecord
from catalog.facts.errors import WrongCall
from catalog.stores.chips import ChipSet, open_chips, read_card
from catalog.stores.coco import put_annotations, put_geotiff, put_png
from catalog.stores.objects import local_path
from models.detector.coco import CATEGORY, annotations_of, bands_of, image_of, picture_of
from models.detector.slumps import Slumps, slumps_of_chips
from models.detector.targets import TargetOptions

Pictures = Literal["png", "tif"]
_PIECE = 64


@dataclass(frozen=True, slots=True)
class ExportCounts:
    """What one split became."""

    split: str
    images: int
    slumps: int
    crowds: int
    """Outlines that training ignores."""


def export_coco(data: str, out: str, pictures: Pictures, options: TargetOptions) -> tuple[ExportCounts, ...]:
    """Write `images/<split>` and `annotations/instances_<split>.json`; raises ChipsUnusable or WrongCall with the way out.

    Chips of the buffer are left out. A chip without a slump is an image without annotations.
    """
    place = Path(data).expanduser()
    chips, card = open_chips(place), read_card(place)
    if card.get("target", "slumps") != "slumps":
        raise WrongCall(f"Chips {data}: a set of {card['target']}, whose labels are pixels. COCO is for sets of slumps.")
    there = [name for name in SPLITS if name != "buffer" and (chips.table["split"] == name).any()]
    slumps = slumps_of_chips(chips.table, chips.labels, options.slumps)
    return tuple(_Exporter(chips, card, slumps, local_path(out), options).split(name, pictures) for name in there)


@dataclass(frozen=True, slots=True)
class _Exporter:
    chips: ChipSet
    card: dict[str, Any]
    slumps: list[Slumps]
    out: Path
    options: TargetOptions

    def split(self, name: str, pictures: Pictures) -> ExportCounts:
        """Write one split. Numbers of images are the places of the chips in their set, those of annotations count from 1."""
        images, annotations = [], []
        for place, record, s2, cause in self._chips(self.chips.of_split(name)):
            image = image_of(record, place + 1, f"{record.chip_id.replace('/', '_')}.{pictures}")
            path = self.out / "images" / name / str(image["file_name"])
            if pictures == "png":
                put_png(path, picture_of(s2, cause))
            else:
                put_geotiff(path, bands_of(s2, cause), tuple(image["transform"]), image["epsg"])
            images.append(image)
            annotations += annotations_of(self.slumps[place], (record.origin_y_px, record.origin_x_px), place + 1, self.options)
        numbered = [{"id": number, **annotation} for number, annotation in enumerate(annotations, 1)]
        licence = {"id": 1, "name": str(self.card.get("licence", "unknown")), "url": ""}
        about = {"description": str(self.card.get("made", "")), "contributor": str(self.card.get("attribution", "")), "version": "1"}
        content = {"info": about, "licenses": [licence], "categories": [CATEGORY], "images": images, "annotations": numbered}
        put_annotations(self.out, name, content)
        crowds = sum(annotation["iscrowd"] for annotation in annotations)
        return ExportCounts(name, len(images), len(annotations) - crowds, crowds)

    def _chips(self, places: NDArray[np.int64]) -> Iterator[tuple[int, ChipRecord, NDArray[np.uint16], NDArray[np.uint8]]]:
        names = [field.name for field in fields(ChipRecord)]
        for start in range(0, len(places), _PIECE):
            some = places[start : start + _PIECE]
            batch = self.chips.read(some)
            for number, place in enumerate(some.tolist()):
                row = self.chips.table.iloc[place]
                yield place, ChipRecord(**{name: row[name] for name in names}), batch.s2[number], batch.cause[number]
