"""`cryoatlas export`: an inventory as a file of another program."""

from typing import Annotated, Literal

import typer

from catalog.facts.errors import WrongCall
from catalog.stores.jobs import stored_region, years_with
from catalog.stores.objects import place
from catalog.stores.store import open_store
from commands.console import say
from commands.exports import write_arts, write_geopackage


def export(
    store: Annotated[str, typer.Option(help="Store that holds the inventory.")],
    region: Annotated[str, typer.Option(help="Region of the store.")],
    year: Annotated[int, typer.Option(help="Year of the inventory.")],
    out: Annotated[str, typer.Option(help="File to write.")],
    *,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["gpkg", "arts"],
        typer.Option(
            help="gpkg opens in QGIS and GDAL; arts: slumps with the fields of ARTS, as .gpkg or .parquet by the name of the file."
        ),
    ] = "gpkg",
    lab: Annotated[str, typer.Option(help="arts: who contributes the slumps (CreatorLab).")] = "",
) -> None:
    """Write an inventory for QGIS, or for the ARTS data set. The GeoParquet in the store is the product; this is a copy.

    Example: cryoatlas export --store demo-store --region demo_hma --year 2021 --out lakes.gpkg
    """
    opened = open_store(store)
    target = stored_region(opened, region).target
    years = years_with(opened, target, region)
    if year not in years:
        raise WrongCall(f"{region} {year}: no inventory in {store}. There are: {', '.join(map(str, years)) or 'none yet'}.")
    if format == "gpkg":
        say(f"Wrote {write_geopackage(opened, target, region, year, place(out))}")
        return
    if target != "slumps" or not lab:
        raise WrongCall(
            f"{region}: ARTS holds slumps, with who drew them. Choose a region of slumps (this one holds {target}), and --lab NAME."
        )
    say(f"Wrote {write_arts(opened, region, year, place(out), lab=lab)}")
