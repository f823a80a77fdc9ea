"""`cryoatlas ask`: a question in plain words, answered from an inventory, or asked back."""

from typing import Annotated, Final

import typer

from catalog.facts.ask_records import AskAnswer, AskItem, AskRequest
from catalog.facts.errors import WrongCall
from catalog.stores.objects import place
from commands.console import OUT, progress_shown, say, show_json, show_table
from commands.exports import write_items
from commands.running import run_ask

_ROWS: Final = 20
"""Rows of the table on a terminal."""
_FORMATS: Final = (".geojson", ".parquet")
_SHOWN: Final = {
    "judged_change_m2": "changed by, m2",
    "elevation_m": "elevation, m",
    "perimeter_m": "perimeter, m",
    "glacier_distance_m": "to a glacier, m",
    "headwall_length_m": "headwall, m",
    "headwall_retreat_m": "retreat, m",
    "volume_m3": "volume, m3",
    "probability": "probability",
    "observed_share": "observed share",
    "lake_type": "type",
    "status": "status",
}
"""Columns that are shown where they were asked about."""


def ask(  # noqa: PLR0913 - the options of the command
    words: Annotated[str, typer.Argument(help="The question, in quotes.")],
    store: Annotated[str, typer.Option(help="Store that holds the inventory.")],
    *,
    region: Annotated[str | None, typer.Option(help="Region of the store; with --tile, which of several.")] = None,
    tile: Annotated[str | None, typer.Option(help="ID of a tile, for example 32643-0029-0214, instead of a whole region.")] = None,
    year: Annotated[int | None, typer.Option(help="Year of the inventory; the one in the words, or the last one, by default.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Referrer of `cryoatlas models list`, a folder or hf://..., that looks as well; `rule` asks none. By default one is asked "
            "only about what the inventory does not know."
        ),
    ] = None,
    out: Annotated[str | None, typer.Option(help="File for the outlines that were found: .geojson or .parquet.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print text, outlines, IDs and the SQL as JSON.")] = False,
) -> None:
    """Ask about a tile or a region in plain words: attributes, changes, places. What cannot be read is asked back; nothing is invented.

    Example: cryoatlas ask "lakes larger than 0.1 km2 that grew since 2018" --store demo-store --region demo_hma
    """
    if out is not None and not out.endswith(_FORMATS):
        raise WrongCall(f"--out {out}: outlines are written as {' or '.join(_FORMATS)}, name the file so.")
    with progress_shown(quiet=as_json):
        answer = run_ask(AskRequest(words, region, tile, year, model, device), store)
    if out is not None and answer.items:
        write_items(answer, place(out))
    if as_json:
        show_json(answer.as_dict())
        return
    _show(answer)
    if out is not None:
        say(f"Wrote {len(answer.items)} outlines to {out}" if answer.items else f"Nothing was found, so that {out} was not written.")


def _show(answer: AskAnswer) -> None:
    OUT.print(answer.text, markup=False)
    _show_items(answer.items, scores=answer.way == "sight")
    if answer.opinion is not None and answer.way != "sight":
        OUT.print(answer.opinion.text, markup=False)
        _show_items(answer.opinion.items, scores=True)
    if answer.note and answer.note not in answer.text:
        say(f"Note: {answer.note}.")


def _show_items(items: tuple[AskItem, ...], *, scores: bool = False) -> None:
    if not items:
        return
    shown = [name for name in _SHOWN if any(name in item.values for item in items)]
    columns = [
        "name",
        "kind",
        "outline of",
        "km2",
        *(["95 %, km2"] if any(_interval(item) for item in items) else []),
        *(["observed"] if any(_observed(item) for item in items) else []),
        "longitude",
        "latitude",
        *(_SHOWN[name] for name in shown),
        *(["score"] if scores else []),
    ]
    rows = [
        [
            *(item.feature_id or "not in the inventory", item.kind, str(item.year), f"{item.area_m2 / 1e6:.4f}"),
            *([_interval(item)] if "95 %, km2" in columns else []),
            *([_observed(item)] if "observed" in columns else []),
            *(f"{item.longitude:.5f}", f"{item.latitude:.5f}"),
            *(_number(item.values.get(name)) for name in shown),
            *([item.score] if scores else []),
        ]
        for item in items[:_ROWS]
    ]
    more = len(items) - _ROWS
    show_table("", columns, rows, caption=f"and {more} more: --out FILE or --json gives all of them" if more > 0 else "")


def _interval(item: AskItem) -> str:
    low, high = item.values.get("area_low_m2"), item.values.get("area_high_m2")
    return "" if low is None or high is None else f"{low / 1e6:.4f}-{high / 1e6:.4f}"


def _observed(item: AskItem) -> str:
    """The median date of the observations that an outline was made from."""
    return str(item.values.get("date_median") or "")


def _number(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, float) and abs(value) >= 10 else f"{value:.2f}" if isinstance(value, float) else str(value)
