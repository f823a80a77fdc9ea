"""`cryoatlas chips`: training chips, cut from a store or taken over from CryoSentinel's archive."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from catalog.facts.chips import EARTH, SPLITS, WET_SHARE, ChipCounts, CutOptions
from catalog.stores.chips import ChipSet, open_chips, read_card
from commands.console import say, show_json, show_table
from commands.parse import years_of
from commands.running import run_cut_chips, run_import_shards, run_relabel_chips

app = typer.Typer(no_args_is_help=True, help="Cut, import, show or export training chips. Example: cryoatlas chips show chips")
_Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.command("cut")
def cut_chips(  # noqa: PLR0913 - the options of the command
    store: Annotated[str, typer.Option(help="Store with the surface cubes.")],
    region: Annotated[str, typer.Option(help="Region of the store.")],
    years: Annotated[str, typer.Option(help="2021 or 2018-2023.")],
    labels: Annotated[str, typer.Option(help="Outlines of lakes or slumps (GeoParquet, GeoPackage, shapefile), or a pattern with {year}.")],
    out: Annotated[str, typer.Option(help="Folder to make.")],
    *,
    split: Annotated[
        Literal["blocks", "train", "val", "test"],
        typer.Option(help="blocks: the leak-free grid of all stages; else the whole set is declared to be of one split."),
    ] = "blocks",
    every_edge: Annotated[bool, typer.Option("--every-edge", help="Drop chips near every block edge, as CryoSentinel does.")] = False,
    stride: Annotated[int, typer.Option(help="Pixels between windows.")] = 112,
    negatives: Annotated[float, typer.Option(help="Share of chips without lakes (or slumps) that are kept; 1 keeps all.")] = 1.0,
    only_sane: Annotated[bool, typer.Option("--only-sane", help="Leave out chips of train and val that the MNDWI filter refuses.")] = False,
    ignore_band: Annotated[
        int | None, typer.Option(help="Ignored pixels on both sides of a shore; 1 on earth, 0 in a simulated world.")
    ] = None,
    label_year: Annotated[int | None, typer.Option(help="Year of labels that do not tell it.")] = None,
    ground: Annotated[str, typer.Option(help="earth, or the name of a simulated world.")] = EARTH,
    licence: Annotated[str, typer.Option(help="Licence of the labels.")] = "unknown",
    attribution: Annotated[str, typer.Option(help="Whom the labels are owed to.")] = "",
    as_json: _Json = False,
) -> None:
    """Cut training chips from the surface cubes of a store and outlines of what its region maps, lakes or slumps.

    Example: cryoatlas chips cut --store s --region demo_hma --years 2018-2021 --labels 'truth/lakes/year={year}.parquet' --out chips
    """
    options = CutOptions(
        split=split,
        every_edge=every_edge,
        stride_px=stride,
        negatives=negatives,
        only_sane=only_sane,
        ignore_band_px=ignore_band,
        label_year=label_year,
        ground=ground,
        licence=licence,
        attribution=attribution,
    )
    _say(run_cut_chips(store, region, years_of(years), labels, out, options), as_json=as_json)


@app.command("import")
def import_shards(
    shards: Annotated[str, typer.Option(help="Folder <dir>/<region>/<year>/shard_*.parquet.")],
    out: Annotated[str, typer.Option(help="Folder to make.")],
    *,
    as_json: _Json = False,
) -> None:
    """Convert CryoSentinel's chip archive; its splits are replaced by the leak-free ones.

    Example: cryoatlas chips import --shards cryosentinel-glof-v3 --out chips-hma
    """
    _say(run_import_shards(shards, out), as_json=as_json)


@app.command("relabel")
def relabel_chips(
    audit: Annotated[str, typer.Option(help="Folder of a reviewed audit, or the relabel.gpkg in it.")],
    data: Annotated[str, typer.Option(help="Folder of the chips that were audited.")],
    out: Annotated[str, typer.Option(help="Folder to make.")],
    *,
    as_json: _Json = False,
) -> None:
    """Write a set of chips anew with the labels that the verdicts of an audit leave; no chip is excluded.

    Example: cryoatlas chips relabel --audit scores/audit --data chips/test --out chips/test-relabelled
    """
    counts = run_relabel_chips(audit, data, out)
    if as_json:
        show_json(counts)
    else:
        show_table(f"{out}", ("what became of the labels", "cases, chips"), list(counts.items()))


@app.command("export")
def export_chips(
    data: Annotated[str, typer.Option(help="Folder of a set of chips.")],
    out: Annotated[str, typer.Option(help="Folder to make (coco), or Parquet file to write (glake-pos).")],
    *,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["coco", "glake-pos"],
        typer.Option(
            help="coco: slumps as images and annotations for detection tools; glake-pos: questions about lakes, true answers, masks."
        ),
    ] = "coco",
    pictures: Annotated[
        Literal["png", "tif"],
        typer.Option(help="png: red, green, blue for the eye; tif: red, green, blue, infrared as counts, georeferenced."),
    ] = "png",
    as_json: _Json = False,
) -> None:
    """Write a set for the tools of others: slumps as COCO, where what training ignores becomes a crowd, or lakes as questions and answers.

    Example: cryoatlas chips export --format coco --data chips/slumps --out coco
    """
    if format == "glake-pos":
        from tasks.write_pairs import write_pairs  # noqa: PLC0415 - as below

        families = write_pairs(data, out)
        if as_json:
            show_json(families)
            return
        show_table(f"Questions written to {out}", ("family", "questions"), list(families.items()))
        return
    from models.detector.targets import TargetOptions  # noqa: PLC0415 - torch takes seconds to import
    from tasks.export_chips import export_coco  # noqa: PLC0415

    counts = export_coco(data, out, pictures, TargetOptions())
    if as_json:
        show_json([asdict(count) for count in counts])
        return
    for count in counts:
        say(f"Wrote {count.images} images of {count.split} with {count.slumps} slumps, and {count.crowds} to be ignored, to {out}.")


@app.command("show")
def show_chips(chips: Annotated[str, typer.Argument(help="Folder of a set.")], *, as_json: _Json = False) -> None:
    """Show what a set holds, per region, year and split.

    Example: cryoatlas chips show chips
    """
    card, found = read_card(Path(chips)), open_chips(chips)
    counts = _counts(found)
    if as_json:
        show_json({"card": card, "counts": counts})
        return
    columns = tuple(counts[0])
    show_table(f"Chips in {chips}", columns, [tuple(row[name] for name in columns) for row in counts], caption=_caption(card))


def _counts(found: ChipSet) -> list[dict[str, object]]:
    """One row per region, year and split: how many chips, wet ones, what the filter would keep, and hard cases."""
    table = found.table.assign(wet=found.table["lake_share"] >= WET_SHARE)
    rows = []
    for (region, year, split), chips in table.groupby(["region", "year", "split"], sort=True):
        hard = sorted({name for names in chips["hard_classes"] for name in names})
        wet = int(chips["wet"].sum())
        row = {"region": region, "year": int(year), "split": split, "chips": len(chips), "wet": wet, "dry": len(chips) - wet}
        rows.append({**row, "sane": int(chips["sane"].sum()), "hard": " ".join(hard)})
    return sorted(rows, key=lambda row: (str(row["region"]), str(row["year"]), SPLITS.index(str(row["split"]))))


def _caption(card: dict[str, object]) -> str:
    return f"{card['chips']} chips, {card['made']}. Licence {card['licence']}. {card['attribution']}".rstrip()


def _say(counts: ChipCounts, *, as_json: bool) -> None:
    if as_json:
        show_json(asdict(counts))
        return
    splits = ", ".join(f"{counts.by_split[name]} {name}" for name in SPLITS if name in counts.by_split)
    say(f"Wrote {counts.chips} chips ({splits}) and {counts.outlines} outlines to {counts.out}.")
    if counts.repaired:
        say(f"{counts.repaired} outlines were invalid and were repaired.")
    for reason, number in counts.left_out.items():
        say(f"{number} windows left out: {reason}.")
