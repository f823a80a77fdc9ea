"""Files of a release as STAC assets: checksum, size, columns, pixels."""

from typing import Any, Final

import pystac
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.table import Column as TableColumn
from pystac.extensions.table import TableExtension

from catalog.facts.columns import Column
from catalog.facts.publication import Raster, ReleasedFile

RASTER_SCHEMA: Final = "https://stac-extensions.github.io/raster/v2.0.0/schema.json"
"""pystac writes version 1, whose `raster:bands` STAC 1.1 has replaced by `bands`."""


def add_files(owner: pystac.Item, files: tuple[ReleasedFile, ...]) -> None:
    """Add files to the item of a year as assets, in order: those in its own folder, and those of the release in the folder above."""
    for file in files:
        folder, _, name = file.path.rpartition("/")
        asset = pystac.Asset(
            href=f"./{name}" if folder else f"../{name}", title=file.title, media_type=file.media_type, roles=list(file.roles)
        )
        owner.add_asset(file.key, asset)
        FileExtension.ext(asset, add_if_missing=True).apply(size=file.size, checksum=file.multihash)
        if file.columns:
            _add_table(asset, file)
        if file.raster:
            _add_raster(owner, asset, file.raster)


def _add_table(asset: pystac.Asset, file: ReleasedFile) -> None:
    table = TableExtension.ext(asset, add_if_missing=True)
    table.columns = [TableColumn({"name": column.name, "type": column.type, "description": described(column)}) for column in file.columns]
    table.row_count = file.rows
    if file.geometry:
        table.primary_geometry = file.geometry


def described(column: Column) -> str:
    """Return meaning, unit and absence of a column in one line."""
    unit = f" [{column.unit}]" if column.unit else ""
    absence = f"; null {column.null_when}" if column.null_when else ""
    return f"{column.meaning}{unit}{absence}"


def _add_raster(owner: pystac.Item, asset: pystac.Asset, raster: Raster) -> None:
    projection = ProjectionExtension.ext(asset, add_if_missing=True)
    projection.apply(code=raster.code, shape=list(raster.shape_yx), transform=list(raster.transform))
    if RASTER_SCHEMA not in owner.stac_extensions:
        owner.stac_extensions.append(RASTER_SCHEMA)
    common: dict[str, Any] = {"nodata": raster.nodata, "data_type": raster.data_type} | ({"unit": raster.unit} if raster.unit else {})
    asset.extra_fields["bands"] = [
        {"name": name, "description": meaning, **common, "raster:scale": raster.scale, "raster:spatial_resolution": raster.transform[0]}
        for name, meaning in raster.bands
    ]
