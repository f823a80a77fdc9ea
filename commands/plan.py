"""`cryoatlas plan`: what a run would read and take; runs nothing."""

from dataclasses import asdict
from typing import Annotated

import typer

from catalog.facts.options import SearchOptions
from catalog.facts.plans import plan_of
from catalog.facts.territory import territory_of
from catalog.stores.candidates import find_candidates
from catalog.stores.regions import family_of, find_region
from commands.console import say, show_json, show_table
from commands.parse import years_of


def plan(
    region: Annotated[str, typer.Option(help="A name of `cryoatlas regions list`, a GeoJSON file, or W,S,E,N.")],
    years: Annotated[str, typer.Option(help="One year or a span, for example 2018-2023.")],
    catalog: Annotated[str, typer.Option(help="As for `cryoatlas run`.")],
    *,
    model: Annotated[str | None, typer.Option(help="As for `cryoatlas run`; decides the model hours.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Count tiles, scenes and holes, and estimate bytes and hours, from the catalog alone: no pixel is read.

    Example: cryoatlas plan --region ile_alatau --years 2021-2023 --catalog planetary-computer
    """
    found, options, wanted = find_region(region), SearchOptions(), years_of(years)
    territory = territory_of(found, family_of(found))
    plans = [plan_of(found, territory, year, find_candidates(catalog, found, year, options), options, model=model) for year in wanted]
    if as_json:
        show_json([asdict(entry) for entry in plans])
        return
    columns = ("year", "tiles", "optical looks/tile", "radar looks/tile", "tiles without a scene", "GB to read", "CPU hours", "model hours")
    rows = [
        (str(p.year), p.tiles, p.optical_per_tile, p.radar_per_tile, len(p.holes), p.read_gb, p.cpu_hours, p.model_hours) for p in plans
    ]
    show_table(
        f"Plan for {plans[0].region}", columns, rows, caption="Bytes are decoded pixels; hours are CPU hours of one core (docs/scale.md)."
    )
    for entry in plans:
        if entry.holes:
            shown = ", ".join(entry.holes[:8]) + (" ..." if len(entry.holes) > 8 else "")
            say(f"{entry.year}: no optical scene over {len(entry.holes)} tiles: {shown}")
