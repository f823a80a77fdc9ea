"""Scores of slump detectors as one page that needs nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.pictures.score_page import figure_html, page_html
from models.pictures.score_tables import compared_table, escaped, facts_table, interval, number
from models.pictures.slump_plots import areas_of_slumps_plot, precision_recall_plot, sizes_plot
from models.scores.scorecard import Metric
from models.scores.slump_results import SlumpResult

FIGURES: Final = (
    ("all", "AP50", "AP50 of merged slumps"),
    ("all", "AP", "AP (overlap 0.50 to 0.95)"),
    ("all", "AP75", "AP75"),
    ("all", "AP30", "AP at an overlap of 0.3"),
    ("all", "AR", "average recall (AR)"),
    ("windows", "AP50", "AP50 of windows, as published work gives it"),
    ("windows", "AP", "AP of windows"),
    ("windows", "AR", "AR of windows, 100 detections"),
    ("all", "f1", "F1 of listed slumps"),
    ("all", "precision", "precision"),
    ("all", "recall", "recall"),
    ("size <0.5 ha", "recall", "recall of slumps < 0.5 ha"),
    ("size <0.5 ha", "recall_iou30", "the same at an overlap of 0.3"),
    ("all", "f1_iou30", "F1 at an overlap of 0.3"),
    ("all", "duplicates_share", "detections on a slump found already, per found slump"),
    ("all", "boundary_f_10m", "boundary F at 10 m"),
    ("all", "boundary_f_20m", "boundary F at 20 m"),
    ("all", "count_error", "error of the number"),
    ("all", "total_area_error", "error of the total area"),
    ("all", "area_bias_share", "area of found slumps too large by"),
    ("all", "invented_per_100km2", "invented per 100 km2"),
)
"""Figures (group, name) that people ask for, with words."""
_TILES: Final = FIGURES[0], FIGURES[8], FIGURES[11], FIGURES[14], FIGURES[15], FIGURES[18]
_BY_GROUP: Final = (("recall", "recall"), ("precision", "precision"), ("f1", "F1"))
_SUBSET_FIGURES: Final = (FIGURES[0], FIGURES[5], FIGURES[8], FIGURES[11])


@dataclass(frozen=True, slots=True)
class SlumpFacts:
    """What a reader must know to judge the figures."""

    title: str
    models: Sequence[Mapping[str, str]]
    data: Sequence[Mapping[str, str]]
    notes: Sequence[str]


def slump_page(facts: SlumpFacts, results: Sequence[SlumpResult], gains: Sequence[tuple[str, Sequence[Metric]]]) -> str:
    """The page as HTML text; results begin with the detector that was asked for, whole, and others and subsets follow."""
    first = results[0]
    whole = [result for result in results if result.subset == first.subset]
    sections = [
        f"<h1>{escaped(facts.title)}</h1>",
        *(f"<p class=faint>{escaped(note)}</p>" for note in facts.notes),
        facts_table("detector", facts.models),
        facts_table("chips", facts.data),
        _tiles(first),
        "<h2>All figures</h2>",
        f"<p class=faint>Value and 90 % interval, bootstrapped over {escaped(first.blocks)}.</p>",
        compared_table([(result.model, result) for result in whole], FIGURES),
        *_gains(gains),
        *_subsets([result for result in results if result.model == first.model]),
        "<h2>Scores and sizes</h2><div class=row>",
        figure_html(precision_recall_plot(whole), "Precision against recall over all scores; dots: where detections are listed."),
        figure_html(
            areas_of_slumps_plot(first.scores), "Found slumps of the first detector; the dashed line is where both areas are equal."
        ),
        "</div>",
        figure_html(sizes_plot(first), "By true area, number of true slumps in brackets; lines are 90 % intervals."),
        _groups(first),
        _meaning(first),
    ]
    return page_html(facts.title, sections)


def _tiles(result: SlumpResult) -> str:
    found = [(result.get(group, name), words) for group, name, words in _TILES]
    tiles = (f"<div class=tile><b>{number(m)}</b><span>{escaped(words)}</span><span>{interval(m)}</span></div>" for m, words in found if m)
    return f"<div class=row>{''.join(tiles)}</div>"


def _gains(gains: Sequence[tuple[str, Sequence[Metric]]]) -> Iterator[str]:
    for name, figures in gains:
        rows = "".join(
            f"<tr><td>{each.metric.removesuffix('_gain')}</td><td class=n>{number(each)}</td><td class=range>{interval(each)}</td></tr>"
            for each in figures
        )
        yield f"<h2>{escaped(name)}</h2><p>Both on the same draws of blocks; an interval that leaves out 0 tells the two apart.</p>"
        yield f"<table><tr><th>figure</th><th class=n>difference</th><th></th></tr>{rows}</table>"


def _subsets(results: Sequence[SlumpResult]) -> Iterator[str]:
    if len(results) > 1:
        yield "<h2>Modalities</h2><p>What is left when a modality is hidden, or when the auxiliaries are those of other windows.</p>"
        yield compared_table([(result.subset, result) for result in results], _SUBSET_FIGURES)


def _groups(result: SlumpResult) -> str:
    groups = dict.fromkeys(each.group for each in result.metrics if each.group.startswith(("size ", "region ", "class ", "hard ")))
    rows = []
    for group in groups:
        found = [result.get(group, name) for name, _ in _BY_GROUP]
        cells = "".join(f"<td class=n>{number(m) if m else ''}</td><td class=range>{interval(m) if m else ''}</td>" for m in found)
        rows.append(f"<tr><td>{escaped(group.replace('_', ' '))}</td><td class=n>{found[0].n if found[0] else ''}</td>{cells}</tr>")
    head = "".join(f"<th class=n>{words}</th><th></th>" for _, words in _BY_GROUP)
    return f"<table><tr><th>slumps</th><th class=n>true</th>{head}</tr>{''.join(rows)}</table>"


def _meaning(result: SlumpResult) -> str:
    lines = (
        "Windows are predicted on the lattice of the zone and merged as in the pipeline; merged outlines are matched one to one with true "
        "ones, best score first. A slump is found when the shared area is at least half of the union.",
        f"Listed are detections that score {result.scores.threshold:.3f} or more; average precision looks at all of them.",
        "Not asked for, and not held against a detection on it: slumps under 400 m2, with less than 90 % on ground that was looked at, less "
        "than half of it clear, recovering or stabilised ones, and what the labels call not observable.",
        "A detection belongs to the size of the slump that it found, or to its own. Kinds and reasons are known of true slumps only.",
        "Boundary F counts points every 5 m along outlines that have the other side within 10 or 20 m.",
        "Figures of windows compare masks of windows that share no ground, as COCO does; those of merged slumps compare polygons.",
        "Unlabelled slumps count as invented: look at them (state `invented` in slumps.parquet) before quoting a precision on real ground.",
    )
    return "<h2>What the figures mean</h2>" + "".join(f"<p>{escaped(line)}</p>" for line in lines)
