"""Scores on a terminal: the figures that people ask for first."""

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.facts.describer_evaluation import CONSTANT_PROMPT, CONTROLS
from catalog.facts.evaluation import EVERY_MODALITY, EvaluationReport
from catalog.facts.referrer_evaluation import LAKE_PHRASES, WITHOUT_ICE
from catalog.facts.spoken_evaluation import BY_RULE, GENERATED, TEACHER_FORCED
from commands.console import show_table

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
_SHOWN_MASKS = (
    ("all", "miou", "mIoU"),
    ("all", "ciou", "cIoU"),
    ("all", "accuracy_50", "masks with IoU >= 0.5"),
    ("all", "accuracy_70", "masks with IoU >= 0.7"),
    *((group, "miou", f"mIoU, {group}") for group in ("isolated", "pair", "linear", "clustered", "together", "1 referent")),
    ("several referents", "miou", "mIoU, several referents"),
    *((group, "miou", f"mIoU, {group}") for group in ("small", "medium", "large")),
    (LAKE_PHRASES, "miou", "mIoU, phrases that say lake"),
    (WITHOUT_ICE, "miou", "the same, scenes without ice"),
    ("all", "counted", "as many masks as referents"),
    ("all", "refused", "there is none, rightly"),
    ("all", "refused_wrongly", "there is none, wrongly"),
    ("all", "class_right", "class right"),
    ("words", "exact", "exact answers in words"),
    ("boxes", "accuracy_50", "boxes with IoU >= 0.5"),
    ("all", "expected_error", "expected overlap off by"),
    ("all", "cpu_s_per_answer", "CPU s per answer"),
)
_SCORES = (GENERATED, BY_RULE)
"""Subsets that are scores; the others are controls."""
_SHOWN_CONTROLS = (
    ("all", "miou", "mIoU"),
    ("all", "ciou", "cIoU"),
    ("several referents", "miou", "mIoU, several referents"),
    ("several referents", "miou_unmoved", "against masks of the first order"),
    ("all", "counted", "as many masks as referents"),
    ("all", "refused", "there is none, rightly"),
    ("words", "exact", "exact answers in words"),
    ("all", "logit_change", "mean change of logits"),
)


def show_descriptions(report: EvaluationReport) -> None:
    """Print scores of a describer and of what stands beside it."""
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


def show_slumps(report: EvaluationReport) -> None:
    """Print scores of a detector."""
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


def show_lakes(report: EvaluationReport, split: str) -> None:
    """Print scores of a model of lakes."""
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


def show_referred(report: EvaluationReport) -> None:
    """Print scores of a referrer, of what stands beside it, and what is lost when something is taken away."""
    rows = {(r["model"], r["subset"], r["group"], r["metric"]): r for r in report.figures}
    passes = list(dict.fromkeys(key[:2] for key in rows if not key[3].endswith("_gain")))
    ahead = list(dict.fromkeys(key[:2] for key in rows if key[3].endswith("_gain")))
    differences = tuple((group, f"{metric}_gain", words) for group, metric, words in _SHOWN_CONTROLS)
    _show_figures("Scores with 90 % intervals", rows, [each for each in passes if each[1] in _SCORES], _SHOWN_MASKS)
    _show_figures("Controls", rows, [each for each in passes if each[1] not in _SCORES], _SHOWN_CONTROLS)
    _show_figures("Controls minus as asked", rows, [each for each in ahead if each[1] not in _SCORES], differences)
    _show_figures("Difference", rows, [each for each in ahead if each[1] in _SCORES], differences)


def _show_figures(
    title: str,
    rows: Mapping[tuple[str, str, str, str], dict[str, Any]],
    columns: Sequence[tuple[str, str]],
    figures: Sequence[tuple[str, str, str]],
) -> None:
    """Print figures (group, metric, words) of columns (model, subset) that somebody has."""
    names = [model if subset in _SCORES else subset for model, subset in columns]
    cells = [(words, *(_cell(rows.get((*each, group, metric))) for each in columns)) for group, metric, words in figures]
    if columns:
        show_table(title, ("figure", *names), [row for row in cells if any(row[1:])])


def _cell(row: dict[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return ""
    ends = "" if row["low"] is None else f" ({row['low']:.3f} to {row['high']:.3f})"
    return f"{row['value']:.3f}{ends}"
