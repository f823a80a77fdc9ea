"""`cryoatlas regions`: which regions there are, and what each one is."""

from typing import Annotated

import typer

from catalog.facts.regions import Region
from catalog.facts.seasons import rules_of
from catalog.facts.territory import territory_of
from catalog.stores.regions import all_regions, family_of, find_region
from commands.console import OUT, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="List regions, or show one with its tiles and seasons.")


@app.command("list")
def list_regions(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False) -> None:
    """List the bundled regions.

    Example: cryoatlas regions list
    """
    rows = [(r.name, r.title, r.target, r.family, r.priority) for r in all_regions()]
    if as_json:
        show_json([dict(zip(("name", "title", "target", "family", "priority"), row, strict=True)) for row in rows])
    else:
        caption = "Within a family a tile belongs to the first region that holds its centre. Add your own with a GeoJSON file or W,S,E,N."
        show_table("Regions", ("name", "title", "target", "family", "order"), rows, caption=caption)


@app.command("show")
def show_region(
    name: Annotated[str, typer.Argument(help="A name, a GeoJSON file, or W,S,E,N in degrees.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Show a region: ground, tiles per zone, seasons, floor.

    Example: cryoatlas regions show ile_alatau
    """
    region = find_region(name)
    facts = _facts(region)
    if as_json:
        show_json(facts)
        return
    show_table(region.title, ("what", "value"), [(key, value) for key, value in facts.items() if key != "seasons"])
    columns = ("latitude", "elevation m", "from", "to")
    rules = [
        (f"{r.latitude_from:g} to {r.latitude_to:g}", f"{r.elevation_from_m:g} to {r.elevation_to_m:g}", r.start, r.end)
        for r in rules_of(region)
    ]
    show_table("Seasons", columns, rules)
    OUT.print(f"Map it: cryoatlas run --region {name} --years 2023 --catalog planetary-computer --store my-store")


def _facts(region: Region) -> dict[str, object]:
    territory = territory_of(region, family_of(region))
    west, south, east, north = region.bounds_wsen
    return {
        "name": region.name,
        "target": region.target,
        "family": region.family,
        "west, south, east, north": f"{west:g}, {south:g}, {east:g}, {north:g}",
        "tiles": sum(len(zone.owned) for zone in territory.zones),
        "tiles mapped again across zone seams": sum(len(zone.overlap) for zone in territory.zones),
        "zones": ", ".join(f"EPSG:{zone.epsg}" for zone in territory.zones),
        "elevation floor m": region.elevation_floor_m if region.elevation_floor_m is not None else "none",
        "why": region.elevation_floor_why or "",
        "seasons": [f"{rule.start} to {rule.end}" for rule in rules_of(region)],
    }
