"""`cryoatlas edits`: what people decide about features; it survives every rerun."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import shapely
import typer

from catalog.facts.edits import Action, Edit, Verdict
from catalog.facts.errors import WrongCall
from catalog.stores.edit_files import read_rows, write_template
from catalog.stores.edits import next_number, pending, read_edits, read_status, write_edits
from catalog.stores.jobs import stored_region
from catalog.stores.labels import read_labels
from catalog.stores.objects import local_path
from catalog.stores.store import open_store
from commands.console import OUT, progress_shown, say, show_json, show_table
from commands.edit_rows import Ground, imported, new_edit
from commands.running import run_apply_edits

app = typer.Typer(
    no_args_is_help=True,
    help="Accept, reject, redraw, draw or annotate features; edits survive reruns. Example: cryoatlas edits list --store s --region r",
)
_Store = Annotated[str, typer.Option(help="Store that holds the inventory.")]
_Region = Annotated[str, typer.Option(help="Region of the store.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command("add")
def add(  # noqa: PLR0913 - the options of a command are its form
    store: _Store,
    region: _Region,
    action: Annotated[Action, typer.Option(help="What is decided; `draw` adds a feature that the model missed.")],
    reason: Annotated[str, typer.Option(help="Why; a note is this text.")],
    author: Annotated[str, typer.Option(help="Who decides.")],
    *,
    year: Annotated[int | None, typer.Option(help="Year it holds for.")] = None,
    every_year: Annotated[bool, typer.Option("--every-year", help="It holds for every year, later ones too.")] = False,
    id: Annotated[str, typer.Option(help="Name of the feature, for example GL078000E44291N.")] = "",  # noqa: A002 - the option's name
    at: Annotated[str, typer.Option(help="LON,LAT inside the feature, in place of its name.")] = "",
    outline: Annotated[str, typer.Option(help="Vector file with the new outline (redraw, draw).")] = "",
    date: Annotated[str, typer.Option(help="Day of the decision; today when left out.")] = "",
) -> None:
    """Decide about one feature. It takes effect with the next `run`, or at once with `edits apply`.

    Example: cryoatlas edits add --store s --region r --year 2021 --action reject --id GL078000E44291N --reason river --author me
    """
    if (year is None) == (not every_year):
        raise WrongCall("Say --year YEAR, or --every-year.")
    ground, edits = _ground(store, region)
    place = _outline(outline) if outline else _place(at) if at else None
    edit = Edit(next_number(edits), action, year, id, reason, author, date or _today())
    edit = new_edit(ground, edit, place)
    path = write_edits(ground.store, ground.target, region, [*edits, edit])
    seen = f" ({edit.seen_area_m2:,.0f} m2)" if edit.seen_area_m2 is not None else ""
    say(f"Edit {edit.number}: {action} {edit.feature_id or 'a new feature'}{seen}, in {path}. {_how(store, region)}")


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(help="Vector file with a column `action`, for example from `edits template` and QGIS.")],
    store: _Store,
    region: _Region,
    *,
    author: Annotated[str, typer.Option(help="Of rows that name none.")] = "",
    date: Annotated[str, typer.Option(help="Of rows that have none; today when left out.")] = "",
) -> None:
    """Take over the rows of a file whose action is filled in; rows that the store knows already are not taken twice.

    Example: cryoatlas edits import lakes_2021.gpkg --store s --region r --author me
    """
    ground, edits = _ground(store, region)
    found = imported(ground, read_rows(Path(file)), edits, author=author, date=date or _today())
    for sentence in found.forgotten:
        say(f"[bold]not taken[/] {sentence}")
    if found.new:
        write_edits(ground.store, ground.target, region, [*edits, *found.new])
    say(f"{len(found.new)} edits taken over, {found.known} known already. {_how(store, region) if found.new else ''}".strip())


@app.command("list")
def list_(store: _Store, region: _Region, *, as_json: _Json = False) -> None:
    """Show every edit and what became of it, year by year.

    Example: cryoatlas edits list --store s --region r
    """
    ground, edits = _ground(store, region)
    rows = [row for edit in edits for row in _rows(ground, edit)]
    if as_json:
        show_json(rows)
        return
    if not rows:
        say(f"No edits of {region}. Add one with `cryoatlas edits add`.")
        return
    show_table(f"Edits of {region}", ("edit", "years", "action", "feature", "seen m2", "state"), _told(rows))
    for line in dict.fromkeys(_sentence(row) for row in rows):
        OUT.print(line, markup=False)
    open_rows = sum(row["state"] == "pending" for row in rows)
    if open_rows:
        say(f"{open_rows} are not applied yet. {_how(store, region)}")


@app.command("remove")
def remove(
    number: Annotated[int, typer.Argument(help="Number of the edit, as `edits list` shows it.")], store: _Store, region: _Region
) -> None:
    """Take an edit back; the next `run` or `edits apply` lists what the model says.

    Example: cryoatlas edits remove 3 --store s --region r
    """
    ground, edits = _ground(store, region)
    kept = [edit for edit in edits if edit.number != number]
    if len(kept) == len(edits):
        raise WrongCall(f"Edit {number}: there is none. There are: {', '.join(str(edit.number) for edit in edits) or 'none yet'}.")
    write_edits(ground.store, ground.target, region, kept)
    say(f"Edit {number} is gone. {_how(store, region)}")


@app.command("template")
def template(
    store: _Store,
    region: _Region,
    year: Annotated[int, typer.Option(help="Year.")],
    out: Annotated[str, typer.Option(help="GeoPackage to write.")],
) -> None:
    """Write an inventory as a GeoPackage to edit: fill in `action` and `reason`, move outlines, draw new ones; then `edits import`.

    Example: cryoatlas edits template --store s --region r --year 2021 --out lakes_2021.gpkg
    """
    ground, _ = _ground(store, region)
    if year not in ground.years:
        raise WrongCall(f"{region} {year}: no inventory in {store}. There are: {', '.join(map(str, ground.years)) or 'none yet'}.")
    count = write_template(ground.store, ground.target, region, year, local_path(out))
    say(f"Wrote {count} features to {out}. Edit it, then: cryoatlas edits import {out} --store {store} --region {region} --author NAME")


@app.command("apply")
def apply(store: _Store, region: _Region, *, as_json: _Json = False) -> None:
    """Write the inventories whose edits changed and track the region again; nothing before that stage is touched.

    Example: cryoatlas edits apply --store s --region r
    """
    ground, _ = _ground(store, region)
    with progress_shown(quiet=as_json):
        reports = run_apply_edits(region, store, list(ground.years), ground.target)
    written = [report.job.year for report in reports if any(stage.written for stage in report.stages)]
    warnings = {report.job.year: [w for stage in report.stages for w in stage.warnings] for report in reports}
    if as_json:
        show_json({"written": written, "warnings": warnings})
        return
    say(f"Inventories written: {', '.join(map(str, written)) or 'none, all are current'}.")
    for year, sentences in warnings.items():
        for sentence in sentences:
            say(f"[bold]look at[/] {region} {year} {sentence}")


def _ground(store: str, region: str) -> tuple[Ground, tuple[Edit, ...]]:
    opened = open_store(store)
    target = stored_region(opened, region).target
    return Ground(opened, region, target), read_edits(opened, target, region)


def _rows(ground: Ground, edit: Edit) -> list[dict[str, Any]]:
    years = [edit.year] if edit.year is not None else list(ground.years)
    return [_row(ground, edit, year) for year in years if year is not None]


def _row(ground: Ground, edit: Edit, year: int) -> dict[str, Any]:
    waiting = Verdict(edit.number, edit.action, edit.feature_id, "applied", "")
    found = next((v for v in read_status(ground.store, ground.target, ground.region, year) if v.edit == edit.number), waiting)
    state, message = ("pending", "") if pending(ground.store, ground.target, ground.region, year) else (found.state, found.message)
    return {
        "edit": edit.number,
        "year": year,
        "action": edit.action,
        "feature": found.feature_id or edit.feature_id,
        "seen_area_m2": edit.seen_area_m2 if edit.seen_area_m2 is not None else "",
        "author": edit.author,
        "date": edit.date,
        "reason": edit.reason,
        "state": state,
        "message": message,
    }


def _told(rows: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """One line per edit and state; years of which the same is true are told together."""
    told: dict[tuple[object, ...], list[int]] = {}
    for row in rows:
        area = row["seen_area_m2"]
        key = (row["edit"], row["action"], row["feature"], f"{area:,.0f}" if area != "" else "", row["state"].replace("_", " "))
        told.setdefault(key, []).append(row["year"])
    return [
        (key[0], ", ".join(map(str, years)) if len(years) < 3 else f"{years[0]} … {years[-1]}", *key[1:]) for key, years in told.items()
    ]


def _sentence(row: dict[str, Any]) -> str:
    became = f": {row['message']}" if row["message"] else ""
    return f"{row['edit']}  {row['reason']} ({row['author']}, {row['date']}){became}"


def _place(text: str) -> shapely.Geometry:
    try:
        longitude, latitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise WrongCall(f"Place {text!r}: write longitude and latitude in degrees, for example 78.0003,44.2907.") from error
    return shapely.Point(longitude, latitude)


def _outline(file: str) -> shapely.Geometry:
    outlines = read_labels(file, 0, 0).outlines
    if len(outlines) != 1:
        raise WrongCall(f"{file}: it holds {len(outlines)} outlines. Give one, or take many with `cryoatlas edits import`.")
    outline: shapely.Geometry = outlines.geometry.iloc[0]
    return outline


def _how(store: str, region: str) -> str:
    return f"Apply with: cryoatlas edits apply --store {store} --region {region}"


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
