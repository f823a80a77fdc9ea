"""`cryoatlas explain`: which scenes a tile was made from, which were refused and why, what happened."""

from typing import Annotated

import typer

from catalog.facts.errors import WrongCall
from catalog.facts.grids import parse_tile
from catalog.facts.records import Choice
from catalog.stores import ledger
from catalog.stores.backfills import read_receipts
from catalog.stores.jobs import REGION_UNIT, stored_regions
from catalog.stores.selections import read_choices
from catalog.stores.store import Store, open_store
from commands.console import show_json, show_table


def explain(
    store: Annotated[str, typer.Option(help="Store to look at.")],
    tile: Annotated[str, typer.Option(help="Tile ID, for example 32643-0029-0214.")],
    year: Annotated[int, typer.Option(help="Year of the season.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Tell the story of one tile in one year, from scenes to outlines.

    Example: cryoatlas explain --store demo-store --tile 32643-0033-0218 --year 2021
    """
    opened, wanted = open_store(store), parse_tile(tile).id
    regions = [name for name in stored_regions(opened) if _scenes_of(opened, name, year, wanted)]
    if not regions:
        raise WrongCall(f"Tile {tile} in {year}: nothing is known of it in {store}. `cryoatlas audit --store {store}` lists what is.")
    for region in regions:
        choices = _scenes_of(opened, region, year, wanted)
        outcomes = [outcome for outcome in ledger.find_all(opened, region, year) if outcome.unit.tile == wanted]
        scenes = [_scene_row(choice) for choice in choices]
        stages = [(o.unit.stage, str(o.state), o.cause, o.message, _in_words(o.measures), o.seconds) for o in outcomes]
        if as_json:
            columns = ("acquired", "sensor", "id", "used", "because", "clear_share", "baseline", "offset", "evidence")
            told = [dict(zip(columns, row, strict=True)) for row in scenes]
            show_json({"region": region, "scenes": told, "stages": stages, "backfills": _backfills(opened, region, year, wanted)})
            continue
        show_table(
            f"{region} {year} {tile}: scenes",
            ("acquired", "sensor", "scene", "used", "because", "clear", "baseline", "offset", "evidence"),
            scenes,
        )
        show_table("What happened", ("stage", "state", "cause", "message", "measures", "seconds"), stages)
        if again := _backfills(opened, region, year, wanted):
            show_table("Backfills", ("began", "by", "reason", "stage", "why", "became"), [tuple(row.values()) for row in again])


def _scenes_of(store: Store, region: str, year: int, tile: str) -> list[Choice]:
    path = store.scenes(region, year)
    found = [choice for choice in read_choices(path) if choice.tile == tile] if path.is_file() else []
    return sorted(found, key=lambda choice: (choice.scene.sensor, choice.scene.acquired, choice.scene.id))


def _backfills(store: Store, region: str, year: int, tile: str) -> list[dict[str, str]]:
    """Every time that a unit of the tile, or of its whole region-year, was to be done again."""
    return [
        {
            "began": f"{receipt.began:%Y-%m-%d %H:%M}",
            "by": f"{receipt.who}@{receipt.host}",
            "reason": receipt.reason,
            "stage": planned.unit.stage,
            "why": "; ".join(f"{reason.why}: {reason.detail}" for reason in planned.reasons),
            "became": (receipt.became or {}).get(planned.name, "never ended"),
        }
        for receipt in read_receipts(store)
        for planned in receipt.units
        if (planned.unit.region, planned.unit.year) == (region, year) and planned.unit.tile in (tile, REGION_UNIT)
    ]


def _scene_row(choice: Choice) -> tuple[object, ...]:
    scene = choice.scene
    clear = "" if choice.clear_share is None else f"{choice.clear_share:.2f}"
    date = f"{scene.acquired:%Y-%m-%d}"
    used = "yes" if choice.used else "no"
    return (
        date,
        scene.sensor,
        scene.id,
        used,
        choice.refused_because or "",
        clear,
        scene.baseline or "",
        str(scene.offset_counts),
        scene.offset_evidence,
    )


def _in_words(measures: object) -> str:
    assert isinstance(measures, dict)
    return ", ".join(f"{name} {value:.3g}" for name, value in measures.items())
