"""`cryoatlas simulate`: a world of known truth, as scenes and a catalog."""

from typing import Annotated

import typer

from catalog.facts.errors import WrongCall
from commands.console import say, show_json, show_table
from commands.parse import years_of
from simulator.make import WORLDS, make_world


def simulate(
    region: Annotated[str, typer.Option(help="demo-hma, demo-arctic, randomised-mountains or randomised-tundra.")],
    years: Annotated[str, typer.Option(help="One year or a span, for example 2018-2023.")],
    out: Annotated[str, typer.Option(help="Folder to write; it gets region.geojson, catalog/ and truth/.")],
    *,
    seed: Annotated[int, typer.Option(help="Another seed makes another world.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Make scenes as COGs, a static STAC catalog that looks like Planetary Computer's, and the truth.

    Example: cryoatlas simulate --region demo-hma --years 2018-2023 --out world
    """
    if region not in WORLDS:
        raise WrongCall(f"No world {region!r}. There are: {', '.join(sorted(WORLDS))}.")
    summary = make_world(region, years_of(years), out, seed=seed, progress=None if as_json else say)
    facts = {name: getattr(summary, name) for name in summary.__dataclass_fields__}
    if as_json:
        show_json(facts)
    else:
        show_table(f"World {region}", ("what", "value"), [(key, str(value)) for key, value in facts.items()])
        say(f"Map it: cryoatlas run --region {out}/region.geojson --years {years} --catalog {out}/catalog --store store")
