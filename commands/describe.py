"""`cryoatlas describe`: a lake, a tile or a region in words that the inventory vouches for."""

from typing import Annotated

import typer

from catalog.facts.bulletins import DEFAULT_DESCRIBER, Bulletin, BulletinRequest, Scope
from catalog.facts.errors import WrongCall
from commands.console import OUT, progress_shown, say, show_json
from commands.running import run_describe


def describe(  # noqa: PLR0913 - the options of the command
    store: Annotated[str, typer.Option(help="Store that holds the inventory.")],
    *,
    lake: Annotated[str | None, typer.Option(help="Name of a lake: it, and what lies around it.")] = None,
    tile: Annotated[str | None, typer.Option(help="ID of a tile, for example 32643-0029-0214.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of the store; with --lake or --tile, which of several.")] = None,
    year: Annotated[int | None, typer.Option(help="Year of the inventory; the last one by default.")] = None,
    model: Annotated[
        str, typer.Option(help="Describer of `cryoatlas models list`, a folder or hf://...; `rule` asks none.")
    ] = DEFAULT_DESCRIBER,
    surroundings: Annotated[int, typer.Option(help="Scenes of a tile or region that the describer looks at.", min=0)] = 3,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print text, facts and all answers as JSON.")] = False,
) -> None:
    """Write a bulletin that can be pasted: what was observed, lakes, areas with intervals, changes, events. No claim in it is false.

    Example: cryoatlas describe --store demo-store --tile 32643-0033-0218 --year 2021
    """
    scope, name = _meant(lake, tile, region)
    request = BulletinRequest(scope, name, year, None if scope == "region" else region, model, surroundings, device)
    with progress_shown(quiet=as_json):
        bulletin = run_describe(request, store)
    if as_json:
        show_json(bulletin.as_dict())
        return
    OUT.print(bulletin.text, markup=False)
    say(_told(bulletin))


def _meant(lake: str | None, tile: str | None, region: str | None) -> tuple[Scope, str]:
    if lake is not None and tile is not None:
        raise WrongCall(f"--lake {lake} and --tile {tile}: a bulletin is about one thing, give one of them.")
    if lake is not None:
        return "lake", lake
    if tile is not None:
        return "tile", tile
    if region is not None:
        return "region", region
    raise WrongCall("Nothing to describe: give --lake, --tile or --region.")


def _told(bulletin: Bulletin) -> str:
    """Who wrote it, and what was kept from print."""
    origin = f"{bulletin.scope} {bulletin.name}, {bulletin.region} {bulletin.year}, written by {bulletin.written_by}"
    if bulletin.surroundings:
        origin += f": of the describer's claims {bulletin.kept} were true, {bulletin.corrected} corrected, {bulletin.dropped} dropped"
    return f"{origin}.{f' Note: {bulletin.note}.' if bulletin.note else ''}"
