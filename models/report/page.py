"""The page as one HTML text: no request leaves it, and nothing of a store can run in it."""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely

from catalog.facts.grids import Tile
from catalog.facts.report_records import Geometries, PageParts, ReportTables, YearPicture
from models.pictures.thumbnails import Thumbnail
from models.report.classes import colourings_of
from models.report.features import pack_features
from models.report.ground import pack_tiles
from models.report.images import pictures_of
from models.report.outlines import fitted, packed_outlines, simplified, to_plane
from models.report.packing import Packer, embedded
from models.report.shapes import pack_shapes
from models.report.summary import events_of, summary_of

LARGEST_BYTES: Final = 15_000_000
_SPARE_BYTES: Final = 300_000
_OUTLINE_SHARE: Final = 0.6
"""Of what plotly and the numbers leave, the most that outlines may take; pictures get the rest."""
_MARK: Final = re.compile(r"\{\{(\w+)\}\}")
_LARGEST_PICTURES: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and how many bytes each part of it takes."""

    text: str
    complete: bool
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is shown beside the tables."""

    tiles: Mapping[str, Tile]
    """By their ID, of all years."""
    epsg: int
    """CRS of the map; thumbnails are in it."""
    thumbnails: Mapping[int, Thumbnail]
    card: Mapping[str, Any]
    """Facts about the model, in the order in which they are shown."""
    price_per_hour: float | None = None
    bulletins: Mapping[int, str] = field(default_factory=dict)
    """By year, the region in words; of regions of lakes."""


def page_of(tables: ReportTables, around: Surroundings, parts: PageParts) -> Page:
    """Make the page of a region; equal input gives an equal page."""
    summary, packer = summary_of(tables, around.card, around.price_per_hour), Packer()
    summary["bulletins"] = {str(year): text for year, text in around.bulletins.items()}
    features = pack_features(packer, tables)
    if "events" in tables.through:
        summary["events"] = packer.stream(embedded({"events": events_of(tables.through["events"], tables.region.name)}).encode())
    numbers = (
        len(packer.text())
        + len(embedded(summary))
        + sum(len(text.encode()) for text in (parts.html, parts.style, parts.script, parts.plotly))
    )
    room = max(0, LARGEST_BYTES - _SPARE_BYTES - numbers)
    _pack_map(packer, tables, around, summary, int(room * _OUTLINE_SHARE))
    shown = {column.name for column in features.columns}
    summary["features"] = {
        "ids": packer.stream("\n".join(features.ids).encode()),
        "columns": [column.as_dict() for column in features.columns],
        "years": {str(year): header for year, header in features.years.items()},
        "tracks": features.tracks,
        "trends": features.trends,
        "colourings": [colouring.as_dict() for colouring in colourings_of(tables.region.target, shown)],
    }
    bulk = packer.text()
    left = LARGEST_BYTES - _SPARE_BYTES - len(bulk) - numbers
    pictures = pictures_of(around.thumbnails, min(_LARGEST_PICTURES, max(0, left)))
    return _assembled(summary, bulk, pictures, parts)


def _pack_map(packer: Packer, tables: ReportTables, around: Surroundings, summary: dict[str, Any], budget_bytes: int) -> None:
    """Pack the outlines of all years, the region and the tiles on one plane."""
    moved = [to_plane(year.outlines, around.epsg) for year in tables.years]
    region = np.empty(1, object)
    region[0] = tables.region.geometry
    frame = to_plane(_cut_to_degrees(region), around.epsg)
    drawn = fitted(moved, frame, around.epsg, budget_bytes)
    plane, tolerance = drawn.plane, drawn.tolerance_m
    by_year = zip(tables.years, drawn.years, strict=True)
    summary["map"] = {
        "epsg": plane.epsg,
        "left_m": plane.left_m,
        "top_m": plane.top_m,
        "quantum_m": plane.quantum_m,
        "tolerance_m": tolerance,
        "region": packed_outlines(packer, simplified(frame, tolerance), plane),
        "years": {str(year.year): packed_outlines(packer, outlines, plane) for year, outlines in by_year},
        "tiles": pack_tiles(packer, tables, around.tiles, plane),
        "ground": pack_shapes(packer, tables, plane, tolerance),
    }


def _cut_to_degrees(region: Geometries) -> Geometries:
    """Long edges of a region bend in the plane: cut them to steps of 0.1 degrees."""
    return np.asarray(shapely.segmentize(region, 0.1), object)


def _assembled(summary: dict[str, Any], bulk: str, pictures: tuple[YearPicture, ...], parts: PageParts) -> Page:
    summary["pictures"] = [_placed(picture) for picture in pictures]
    content, images = embedded(summary), embedded({str(picture.year): _encoded(picture) for picture in pictures})
    scripts = (parts.plotly, parts.script)
    region = summary["region"]
    values = {
        "policy": _policy(scripts),
        "title": html.escape(f"{region['title']}: {region['target']}"),
        "style": parts.style,
        "summary": content,
        "bulk": bulk,
        "pictures": images,
        "plotly": parts.plotly,
        "script": parts.script,
    }
    # every second piece is a mark: what a store says is never read as one
    pieces = _MARK.split(parts.html)
    text = "".join(values[piece] if index % 2 else piece for index, piece in enumerate(pieces))
    sizes = {"plotly": len(parts.plotly), "numbers and outlines": len(bulk), "pictures": len(images), "summary": len(content)}
    return Page(text, bool(summary["complete"]), sizes)


def _policy(scripts: tuple[str, ...]) -> str:
    """Only the scripts that were written into the page may run, and nothing may be fetched from anywhere."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts)
    # plotly sets styles of its own; a style can reach nothing when no image, font or sheet may be fetched
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "connect-src 'none'; form-action 'none'; base-uri 'none'"
    )


def _placed(picture: YearPicture) -> dict[str, Any]:
    return {name: getattr(picture, name) for name in ("year", "left_m", "top_m", "width_m", "height_m")}


def _encoded(picture: YearPicture) -> dict[str, str]:
    return {"surface": base64.b64encode(picture.surface).decode(), "causes": base64.b64encode(picture.causes).decode()}
