"""`cryoatlas demo`: simulate, map, track, score, draw and report, offline, against a truth that is known."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.facts.errors import UnitsFailed
from catalog.facts.options import MapOptions
from catalog.facts.records import Target
from catalog.stores.objects import local_path
from catalog.stores.store import open_store
from catalog.stores.tables import read_table
from commands.console import OUT, progress_shown, say, show_json, show_table
from commands.running import run_annual, run_draw, run_report, run_score
from simulator.make import make_world

if TYPE_CHECKING:
    from tasks.score_inventory import ScoreCard


@dataclass(frozen=True, slots=True)
class _Chapter:
    """One simulated world of the demo and the years that are mapped."""

    world: str
    title: str
    target: Target
    years: tuple[int, ...]
    glaciers: bool
    """Whether the world draws its glaciers, by which lakes are told apart."""


_CHAPTERS = (
    _Chapter("demo-hma", "Glacial lakes, High Mountain Asia", "lakes", (2018, 2019, 2020, 2021, 2022, 2023), glaciers=True),
    _Chapter("demo-arctic", "Thaw slumps, Arctic tundra", "slumps", (2020, 2021, 2022), glaciers=False),
)


def demo(
    store: Annotated[str, typer.Option(help="Folder to write; worlds, cubes, inventories, tracks and pictures go in.")] = "demo-store",
    *,
    seed: Annotated[int, typer.Option(help="Another seed makes other worlds.")] = 7,
    model: Annotated[
        str | None, typer.Option(help="What maps the lakes: a name of `cryoatlas models list`, or weights; else the default.")
    ] = None,
    slump_model: Annotated[str | None, typer.Option(help="What maps the slumps, likewise.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Simulate two small regions, map the lakes of one and the thaw slumps of the other for several years, track, score and report them.

    No network, no account, no server.

    Example: cryoatlas demo
    """
    cards = []
    for chapter in _CHAPTERS:
        named = slump_model if chapter.target == "slumps" else model
        card, seconds = _play(chapter, local_path(store), seed, named, quiet=as_json)
        cards.append(card)
        if not as_json:
            _show(chapter, card, seconds)
            if chapter.target == "slumps":
                _show_counts(local_path(store), card)
    if as_json:
        show_json([card.as_dict() for card in cards])
    else:
        OUT.print(f"Pages to open in a browser: {'   '.join(str(open_store(store).report(card.region)) for card in cards)}")
        OUT.print(
            f"Inventories: {store}/inventory   tracks: {store}/tracks   pictures: {store}/pictures   worlds and truth: {store}/worlds"
        )


def _play(chapter: _Chapter, store: Path, seed: int, model: str | None, *, quiet: bool) -> tuple["ScoreCard", dict[str, float]]:
    world, clock = store / "worlds" / chapter.world, time.monotonic()
    tell = (lambda _: None) if quiet else say
    tell(f"{chapter.title}: simulating {chapter.years[0]} to {chapter.years[-1]}")
    make_world(chapter.world, chapter.years, world, seed=seed, progress=None if quiet else say)
    simulated = time.monotonic() - clock
    with progress_shown(quiet=quiet):
        outlines = str(world / "glaciers.geojson") if chapter.glaciers else None
        region_file, catalog = str(world / "region.geojson"), str(world / "catalog")
        reports = run_annual([region_file], list(chapter.years), catalog, str(store), model, MapOptions(), outlines)
    mapped = time.monotonic() - clock - simulated
    # a page about half a demo would be taken for what the program can do
    if failed := [f"{report.job.region} {report.job.year} {failure}" for report in reports for failure in report.failures]:
        raise UnitsFailed("\n".join((*failed, "What is complete is kept: run the same demo again.")))
    region = reports[0].job.region
    run_draw(region, list(chapter.years), str(store), chapter.target)
    card = run_score(region, list(chapter.years), str(store), str(world / "truth" / chapter.target), chapter.target)
    run_report(region, str(store), None, None)
    drawn = time.monotonic() - clock - simulated - mapped
    return card, {"simulate": simulated, "map and track": mapped, "draw, score and report": drawn}


def _show(chapter: _Chapter, card: "ScoreCard", seconds: dict[str, float]) -> None:
    columns = ("year", chapter.target, "km2", ">= 0.5 ha, not hard: true", "recall", "precision", "area error %", "interval holds truth")
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
    _show_hard(card, chapter.target)
    kinds = sorted({*card.events.happened, *card.events.reported})
    counts = (card.events.happened, card.events.found, card.events.reported)
    show_table("Events", ("event", "happened", "found", "reported"), [(kind, *(c.get(kind, 0) for c in counts)) for kind in kinds])


def _show_hard(card: "ScoreCard", target: Target) -> None:
    """Recall per class over all years, the hard ones in."""
    totals: dict[str, list[float]] = {}
    for year in card.years:
        for group in year.groups:
            if group.group.startswith("class "):
                count, found = totals.setdefault(group.group.removeprefix("class "), [0.0, 0.0])
                totals[group.group.removeprefix("class ")] = [count + group.true_count, found + group.recall * group.true_count]
    rows = [(name, int(count), found / count if count else 0.0) for name, (count, found) in sorted(totals.items())]
    one = target.removesuffix("s")
    show_table(f"Recall by class of {one}, all sizes, all years", ("class", f"true {one}-years", "recall"), rows)


def _show_counts(store: Path, card: "ScoreCard") -> None:
    """How many slumps the ground that was seen holds, with the range, beside the truth of the whole region."""
    opened, rows = open_store(str(store)), []
    for year in card.years:
        (row,) = read_table(opened.counts("slumps", card.region, year.year)).to_pylist()
        true = sum(group.true_count for group in year.groups if group.group == "all")
        known = [row["count"], row["count_low"], row["count_high"], row["per_100_km2"], row["observed_km2"], row["observed_share"]]
        rows.append((str(year.year), true, row["detections"], *("unknown" if value is None else float(value) for value in known)))
    columns = ("year", "true", "detections", "counted", "low", "high", "per 100 km2", "observed km2", "observed share")
    show_table("Slumps on the ground that was observed, 90 % range", columns, rows)
