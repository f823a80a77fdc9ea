"""`cryoatlas evaluate`: how good a model is on chips that it never saw, and how good the labels are."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from catalog.facts.describer_evaluation import CONSTANT_PROMPT, CONTROLS, GENERATED, TEACHER_FORCED, DescriberEvaluation
from catalog.facts.errors import WrongCall
from catalog.facts.evaluation import EVERY_MODALITY, Evaluation, EvaluationReport
from catalog.facts.slump_evaluation import SlumpEvaluation
from catalog.stores.audits import refuse_answered
from catalog.stores.objects import local_path
from commands.console import OUT, progress_shown, say, show_json, show_table
from commands.running import run_evaluate_describer, run_evaluate_lakes, run_evaluate_slumps

_COMING = ("refer", "embed")
_SHOWN = (
    ("wet", "iou", "global IoU, wet chips"),
    ("all", "iou", "global IoU, all chips"),
    ("all", "iou_best_on_val", "the same at the threshold that is best on val"),
    ("all", "object_recall", "recall of lakes >= 0.1 ha"),
    ("all", "object_precision", "precision of lakes"),
    ("all", "object_f1", "F1 of lakes"),
    ("size >1 ha", "object_recall", "recall of lakes > 1 ha"),
    ("all", "boundary_f_10m", "boundary F at 10 m"),
    ("all", "total_area_error", "error of the total area"),
    ("all", "interval_coverage", "area intervals that hold the truth"),
    ("dry", "stays_dry_share", "dry chips without a predicted pixel"),
    ("all", "ece", "calibration error"),
)

_SHOWN_SLUMPS = (
    ("all", "AP50", "AP50"),
    ("all", "AP", "AP (overlap 0.50 to 0.95)"),
    ("all", "AP75", "AP75"),
    ("all", "AR", "average recall"),
    ("windows", "AP50", "AP50 of windows, as published"),
    ("all", "f1", "F1 of listed slumps"),
    ("all", "precision", "precision"),
    ("all", "recall", "recall"),
    ("size <0.5 ha", "recall", "recall of slumps < 0.5 ha"),
    ("all", "f1_iou30", "F1 at an overlap of 0.3"),
    ("all", "duplicates_share", "duplicates per found slump"),
    ("all", "boundary_f_10m", "boundary F at 10 m"),
    ("all", "boundary_f_20m", "boundary F at 20 m"),
    ("all", "count_error", "error of the number"),
    ("all", "total_area_error", "error of the total area"),
    ("all", "invented_per_100km2", "invented per 100 km2"),
)
_SHOWN_DESCRIPTIONS = (
    ("whole", "lake_iou", "lake IoU, whole scene"),
    ("whole", "mean_iou", "mean of lake and background IoU"),
    ("referring", "iou_per_answer", "IoU of referring questions"),
    ("two quadrants", "overlap", "overlap of two quadrants' masks"),
    ("up to 5 lakes", "count_exact", "count right, up to 5 lakes"),
    ("all", "count_exact", "count right, all scenes"),
    ("all", "quadrant_f1", "F1 of lakes per quadrant"),
    ("all", "positions_right", "places that are true"),
    ("verified", "positions_right", "after verification"),
    ("all", "factual", "statements that are true"),
    ("all", "hallucinated", "described and not there"),
    ("all", "omitted", "left out of descriptions"),
    ("all", "agreement", "number in text = lakes in mask"),
    ("all", "rouge_l", "ROUGE-L"),
    ("all", "meteor_exact_stem", "METEOR (exact+stem)"),
    ("all", "cpu_s_per_answer", "CPU s per answer"),
)
_ALONE = (("wet", "iou", "IoU, wet chips"), ("all", "object_f1", "F1 of lakes"), ("size >1 ha", "object_recall", "recall > 1 ha"))

app = typer.Typer(
    no_args_is_help=True,
    help="Score a model on chips, and audit their labels. Example: cryoatlas evaluate lakes --weights lakes-tiny --data chips --out scores",
)


@app.command("lakes")
def evaluate_lakes(  # noqa: PLR0913 - the options of the command
    weights: Annotated[str, typer.Option(help="A model of `cryoatlas models list`, a file, hf://owner/repository/path or an address.")],
    data: Annotated[list[str], typer.Option(help="Folder of chips; may be given several times.")],
    out: Annotated[str, typer.Option(help="Folder for tables, page and audit.")],
    *,
    split: Annotated[str, typer.Option(help="test, val or train.")] = "test",
    against: Annotated[str | None, typer.Option(help="A second model on the same chips, for example indices.")] = None,
    subsets: Annotated[bool, typer.Option("--subsets", help="Score with S2+DEM, S1+DEM, S2 and S1 alone, too.")] = False,
    tta: Annotated[bool, typer.Option("--tta/--no-tta", help="Average the predictions of four mirror images.")] = True,
    audit: Annotated[int, typer.Option(help="Write that many disagreements of label and model for a blind review.", min=0)] = 0,
    relabel: Annotated[str | None, typer.Option(help="Folder of a reviewed audit: score with its verdicts, too.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Score lakes by pixel, shore, lake and area, with 95 % intervals by block; writes Parquet tables and one page.

    Example: cryoatlas evaluate lakes --weights lakes-tiny --against indices --data chips/test --subsets --out scores
    """
    if audit:
        refuse_answered(local_path(out) / "audit")
    evaluation = Evaluation(weights, tuple(data), out, split, against, subsets, tta, audit, relabel, device)
    with progress_shown(quiet=as_json):
        report = run_evaluate_lakes(evaluation)
    if as_json:
        show_json(asdict(report))
        return
    _show(report, split)
    if report.cases:
        say(f"Audit: {report.cases} cases in {report.out}/audit. Fill in `verdict` in relabel.gpkg, then `cryoatlas chips relabel`.")
    OUT.print(f"Page: {report.page}")


@app.command("slumps")
def evaluate_slumps(  # noqa: PLR0913 - the options of the command
    weights: Annotated[str, typer.Option(help="A detector of `cryoatlas models list`, a file, hf://owner/repository/path or an address.")],
    data: Annotated[list[str], typer.Option(help="Folder of chips; may be given several times.")],
    out: Annotated[str, typer.Option(help="Folder for tables and page.")],
    *,
    split: Annotated[str, typer.Option(help="test, val or train.")] = "test",
    against: Annotated[str | None, typer.Option(help="A second detector on the same ground.")] = None,
    subsets: Annotated[bool, typer.Option("--subsets", help="Score without each auxiliary modality, too.")] = False,
    threshold: Annotated[
        float | None, typer.Option(help="Score from which slumps are listed; the card's by default.", min=0, max=1)
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Score slumps by average precision, size, outline, number and area, with 90 % intervals; writes Parquet tables and one page.

    Example: cryoatlas evaluate slumps --weights slumps-tiny --data chips/test --subsets --out scores
    """
    evaluation = SlumpEvaluation(weights, tuple(data), out, split, against, subsets, threshold, device)
    with progress_shown(quiet=as_json):
        report = run_evaluate_slumps(evaluation)
    if as_json:
        show_json(asdict(report))
        return
    _show_slumps(report)
    OUT.print(f"Page: {report.page}")


@app.command("describe")
def evaluate_describe(  # noqa: PLR0913 - the options of the command
    weights: Annotated[str, typer.Option(help="A describer of `cryoatlas models list`, a file, hf://owner/repository/path or an address.")],
    data: Annotated[list[str], typer.Option(help="Folder of chips, or simulated:FIRST-LAST; may be given several times.")],
    out: Annotated[str, typer.Option(help="Folder for tables and page.")],
    *,
    split: Annotated[str, typer.Option(help="test, val or train; simulated scenes are all scored.")] = "test",
    against: Annotated[
        str | None, typer.Option(help="A second describer on the same scenes, for example one trained without language path.")
    ] = None,
    controls: Annotated[
        bool, typer.Option("--controls/--no-controls", help="Score without the question, without the image and by true words, too.")
    ] = True,
    min_area: Annotated[float, typer.Option(help="Smallest lake that is asked for, m2.", min=0)] = 5_000.0,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; CRYOATLAS_DEVICE by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Score masks and words of a describer on scenes it never saw, with 90 % intervals by scene; writes Parquet tables and one page.

    Example: cryoatlas evaluate describe --weights describe-tiny --data simulated:100000-100119 --out scores
    """
    evaluation = DescriberEvaluation(weights, tuple(data), out, split, against, controls, min_area, device)
    with progress_shown(quiet=as_json):
        report = run_evaluate_describer(evaluation)
    if as_json:
        show_json(asdict(report))
        return
    _show_descriptions(report)
    OUT.print(f"Page: {report.page}")


def _show_descriptions(report: EvaluationReport) -> None:
    rows = {(r["model"], r["subset"], r["group"], r["metric"]): r for r in report.figures}
    scored = [each for each in dict.fromkeys(key[:2] for key in rows) if (*each, "whole", "lake_iou") in rows]
    apart = [each for each in scored if each[1] in (*CONTROLS, TEACHER_FORCED)]
    for title, some in (("Scores with 90 % intervals", [each for each in scored if each not in apart]), ("Controls", apart)):
        # of a describer that is compared with, the words that it says; of one without language path, its masks
        columns = [model if subset not in (*CONTROLS, TEACHER_FORCED, CONSTANT_PROMPT) else subset for model, subset in some]
        cells = [(words, *(_cell(rows.get((*each, group, metric))) for each in some)) for group, metric, words in _SHOWN_DESCRIPTIONS]
        if some:
            show_table(title, ("figure", *columns), [row for row in cells if any(row[1:])])
    gains = [(key[0], _cell(row)) for key, row in rows.items() if key[3] == "lake_iou_gain" and key[1] == GENERATED]
    if gains:
        show_table("Lake IoU, whole scene", ("difference", "value"), gains)


def _show_slumps(report: EvaluationReport) -> None:
    rows = {(r["model"], r["subset"], r["group"], r["metric"]): r for r in report.figures}
    passes = list(dict.fromkeys(key[:2] for key in rows))
    scored = [each for each in passes if any((*each, *figure[:2]) in rows for figure in _SHOWN_SLUMPS)]
    columns = [model if subset == EVERY_MODALITY else subset for model, subset in scored]
    cells = [(words, *(_cell(rows.get((*each, group, metric))) for each in scored)) for group, metric, words in _SHOWN_SLUMPS]
    show_table("Scores with 90 % intervals", ("figure", *columns), [row for row in cells if any(row[1:])])
    for each in passes:
        if each not in scored:
            gains = [(key[3].removesuffix("_gain"), _cell(row)) for key, row in rows.items() if key[:2] == each]
            show_table(each[0], ("figure", "difference"), gains)


def _show(report: EvaluationReport, split: str) -> None:
    rows = {(r["model"], r["split"], r["subset"], r["group"], r["metric"]): r for r in report.figures}
    passes = list(dict.fromkeys((r["model"], r["split"], r["subset"]) for r in report.figures if str(r["split"]).startswith(split)))
    whole = [each for each in passes if each[2] == EVERY_MODALITY and (*each, "all", "iou") in rows]
    table = []
    for group, metric, words in _SHOWN:
        found = [_cell(rows.get((*each, group, metric))) for each in whole]
        if any(found):
            table.append((words, *found))
    columns = [model + name.removeprefix(split) for model, name, _ in whole]
    show_table("Scores with 95 % intervals", ("figure", *columns), table)
    ahead = [each for each in passes if (*each, "wet", "iou_gain") in rows]
    for each in ahead:
        gains = [row for key, row in rows.items() if key[:3] == each]
        cells = [(f"{row['group']} {row['metric'].removesuffix('_gain')}", _cell(row), row["n"]) for row in gains]
        show_table(each[0], ("figure", "difference", "n"), cells)
    alone = [each for each in passes if each[2] != EVERY_MODALITY]
    if alone:
        cells = [(each[2], *(_cell(rows.get((*each, group, metric))) for group, metric, _ in _ALONE)) for each in alone]
        show_table(f"Sensors missing, {alone[0][0]}", ("shown", *(words for *_, words in _ALONE)), cells)


def _cell(row: dict[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return ""
    ends = "" if row["low"] is None else f" ({row['low']:.3f} to {row['high']:.3f})"
    return f"{row['value']:.3f}{ends}"


def _later(name: str) -> None:
    def refuse() -> None:
        raise WrongCall(f"`evaluate {name}` comes with a later release. `cryoatlas evaluate lakes`, `slumps` and `describe` are there.")

    app.command(name, hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(refuse)


for _name in _COMING:
    _later(_name)
