"""`cryoatlas match`: our features beside those of another inventory."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from catalog.facts.errors import WrongCall
from catalog.facts.matching import MatchOptions, MatchReport
from catalog.facts.options import TRACKING
from catalog.stores.named_features import target_of
from catalog.stores.store import open_store
from commands.console import progress_shown, say, show_json, show_table
from commands.running import run_match

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def match(  # noqa: PLR0913 - one per option
    store: Annotated[str, typer.Option(help="Store that holds the inventory, or the tracks of outlines of others.")],
    region: Annotated[str, typer.Option(help="Region of the store; only what lies on it is compared.")],
    year: Annotated[int, typer.Option(help="Year of our inventory.")],
    inventory: Annotated[str, typer.Option(help="File of the other inventory: GeoPackage, shapefile, GeoJSON or GeoParquet.")],
    *,
    name: Annotated[str | None, typer.Option(help="Name of the other inventory in the store. Default: that of its file.")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column that names its features. Default: a known one, such as GLIMS_ID.")] = None,
    min_overlap: Annotated[
        float | None, typer.Option(help="Share of the smaller outline from which two match. Default: as in tracking.", min=0.0, max=1.0)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say which features of another inventory are ours, and by what name: same, split, merged, only ours, only theirs.

    Example: cryoatlas match --store demo-store --region demo_hma --year 2021 --inventory hkh_lakes.gpkg --name hkhlakedb
    """
    track = TRACKING[target_of(open_store(store), region)]
    options = MatchOptions(track.min_overlap if min_overlap is None else min_overlap, track.min_observed, track.absence_looks)
    chosen = _UNSAFE.sub("_", Path(inventory).stem) if name is None else name
    if _UNSAFE.search(chosen) or not chosen.strip("."):
        raise WrongCall(f"Name {chosen!r} of the inventory cannot be a file name. Use letters, digits, _, - and . only.")
    with progress_shown(quiet=as_json):
        report = run_match(region, year, store, inventory, (chosen, id_column), options)
    if as_json:
        show_json(asdict(report))
    else:
        _show(report)


def _show(report: MatchReport) -> None:
    rows = [
        (relation.replace("_", " "), count.ours, count.theirs, _km2(count.area_m2), _km2(count.other_area_m2), _km2(count.shared_m2))
        for relation, count in report.relations.items()
    ]
    sums = [sum(getattr(count, name) for count in report.relations.values()) for name in ("ours", "theirs", "area_m2", "other_area_m2")]
    shared = sum(count.shared_m2 for count in report.relations.values())
    rows.append(("together", *sums[:2], *map(_km2, (*sums[2:], shared))))
    columns = ("relation", "ours", "theirs", "ours km2", "theirs km2", "shared km2")
    show_table(f"{report.region} {report.year} beside {report.inventory}, on {report.clipped_to}", columns, rows)
    if report.median_difference_percent is not None and report.quartiles_percent is not None:
        low, high = report.quartiles_percent
        say(
            f"Same features: our area differs from theirs by {report.median_difference_percent:+.1f} % in the median (half between {low:+.1f} and "
            f"{high:+.1f} %), median IoU {report.median_iou:.2f}."
        )
    if sums[1]:
        found = sums[1] - report.relations["only_theirs"].theirs
        say(f"Found {found} of {sums[1]} of theirs ({found / sums[1]:.0%}), {shared / max(sums[3], 1e-9):.0%} of their area.")
    if report.only_theirs_unobserved:
        say(f"Of {report.relations['only_theirs'].theirs} that are only theirs, {report.only_theirs_unobserved} lie on unobserved ground.")
    if report.repeated:
        say(
            f"{report.repeated} of theirs lie on each other: the file holds several years or images. Give a file of one for plain relations."
        )
    say(f"{report.left_out} of theirs lie elsewhere. Their names: {report.id_column or 'none known, rows are numbered'}.")
    say(f"Wrote {report.written}")


def _km2(area_m2: float) -> str:
    return f"{area_m2 / 1e6:,.3f}"
