"""`cryoatlas demo`: simulate, map, track, score and draw, offline, against a truth that is known."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.facts.errors import EXIT_UNITS_FAILED
from catalog.facts.options import MapOptions
from catalog.stores.files import write_if_changed
from commands.console import OUT, progress_shown, say, show_json, show_table
from commands.running import run_annual, run_draw, run_score
from simulator.make import make_world

if TYPE_CHECKING:
    from tasks.score_inventory import ScoreCard


@dataclass(frozen=True, slots=True)
class _Chapter:
    """One simulated world of the demo and the years that are mapped."""

    world: str
    title: str
    years: tuple[int, ...]


_CHAPTERS = (
    _Chapter("demo-hma", "Glacial lakes, High Mountain Asia", (2018, 2019, 2020, 2021, 2022, 2023)),
    _Chapter("demo-arctic", "Thermokarst lakes, Arctic tundra", (2020, 2021, 2022)),
)
"""The tundra world holds slumps too; the detector that maps them is not built yet, so its lakes are mapped."""


def demo(
    store: Annotated[str, typer.Option(help="Folder to write; worlds, cubes, inventories, tracks and pictures go in.")] = "demo-store",
    *,
    seed: Annotated[int, typer.Option(help="Another seed makes other worlds.")] = 7,
    model: Annotated[
        str | None, typer.Option(help="What maps the lakes: a name of `cryoatlas models list`, or weights; else the default.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Simulate two small regions, map their lakes for several years, track and score them. No network, no account, no server.

    Example: cryoatlas demo
    """
    cards, failures = [], []
    for chapter in _CHAPTERS:
        card, failed, seconds = _play(chapter, Path(store), seed, model, quiet=as_json)
        cards.append(card)
        failures += failed
        if not as_json:
            _show(chapter, card, seconds)
    if as_json:
        show_json([card.as_dict() for card in cards])
    else:
        OUT.print(
            f"Inventories: {store}/inventory   tracks: {store}/tracks   pictures: {store}/pictures   worlds and truth: {store}/worlds"
        )
    if failures:
        say("\n".join(failures))
        raise typer.Exit(EXIT_UNITS_FAILED)


def _play(chapter: _Chapter, store: Path, seed: int, model: str | None, *, quiet: bool) -> tuple["ScoreCard", list[str], dict[str, float]]:
    world, clock = store / "worlds" / chapter.world, time.monotonic()
    tell = (lambda _: None) if quiet else say
    tell(f"{chapter.title}: simulating {chapter.years[0]} to {chapter.years[-1]}")
    make_world(chapter.world, chapter.years, world, seed=seed, progress=None if quiet else say)
    simulated = time.monotonic() - clock
    region_file = _lakes_of(world)
    with progress_shown(quiet=quiet):
        reports = run_annual([str(region_file)], list(chapter.years), str(world / "catalog"), str(store), model, MapOptions(), None)
    mapped = time.monotonic() - clock - simulated
    region = reports[0].job.region
    run_draw(region, list(chapter.years), str(store), "lakes")
    card = run_score(region, list(chapter.years), str(store), str(world / "truth" / "lakes"))
    drawn = time.monotonic() - clock - simulated - mapped
    failed = [f"{report.job.region} {report.job.year} {failure}" for report in reports for failure in report.failures]
    return card, failed, {"simulate": simulated, "map and track": mapped, "draw and score": drawn}


def _lakes_of(world: Path) -> Path:
    """The world's region, asked for its lakes; the tundra's own target is slumps."""
    content = json.loads((world / "region.geojson").read_bytes())
    if content["properties"]["target"] == "lakes":
        return world / "region.geojson"
    content["properties"] |= {
        "target": "lakes",
        "name": f"{content['properties']['name']}-lakes",
        "title": "Demo: lakes on a tundra island",
    }
    path = world / "region-lakes.geojson"
    write_if_changed(path, json.dumps(content).encode())
    return path


def _show(chapter: _Chapter, card: "ScoreCard", seconds: dict[str, float]) -> None:
    columns = ("year", "lakes", "km2", ">= 0.5 ha, not hard: true", "recall", "precision", "area error %", "interval holds truth")
    rows = [
        (
            str(y.year),
            y.features,
            y.area_km2,
            y.headline.true_count,
            y.headline.recall,
            y.headline.precision,
            100 * y.headline.area_error,
            y.headline.interval_coverage,
        )
        for y in card.years
    ]
    spent = ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
    show_table(f"{chapter.title} ({card.region})", columns, rows, caption=f"Seconds: {spent}.")
    _show_hard(card)
    kinds = sorted({*card.events.happened, *card.events.reported})
    counts = (card.events.happened, card.events.found, card.events.reported)
    show_table("Events", ("event", "happened", "found", "reported"), [(kind, *(c.get(kind, 0) for c in counts)) for kind in kinds])


def _show_hard(card: "ScoreCard") -> None:
    """Recall per class over all years, the hard ones in."""
    totals: dict[str, list[float]] = {}
    for year in card.years:
        for group in year.groups:
            if group.group.startswith("class "):
                count, found = totals.setdefault(group.group.removeprefix("class "), [0.0, 0.0])
                totals[group.group.removeprefix("class ")] = [count + group.true_count, found + group.recall * group.true_count]
    rows = [(name, int(count), found / count if count else 0.0) for name, (count, found) in sorted(totals.items())]
    show_table("Recall by class of lake, all sizes, all years", ("class", "true lake-years", "recall"), rows)
